// No data leaves a page but where its caller says: which modules may speak to the network at all.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';

/** Ways out, and the modules that may take them: files of the engine; addresses that the caller gives; the caller's NATS server. */
const WAYS = [
  [/\bfetch\(/, ['load.js', 'stores/blob.js']],
  [/\bwsconnect\b|@nats-io\/transport-node/, ['nats.js']],
  [/new WebSocket|XMLHttpRequest|sendBeacon|EventSource|RTCPeerConnection|WebTransport|node:(http|https|http2|net|tls|dgram)\b/, []],
  [/new Worker\(|NodeWorker\(/, ['rpc.js']],
];

test('only these modules of bindings/ speak to the network or start workers', () => {
  const sources = readdirSync(join(tree, 'bindings'), { recursive: true })
    .filter((name) => name.endsWith('.js') && !/^(engines|bundles|types)\//.test(name) && name !== 'features.js');
  assert.ok(sources.length > 80);
  const found = WAYS.map(([pattern]) => sources.filter((name) =>
    pattern.test(readFileSync(join(tree, 'bindings', name), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, ''))).sort());
  assert.deepEqual(found, WAYS.map(([, allowed]) => allowed));
});
