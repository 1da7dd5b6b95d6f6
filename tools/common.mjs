// What the tools share. Node builtins only: they run before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the checkout. */
export const tree = dirname(dirname(fileURLToPath(import.meta.url)));

// npm puts node_modules/.bin first on PATH, where the package "node" (24) hides the user's own Node: out of the way with it,
// for all that the tools start.
process.env.PATH = (process.env.PATH ?? '').split(delimiter).filter((folder) => !/node_modules[\\/]\.bin$/.test(folder)).join(delimiter);
/** The user's own Node. */
export const ownNode = process.env.npm_node_execpath ?? process.execPath;

export const isRoot = process.getuid?.() === 0;

export const say = (text) => console.log(`- ${text}`);

/** Ends the program with one clear message. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

/**
 * Installs the Debian packages whose file is missing.
 * @param {Record<string, string>} packages package name to a file that it holds
 */
export function aptInstall(packages) {
  const missing = Object.keys(packages).filter((name) => !existsSync(packages[name]));
  if (missing.length === 0) return;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) fail(`Missing: ${missing.join(', ')}. Please run, as root: ${command}`);
  say(`apt-get install ${missing.join(' ')}`);
  const apt = (...args) => spawnSync('apt-get', ['-q', ...args], {
    encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  let run = apt('install', '-y', '--no-install-recommends', ...missing);
  if (run.status !== 0) { // the package lists may be missing or old
    apt('update');
    run = apt('install', '-y', '--no-install-recommends', ...missing);
  }
  if (run.status !== 0) fail(`${run.stdout}${run.stderr}\nThis failed: ${command}`);
}

/** Installs clang with its sanitizers and libFuzzer. */
export function installClang() {
  aptInstall({ clang: '/usr/bin/clang' });
  const ask = (...args) => spawnSync('clang', args, { encoding: 'utf8' }).stdout ?? '';
  const arch = { x64: 'x86_64', arm64: 'aarch64' }[process.arch], version = /clang version (\d+)/.exec(ask('--version'))?.[1];
  for (const part of ['asan', 'fuzzer']) {
    aptInstall({ [`libclang-rt-${version}-dev`]: ask(`-print-file-name=libclang_rt.${part}-${arch}.a`).trim() });
  }
}

/** `npm ci`, unless node_modules already holds what package-lock.json says. @param {string} [folder] with a package.json of its own */
export function npmCi(folder = tree) {
  const stamp = join(folder, 'node_modules', '.heddle');
  const wanted = createHash('sha256').update(readFileSync(join(folder, 'package-lock.json'))).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const where = relative(tree, folder), what = `npm ci${where && ` in ${where}`}`;
  say(what);
  const run = spawnSync('npm', ['ci', '--no-fund', '--no-audit'], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) fail(`${run.stdout}${run.stderr}\n${what} failed`);
  writeFileSync(stamp, wanted);
}

/** Node 24, for relaxed SIMD: the package "node". */
export const node24 = join(tree, 'node_modules', 'node', 'bin', 'node');
