// One piece of work at a time: the parts of the page share the engine, the status line and the button that stops.
import { HeddleError, init } from 'heddle';
import { attempt, begin, byId, clearErrors, enable, onClick, say } from './page.js';

export { attempt };

/** @type {AbortController | null} */
let abort = null;
let isReady = false;
/** @type {(() => void)[]} */
const listeners = [];

/** Nothing runs, and the engine is there. */
export const isIdle = () => isReady && abort === null;

/** @param {() => void} listener is called when work begins and ends */
export const onWork = (listener) => listeners.push(listener);

function tell() {
  enable('stop', abort !== null && !abort.signal.aborted);
  for (const listener of listeners) listener();
}

/** From then on work can be done. @param {number} threads */
export const startEngine = (threads) => begin(async () => {
  await init({ threads });
  isReady = true;
  tell();
}, 'Ready');

/**
 * Work that takes a while and can be stopped.
 * @param {string} text for the status line
 * @param {(signal: AbortSignal) => Promise<string>} work gives what to say at its end
 * @param {{ stopped?: () => string }} [say]
 */
export const run = (text, work, { stopped = () => 'Stopped' } = {}) => attempt(async () => {
  if (!isIdle()) throw new HeddleError('state', isReady ? 'Something else is running: stop it first.' : 'The engine is still starting.');
  clearErrors();
  abort = new AbortController();
  byId('progress').value = 0;
  say(text);
  tell();
  try {
    say(await work(abort.signal));
    byId('progress').value = 1;
  } catch (error) {
    say(error?.name === 'AbortError' ? stopped() : 'Not done');
    throw error;
  } finally {
    abort = null;
    tell();
  }
});

/** @param {number} part 0..1 of the work @param {string} text */
export function progress(part, text) {
  byId('progress').value = part;
  say(text, { isUrgent: false });
}

onClick('stop', () => {
  abort?.abort();
  say('Stopping');
  enable('stop', false);
});
