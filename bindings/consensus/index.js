/** The same fit by many, without moving their data: `heddle/consensus`. */
export { circulant, metropolisWeights, mixingFactor, mixingSteps } from './gossip.js';
export { broadcastTransport, localTransport } from './local.js';
export { consensusSolve, consensusSolver } from './solve.js';
export { federatedFit, synchronousFit } from './train.js';

/** @typedef {import('./group.js').Group} Group */
/** @typedef {import('./solve.js').ConsensusOptions} ConsensusOptions */
/** @typedef {import('./solve.js').ConsensusResult} ConsensusResult */
/** @typedef {import('./transport.js').JoinOptions} JoinOptions */
/** @typedef {import('./transport.js').RoomOptions} RoomOptions */
/** @typedef {import('./transport.js').Traffic} Traffic */
/** @typedef {import('./transport.js').Transport} Transport */
