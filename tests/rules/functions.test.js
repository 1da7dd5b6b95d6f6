// Functions stay short: under 60 lines in C and JavaScript, from the line of the name to the closing brace. And src/ builds by
// one plain command, without CMake, into a program that runs.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';

const LIMIT = 60;
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'src', 'bindings', 'web', 'tools', 'examples'], { cwd: tree, encoding: 'utf8' })
  .split('\n').filter((name) => /\.(c|h|js|mjs)$/.test(name) && existsSync(join(tree, name)));

/** What an opening line of a JavaScript function looks like; its brace is the last thing on the line. */
const OPENS = /\bfunction\b.*\)|=>|^\s*(?:static\s+|async\s+|get\s+|set\s+|\*\s*)*#?[\w$]+\([^;]*\)/;

/**
 * Functions of a text whose indentation is regular: from a line that opens one to the first line no more indented that
 * closes it.
 * @param {string[]} lines
 * @param {(line: string, i: number) => boolean} opens
 */
function functions(lines, opens) {
  return lines.flatMap((line, i) => {
    if (!opens(line, i)) return [];
    const indent = line.search(/\S/), end = lines.findIndex((next, k) => k > i && /^\s*\}/.test(next) && next.indexOf('}') <= indent);
    assert.ok(end > i, `"${line}" does not end`);
    return [{ line: i + 1, length: end - i + 1 }];
  });
}

/** @param {string} name */
function functionsOf(name) {
  const lines = readFileSync(join(tree, name), 'utf8').split('\n');
  if (/\.[ch]$/.test(name)) return functions(lines, (line, i) => line === '{' && /[),]$/.test(lines[i - 1]));
  const keywords = /^\s*(?:\}\s*)?(?:if|for|while|switch|catch|else|do|try|return class|class|export class)\b/;
  return functions(lines, (line) => line.trimEnd().endsWith('{') && !keywords.test(line) && !/^\s*(?:\/\/|\*|\/\*)/.test(line)
    && OPENS.test(line.slice(0, line.lastIndexOf('{'))));
}

test(`functions stay under ${LIMIT} lines`, () => {
  const all = files.flatMap((name) => functionsOf(name).map(({ line, length }) => ({ where: `${name}:${line}`, length })));
  assert.ok(all.filter(({ where }) => where.startsWith('src/')).length > 400, 'finds the functions of C');
  assert.ok(all.filter(({ where }) => where.startsWith('bindings/')).length > 300, 'finds those of JavaScript');
  assert.deepEqual(all.filter(({ length }) => !(length < LIMIT)), []);
});

test('one plain command builds src/ into a program that trains', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-'));
  try {
    const sources = readdirSync(join(tree, 'src'), { recursive: true }).map(String).filter((name) => name.endsWith('.c')).map((name) => join(tree, 'src', name));
    writeFileSync(join(folder, 'main.c'), `#include "heddle.h"
      int main(void)
      {
          hd_context *c = hd_context_new(2);
          hd_model *m = hd_model_new(c);
          int x = hd_input(m, "x", (int[]){ 1 }, 1);
          hd_data *d = hd_data_new(c, 4);
          hd_real *in = hd_data_column(d, HD_COLUMN_INPUT, 0, HD_FLOAT, 1, 1, 0);
          hd_real *out = hd_data_column(d, HD_COLUMN_TARGET, 0, HD_FLOAT, 1, 1, 0), y[4];
          for (int i = 0; i < 4; i++) {
              in[i] = (hd_real)i;
              out[i] = 2 * in[i] + 1;
          }
          int node = hd_layer(m, "dense", "y", &x, 1, (double[]){ 1 }, 1);
          if (hd_model_build(m, 1) || hd_loss_add(m, 0, "meanSquaredError", 1, 0, 0) || hd_optimizer_set(m, "lbfgs", 0, 0))
              return 2;
          hd_fit *f = hd_fit_new(m, d, 0, 4, (double[]){ 4, 50 }, 2);
          while (f && !hd_fit_done(f) && !hd_fit_step(f, 1)) {}
          hd_fit_free(f);
          if (hd_predict(m, d, node, 0, 4, 4, y))
              return 3;
          hd_model_free(m);
          hd_data_free(d);
          hd_context_free(c);
          return !(y[3] > 6.999 && y[3] < 7.001);
      }`);
    const built = spawnSync('cc', ['-std=c11', '-O1', `-I${join(tree, 'src')}`, join(folder, 'main.c'), ...sources, '-lm', '-pthread', '-o', join(folder, 'main')], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    assert.equal(spawnSync(join(folder, 'main')).status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
