/**
 * What a HeddleError is about:
 * - `argument`: a value, an option or a name that the caller gave is wrong
 * - `shape`: array shapes that do not fit together
 * - `file`: a malformed file (safetensors, IDX, npy, gzip ...)
 * - `unsupported`: valid, but not on this platform or not by this version
 * - `memory`: no memory left
 * - `state`: not now: a disposed model, a fit during a fit, a model that is not compiled
 * - `diverged`: training met NaN or infinity
 * - `crashed`: the engine or its worker died
 * - `storage`: a file, database, quota or network failure
 * - `timeout`: something did not answer in time
 * @typedef {'argument' | 'shape' | 'file' | 'unsupported' | 'memory' | 'state' | 'diverged' | 'crashed' | 'storage'
 *   | 'timeout'} HeddleErrorCode
 */

/** Every code a HeddleError can carry. @type {readonly HeddleErrorCode[]} */
export const errorCodes = Object.freeze(/** @type {HeddleErrorCode[]} */ ([
  'argument', 'shape', 'file', 'unsupported', 'memory', 'state', 'diverged', 'crashed', 'storage', 'timeout',
]));

/** Of a message, which may quote a file. */
const longest = 2000;

/** The only error class of heddle. An aborted call rejects with the standard AbortError instead. */
export class HeddleError extends Error {
  /**
   * @param {HeddleErrorCode} code what it is about, for programs
   * @param {string} message what was wrong, where, and what was expected
   * @param {{ cause?: unknown }} [options] cause: the error that it comes from
   */
  constructor(code, message, options) {
    super(message.length > longest ? `${message.slice(0, longest)} ...` : message, options);
    this.name = 'HeddleError';
    /** What it is about. @type {HeddleErrorCode} */
    this.code = code;
  }
}

/**
 * Levenshtein distance, row by row.
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * The candidate a misspelt name most likely meant: the fewest edits, letter case aside; the earlier one on a tie.
 * @param {string} name
 * @param {Iterable<string>} candidates
 * @returns {string | undefined} undefined if none is near (more than a third of the longer name would have to change)
 */
export function nearest(name, candidates) {
  const wanted = name.slice(0, 64).toLowerCase();
  let best, fewest = Infinity;
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate.toLowerCase());
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
    if (edits <= limit && edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/**
 * `, did you mean "units"?` or what is accepted instead: the end of every "unknown name" sentence.
 * @param {string} name
 * @param {readonly string[]} candidates
 */
export function suggest(name, candidates) {
  const near = nearest(name, candidates);
  if (near !== undefined) return `, did you mean "${near}"?`;
  return candidates.length ? `, expected one of ${candidates.join(', ')}` : ', it takes none';
}

/**
 * What a value is, for messages: "null", "array", "string" ...
 * @param {unknown} value
 */
export function kindOf(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object') return typeof value;
  return value.constructor?.name ?? 'object';
}

/**
 * Refuses anything but an object whose keys are all known; undefined passes as "no options".
 * @param {unknown} given
 * @param {readonly string[]} allowed
 * @param {string} where whose options they are, such as "layers.dense"
 */
export function checkOptions(given, allowed, where) {
  if (given === undefined) return;
  if (given === null || typeof given !== 'object' || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw new HeddleError('argument', `${where}: expected an object of options, got ${kindOf(given)}`);
  }
  for (const key of Object.keys(given)) {
    if (!allowed.includes(key)) {
      throw new HeddleError('argument', `${where}: unknown option "${key}"${suggest(key, allowed)}`);
    }
  }
}

/**
 * What an aborted call rejects with: the signal's own reason, else the standard AbortError.
 * @param {AbortSignal} [signal]
 * @returns {unknown} a DOMException named AbortError unless abort() was given another reason
 */
export function abortError(signal) {
  return signal?.reason ?? new DOMException('The operation was aborted.', 'AbortError');
}

/** @param {unknown} value @param {string} name @param {number} min @param {number} fallback @returns {number} */
export function wholeNumber(value, name, min, fallback) {
  if (value === undefined) return fallback;
  if (!Number.isSafeInteger(value) || /** @type {number} */ (value) < min || /** @type {number} */ (value) > 2 ** 31 - 1) {
    throw new HeddleError('argument', `${name} = ${String(value)}, expected a whole number from ${min} to 2^31 - 1`);
  }
  return /** @type {number} */ (value);
}

const trueLength = /** @type {{ get: () => number }} */ (Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')).get;

/** Refuses a typed array of a class, or with a property, that tells another length than it has: C would read or write beyond its end.
 * @param {unknown} array @param {string} where */
export function checkLength(array, where) {
  if (!ArrayBuffer.isView(array) || array instanceof DataView) return;
  const { length } = /** @type {Uint8Array} */ (array), real = trueLength.call(array);
  if (length !== real) throw new HeddleError('argument', `${where}: an array that says it is ${length} long, and is ${real}`);
}

/** A part of this library that is fetched when it is first needed: the network may be gone by then.
 * @template T @param {Promise<T>} module @returns {Promise<T>} @throws {HeddleError} `storage` */
export const part = module => module.catch(cause => {
  throw new HeddleError('storage', `a part of heddle can't be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
});
