/** Arguments of commands. */
import { parseArgs } from 'node:util';
import { suggest } from '../errors.js';

/** @typedef {{ usage: string, about: string, help: string, run: (args: string[], signal: AbortSignal) => Promise<number>,
 *   onInterrupt: string }} Command onInterrupt: how to go on */
/** @typedef {{ type: 'string' | 'boolean', short?: string, default?: string | boolean }} Flag */

/** A command line that cannot be meant: exit code 2. */
export class UsageError extends Error {}

/**
 * @param {string[]} args
 * @param {{ [name: string]: Flag }} options
 * @returns {{ values: { [name: string]: any }, positionals: string[] }}
 */
export function parse(args, options) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (cause) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (cause), name = /'(--?[^' =]+)/.exec(message)?.[1] ?? '';
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      throw new UsageError(`unknown option ${name}${suggest(name, Object.keys(options).map(one => `--${one}`))}`);
    }
    if (code?.startsWith('ERR_PARSE_ARGS')) throw new UsageError(message);
    throw cause;
  }
}

/**
 * @param {{ [name: string]: any }} values
 * @param {string} name
 * @param {{ min?: number, max?: number, above?: number, whole?: boolean }} range
 * @returns {number | undefined} undefined if the option was not given
 */
export function numberOption(values, name, { min = -Infinity, max = Infinity, above = -Infinity, whole = false }) {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= min && value <= max && value > above && (!whole || Number.isSafeInteger(value))) return value;
  const limits = [above > -Infinity && `above ${above}`, min > -Infinity && `at least ${min}`, max < Infinity && `at most ${max}`];
  const range = limits.filter(Boolean).join(' and ');
  throw new UsageError(`--${name} ${text}: expected a ${whole ? 'whole ' : ''}number${range && `, ${range}`}`);
}

/** @param {{ [name: string]: any }} values @param {string} name @param {readonly string[]} known @returns {any} */
export function choiceOption(values, name, known) {
  const text = values[name];
  if (text !== undefined && !known.includes(text)) throw new UsageError(`--${name} ${text}${suggest(text, known)}`);
  return text;
}

/** @param {{ [name: string]: any }} values @param {string} name @param {string} what @returns {string} */
export function neededOption(values, name, what) {
  const text = values[name];
  if (text === undefined || text === '') throw new UsageError(`--${name} is missing: ${what}`);
  return text;
}
