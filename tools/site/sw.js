// The site's service worker: keeps the site for use offline, and sends the two headers that give pages threads where the host does not. The builder puts
// the version and the list of files (path: [SHA-256, kind]) in place of SITE. Of each file the hash is checked, so that pages of one version never meet
// modules of another.
const { version, files } = SITE;
/** Caches of this copy of the site: others may lie in other folders of the host. */
const prefix = `heddle-site ${self.registration.scope} `, name = prefix + version;
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'same-origin' };

/** The file of the site that a request is for; undefined: of no concern. @param {string} address */
function fileOf(address) {
  if (!address.startsWith(self.registration.scope)) return undefined;
  const path = decodeURIComponent(new URL(address).pathname).slice(new URL(self.registration.scope).pathname.length);
  return [path, `${path}index.html`].find((one) => Object.hasOwn(files, one) && (one === path || path === '' || path.endsWith('/')));
}

const keyOf = (path) => new URL(path, self.registration.scope).href;
const otherCaches = async () => (await caches.keys()).filter((one) => one.startsWith(prefix) && one !== name);

/** Fetches a file and keeps it; rejects if it is not what this version has there. @param {string} path @param {RequestCache} [cache] */
async function fetchFile(path, cache) {
  // The second try goes past what the browser may still hold of another version.
  const get = (mode) => fetch(keyOf(path), { integrity: `sha256-${files[path][0]}`, cache: mode, credentials: 'same-origin' });
  const response = await get(cache ?? 'default').catch(() => get('reload'));
  if (response.status !== 200) return response;
  const kept = response.clone();
  // A full disk: the page goes on without being kept. The hash in a header lets a later version take the file over.
  const headers = { 'Content-Type': kept.headers.get('Content-Type') ?? '', 'X-Site-Hash': files[path][0] };
  const keep = async () => (await caches.open(name)).put(keyOf(path), new Response(await kept.arrayBuffer(), { headers }));
  await keep().catch(() => {});
  return response;
}

/** Files that an older version kept and that did not change are taken over; the others that it kept are fetched. */
async function takeOver() {
  const cache = await caches.open(name), todo = [];
  for (const other of await otherCaches()) {
    const old = await caches.open(other);
    for (const { url } of await old.keys()) {
      const path = fileOf(url);
      if (!path || await cache.match(url)) continue;
      const response = await old.match(url);
      if (response.headers.get('X-Site-Hash') === files[path][0]) await cache.put(url, response);
      else todo.push(path);
    }
  }
  for (const path of todo) if (!(await fetchFile(path)).ok) throw new Error(`${path} is not there`);
}

/** Fetches, one by one, what is not there yet: pages, styles, modules, then examples' data, and what a page says it has used. @param {{ used: string[], isSparing: boolean }} wanted */
async function fill({ used, isSparing }) {
  const cache = await caches.open(name), kinds = isSparing ? ['page'] : ['page', 'example'];
  const paths = [...used.map(fileOf).filter(Boolean), ...kinds.flatMap((kind) => Object.keys(files).filter((path) => files[path][1] === kind))];
  for (const path of new Set(paths)) if (!await cache.match(keyOf(path))) await fetchFile(path);
}

/** @param {string} path @param {Request} request */
async function answer(path, request) {
  const kept = await (await caches.open(name)).match(keyOf(path)), response = kept ?? await fetchFile(path).catch(() => {
    void self.registration.update().catch(() => {}); // the host may have another version by now
    return fetch(request);
  });
  const headers = new Headers(response.headers);
  for (const [key, value] of Object.entries(isolation)) headers.set(key, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

self.addEventListener('install', (event) => event.waitUntil((async () => {
  if ((await otherCaches()).length > 0) await takeOver();
  else await self.skipWaiting(); // the first version: pages wait for their headers
})()));

self.addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const other of await otherCaches()) await caches.delete(other);
  await self.clients.claim();
})()));

self.addEventListener('fetch', (event) => {
  const { request } = event, path = fileOf(request.url);
  if (path && request.method === 'GET' && !request.headers.has('range')) event.respondWith(answer(path, request));
});

self.addEventListener('message', (event) => {
  const { type, ...wanted } = event.data;
  if (type === 'fill') event.waitUntil(fill(wanted).then(() => event.source.postMessage({ type: 'filled', version }), () => {})); // offline: next time
  if (type === 'begin') event.waitUntil(self.skipWaiting()); // a page has found that no other one is open
});
