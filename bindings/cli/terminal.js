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
 * Progress of a long job: on a terminal one line that changes, at most ten times a second; elsewhere a line every tenth of the
 * way, at least ten seconds apart, so that logs stay short.
 * @param {string} what such as "scored"
 * @param {number} total
 */
export function progress(what, total) {
  const begin = performance.now(), isTerminal = process.stderr.isTTY;
  let first = NaN, last = -Infinity, told = 0;
  const clear = () => isTerminal && process.stderr.write('\r\x1b[K');
  return {
    /** @param {number} done */
    at(done) {
      const now = performance.now();
      if (Number.isNaN(first)) first = done; // what a resumed run had done before tells nothing about its speed
      const isDue = isTerminal ? now - last >= 100 : now - Math.max(last, begin) >= 10_000 && done >= told + total / 10;
      if (!isDue) return;
      [last, told] = [now, done];
      const left = done > first ? `  ${duration((now - begin) / 1000 / (done - first) * (total - done))} left` : '';
      const line = `${what} ${done} of ${total}${left}`;
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
