// The guides, README and the results as HTML pages.
//   node tools/site/guides.mjs FOLDER      (npm run site does that and more)
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tree } from '../common.mjs';
import { markdown, writePages } from './page.mjs';

/** @param {string} name from the tree */
const read = (name) => readFileSync(join(tree, name), 'utf8');

/** Every document with its page, guides in the order of README's table. @returns {Map<string, string>} */
function documents() {
  const guides = readdirSync(join(tree, 'web', 'guides')).filter((name) => name.endsWith('.md')), readme = read('README.md');
  const place = (/** @type {string} */ name) => readme.indexOf(`](web/guides/${name}`);
  guides.sort((a, b) => place(a) - place(b));
  return new Map([...guides.map((name) => [`web/guides/${name}`, name.replace(/md$/, 'html')]), ['examples/README.md', 'results.html'], ['README.md', 'readme.html']]);
}

/** Where a link of a document leads on the site: to another page, a demo, a picture; null for files of the tree that the site does not have.
 * @param {string} from the document @param {string} target @param {Map<string, string>} pages */
function resolve(from, target, pages) {
  if (/^(https?:|#)/.test(target)) return target;
  const [path, anchor] = target.split('#'), name = relative(tree, join(tree, dirname(from), path)), to = pages.get(name);
  if (to) return anchor ? `${to}#${anchor}` : to;
  if (/^web\/pictures\//.test(name)) return `../${name.slice('web/'.length)}`;
  return /^web\/[\w-]+\/index\.html$/.test(name) ? `../${name.slice('web/'.length, -'index.html'.length)}` : null;
}

/**
 * Writes guides/*.html. The folder is to lie beside style.css, favicon.svg, pictures/ and the demos of the site.
 * @param {string} folder
 * @returns {Promise<void>}
 */
export async function buildGuides(folder) {
  const pages = documents(), titles = new Map([...pages.keys()].map((name) => [name, name === 'README.md' ? 'README' : (/^# (.+)$/m.exec(read(name))?.[1] ?? name)]));
  const short = (/** @type {string} */ name) => (name === 'examples/README.md' ? 'All results' : (titles.get(name) ?? '').split(':')[0]);
  const table = /^## Guides\n\n((?:\|.*\n)+)/m.exec(read('README.md'))?.[1] ?? '';
  const index = `# Guides\n\nEach says what you need, what to write, what comes out, and what to do when it does not work. The tests run every block of code.\n\n${table}\n
Every function, class and option: the [reference](../reference/index.html). Experiments and tables: [all results](results.html). In one page: [README](readme.html).\n`;
  const link = (/** @type {string} */ from) => (/** @type {string} */ target) => resolve(from, target, pages);
  const written = [...pages].map(([name, file]) => ({ file, title: titles.get(name) ?? name, body: markdown(read(name), { link: link(name) }) }));
  const body = markdown(index, { link: (target) => (/^(\.\.\/reference|results|readme)/.test(target) ? target : link('README.md')(target)) });
  writePages(folder, [{ file: 'index.html', title: 'Guides', body }, ...written], { name: 'guides', nav: [...pages].map(([name, file]) => [file, short(name)]) });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildGuides(process.argv[2] ?? join(tree, 'build', 'guides'));
