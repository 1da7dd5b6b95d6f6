/** No data leaves a page: what the tests of pages watch. */

/**
 * Says whatever leaves for another place than `home` or `named`: requests of all pages, workers and service workers of a context (beacons and
 * event sources are requests, too), WebSockets, and every WebRTC connection.
 * @param {import('playwright-core').BrowserContext} context @param {string} home @param {(complaint: string) => void} complain @param {RegExp} [named]
 */
export async function watchOut(context, home, complain, named = /^(blob|data):/) {
  const own = [home, home.replace(/^http/, 'ws')]; // the pages of development servers ask theirs for news
  const isForeign = (/** @type {string} */ url) => !own.some((place) => url.startsWith(place)) && !/^(blob|data):/.test(url) && !named.test(url);
  context.on('request', (request) => { if (isForeign(request.url())) complain(`fetched ${request.url()}`); });
  context.on('page', (page) => page.on('websocket', (socket) => { if (isForeign(socket.url())) complain(`opened ${socket.url()}`); }));
  await context.exposeBinding('heddleTestComplains', (_, text) => complain(text));
  await context.addInitScript(() => {
    const { RTCPeerConnection: Connection } = globalThis;
    globalThis.RTCPeerConnection = class extends Connection {
      constructor(...given) {
        super(...given);
        globalThis.heddleTestComplains('made a WebRTC connection');
      }
    };
  });
}
