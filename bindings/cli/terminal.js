/** What commands print: results on stdout; progress and complaints on stderr, so that results can be piped. */

/** @param {string} text */
export const say = text => void process.stdout.write(`${text}\n`);
/** @param {string} text */
export const complain = text => void process.stderr.write(`${text}\n`);

/** @param {number} seconds */
export function duration(seconds) {
  if (!(seconds < 90)) return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.max(0, Math.ceil(seconds))} s`;
}

/**
 * Seconds that are left of a job, from its speed over the later half of the time so far: what a resumed job had done before, or finds in
 * a cache, takes no time and would promise too much.
 * @param {number} total
 * @returns {(done: number, now: number) => number | undefined} now: seconds; undefined while nothing can be told
 */
export function timeLeft(total) {
  /** @type {{ now: number, done: number }[]} */
  const marks = [];
  let begin = NaN;
  return (done, now) => {
    if (Number.isNaN(begin)) begin = now;
    while (marks.length > 1 && marks[1].now <= (begin + now) / 2) marks.shift();
    const from = marks[0], last = marks[marks.length - 1];
    if (!last || now - last.now >= (now - begin) / 64) marks.push({ now, done }); // a few dozen at a time
    return from && done > from.done ? (now - from.now) / (done - from.done) * (total - done) : undefined;
  };
}

/**
 * Progress of a long job: on a terminal one line that changes, at most ten times a second; elsewhere a line every tenth of the
 * way, at least ten seconds apart, so that logs stay short.
 * @param {string} what such as "scored"
 * @param {number} total
 */
export function progress(what, total) {
  const begin = performance.now(), isTerminal = process.stderr.isTTY, leftOf = timeLeft(total);
  let last = -Infinity, told = 0;
  const clear = () => isTerminal && process.stderr.write('\r\x1b[K');
  return {
    /** @param {number} done */
    at(done) {
      const now = performance.now(), left = leftOf(done, now / 1000);
      const isDue = isTerminal ? now - last >= 100 : now - Math.max(last, begin) >= 10_000 && done >= told + total / 10;
      if (!isDue) return;
      [last, told] = [now, done];
      const line = `${what} ${done} of ${total}${left === undefined ? '' : `  ${duration(left)} left`}`;
      process.stderr.write(isTerminal ? `\r${line}\x1b[K` : `${line}\n`);
    },
    /** Before anything else is printed. */
    clear,
  };
}

/** The first of a list, for messages. @param {string[]} list */
export const some = list => `${list.slice(0, 5).join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''}`;

/** @param {number} n @param {string} noun */
export const count = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;
