#!/usr/bin/env node
// Finds a good emcc or, on Debian as root, fetches one; leaves wrappers in build/toolchain/ that the wasm presets call.
//   node tools/toolchain.mjs            make sure there is one, say which
// Order: emcc on PATH, emcc of $EMSDK, the root in the cache, the distribution's emscripten package if it is new
// enough, else a Debian trixie root of its own (tools/make-root.sh) in ${XDG_CACHE_HOME:-~/.cache}/heddle.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { aptInstall, fail, isRoot, say, tree } from './common.mjs';

const NEEDED = [3, 1, 69];          // first release seen to give good relaxed SIMD and threads (older: do not load)
const SUITE = 'trixie';             // Debian release that carries it
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle');
const root = join(cache, 'root');
const wrappers = join(tree, 'build', 'toolchain');

const BY_HAND = `Install Emscripten ${NEEDED.join('.')} or newer by hand, then run this again with emcc on PATH:
  git clone https://github.com/emscripten-core/emsdk && cd emsdk
  ./emsdk install latest && ./emsdk activate latest && source ./emsdk_env.sh`;

const isNewEnough = (version) => {
  const parts = version.split('.').map(Number);
  for (let i = 0; i < NEEDED.length; i++) if (parts[i] !== NEEDED[i]) return parts[i] > NEEDED[i];
  return true;
};

const canExecute = (path) => {
  try { accessSync(path, constants.X_OK); return true; } catch { return false; }
};

/** Version text of an emcc, or '' when it does not run. */
function versionOf(emcc) {
  const run = spawnSync(emcc, ['--version'], { encoding: 'utf8' });
  return run.status === 0 ? (/\b(\d+\.\d+\.\d+)\b/.exec(run.stdout)?.[1] ?? '') : '';
}

/** A good emcc of this machine itself: { emcc, version } or undefined. */
function findOnHost() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  if (process.env.EMSDK) folders.push(join(process.env.EMSDK, 'upstream', 'emscripten'));
  for (const emcc of folders.map((folder) => join(folder, 'emcc')).filter(canExecute)) {
    const version = versionOf(emcc);
    if (version && isNewEnough(version)) return { emcc, version };
    say(`${emcc} is ${version || 'broken'}; ${NEEDED.join('.')} or newer is needed`);
  }
  return undefined;
}

const osRelease = () => Object.fromEntries((existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '')
  .split('\n').filter((line) => line.includes('=')).map((line) => {
    const [key, value] = line.split(/=(.*)/s);
    return [key, value.replace(/^"|"$/g, '')];
  }));

/** The mirror this machine's apt uses for its own release; apt itself reads its files, of either format. */
function aptMirror(codename) {
  const lines = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)',
    'Created-By: Packages'], { encoding: 'utf8' }).split('\n').map((line) => line.split(' '));
  return lines.find(([, release, component]) => release === codename && component === 'main')?.[0];
}

/** Version of the emscripten package apt would install here, '' when there is none. */
const aptCandidate = () => /Candidate: (?:\d+:)?(\d+\.\d+\.\d+)/.exec(
  spawnSync('apt-cache', ['policy', 'emscripten'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? '';

function makeRoot(codename) {
  const mirror = aptMirror(codename);
  if (!mirror) fail(`toolchain: apt's configuration names no mirror for ${codename} main.\n${BY_HAND}`);
  say(`making a Debian ${SUITE} root with emscripten in ${root} (about a minute, 3 GB; delete the folder to undo)`);
  aptInstall({ debootstrap: '/usr/sbin/debootstrap' });
  const run = spawnSync(join(tree, 'tools', 'make-root.sh'), [cache, SUITE, mirror], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.error || run.status !== 0) {
    const tail = `${run.stdout ?? ''}\n${run.stderr ?? run.error}`.trimEnd().split('\n').slice(-15).join('\n');
    fail(`${tail}\ntoolchain: the Debian ${SUITE} root could not be made (is ${mirror} reachable?).\n${BY_HAND}`);
  }
}

/** Fetches an emcc when this machine has none. Returns { emcc, version } of the host, or undefined: use the root. */
function fetchEmcc() {
  const os = osRelease();
  const debianLike = os.ID === 'debian' || /\bdebian\b/.test(os.ID_LIKE ?? '');
  if (!debianLike) fail(`toolchain: no emcc found, and fetching one is known only on Debian (this is ${os.PRETTY_NAME ?? process.platform}).\n${BY_HAND}`);
  if (!isRoot) fail(`toolchain: no emcc found, and fetching one needs root.\n${BY_HAND}`);
  spawnSync('apt-get', ['-q', 'update'], { stdio: 'ignore' }); // a fresh machine has no package lists
  const candidate = aptCandidate();
  if (candidate && isNewEnough(candidate)) {
    aptInstall({ emscripten: '/usr/bin/emcc' });
    return findOnHost();
  }
  if (os.ID !== 'debian') fail(`toolchain: ${os.PRETTY_NAME} packages emscripten ${candidate || 'not at all'}; ${NEEDED.join('.')} is needed.\n${BY_HAND}`);
  makeRoot(os.VERSION_CODENAME);
  return undefined;
}

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Shell text that runs a tool of the root, seeing this checkout, the working directory and /tmp at their own paths. */
const throughRoot = (tool) => `#!/bin/sh
# Written by tools/toolchain.mjs. The mounts are private to this call and end with it.
root=${quote(root)} tree=${quote(tree)}
exec /usr/bin/env -i root="$root" tree="$tree" PWD="$PWD" PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \\
  unshare --mount /bin/sh -c '
  dir=$PWD
  for d in "$tree" /tmp "$dir"; do
    [ "$d" = / ] && continue
    mkdir -p "$root$d" && mount --bind "$d" "$root$d" || exit 125
  done
  mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev" || exit 125
  exec /usr/sbin/chroot "$root" /bin/sh -c '\\''cd "$0" && exec ${tool} "$@"'\\'' "$dir" "$@"
' sh "$@"
`;

function writeWrapper(tool, text) {
  const path = join(wrappers, tool);
  mkdirSync(wrappers, { recursive: true });
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** Makes sure build/toolchain/{emcc,emar,emranlib} work. Returns { emcc, version }. */
export function ensureEmcc() {
  let host = findOnHost();
  if (!host && !(isRoot && canExecute(join(root, 'usr', 'bin', 'emcc')))) host = fetchEmcc();
  for (const tool of ['emar', 'emranlib', 'emcc']) {
    const text = host ? `#!/bin/sh\nexec ${quote(host.emcc.replace(/emcc$/, tool))} "$@"\n` : throughRoot(tool);
    writeWrapper(tool, text);
  }
  const emcc = join(wrappers, 'emcc');
  const version = versionOf(emcc);
  if (!version) fail(`toolchain: ${host?.emcc ?? join(root, 'usr/bin/emcc')} does not run; delete ${host ? 'it' : root} and try again.`);
  return { emcc, version, from: host?.emcc ?? root };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { emcc, version, from } = ensureEmcc();
  console.log(`emcc ${version} (${from}), run as ${emcc}`);
}
