// Pages of the option tables: every layer, loss, optimiser ... with the type, default, range and words of each option.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { tree } from '../common.mjs';
import { escape, markdown } from './page.mjs';

/** Kinds of classes; names: of the object of factories in the API; suffix: of the types in tables.d.ts. */
export const kinds = [
  { kind: 'layer', names: 'layers', suffix: 'Layer', title: 'Layers', file: 'layers.html' },
  { kind: 'loss', names: 'losses', suffix: 'Loss', title: 'Losses', file: 'losses.html' },
  { kind: 'metric', names: 'metrics', suffix: 'Metric', title: 'Metrics', file: 'metrics.html' },
  { kind: 'optimizer', names: 'optimizers', suffix: 'Optimizer', title: 'Optimizers', file: 'optimizers.html' },
  { kind: 'schedule', names: 'schedules', suffix: 'Schedule', title: 'Schedules', file: 'schedules.html' },
  { kind: 'initializer', names: 'initializers', suffix: 'Initializer', title: 'Initializers', file: 'initializers.html' },
  { kind: 'regularizer', names: 'regularizers', suffix: 'Regularizer', title: 'Regularizers', file: 'regularizers.html' },
  { kind: 'activity', names: 'regularizers', suffix: 'Activity', title: 'Activity regularizers', file: 'activity-regularizers.html' },
  { kind: 'constraint', names: 'constraints', suffix: 'Constraint', title: 'Constraints', file: 'constraints.html' },
  { kind: 'recipe', names: 'recipes', suffix: 'Recipe', title: 'Recipes', file: 'recipes.html' },
];

/** What a value of an option may be. @param {any} option */
function range({ type, names, min, max, above, below }) {
  if (type === 'enum') return names.map((/** @type {string} */ name) => `'${name}'`).join(', ');
  if (type === 'bool') return 'true, false';
  const low = above !== undefined ? `above ${above}` : min !== undefined ? `${min}` : '', high = below !== undefined ? `below ${below}` : max !== undefined ? `${max}` : '';
  const limits = above === undefined && below === undefined ? `${low} to ${high}` : [low && (above === undefined ? `at least ${low}` : low), high && (below === undefined ? `at most ${high}` : high)].filter(Boolean).join(', ');
  return { int: 'whole number, ', number: 'number, ', ints: 'whole numbers, one or a list, each ', numbers: 'numbers, one or a list, each ' }[/** @type {string} */ (type)] + limits;
}

/** @param {any} option */
const standard = ({ required, default: value }) => (required ? 'needed' : `<code>${escape(JSON.stringify(value))}</code>`);

/**
 * @param {import('./declarations.mjs').Declarations} code @param {string} file of the tables' types @param {(symbol: ts.Symbol) => string} link
 * @returns {Promise<{ file: string, title: string, body: string }[]>}
 */
export async function tablePages(code, file, link) {
  const { tables } = await import(pathToFileURL(join(tree, 'bindings', 'tables.js')).href), found = new Map(code.exportsOf(file));
  /** Members of one of the tables' types. @param {string} name @returns {any[]} */
  const members = (name) => [.../** @type {any} */ (found.get(name)?.declarations?.[0])?.type?.members ?? []];
  return kinds.map(({ kind, names, suffix, title, file: page }) => {
    const factories = new Map(members(`${suffix}Factories`).map((member) => [member.name.getText(), member]));
    const items = Object.entries(tables[kind]).map(([name, { options, weights, inputs }]) => {
      const type = `${name[0].toUpperCase()}${name.slice(1)}${suffix}`, words = new Map(members(type).map((member) => [member.name.getText(), code.comment(member).text])), factory = factories.get(name);
      const rows = Object.entries(options).map(([own, option]) => {
        const text = (words.get(own) ?? '').replace(/;? ?(?:an integer \S+\.\.\S+|integers? \S+\.\.\S+|(?:[<>]=? \S+(?: and )?)+)$/, '');
        return `<tr><td><code>${own}</code></td><td>${standard(option)}</td><td>${escape(range(option))}</td><td>${markdown(text, { inline: true })}</td></tr>`;
      });
      const table = rows.length ? `<div class="scroll"><table><thead><tr><th>Option</th><th>Default</th><th>Values</th><th></th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>` : '<p>No options of its own.</p>';
      const facts = [weights?.length && `Weights: ${weights.map((/** @type {string} */ one) => `<code>${one}</code>`).join(', ')}.`, inputs && (inputs[0] !== 1 || inputs[1] !== 1) && `Inputs: ${inputs[0]} to ${inputs[1]}.`].filter(Boolean).join(' ');
      return `<section class="item"><h3 id="${name}"><span id="${type}">${name}</span></h3>${markdown(factory ? code.comment(factory).text : '')}
<pre class="signature"><code>${names}.${name}${factory ? code.print(factory.type, link).replace(' =&gt; ', ': ') : ''}</code></pre>${table}${facts && `<p>${facts}</p>`}</section>`;
    });
    const list = Object.keys(tables[kind]).map((name) => `<li><a href="#${name}">${name}</a></li>`).join('');
    return { file: page, title, body: `<h1>${title}</h1><p>In the API: <code>${names}.NAME(options)</code>; from the option tables of <code>src/</code>.</p><ul class="names">${list}</ul>${items.join('\n')}` };
  });
}
