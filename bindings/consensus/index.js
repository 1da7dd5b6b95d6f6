/** The same fit by many, without moving their data: `heddle/consensus`. */
export { broadcastTransport, localTransport } from './local.js';

/** @typedef {import('./group.js').Group} Group */
/** @typedef {import('./transport.js').JoinOptions} JoinOptions */
/** @typedef {import('./transport.js').RoomOptions} RoomOptions */
/** @typedef {import('./transport.js').Traffic} Traffic */
/** @typedef {import('./transport.js').Transport} Transport */
