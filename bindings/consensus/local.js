/** Transports without a network: within one page or process, and between tabs of one origin. */
import { HeddleError } from '../errors.js';
import { Transport, readRoom } from './transport.js';

/** @import { Receiver, RoomOptions } from './transport.js' */

/** @type {Map<string, Map<string, Receiver>>} members by name, by room */
const rooms = new Map();

/**
 * Members in one page or process, each with its own transport: for tests, simulations and demos.
 * @param {RoomOptions} options
 * @returns {Transport}
 */
export function localTransport(options) {
  const { room, id } = readRoom(options, [], 'localTransport'), members = rooms.get(room) ?? new Map();
  if (members.has(id)) throw new HeddleError('argument', `localTransport: room "${room}" has a member "${id}" already`);
  rooms.set(room, members);
  return new Transport(receive => {
    members.set(id, receive);
    return {
      limit: Infinity,
      // A task each, as a message would be: who answers at once must not keep timers waiting.
      send: (to, bytes) => {
        const receivers = to === null ? [...members.keys()].filter(name => name !== id) : [to];
        for (const name of receivers) setTimeoutZero(() => members.get(name)?.(bytes, id));
      },
      close: () => {
        members.delete(id);
        if (members.size === 0) rooms.delete(room);
      },
    };
  }, id);
}

/** @type {(() => void)[]} */
const tasks = [];
/** @type {MessageChannel | undefined} */
let channel;

/** setTimeout(run, 0) without its least delay of some ms, and in order. @param {() => void} run */
function setTimeoutZero(run) {
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => tasks.shift()?.();
    /** @type {any} */ (channel.port1).unref?.(); // Node: it does not keep the process running
  }
  tasks.push(run);
  channel.port2.postMessage(0);
}

/**
 * Members in tabs and workers of one origin, by BroadcastChannel; in Node, in threads of one process. A tab in the background
 * computes at the browser's mercy: give it a deadline of some seconds.
 * @param {RoomOptions} options
 * @returns {Transport}
 */
export function broadcastTransport(options) {
  const { room, id } = readRoom(options, [], 'broadcastTransport');
  return new Transport(receive => {
    const channel = new BroadcastChannel(`heddle:${room}`);
    channel.onmessage = ({ data }) => {
      const { to, from, bytes } = data ?? {};
      if (from === id && bytes instanceof Uint8Array) return; // a namesake, or nobody
      if (to === null || to === id || !(bytes instanceof Uint8Array)) receive(bytes instanceof Uint8Array ? bytes : new Uint8Array(), from);
    };
    return {
      limit: Infinity,
      send: (to, bytes) => channel.postMessage({ to, from: id, bytes }),
      close: () => channel.close(),
    };
  }, id);
}
