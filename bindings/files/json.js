import { HeddleError } from '../errors.js';

/** As serde_json, the parser of the safetensors reference. */
const maxDepth = 128;

/** @typedef {{ text: string, at: number, where: string }} Cursor */

/** @param {Cursor} c @param {string} message @returns {never} */
function refuse(c, message) {
  throw new HeddleError('file', `${c.where}: ${message}`);
}

/** @param {Cursor} c moved to the next character that is not white space */
function peek(c) {
  while (' \t\n\r'.includes(c.text[c.at])) c.at++;
  return c.text[c.at];
}

/** @param {Cursor} c at the opening quote */
function readString(c) {
  let quote = c.at, run;
  do { // the closing quote has an even run of backslashes before it
    quote = c.text.indexOf('"', quote + 1);
    for (run = 0; c.text[quote - 1 - run] === '\\'; run++);
  } while (run % 2);
  /** @type {string} */
  const string = JSON.parse(c.text.slice(c.at, quote + 1));
  c.at = quote + 1;
  if (/\p{Surrogate}/u.test(string)) refuse(c, `string ${JSON.stringify(string)} is not valid Unicode`);
  return string;
}

/** @param {Cursor} c @returns {bigint | number | boolean | null} */
function readScalar(c) {
  const begin = c.at;
  while (c.at < c.text.length && !',]} \t\n\r'.includes(c.text[c.at])) c.at++;
  const token = c.text.slice(begin, c.at);
  // 20 digits hold every 64-bit integer; BigInt takes quadratic time on hostile longer ones
  return token.length <= 20 && /^-?\d+$/.test(token) ? BigInt(token) : JSON.parse(token);
}

/** @param {Cursor} c @param {number} depth @param {string} path @returns {unknown} */
function readValue(c, depth, path) {
  if (depth > maxDepth) refuse(c, `JSON is nested deeper than ${maxDepth} levels`);
  const first = peek(c);
  if (first === '"') return readString(c);
  if (first !== '{' && first !== '[') return readScalar(c);
  const map = new Map(), list = [], close = first === '{' ? '}' : ']';
  c.at++;
  while (peek(c) !== close) {
    if (first === '[') {
      list.push(readValue(c, depth + 1, path));
    } else {
      const key = readString(c);
      if (map.has(key)) refuse(c, `key ${JSON.stringify(key)} appears twice${path && ` in ${path}`}`);
      peek(c);
      c.at++; // the colon
      map.set(key, readValue(c, depth + 1, JSON.stringify(key)));
    }
    if (peek(c) === ',') c.at++;
  }
  c.at++;
  return first === '{' ? map : list;
}

/**
 * JSON for files that may be hostile, with what JSON.parse hides: duplicate keys are refused, objects become Maps (so
 * that "__proto__" is a key like any other), and a number written as an integer becomes a bigint, any other a number.
 * @param {string} text
 * @param {string} where
 * @returns {unknown}
 */
export function parseStrictJson(text, where) {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new HeddleError('file', `${where}: not valid JSON: ${/** @type {Error} */ (cause).message}`, { cause });
  }
  return readValue({ text, at: 0, where }, 0, ''); // the syntax is known to be right from here on
}
