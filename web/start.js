// The start page: what the browser offers, and which engine heddle takes of it.
import { info, init } from 'heddle';
import { relaxedSimd, simd, threads } from 'wasm-feature-detect';

const byId = (id) => document.getElementById(id);

function row(name, value, kind, why) {
  const line = document.createElement('tr'), head = document.createElement('th'), cell = document.createElement('td');
  head.scope = 'row';
  head.textContent = name;
  if (why) {
    const small = document.createElement('div');
    small.className = 'muted small';
    small.textContent = why;
    head.append(small);
  }
  cell.textContent = value;
  if (kind) cell.className = kind;
  line.append(head, cell);
  return line;
}

async function showFeatures() {
  const list = [
    ['WebAssembly SIMD', await simd(), 'four numbers at a time; needed'],
    ['Relaxed SIMD', await relaxedSimd(), 'multiply and add in one instruction'],
    ['WebAssembly threads', await threads(), 'several processors'],
    ['Cross-origin isolation', globalThis.crossOriginIsolated === true, 'lets a page use threads; set by the server'],
    ['IndexedDB', 'indexedDB' in globalThis, 'models kept in the browser'],
    ['Private file system', 'getDirectory' in (navigator.storage ?? {}), 'larger models kept in the browser'],
    ['Unpacking .gz', 'DecompressionStream' in globalThis, 'packed data files'],
  ];
  byId('features').replaceChildren(...list.map(([name, has, why]) => row(name, has ? 'yes' : 'no', has ? 'yes' : 'no', why)));
}

async function showEngine() {
  const begin = performance.now();
  await init();
  const { engine, threadsAsked, relaxed, isolated, worker, memory, version } = info();
  byId('facts').replaceChildren(
    row('Version', version),
    row('Engine', engine),
    row('Threads', `${isolated ? threadsAsked : 1} of ${navigator.hardwareConcurrency ?? 1}`),
    row('Multiply-add', relaxed ? 'fused (last bits may differ)' : 'exact, same bits everywhere'),
    row('Runs in', worker ? 'a worker' : 'the page'),
    row('Memory', `${(memory.heap / 2 ** 20).toFixed(1)} MiB`),
    row('Ready after', `${Math.round(performance.now() - begin)} ms`),
  );
  byId('isolation').hidden = isolated;
}

function fail(error) {
  byId('failure').hidden = false;
  byId('failure').textContent = `The engine did not start: ${error.message}`;
  byId('facts').replaceChildren(row('Engine', 'none', 'no'));
}

showFeatures().catch(fail);
showEngine().catch(fail);
