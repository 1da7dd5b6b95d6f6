/** Members anywhere, by a NATS server: `heddle/nats`. Its client is an optional package: @nats-io/nats-core in browsers (WebSocket),
 * @nats-io/transport-node in Node. */
import { readRoom, Transport } from './consensus/transport.js';
import { HeddleError } from './errors.js';
import { importNode, isNode } from './platform.js';

/** @import { ConnectionOptions, Msg, NatsConnection } from '@nats-io/nats-core' */
/** @import { RoomOptions } from './consensus/transport.js' */
/**
 * Exactly one of `connection` and `connect`.
 * @typedef {object} NatsOptions
 * @property {NatsConnection} [connection] an open one, which stays open when the transport is closed
 * @property {ConnectionOptions} [connect] what NATS's own connect takes: servers, user, pass, token, authenticator, tls ...
 *   ws:// and wss:// servers go by WebSocket, and so does everything in browsers; Node has WebSocket from 22 on
 * @property {string} [prefix] first part of all subjects, heddle unless told
 */

/** In ms, for the server's last answer. */
const goodbye = 3000;
const hint = 'npm install @nats-io/nats-core (and @nats-io/transport-node in Node)';

/** @param {ConnectionOptions} options @returns {Promise<NatsConnection>} */
async function open(options) {
  const servers = [options?.servers ?? []].flat(), byWebSocket = !isNode() || servers.some(server => /^wss?:/.test(server));
  let connect;
  try {
    connect = byWebSocket ? (await import('@nats-io/nats-core')).wsconnect : (await importNode('@nats-io/transport-node')).connect;
  } catch (cause) {
    throw new HeddleError('unsupported', `natsTransport: the client of NATS is not there: ${hint}`, { cause });
  }
  if (byWebSocket && typeof WebSocket !== 'function') {
    throw new HeddleError('unsupported', 'natsTransport: ws:// and wss:// need Node 22 or newer; nats:// and tls:// work in this one');
  }
  try {
    return await connect(options);
  } catch (cause) {
    throw new HeddleError('storage', `natsTransport: can't connect to ${servers.join(', ') || 'the NATS server'}: ${/** @type {Error} */ (cause).message}`, { cause });
  }
}

/**
 * Members that one NATS server, or a cluster, connects. A message from `b` to `a` has the subject PREFIX.ROOM.a.b, one to all
 * PREFIX.ROOM.all.b: with the server's permissions nobody reads what is for another, or speaks for another.
 * @param {RoomOptions & NatsOptions} options
 * @returns {Promise<Transport>}
 * @throws {HeddleError} `storage` if the server can't be reached or refuses, `unsupported` without NATS's client, `argument`
 */
export async function natsTransport(options) {
  const { room, id } = readRoom(options, ['connection', 'connect', 'prefix'], 'natsTransport'), { prefix = 'heddle' } = options;
  if (!/^[\w-]+(\.[\w-]+)*$/.test(prefix)) throw new HeddleError('argument', `natsTransport: prefix = "${prefix}", expected names joined by dots`);
  if (id === 'all') throw new HeddleError('argument', 'natsTransport: id "all" stands for all members');
  if (!options.connection === !options.connect) throw new HeddleError('argument', 'natsTransport: expected either connection or connect');
  const connection = options.connection ?? await open(/** @type {ConnectionOptions} */ (options.connect));
  const base = `${prefix}.${room}`;
  /** @param {Promise<unknown>} answer @returns {Promise<unknown>} rejects if the server does not give it: it may be gone */
  const inTime = answer => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`no answer within ${goodbye / 1000} s`)), goodbye); });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };
  const transport = new Transport((receive, fail, again) => {
    watch(connection, base, fail, again);
    /** @param {Error | null} error @param {Msg} message */
    const callback = (error, message) => {
      if (error) return fail(new HeddleError('storage', `natsTransport: ${error.message}`, { cause: error }));
      const from = message.subject.slice(message.subject.lastIndexOf('.') + 1);
      if (from !== id) receive(message.data, from);
    };
    const subscriptions = ['all', id].map(to => connection.subscribe(`${base}.${to}.*`, { callback }));
    return {
      limit: connection.info?.max_payload ?? 2 ** 20,
      send: (to, bytes) => {
        try {
          if (!connection.isClosed()) connection.publish(`${base}.${to ?? 'all'}.${id}`, bytes);
        } catch (cause) { // the connection is being closed
          fail(new HeddleError('storage', `natsTransport: ${/** @type {Error} */ (cause).message}`, { cause }));
        }
      },
      close: async () => {
        if (connection.isClosed()) return;
        for (const subscription of subscriptions) subscription.unsubscribe();
        // A server that is gone gets no goodbye: then this end hangs up by itself.
        await inTime(options.connection ? connection.flush() : connection.drain()).catch(() => options.connection ? undefined : connection.close());
      },
    };
  }, id);
  try {
    await inTime(connection.flush()); // the server knows the subscriptions
  } catch (cause) {
    await transport.close();
    throw new HeddleError('storage', `natsTransport: the server does not answer: ${/** @type {Error} */ (cause).message}`, { cause });
  }
  return transport;
}

/** Says when the way to the others is gone, or there again. @param {NatsConnection} connection @param {string} base
 * @param {(error: HeddleError) => void} fail @param {() => void} again */
async function watch(connection, base, fail, again) {
  void connection.closed().then(error => fail(new HeddleError('storage', `natsTransport: the connection was closed${error ? `: ${error.message}` : ''}`)));
  for await (const status of connection.status()) {
    if (status.type === 'reconnect') again();
    const message = status.type === 'error' ? status.error.message : '';
    if (/permissions violation/i.test(message) && message.includes(base)) fail(new HeddleError('storage', `natsTransport: ${message}`));
  }
}
