// The judge in use: the one trained last, or one from a file.
import { HeddleError } from 'heddle';
import { loadQualityModel } from 'heddle/quality';

/** @typedef {import('heddle/quality').QualityModel} QualityModel */

/** @type {{ model: QualityModel, about: string } | null} */
let current = null;
/** @type {(() => void)[]} */
const listeners = [];

export const judge = () => current;

/** @param {() => void} listener is called when there is another judge */
export const onJudge = (listener) => listeners.push(listener);

/** Takes a judge in place of the present one. @param {QualityModel} model @param {string} about what it was trained on, in words */
export function adopt(model, about) {
  const before = current;
  current = { model, about };
  if (before && before.model !== model) before.model.dispose();
  for (const listener of listeners) listener();
}

/** @param {string | File} from */
export async function open(from) {
  const name = typeof from === 'string' ? 'The kept judge' : from.name;
  const model = await loadQualityModel(from).catch((cause) => {
    if (cause.name === 'AbortError') throw cause;
    throw new HeddleError(cause.code ?? 'file', `${name} can't be opened. ${cause.message}`, { cause });
  });
  if (model.preprocessing === null) {
    model.dispose();
    throw new HeddleError('file', `${name} can't be used here: it judges rows of features, not pictures.`);
  }
  adopt(model, `${name}, opened`);
}
