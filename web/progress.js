// Figures of pages that train: the engine, how far it is, a table of epochs, what became of saving.
import { info } from 'heddle';
import { byId, percent, put, say } from './page.js';

/** @param {number} seconds */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** What became of saving or loading, in both places. @param {string} text */
export function tell(text) {
  say(text);
  byId('model-state').hidden = false;
  put('model-state', text);
}

/** What the engine is and takes. */
export function showEngine() {
  const { engine, threads, threadsAsked, isolated, memory } = info(), mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
  put('fact-engine', engine ?? '–');
  put('fact-threads', threads === threadsAsked || !isolated ? String(threads) : `${threads} of ${threadsAsked}`);
  put('fact-isolated', isolated ? 'yes' : 'no');
  put('fact-memory', `${mib(memory.used)} of ${mib(memory.heap)} MiB`);
}

/** Epochs that are done, the last one in part. @param {any} log of a batch or an epoch */
const epochsDone = (log) => log.epoch + (log.type === 'epoch' ? 1 : (log.batch + 1) / log.batches);

/**
 * @param {{ log: any, begin: number, epochs: number }} fit its newest log, the epochs before it and of it
 * @param {{ epochs: number, isBusy: boolean, accuracy: number | null, unit: string }} about epochs: trained for, while no fit
 *   has a log; unit: what is counted in a second
 */
export function showProgress({ log, begin, epochs }, { epochs: trained, isBusy, accuracy, unit }) {
  const done = log ? epochsDone(log) : 0, total = log ? begin + done : trained, speed = log?.samplesPerSecond ?? 0;
  byId('progress').value = epochs ? done / epochs : 0;
  put('fact-epoch', total === 0 ? '–' : total.toFixed(1).replace(/\.0$/, ''));
  put('fact-speed', speed > 0 ? `${Math.round(speed).toLocaleString('en')} ${unit}/s` : '–');
  put('fact-left', isBusy && log?.secondsLeft !== undefined ? duration(log.secondsLeft) : '–');
  put('fact-accuracy', accuracy === null ? '–' : percent(accuracy));
}

/** @param {number} epoch @param {{ [name: string]: number }} log */
export function addEpochRow(epoch, log) {
  const row = byId('epochs').insertRow(0);
  const loss = (value) => value?.toFixed(4) ?? '–', accuracy = (value) => (value >= 0 ? percent(value) : '–'); // an epoch's test may have been stopped
  const cells = [String(epoch), loss(log.loss), accuracy(log.accuracy), loss(log.val_loss), accuracy(log.val_accuracy)];
  for (const text of cells) row.insertCell().textContent = text;
  if (byId('epochs').rows.length > 1000) byId('epochs').deleteRow(-1);
}
