// What the package's declarations (bindings/types, by `npm run types`) say, read with TypeScript's own parser.
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import ts from 'typescript';
import { tree } from '../common.mjs';
import { escape } from './page.mjs';

const types = join(tree, 'bindings', 'types') + sep;

/** Entries with types, single and script apart, which are the others in one. @returns {{ name: string, file: string, path: string }[]} path: of its modules */
export function packageEntries() {
  const { exports } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
  return Object.entries(exports).filter(([, entry]) => entry.types && !entry.default.includes('/bundles/'))
    .map(([name, entry]) => ({ name: `heddle${name.slice(1)}`, file: join(tree, entry.types), path: join(tree, entry.default) }));
}

/**
 * What the comments of a module say about its types, which declarations do not repeat: the words before `@typedef` and those behind the type's name; `@callback` alike.
 * @param {string} source @returns {Map<string, string>}
 */
function typedefs(source) {
  const found = new Map();
  for (const [, block] of source.matchAll(/\/\*\*(.*?)\*\//gs)) {
    const text = block.replace(/^[ \t]*\* ?/gm, '');
    for (const [i, { 0: tag, index }] of [...text.matchAll(/@(?:typedef|callback)\b/g)].entries()) {
      let end = tag === '@typedef' ? text.indexOf('{', index) : index + tag.length;
      for (let depth = 0; end < text.length; end++) {
        depth += Number(text[end] === '{') - Number(text[end] === '}');
        if (depth === 0) break;
      }
      const [, name, behind] = /^\s*(\w+)\s*(.*?)(?=^@|@property\b|$(?![^]))/ms.exec(text.slice(end + 1)) ?? [];
      const before = i === 0 ? text.slice(0, index).replace(/^@template\b.*$/gm, '').trim() : '';
      if (name) found.set(name, [before, behind.trim()].filter(Boolean).join('\n\n'));
    }
  }
  return found;
}

/** Declarations of the package and how they are printed. */
export class Declarations {
  #checker;
  #program;
  /** By path of the module. @type {Map<string, Map<string, string>>} */
  #words = new Map();

  /** @param {string[]} files */
  constructor(files) {
    this.#program = ts.createProgram(files, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true, noEmit: true, skipLibCheck: true, types: [] });
    this.#checker = this.#program.getTypeChecker();
  }

  /** The class of the package that a class extends. @param {ts.HeritageClause} clause @returns {ts.Symbol | undefined} */
  baseOf(clause) {
    return this.#own(clause.types[0].expression);
  }

  /** What a name stands for: through exports, imports and types that are but another name of a type.
   * @param {ts.Symbol | undefined} symbol @returns {ts.Symbol | undefined} */
  origin(symbol) {
    if (!symbol) return undefined;
    if (symbol.flags & ts.SymbolFlags.Alias) return this.origin(this.#checker.getAliasedSymbol(symbol));
    const node = symbol.declarations?.[0];
    if (node && ts.isTypeAliasDeclaration(node) && !node.typeParameters && ts.isImportTypeNode(node.type) && node.type.qualifier && !node.type.typeArguments) {
      return this.origin(this.#checker.getSymbolAtLocation(node.type.qualifier)) ?? symbol;
    }
    return symbol;
  }

  /** Public names of a file, what they stand for, and whether they are values. @param {string} file @returns {[name: string, symbol: ts.Symbol, isValue: boolean][]} */
  exportsOf(file) {
    const source = this.#program.getSourceFile(file), module = source && this.#checker.getSymbolAtLocation(source);
    if (!module) throw new Error(`${file} is missing: npm run types`);
    const isValue = (/** @type {ts.Symbol} */ symbol) => Boolean((symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol).flags & ts.SymbolFlags.Value);
    return this.#checker.getExportsOfModule(module).map((symbol) => /** @type {[string, ts.Symbol, boolean]} */ ([symbol.name, this.origin(symbol), isValue(symbol)])).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** What users see of an object type: its members, also behind Readonly; null of any other, and of one that has no names but [name: string], which is seen
   * as a whole. @param {ts.Node} node @returns {readonly ts.TypeElement[] | null} */
  membersOf(node) {
    if (ts.isInterfaceDeclaration(node)) return node.members;
    if (!ts.isTypeAliasDeclaration(node)) return null;
    const { type } = node, [inner] = (ts.isTypeReferenceNode(type) && type.typeName.getText() === 'Readonly' && type.typeArguments) || [];
    if (inner && ts.isTypeReferenceNode(inner)) return this.membersOf(this.#own(inner.typeName)?.declarations?.[0] ?? inner);
    return ts.isTypeLiteralNode(type) && !type.members.every(ts.isIndexSignatureDeclaration) ? type.members : null;
  }

  /** A type or class of the package that a name in a declaration means; undefined for the platform's and for type parameters.
   * @param {ts.Node} name @returns {ts.Symbol | undefined} */
  #own(name) {
    const symbol = this.origin(this.#checker.getSymbolAtLocation(name)), node = symbol?.declarations?.[0];
    const isType = node && (ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node) || ts.isVariableDeclaration(node));
    return isType && node.getSourceFile().fileName.startsWith(types.replaceAll(sep, '/')) ? symbol : undefined;
  }

  /**
   * Text of a declaration as HTML, with links to the types in it and without its comments.
   * @param {ts.Node} node @param {(symbol: ts.Symbol) => string | null} link @param {number} [begin] @param {number} [end]
   */
  print(node, link, begin = node.getStart(), end = node.getEnd()) {
    const text = node.getSourceFile().text, spans = /** @type {[number, number, string][]} */ ([]);
    const mark = (/** @type {ts.Node} */ name, from = name.getStart()) => {
      const symbol = this.#own(name), target = symbol && link(symbol), words = escape(name.getText());
      spans.push([from, name.getEnd(), target ? `<a href="${target}">${words}</a>` : words]);
    };
    const visit = (/** @type {ts.Node} */ part) => {
      if (ts.isImportTypeNode(part) && part.qualifier) mark(part.qualifier, part.getStart());
      else if (ts.isTypeReferenceNode(part)) mark(part.typeName);
      else if (ts.isExpressionWithTypeArguments(part)) mark(part.expression);
      else if (ts.isTypeQueryNode(part)) mark(part.exprName);
      else return ts.forEachChild(part, visit);
      return part.typeArguments?.forEach(visit);
    };
    visit(node);
    const plain = (/** @type {number} */ from, /** @type {number} */ to) => escape(text.slice(from, to).replace(/\/\*\*.*?\*\//gs, '').replace(/\s+/g, ' '));
    let html = '', at = begin;
    for (const [from, to, words] of spans.filter(([from, to]) => from >= begin && to <= end)) {
      html += plain(at, from) + words;
      at = to;
    }
    return (html + plain(at, end)).replace(/(?<!&\w+);$/, '').trim(); // not that of an entity
  }

  /** The comment before a declaration. @param {ts.Node} node @returns {{ text: string, params: Map<string, string>, returns: string, throws: string[], isInternal: boolean }} */
  comment(node) {
    const holder = ts.isVariableDeclaration(node) ? node.parent.parent : node, own = ts.getJSDocCommentsAndTags(holder).filter(ts.isJSDoc).at(-1);
    const hasAll = /** @type {any} */ (holder).jsDoc?.some((/** @type {ts.JSDoc} */ one) => one.tags?.some(ts.isJSDocOverloadTag)); // a signature with the comments of all of them
    const doc = (!hasAll && own) || this.#overload(node);
    const words = (/** @type {any} */ comment) => (ts.getTextOfJSDocComment(comment) ?? '').replace(/^- /, '').trim(), params = new Map(), throws = /** @type {string[]} */ ([]);
    let returns = '';
    const tags = (doc?.tags ?? []).flatMap((tag) => (ts.isJSDocOverloadTag(tag) ? [tag, ...tag.typeExpression.parameters, tag.typeExpression.type] : [tag]));
    for (const tag of tags) {
      if (!tag) continue;
      if (ts.isJSDocParameterTag(tag)) params.set(tag.name.getText(), words(tag.comment));
      else if (ts.isJSDocReturnTag(tag)) returns = words(tag.comment);
      else if (ts.isJSDocThrowsTag(tag)) throws.push(words(tag.comment));
    }
    return { text: words(doc?.comment) || (ts.isTypeAliasDeclaration(node) ? this.#ofType(node) : ''), params, returns, throws, isInternal: tags.some((tag) => tag?.tagName?.text === 'internal') };
  }

  /** The comment of one of several signatures, from the module itself, as declarations lack it. @param {ts.Node} node @returns {ts.JSDoc | undefined} */
  #overload(node) {
    if (!ts.isFunctionDeclaration(node) && !ts.isMethodDeclaration(node)) return undefined;
    const { fileName } = node.getSourceFile(), path = join(tree, 'bindings', fileName.slice(types.length).replace(/\.d\.ts$/, '.js')), name = node.name?.getText();
    const all = (ts.isMethodDeclaration(node) ? node.parent.members : node.getSourceFile().statements).filter((one) => one.kind === node.kind && /** @type {any} */ (one).name?.getText() === name);
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS), owner = ts.isMethodDeclaration(node) ? node.parent.name?.getText() : undefined;
    const members = owner ? source.statements.find((one) => ts.isClassDeclaration(one) && one.name?.text === owner)?.members ?? [] : source.statements;
    const found = members.find((/** @type {any} */ one) => one.kind === node.kind && one.name?.getText() === name);
    return found && /** @type {any} */ (found).jsDoc?.filter((/** @type {ts.JSDoc} */ doc) => doc.tags?.some(ts.isJSDocOverloadTag))[all.indexOf(/** @type {any} */ (node))];
  }

  /** @param {ts.TypeAliasDeclaration} node */
  #ofType(node) {
    const path = join(tree, 'bindings', node.getSourceFile().fileName.slice(types.length).replace(/\.d\.ts$/, '.js'));
    let words = this.#words.get(path);
    if (!words) this.#words.set(path, words = typedefs(readFileSync(path, 'utf8')));
    return words.get(node.name.text) ?? '';
  }
}
