#!/usr/bin/env node
// Writes src/model/registry.c, the list of all classes in src/, if it has changed.
//   node tools/registry.mjs [--check]    --check: only exit with 1 if it is stale
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, tree } from './common.mjs';

const KINDS = ['layer', 'loss', 'metric', 'optimizer', 'schedule', 'initializer', 'regularizer', 'constraint', 'activity', 'recipe'];
const path = join(tree, 'src', 'model', 'registry.c');

/** Symbols of the classes of each kind, sorted: { layer: ['hd_layer_add', ...], ... } */
export function findClasses() {
  const classes = Object.fromEntries(KINDS.map((kind) => [kind, []]));
  const src = join(tree, 'src');
  for (const file of readdirSync(src, { recursive: true })) {
    if (!file.endsWith('.c')) continue;
    const text = readFileSync(join(src, file), 'utf8');
    for (const [, kind, symbol] of text.matchAll(/^const hd_([a-z]+)_class (hd_\w+) =/gm)) {
      if (!KINDS.includes(kind)) fail(`src/${file}: ${symbol} is of an unknown kind "${kind}", expected one of ${KINDS.join(', ')}`);
      if (!symbol.startsWith(`hd_${kind}_`)) fail(`src/${file}: ${symbol} should be called hd_${kind}_...`);
      classes[kind].push(symbol);
    }
  }
  for (const symbols of Object.values(classes)) symbols.sort();
  return classes;
}

const declare = (kind, symbols) => symbols.map((symbol) => `extern const hd_${kind}_class ${symbol};\n`).join('');
const list = (kind, symbols) => `REGISTRY(${kind},\n${symbols.map((symbol) => `         &${symbol},\n`).join('')}         NULL)\n`;

const source = (classes) => `/* Written by tools/registry.mjs from what it finds in src/: do not edit. */
#include "model/registry.h"

#include <string.h>

${Object.entries(classes).map(([kind, symbols]) => declare(kind, symbols)).join('')}
#define REGISTRY(kind, ...)                                                                                            \\
    const hd_##kind##_class *const hd_##kind##_classes[] = { __VA_ARGS__ };                                            \\
    const hd_##kind##_class *hd_##kind##_class_find(const char *name)                                                  \\
    {                                                                                                                  \\
        const hd_##kind##_class *const *class = hd_##kind##_classes;                                                   \\
        while (*class && strcmp((*class)->name, name) != 0) {                                                          \\
            class++;                                                                                                   \\
        }                                                                                                              \\
        return *class;                                                                                                 \\
    }

${Object.entries(classes).map(([kind, symbols]) => list(kind, symbols)).join('\n')}`;

function main(check) {
  const text = source(findClasses());
  let old = '';
  try {
    old = readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  if (old === text) return;
  if (check) fail('src/model/registry.c is stale: run node tools/registry.mjs');
  writeFileSync(path, text);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.includes('--check'));
