// What the page says: status, figures, errors, the bars of the answer and the example digits.
import { info } from 'heddle';
import { colours, paint } from '../heatmap.js';
import { digit, side } from './data.js';

export const byId = (id) => document.getElementById(id);
export const percent = (part) => `${(part * 100).toFixed(1)} %`;

const put = (id, text) => {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
};

/** @param {number} seconds */
function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** The status line is read aloud: while it learns, not more often than every 2 s. */
let lastSaid = 0, lateText = 0;
/** @param {string} text @param {{ isUrgent?: boolean }} [options] */
export function say(text, { isUrgent = true } = {}) {
  clearTimeout(lateText);
  const wait = isUrgent ? 0 : lastSaid + 2000 - performance.now();
  if (wait > 0) {
    lateText = setTimeout(say, wait, text);
    return;
  }
  lastSaid = performance.now();
  put('status', text);
}

const advice = {
  diverged: ' The network is back to its last good weights.',
  crashed: ' The network is kept as of its last epoch; just go on.',
  memory: ' Fewer digits or smaller layers need less.',
};

/** What became of saving or loading, in both places. @param {string} text */
export function tell(text) {
  say(text);
  byId('model-state').hidden = false;
  put('model-state', text);
}

/** Shows an error as a sentence, until it is dismissed; the same one only once. @param {Error} error */
export function showError(error) {
  const text = `${/[.!?]$/.test(error.message) ? error.message : `${error.message}.`}${advice[error.code] ?? ''}`, place = byId('errors');
  if (Array.from(place.children).some((old) => old.firstChild.textContent === text)) return;
  const box = document.createElement('div'), message = document.createElement('p'), close = document.createElement('button');
  box.className = 'error';
  message.textContent = text;
  close.type = 'button';
  close.textContent = 'Dismiss';
  close.addEventListener('click', () => box.remove());
  box.append(message, close);
  place.append(box);
  if (!error.code) console.error(error); // a mistake of the page, not a case it knows
}

/** Buttons that can't be used now keep the focus and can be found: aria-disabled, not disabled. @param {string} id @param {boolean} can */
export const enable = (id, can) => byId(id).setAttribute('aria-disabled', String(!can));

/** @param {string} id @param {() => void} work */
export function onClick(id, work) {
  byId(id).addEventListener('click', ({ currentTarget }) => {
    if (currentTarget.getAttribute('aria-disabled') !== 'true') work();
  });
}

export const clearErrors = () => byId('errors').replaceChildren();

/** What the engine is and takes. */
export function showEngine() {
  const { engine, threads, threadsAsked, isolated, memory } = info(), mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
  put('fact-engine', engine ?? '–');
  put('fact-threads', threads === threadsAsked || !isolated ? String(threads) : `${threads} of ${threadsAsked}`);
  put('fact-isolated', isolated ? 'yes' : 'no');
  put('fact-memory', `${mib(memory.used)} of ${mib(memory.heap)} MiB`);
}

/** @param {{ epochs: number, part: number, speed: number, left: number | undefined, accuracy: number | null }} progress */
export function showProgress({ epochs, part, speed, left, accuracy }) {
  byId('progress').value = part;
  put('fact-epoch', epochs === 0 ? '–' : epochs.toFixed(1).replace(/\.0$/, ''));
  put('fact-speed', speed > 0 ? `${Math.round(speed).toLocaleString('en')} digits/s` : '–');
  put('fact-left', left === undefined ? '–' : duration(left));
  put('fact-accuracy', accuracy === null ? '–' : percent(accuracy));
}

/** @param {number} epoch @param {{ [name: string]: number }} log */
export function addEpochRow(epoch, log) {
  const row = byId('epochs').insertRow(0);
  const cells = [String(epoch), log.loss.toFixed(4), percent(log.accuracy), log.val_loss.toFixed(4), percent(log.val_accuracy)];
  for (const text of cells) row.insertCell().textContent = text;
  if (byId('epochs').rows.length > 1000) byId('epochs').deleteRow(-1);
}

/** The ten probabilities, and the answer in words. */
export class Answer {
  #rows;
  #spoken = 0;
  #text = '';

  constructor() {
    this.#rows = Array.from({ length: 10 }, (_, k) => {
      const row = document.createElement('li'), track = document.createElement('div'), bar = document.createElement('div');
      const value = document.createElement('span'), name = document.createElement('span');
      name.textContent = String(k);
      track.className = 'track';
      track.setAttribute('aria-hidden', 'true');
      bar.className = 'bar';
      value.className = 'value';
      track.append(bar);
      row.append(name, track, value);
      return { row, bar, value };
    });
    byId('bars').replaceChildren(...this.#rows.map(({ row }) => row));
  }

  /** @param {Float32Array} chances @param {{ isTrained: boolean, label: number | null }} about */
  show(chances, { isTrained, label }) {
    const best = chances.indexOf(Math.max(...chances));
    this.#rows.forEach(({ row, bar, value }, k) => {
      bar.style.transform = `scaleX(${best < 0 ? 0 : chances[k]})`;
      value.textContent = best < 0 ? '' : percent(chances[k]);
      row.classList.toggle('best', k === best && isTrained);
    });
    const truth = label === null ? '' : label === best ? ', which is right' : `, but it is ${label}`;
    if (best < 0) this.#text = 'The network overflows: its weights are too large';
    else this.#text = isTrained ? `Reads ${best}, ${percent(chances[best])} sure${truth}` : 'Not trained yet: this is a blind guess';
    put('answer', this.#text);
  }

  /** Nothing to read. */
  clear() {
    this.#text = 'Draw a digit, or choose one';
    put('answer', this.#text);
    for (const { row, bar, value } of this.#rows) {
      bar.style.transform = 'scaleX(0)';
      value.textContent = '';
      row.classList.remove('best');
    }
  }

  /** Reads the answer aloud once the user has paused; not whenever the network learns something. */
  speakSoon() {
    clearTimeout(this.#spoken);
    this.#spoken = setTimeout(() => put('answer-spoken', this.#text), 700);
  }
}

/** One button for each class; it shows a random digit of that class. */
export class Examples {
  #buttons = [];
  /** @type {import('./data.js').Digits | null} */
  #digits = null;

  /** @param {(digit: Uint8Array, label: number) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    for (let label = 0; label < 10; label++) {
      const button = document.createElement('button'), canvas = document.createElement('canvas');
      button.type = 'button';
      button.disabled = true;
      button.setAttribute('aria-label', `Example of ${label}`);
      button.setAttribute('aria-pressed', 'false');
      canvas.width = canvas.height = side;
      button.append(canvas, String(label));
      button.addEventListener('click', () => this.choose(label));
      this.#buttons.push({ button, canvas, row: -1, shown: new Uint8Array(side * side) });
    }
    byId('examples').replaceChildren(...this.#buttons.map(({ button }) => button));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#buttons.forEach((one) => this.#paint(one)));
  }

  /** @param {import('./data.js').Digits} digits */
  offer(digits) {
    this.#digits = digits;
    this.#buttons.forEach((_, label) => this.#next(label));
  }

  #paint({ canvas, shown }) {
    paint(canvas, { data: shown, rows: side, cols: side, range: [0, 255], map: colours().sequential });
  }

  /** Another digit of this class, if there is one. @param {number} label */
  #next(label) {
    const digits = this.#digits, one = this.#buttons[label];
    const rows = Array.from(digits.labels.keys()).filter((row) => digits.labels[row] === label && row !== one.row);
    if (rows.length > 0) one.row = rows[Math.floor(Math.random() * rows.length)];
    else if (digits.labels[one.row] !== label) one.row = -1;
    one.button.disabled = one.row < 0;
    if (one.row < 0) return;
    one.shown = digit(digits, one.row);
    this.#paint(one);
  }

  /** @param {number} label */
  choose(label) {
    const one = this.#buttons[label], wasPressed = one.button.getAttribute('aria-pressed') === 'true';
    if (one.button.disabled) return;
    if (wasPressed) this.#next(label);
    this.release();
    one.button.setAttribute('aria-pressed', 'true');
    this.onChoose(one.shown, label);
  }

  /** None is chosen any more. */
  release() {
    for (const { button } of this.#buttons) button.setAttribute('aria-pressed', 'false');
  }
}
