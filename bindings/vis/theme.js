/** What all charts share: whether they are on a dark page, colours of styles, one style sheet, drawing anew when the page's mode changes. */
import { HeddleError, kindOf } from '../errors.js';

/** @typedef {'auto' | 'light' | 'dark'} Theme auto: as CSS says for the element, by color-scheme and the system's setting */

const query = '(prefers-color-scheme: dark)';
/** Everything that is drawn and not yet gone. @type {Set<WeakRef<{ redraw(): void }>>} */
const drawn = new Set();
let isWatching = false;

/** @param {unknown} element @param {string} what */
export function checkElement(element, what) {
  if (typeof HTMLElement !== 'function') throw new HeddleError('unsupported', `${what}: charts are drawn in browsers, there is no document here`);
  if (!(element instanceof HTMLElement)) throw new HeddleError('argument', `${what}: expected an element of the page, got ${kindOf(element)}`);
  return element;
}

/** @param {HTMLElement} element @param {Theme | undefined} theme @param {string} what */
export function setTheme(element, theme, what) {
  if (theme !== undefined && !['auto', 'light', 'dark'].includes(theme)) throw new HeddleError('argument', `${what}: theme = ${String(theme)}, expected auto, light or dark`);
  if (theme) element.style.colorScheme = theme === 'auto' ? '' : theme;
}

/** @param {Element} element */
const styleOf = element => getComputedStyle(element.isConnected ? element : document.documentElement);

/** @param {HTMLElement} element */
export function isDark(element) {
  const scheme = element.style.colorScheme || styleOf(element).colorScheme;
  return /dark/.test(scheme) && (!/light/.test(scheme) || matchMedia(query).matches);
}

/** A colour for canvases, which know no var(--name). @param {HTMLElement} element @param {string} colour */
export function resolve(element, colour) {
  const [, name] = /^var\((--[\w-]+)\)$/.exec(colour) ?? [];
  return name ? styleOf(element).getPropertyValue(name).trim() : colour;
}

/** Draws again whenever the page turns dark or light, as long as it is not collected or forgotten. @param {{ redraw(): void }} chart */
export function watchTheme(chart) {
  drawn.add(new WeakRef(chart));
  if (drawn.size % 256 === 0) forget(null);
  if (isWatching) return;
  isWatching = true;
  matchMedia(query).addEventListener('change', () => {
    for (const reference of drawn) {
      const alive = reference.deref();
      if (alive) alive.redraw();
      else drawn.delete(reference);
    }
  });
}

/** Forgets a chart, and those that are collected. @param {{ redraw(): void } | null} chart */
export function forget(chart) {
  for (const reference of drawn) if ((reference.deref() ?? chart) === chart) drawn.delete(reference);
}

/** What charts need of CSS, uPlot's part included. All of it yields to any rule of the page. */
const rules = `
:where(.heddle-chart) { display: flex; flex-direction: column; height: 240px; min-width: 0; }
:where(.heddle-plot) { flex: 1 1 0; min-height: 0; min-width: 0; position: relative; overflow: hidden; }
:where(.heddle-plot .uplot) { position: absolute; inset: 0 auto auto 0; }
:where(.heddle-plot .uplot, .heddle-plot .uplot *) { box-sizing: border-box; }
:where(.heddle-plot .u-wrap) { position: relative; user-select: none; }
:where(.heddle-plot .u-over, .heddle-plot .u-under, .heddle-plot .u-axis) { position: absolute; }
:where(.heddle-plot canvas) { display: block; position: relative; width: 100%; height: 100%; }
:where(.heddle-legend) { display: flex; flex-wrap: wrap; gap: 0 1em; font: 12px/1.5 system-ui, sans-serif; padding-left: 46px; }
:where(.heddle-legend span span) { display: inline-block; width: 1.3em; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: .35em; }
:where(canvas.heddle-map) { display: block; image-rendering: pixelated; width: calc(var(--cols) * var(--heddle-cell)); max-width: 100%; aspect-ratio: var(--cols) / var(--rows); }
:where(.heddle-confusion) { overflow-x: auto; font-variant-numeric: tabular-nums; }
:where(.heddle-confusion table) { border-collapse: collapse; }
:where(.heddle-confusion th, .heddle-confusion td) { padding: .3em .4em; text-align: center; border: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
:where(.heddle-confusion tbody th) { text-align: right; }
:where(.heddle-confusion canvas) { width: min(100%, 30rem); }
:where(.heddle-right) { background: color-mix(in srgb, light-dark(#1f5f92, #74b7ea) calc(var(--part, 0) * 90%), transparent); }
:where(.heddle-wrong) { background: color-mix(in srgb, light-dark(#ad4f12, #f2a866) calc(var(--part, 0) * 100%), transparent); }
:where(.heddle-much) { color: light-dark(#fff, #08131d); }`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** Gives an element the style of charts, wherever it is: a sheet made by script, which no policy of contents refuses. @param {HTMLElement} element @param {string} className */
export function addStyle(element, className) {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
  }
  const root = element.getRootNode(), place = root instanceof ShadowRoot ? root : document;
  if (!place.adoptedStyleSheets.includes(sheet)) place.adoptedStyleSheets.push(sheet);
  element.classList.add(className);
}

/** @param {string} tag @param {string} text @param {string} [className] */
export function make(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}
