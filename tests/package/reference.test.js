// The pages of guides and reference hold every public name and every option, lead somewhere, and have no script.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Model } from '../../bindings/model.js';
import { tables } from '../../bindings/tables.js';
import { tree } from '../../tools/common.mjs';
import { packageEntries } from '../../tools/site/declarations.mjs';
import { buildGuides } from '../../tools/site/guides.mjs';
import { buildReference } from '../../tools/site/reference.mjs';
import { kinds } from '../../tools/site/tables.mjs';

const folder = mkdtempSync(join(tmpdir(), 'heddle-pages-'));
/** By folder and name. @type {Map<string, string>} */
const pages = new Map();
before(async () => {
  execFileSync(process.execPath, [join(tree, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', 'tsconfig.json', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', 'bindings/types'], { cwd: tree });
  await buildReference(join(folder, 'reference'));
  await buildGuides(join(folder, 'guides'));
  for (const part of ['reference', 'guides']) for (const name of readdirSync(join(folder, part))) if (name.endsWith('.html')) pages.set(`${part}/${name}`, readFileSync(join(folder, part, name), 'utf8'));
});
after(() => rmSync(folder, { recursive: true }));

/** @param {string} page */
const idsOf = (page) => new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));

test('every public name of every entry is on its page, functions and classes with words', async () => {
  let count = 0;
  for (const { name, file, path } of packageEntries()) {
    const page = pages.get(`reference/${name.replaceAll('/', '-')}.html`) ?? '', ids = idsOf(page), values = Object.keys(await import(pathToFileURL(path).href));
    const types = [...readFileSync(file, 'utf8').matchAll(/^export type (\w+)/gm)].map(([, type]) => type);
    assert.deepEqual([...values, ...types].filter((one) => !ids.has(one)), [], name);
    count += values.length;
    const silent = values.filter((one) => !/<(p|li)>[^<]/.test(page.split(`<h3 id="${one}">`)[1]?.split('<h3 ')[0] ?? ''));
    assert.deepEqual(silent, [], `${name}: names without words`);
  }
  assert.ok(count > 100, `${count}`);
});

test('every public type has words, or properties, of which each has', () => {
  const silent = [];
  let count = 0;
  for (const [name, page] of pages) {
    for (const section of page.split('<section class="item">').slice(1)) {
      const owner = /<h3 id="([^"]+)"/.exec(section)?.[1], tables = section.split('<table>').filter((table) => table.includes('<th>Property</th>'));
      if (section.includes('class="kind">type<') && !tables.length && !/<(p|li)>\s*\S/.test(section)) silent.push(`${name}: ${owner}`);
      for (const [, own, words] of tables.join('').matchAll(/<tr><td><code>(.*?)<\/code><\/td><td><code>.*?<\/code><\/td><td>(.*?)<\/td><\/tr>/gs)) {
        if (!words.trim()) silent.push(`${name}: ${owner}.${own}`);
        count++;
      }
    }
  }
  assert.deepEqual(silent, []);
  assert.ok(count > 600, `${count}`);
});

test('every method of every class is on its page, but those for subclasses', async () => {
  const missing = [], forSubclasses = ['learn', 'layer', 'network', 'nodeCounts'];
  for (const { name, path } of packageEntries()) {
    const page = pages.get(`reference/${name.replaceAll('/', '-')}.html`) ?? '';
    for (const [own, value] of Object.entries({ ...await import(pathToFileURL(path).href), ...name === 'heddle' && { Model } })) { // exported as a type alone
      if (typeof value !== 'function' || !/^class\b/.test(Function.prototype.toString.call(value)) || !page.includes(`<h3 id="${own}"`)) continue;
      const section = page.split(`<h3 id="${own}"`)[1].split('<section class="item">')[0];
      for (const [method, { value: code }] of Object.entries(Object.getOwnPropertyDescriptors(value.prototype))) {
        if (typeof code !== 'function' || ['constructor', ...forSubclasses].includes(method) || section.includes('<p>As of ')) continue;
        if (!section.includes(` id="${own}.${method}"`)) missing.push(`${name}: ${own}.${method}`);
      }
    }
  }
  assert.deepEqual(missing, []);
});

test('every parameter of a public function or method has words, but options of a type that has', () => {
  const silent = [];
  let count = 0;
  for (const [name, page] of pages) {
    for (const section of page.split('<section class="item">').slice(1)) {
      const owner = /<h3 id="([^"]+)"/.exec(section)?.[1];
      for (const signature of section.split('<pre class="signature">').slice(1)) {
        const called = /<code>(.*?)(?:\(|&lt;|:)/s.exec(signature)?.[1], table = signature.split('<table>').find((one) => one.includes('<th>Parameter</th>')) ?? '';
        for (const [, own, words] of table.matchAll(/<tr><td><code>(.*?)<\/code><\/td><td><code>.*?<\/code><\/td><td>(.*?)<\/td><\/tr>/gs)) {
          if (!words.trim()) silent.push(`${name}: ${owner}: ${called}: ${own}`);
          count++;
        }
      }
    }
  }
  assert.deepEqual(silent, []);
  assert.ok(count > 310, `${count}`);
});

test('every class of the option tables is on a page, with every option, its range and words', () => {
  for (const { kind, file } of kinds) {
    const page = pages.get(`reference/${file}`) ?? '';
    for (const [name, { options }] of Object.entries(tables[kind])) {
      const section = page.split(`<h3 id="${name}">`)[1]?.split('<h3 ')[0] ?? '';
      assert.match(section, /<p>\S/, `${kind} ${name}`);
      for (const option of Object.keys(options)) assert.match(section, new RegExp(`<tr><td><code>${option}</code></td><td>.+</td><td>.+</td><td>.+</td></tr>`), `${kind} ${name}.${option}`);
    }
  }
  assert.deepEqual(Object.keys(tables).filter((kind) => !kinds.some((one) => one.kind === kind)), []);
});

test('links lead to pages and places that there are; nothing in a page is refused by its policy', () => {
  assert.ok(pages.size > 35);
  const wrong = [];
  for (const [name, page] of pages) {
    assert.doesNotMatch(page, /<script|<style|\sstyle="|\son\w+="/, name);
    assert.doesNotMatch(page, /&(gt|lt|amp|quot)(?!;)/, `${name}: an entity cut short`);
    assert.doesNotMatch(page, /\[object Object\]/, name);
    assert.equal([...page.matchAll(/ id="/g)].length, idsOf(page).size, `${name}: an id twice`);
    for (const [, target] of page.matchAll(/<a [^>]*?href="([^"]+)"/g)) {
      if (/^https:/.test(target)) continue;
      const { pathname, hash } = new URL(target, `http://x/${name}`), path = pathname.slice(1);
      if (path === '' || (/^[\w-]+\/$/.test(path) && existsSync(join(tree, 'web', path, 'index.html')))) continue; // the start page, a demo
      if (!pages.has(path) || (hash && !idsOf(pages.get(path) ?? '').has(decodeURIComponent(hash.slice(1))))) wrong.push(`${name}: ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});
