#!/usr/bin/env node
// npm run build: all that the JavaScript API needs and git does not hold; what is fresh is skipped (make decides).
//   node tools/build.mjs [PRESET...]    only these CMake presets
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { aptInstall, fail, npmCi, say, tree } from './common.mjs';
import { ensureEmcc } from './toolchain.mjs';

/** Presets whose engines are shipped. */
export const ENGINES = ['wasm-st', 'wasm-st-relaxed', 'wasm-mt', 'wasm-mt-relaxed'];

/** Debian packages of the native build, each with a file that it holds. */
const NATIVE_TOOLS = {
  cmake: '/usr/bin/cmake', make: '/usr/bin/make', gcc: '/usr/bin/gcc', 'libsimde-dev': '/usr/include/simde/wasm/simd128.h',
};

function run(command, args) {
  const result = spawnSync(command, args, { cwd: tree, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`${result.stdout}${result.stderr}\n${command} ${args.join(' ')} failed`);
  return result.stdout;
}

/**
 * Configures and builds one preset. Throws with the compiler's words.
 * @param {string} preset
 * @param {string} [target] CMake target; everything if absent
 */
export function buildPreset(preset, target) {
  const folder = join(tree, 'build', preset);
  // Configured by an older CMakeLists or presets file? CMake's own rule re-runs the former; the latter is ours to see.
  const presets = readFileSync(join(tree, 'CMakePresets.json'), 'utf8');
  const stamp = join(folder, 'presets.stamp');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== presets) {
    run('cmake', ['--preset', preset, '--fresh']);
    writeFileSync(stamp, presets);
  }
  run('cmake', ['--build', folder, '--parallel', '2', ...(target ? ['--target', target] : [])]);
}

/** Writes bindings/tables.js: the option tables of C, printed by the native program tools/schema.c. */
function writeTables() {
  buildPreset('native-gcc', 'schema');
  const path = join(tree, 'bindings', 'tables.js');
  const text = run(join(tree, 'build', 'native-gcc', 'schema'), []);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
}

/** Writes bindings/features.js: what is used of wasm-feature-detect, so that who installs heddle gets one package, and a page needs no import map for it. */
function writeFeatures() {
  const path = join(tree, 'bindings', 'features.js'), require = createRequire(import.meta.url);
  const { outputFiles: [{ text }] } = require('esbuild').buildSync({ // which is there by now
    stdin: { contents: "export { relaxedSimd, simd } from 'wasm-feature-detect';", resolveDir: tree }, bundle: true, minify: true, format: 'esm', write: false,
  });
  const file = `// @ts-nocheck\n// Made of wasm-feature-detect, Apache License 2.0: features.license.txt.\n${text}`;
  if (!existsSync(path) || readFileSync(path, 'utf8') !== file) writeFileSync(path, file);
  copyFileSync(join(tree, 'node_modules', 'wasm-feature-detect', 'LICENSE'), join(tree, 'bindings', 'features.license.txt'));
}

/** Writes the modules of bindings that git does not hold. */
export function writeGenerated() {
  writeTables();
  writeFeatures();
}

export function ensureTools() {
  npmCi();
  aptInstall(NATIVE_TOOLS);
}

function main(presets) {
  ensureTools();
  say(`emcc ${ensureEmcc().version}`);
  try {
    if (presets.length === 0) {
      say('option tables, feature detection');
      writeGenerated();
    }
    for (const preset of presets.length ? presets : ENGINES) {
      const start = performance.now();
      buildPreset(preset, presets.length ? undefined : 'engine');
      say(`${preset}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  } catch (error) {
    fail(error.message);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
