// The API reference as HTML: a page for each entry of the package, from its declarations and their comments; pages of all layers, losses ... from the
// option tables; the C header.
//   node tools/site/reference.mjs FOLDER      (npm run site does that and more; needs `npm run build` and `npm run types` before)
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { tree } from '../common.mjs';
import { Declarations, packageEntries } from './declarations.mjs';
import { escape, markdown, writePages } from './page.mjs';
import { kinds, tablePages } from './tables.mjs';

/** @param {string} entry */
const fileOf = (entry) => `${entry.replaceAll('/', '-')}.html`;
const others = 'types.html';

/** Whether a type is one that has words of its own elsewhere, or several such together. @param {string} type as HTML */
const isLinked = (type) => type.split('&amp;').every((part) => /^\s*<a [^>]*>[^<]*<\/a>\s*$/.test(part));

/** A public name, what it stands for, and whether it is a value, not a type alone. @typedef {[name: string, symbol: ts.Symbol, isValue: boolean]} Item */

/** One item after the other, and where each is. */
class Reference {
  /** @type {Map<ts.Symbol, string>} */
  #homes = new Map();
  /** Types that no entry exports, but others mention. @type {ts.Symbol[]} */
  #mentioned = [];
  /** Classes that users make with `new`. @type {Set<ts.Symbol>} */
  #made = new Set();
  #code;

  /** @param {Declarations} code @param {{ name: string, items: Item[] }[]} entries */
  constructor(code, entries) {
    this.#code = code;
    for (const { name, items } of entries) {
      for (const [own, symbol, isValue] of items) {
        if (!this.#homes.has(symbol)) this.#homes.set(symbol, `${fileOf(name)}#${own}`);
        const node = symbol.declarations?.[0];
        if (isValue && node && ts.isClassDeclaration(node) && !/made by|makes it\./i.test(code.comment(node).text)) this.#made.add(symbol);
      }
    }
  }

  /** Where a type is. @param {ts.Symbol} symbol @returns {string} */
  link = (symbol) => {
    const known = this.#homes.get(symbol);
    if (known) return known;
    const file = symbol.declarations?.[0].getSourceFile().fileName ?? '', own = /\/tables\.d\.ts$/.test(file) && kinds.find(({ suffix }) => new RegExp(`(${suffix}|${suffix}Factories)$`).test(symbol.name));
    const wanted = `${others}#${symbol.name}`, meet = [...this.#homes.values()].filter((home) => home.replace(/-\d+$/, '') === wanted).length; // types of parts of the package
    const home = own ? `${own.file}#${symbol.name.endsWith('Factories') ? 'content' : symbol.name}` : `${wanted}${meet ? `-${meet + 1}` : ''}`;
    this.#homes.set(symbol, home);
    if (!own) this.#mentioned.push(symbol);
    return home;
  };

  /** Words of a comment: code and lists, but no emphasis: stars and underscores are mathematics. @param {string} text @param {boolean} [inline] */
  #words(text, inline = false) {
    const lines = text.split('\n').map((line) => (/^ {4}/.test(line) ? line : line.replace(/`[^`]*`|[*_]/g, (part) => (part.length > 1 ? part : `\\${part}`))));
    return text ? markdown(lines.join('\n'), { inline }) : '';
  }

  /** A row for each [name, type as HTML, words]. @param {[string, string, string][]} rows @param {string} first */
  #table(rows, first) {
    if (!rows.length) return '';
    const body = rows.map(([name, type, words]) => `<tr><td><code>${escape(name)}</code></td><td><code>${type}</code></td><td>${this.#words(words, true)}</td></tr>`);
    return `<div class="scroll"><table><thead><tr><th>${first}</th><th>Type</th><th></th></tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
  }

  /** A function or method: signature, words, parameters, what it returns and throws. @param {ts.SignatureDeclaration} node @param {string} name
   * @param {ts.Node} [told] where its comment is, if elsewhere */
  #signature(node, name, told = node) {
    const { text, params, returns, throws } = this.#code.comment(told), begin = (node.typeParameters?.pos ?? node.parameters.pos) - 1;
    const keys = [...params.keys()].filter((key) => !key.includes('.')), names = node.parameters.map(({ name: own }, i) => (ts.isIdentifier(own) ? own.text : keys[i] ?? own.getText())); // { a, b } is called as its comment does
    const all = node.parameters.map(({ type, questionToken }, i) => /** @type {[string, string, string]} */ ([`${names[i]}${questionToken ? '?' : ''}`, type ? this.#code.print(type, this.link) : '', params.get(names[i]) ?? '']));
    const rows = all.filter(([own, type, words]) => own !== 'this' && (words || !(/^options\??$/.test(own) && isLinked(type)))); // their type says it all
    const more = [...params].filter(([key]) => key.includes('.')).map(([key, words]) => /** @type {[string, string, string]} */ ([key, '', words]));
    const whole = ts.isFunctionTypeNode(node) ? `${this.#code.print(node, this.link, begin, node.parameters.end + 1)}: ${this.#code.print(node.type, this.link)}` : this.#code.print(node, this.link, begin);
    return `<pre class="signature"><code>${escape(name)}${whole}</code></pre>
${this.#words(text)}${this.#table([...rows, ...more], 'Parameter')}
${returns ? `<p><b>Returns</b> ${this.#words(returns, true)}</p>` : ''}${throws.map((words) => `<p><b>Throws</b> ${this.#words(words, true)}</p>`).join('')}`;
  }

  /** Whether users see a member: a method that is not the package's own business, which its words say or their lack. @param {any} member @param {string} name */
  #isPublic(member, name) {
    const { text, params, returns, isInternal } = this.#code.comment(member), flags = ts.getCombinedModifierFlags(member);
    if (isInternal || /^[#_]/.test(name) || flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected) || /^For (subclasses|fit|this module|the transport)\b/.test(text)) return false;
    return ts.isMethodDeclaration(member) || ts.isGetAccessor(member) || flags & ts.ModifierFlags.Static ? Boolean(text || returns || [...params.values()].some(Boolean)) : true;
  }

  /** Members of an object type or a class that users see. @param {readonly ts.Node[]} members @param {string} owner */
  #members(members, owner) {
    const rows = /** @type {[string, string, string][]} */ ([]), parts = /** @type {string[]} */ ([]);
    for (const member of members) {
      const one = /** @type {any} */ (member), name = ts.isIndexSignatureDeclaration(member) ? `[${one.parameters[0].getText()}]` : one.name?.getText() ?? 'constructor';
      if (!this.#isPublic(one, name)) continue;
      const { text, returns } = this.#code.comment(member), isStatic = Boolean(ts.getCombinedModifierFlags(one) & ts.ModifierFlags.Static);
      if (ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member) || ts.isMethodSignature(member)) {
        const called = ts.isConstructorDeclaration(member) ? `new ${owner}` : isStatic ? `${owner}.${name}` : name;
        const isFirst = member === members.find((other) => /** @type {any} */ (other).name?.getText() === one.name?.getText());
        parts.push(`${isFirst ? `<h4 id="${escape(`${owner}.${name}`)}">${escape(called)}</h4>\n` : ''}${this.#signature(member, called)}`);
      } else if (!ts.isSetAccessor(member)) {
        rows.push([`${isStatic ? `${owner}.` : ''}${name}${one.questionToken ? '?' : ''}`, one.type ? this.#code.print(one.type, this.link) : '', text || returns]);
      }
    }
    return this.#table(rows, 'Property') + parts.join('\n');
  }

  /** A class's own constructor or that of a class below. @param {ts.ClassDeclaration} node @returns {ts.Node | undefined} */
  #maker(node) {
    const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword), base = clause && this.#code.baseOf(clause)?.declarations?.[0];
    return node.members.find(ts.isConstructorDeclaration) ?? (base && ts.isClassDeclaration(base) ? this.#maker(base) : undefined);
  }

  /** Links to the public methods of the classes below. @param {ts.ClassDeclaration} node @param {Set<string | undefined>} seen names @returns {string[]} */
  #inherited(node, seen) {
    const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword), symbol = clause && this.#code.baseOf(clause), base = symbol?.declarations?.[0];
    if (!base || !ts.isClassDeclaration(base)) return [];
    const methods = base.members.filter((one) => ts.isMethodDeclaration(one) && !seen.has(one.name.getText()) && this.#isPublic(one, one.name.getText())).map((one) => one.name?.getText() ?? '');
    for (const name of methods) seen.add(name);
    return [...new Set(methods)].map((name) => `<a href="${this.link(symbol)}.${name}">${name}</a>`).concat(this.#inherited(base, seen));
  }

  /** @param {ts.Symbol} symbol @param {string} name @returns {{ kind: string, html: string }} */
  #body(symbol, name) {
    const nodes = symbol.declarations ?? [], node = nodes[0], { text } = this.#code.comment(node);
    if (ts.isFunctionDeclaration(node)) return { kind: 'function', html: nodes.filter(ts.isFunctionDeclaration).map((one) => this.#signature(one, name)).join('\n') };
    if (ts.isClassDeclaration(node)) {
      const base = node.heritageClauses?.map((clause) => `<p>${this.#code.print(clause, this.link)}</p>`).join('') ?? '', more = this.#inherited(node, new Set(node.members.map((one) => one.name?.getText())));
      const members = [...this.#made.has(symbol) ? [this.#maker(node)] : [], ...node.members.filter((one) => !ts.isConstructorDeclaration(one))].filter(Boolean);
      return { kind: 'class', html: this.#words(text) + base + (more.length ? `<p>Also: ${more.join(', ')}</p>` : '') + this.#members(/** @type {ts.Node[]} */ (members), name) };
    }
    if (ts.isVariableDeclaration(node)) {
      if (node.type && ts.isFunctionTypeNode(node.type)) return { kind: 'function', html: this.#signature(node.type, name, node) };
      const kind = /\/(factories|recipes)\.d\.ts$/.test(node.getSourceFile().fileName) && kinds.find(({ names }) => names === name), type = node.type ? `<pre class="signature"><code>${escape(name)}: ${this.#code.print(node.type, this.link)}</code></pre>` : '';
      return { kind: 'constant', html: this.#words(text) + (kind ? `<p>All of them with their options: <a href="${kind.file}">${escape(kind.title)}</a>.</p>` : type) };
    }
    const members = this.#code.membersOf(node);
    const html = members ? this.#members(members, name) : ts.isTypeAliasDeclaration(node) ? `<pre class="signature"><code>${this.#code.print(node.type, this.link)}</code></pre>` : '';
    return { kind: 'type', html: this.#words(text) + html };
  }

  /** @param {ts.Symbol} symbol @param {string} name @param {string} id */
  #item(symbol, name, id) {
    const { kind, html } = this.#body(symbol, name);
    return `<section class="item"><h3 id="${id}">${escape(name)}<span class="kind">${kind}</span></h3>\n${html}</section>`;
  }

  /** @param {string[]} names @returns {string} */
  #names(names) {
    return `<ul class="names">${names.map((name) => `<li><a href="#${name}">${escape(name)}</a></li>`).join('')}</ul>`;
  }

  /** The pages of all entries, and of the types that they mention.
   * @param {{ name: string, words: string, items: Item[] }[]} entries */
  pages(entries) {
    const pages = entries.map(({ name, words, items }) => {
      const bodies = items.map(([own, symbol]) => {
        const home = this.link(symbol);
        return home.startsWith(`${fileOf(name)}#`) ? this.#item(symbol, own, own) : `<section class="item"><h3 id="${own}">${escape(own)}</h3><p>As of <a href="${home}">${escape(home.replace(/\.html#.*/, '').replaceAll('-', '/'))}</a>.</p></section>`;
      });
      return { file: fileOf(name), title: name, body: `<h1>${escape(name)}</h1>\n${this.#words(words)}<pre><code>import { ... } from '${name}';</code></pre>${this.#names(items.map(([own]) => own))}${bodies.join('\n')}` };
    });
    const parts = [], names = [];
    for (let symbol = this.#mentioned.shift(); symbol; symbol = this.#mentioned.shift()) { // grows while it is read
      const id = this.link(symbol).split('#')[1];
      names.push(id);
      parts.push([symbol.name, this.#item(symbol, symbol.name, id)]);
    }
    const body = parts.sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)).map(([, html]) => html).join('\n');
    return [...pages, { file: others, title: 'Other types', body: `<h1>Other types</h1><p>Types that the entries mention and do not export by name.</p>${this.#names(names.sort())}${body}` }];
  }
}

/** The first comment of an entry's module. @param {string} path */
const about = (path) => /^(?:#!.*\n)?\/\*\*\s*(.*?)\*\//s.exec(readFileSync(path, 'utf8'))?.[1].replace(/^\s*\* ?/gm, '').replace(/`heddle[\w/-]*`/g, (name) => name).split(/^@/m)[0].trim() ?? '';

/**
 * Writes reference/*.html. The folder is to lie beside style.css and favicon.svg of the site.
 * @param {string} folder
 * @returns {Promise<void>}
 */
export async function buildReference(folder) {
  const found = packageEntries(), tablesFile = join(tree, 'bindings', 'types', 'tables.d.ts'), code = new Declarations([...found.map(({ file }) => file), tablesFile]);
  const entries = found.map(({ name, file, path }) => ({ name, words: about(path), items: code.exportsOf(file) })), reference = new Reference(code, entries);
  const lists = await tablePages(code, tablesFile, (/** @type {ts.Symbol} */ symbol) => reference.link(symbol)), pages = [...lists, ...reference.pages(entries)];
  const header = { file: 'c.html', title: 'C header', body: `<h1>src/heddle.h</h1><p>The one public header of the C core, as it is.</p><pre><code>${escape(readFileSync(join(tree, 'src', 'heddle.h'), 'utf8'))}</code></pre>` };
  const nav = [...entries.map(({ name }) => [fileOf(name), name]), ...lists.map(({ file, title }) => [file, title]), [others, 'Other types'], ['c.html', 'C header']];
  const rows = entries.map(({ name, words }) => `<tr><td><a href="${fileOf(name)}">${name}</a></td><td>${markdown(words.split('\n\n')[0], { inline: true })}</td></tr>`);
  const index = `<h1>Reference</h1><p>Made of the package's own types and comments, and of the option tables in its C sources. How to use it all: the <a href="../guides/index.html">guides</a>.</p>
<div class="scroll"><table><tbody>${rows.join('\n')}</tbody></table></div><h2>With all options</h2><ul>${[...lists, header].map(({ file, title }) => `<li><a href="${file}">${escape(title)}</a></li>`).join('')}</ul>`;
  writePages(folder, [{ file: 'index.html', title: 'Reference', body: index }, ...pages, header], { name: 'reference', nav: /** @type {[string, string][]} */ (nav) });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await buildReference(process.argv[2] ?? join(tree, 'build', 'reference'));
