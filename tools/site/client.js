// Before a page of the site begins: the service worker that keeps the site offline and gives pages threads. Then the page's own boot.js.
const { root } = document.querySelector('script[data-page]').dataset, base = new URL(root, document.baseURI);
/** Milliseconds that a page waits for a worker, at most: it works without one, too. And for a new version to begin. */
const patience = 4000, longPatience = 20_000;
const lock = `heddle-site ${base.href}`;

/** @param {EventTarget} target @param {string} type @param {number} ms */
const happens = (target, type, ms) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms, false);
  target.addEventListener(type, () => {
    clearTimeout(timer);
    resolve(true);
  }, { once: true });
});

/** Loads the page again for its headers, once in a while only: some browsers may never give it threads. */
function reloads() {
  const last = Number(sessionStorage.getItem('heddle-reloaded') ?? 0);
  if (Date.now() - last < 10_000) return false;
  sessionStorage.setItem('heddle-reloaded', String(Date.now()));
  location.reload();
  return true;
}

/** No other page of the site is open: each holds a lock. That of the page before may take a moment to go. */
async function isAlone() {
  for (let i = 0; i < 20; i++) {
    if (!(await navigator.locks.query()).held.some(({ name }) => name === lock)) return true;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  return false;
}

/** @returns {Promise<boolean>} the page is about to load again */
async function prepare() {
  const workers = navigator.serviceWorker, hadOne = workers.controller !== null, changes = (ms) => happens(workers, 'controllerchange', ms), first = changes(patience);
  const registration = await workers.register(new URL('sw.js', base).href, { scope: base.href, updateViaCache: 'none' });
  if (hadOne && registration.waiting) {
    const change = changes(longPatience);
    if (!await isAlone()) return false;
    registration.waiting.postMessage({ type: 'begin' });
    if (await change) location.reload(); // a new version
    return change;
  }
  if (hadOne || globalThis.crossOriginIsolated) return false;
  return await first && reloads(); // a first visit: now with the two headers
}

/** What this visit has fetched is kept, too, and then the rest. */
async function keep() {
  const { active } = await navigator.serviceWorker.ready, used = performance.getEntriesByType('resource').map(({ name }) => name);
  active.postMessage({ type: 'fill', used: [location.href.split(/[?#]/)[0], ...used], isSparing: navigator.connection?.saveData === true });
}

async function start() {
  if (!navigator.serviceWorker) return import('./boot.js'); // some private windows, or not https
  if (await prepare().catch((error) => console.warn(`heddle: not kept for use offline: ${error.message}`))) return undefined;
  navigator.serviceWorker.addEventListener('message', ({ data }) => { if (data.type === 'filled') document.documentElement.dataset.kept = data.version; });
  void navigator.locks.request(lock, { mode: 'shared' }, () => new Promise(() => {}));
  await import('./boot.js');
  return setTimeout(() => keep().catch(() => {}), 3000); // after what the page itself fetches
}

void start();
