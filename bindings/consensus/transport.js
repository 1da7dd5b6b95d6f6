/** A member's end of a room: finds the others, starts runs with them, refuses what is not theirs. */
import { HeddleError, abortError, checkOptions, kindOf } from '../errors.js';
import { Assembler, split } from './fragments.js';
import { Group } from './group.js';
import { decode, encode, isName, jsonPart, payloadBytes, readJson } from './message.js';

/** @import { Message, Part, Refusal } from './message.js' */
/**
 * What a back end does: carry bytes between members of one room, in order from each sender, perhaps not at all.
 * @typedef {object} Bus
 * @property {number} limit bytes of the longest message
 * @property {(to: string | null, bytes: Uint8Array<ArrayBuffer>) => void} send null: to all others
 * @property {() => void | Promise<void>} close
 */
/** Where a back end puts what has come; `from`: the sender, if it knows. @typedef {(bytes: Uint8Array, from?: string) => void} Receiver */
/**
 * @typedef {object} RoomOptions
 * @property {string} room its name: members of one room find each other; up to 64 of A-Z a-z 0-9 _ -
 * @property {string} [id] name of this member, different from the others'; random unless told. Members are ordered by their
 *   names: with the same names a run gives the same bits again
 */
/**
 * @typedef {object} JoinOptions
 * @property {number} members how many take part, this one too: 1..64; all must say the same
 * @property {string} [task] what will be done: only members with the same words come together; '' unless told
 * @property {number} [timeout] seconds to wait for the others, 60 unless told
 * @property {number} [deadline] seconds a member may take for its part of a round, 10 unless told
 * @property {'continue' | 'stop'} [onLoss] when a member misses its deadline: go on with those left, or stop with an error;
 *   `stop` unless told. What the first of the members by name says holds for all
 * @property {AbortSignal} [signal] leaves the group, and makes its calls reject
 */
/**
 * Bytes and messages one way. A message to all counts once at its sender.
 * @typedef {object} Traffic
 * @property {number} payload bytes of numbers
 * @property {number} header bytes of all else that is given to the back end
 * @property {number} messages how many; a long one that goes in pieces is one
 */
/** @typedef {{ plan: Plan, leader: string, group: Group, accepted: Set<string>, since: number }} Start */
/** @typedef {{ run: bigint, members: string[], seed: number, deadline: number, onLoss: 'continue' | 'stop' }} Plan */

const tick = 100; // ms between signs of life while waiting
const forgotten = 3000; // ms without one after which a member is not counted on
const patience = 2000; // ms for the others to accept a start
const beforeRun = new Set(['hello', 'start', 'accept', 'go', 'abandon']);

export const randomName = () => [...crypto.getRandomValues(new Uint8Array(8))].map(byte => byte.toString(16).padStart(2, '0')).join('');

/** @param {any} options @param {readonly string[]} more @param {string} where @returns {Required<RoomOptions>} */
export function readRoom(options, more, where) {
  checkOptions(options, ['room', 'id', ...more], where);
  const { room, id = randomName() } = options ?? {};
  for (const [key, value] of Object.entries({ room, id })) {
    if (!isName(value)) throw new HeddleError('argument', `${where}: ${key} = ${JSON.stringify(value)}, expected 1 to 64 of A-Z a-z 0-9 _ -`);
  }
  return { room, id };
}

/** @param {JoinOptions} options @returns {Required<Omit<JoinOptions, 'signal'>>} */
function readJoin(options) {
  checkOptions(options, ['members', 'task', 'timeout', 'deadline', 'onLoss', 'signal'], 'join');
  const { members, task = '', timeout = 60, deadline = 10, onLoss = 'stop' } = options ?? {};
  if (!(Number.isInteger(members) && members >= 1 && members <= 64)) throw new HeddleError('argument', `join: members = ${members}, expected 1..64`);
  if (typeof task !== 'string' || task.length > 200) throw new HeddleError('argument', `join: task must be a string of at most 200 letters, got ${kindOf(task)}`);
  for (const [key, value] of Object.entries({ timeout, deadline })) {
    if (!(value > 0 && value <= 86400)) throw new HeddleError('argument', `join: ${key} = ${value}, expected seconds above 0, at most 86400`);
  }
  if (onLoss !== 'continue' && onLoss !== 'stop') throw new HeddleError('argument', `join: onLoss = ${JSON.stringify(onLoss)}, expected "continue" or "stop"`);
  return { members, task, timeout, deadline, onLoss };
}

/** Made by localTransport, broadcastTransport or natsTransport. */
export class Transport {
  #bus;
  #assembler = new Assembler();
  #number = 0;
  #isClosed = false;
  /** @type {HeddleError | null} */
  #failure = null;
  /** @type {Group | null} */
  #group = null;
  /** @type {Meeting | null} */
  #meeting = null;

  /** @param {(receive: Receiver, fail: (error: HeddleError) => void, again: () => void) => Bus} open fail: the way to the others is gone; again: it
   *   is there again, and what was on it may be lost @param {string} id */
  constructor(open, id) {
    /** Name of this member. @readonly */
    this.id = id;
    /** Messages that were refused, by reason. @type {Record<Refusal, number>} */
    this.refused = { foreign: 0, malformed: 0, version: 0, run: 0 };
    this.#bus = open((bytes, from) => this.#receive(bytes, from), error => {
      this.#failure = error;
      this.#meeting?.end(error);
      this.#group?.fail(error);
    }, () => this.#group?.repeat());
  }

  /**
   * Waits until as many members as asked are there, and begins a run with them. Who comes while a run is under way waits for
   * the next one.
   * @param {JoinOptions} options
   * @returns {Promise<Group>}
   * @throws {HeddleError} `timeout` if they do not come, `state` during another run or when closed, `argument`
   */
  async join(options) {
    const settings = readJoin(options), { signal } = options;
    if (this.#isClosed) throw new HeddleError('state', 'join: the transport is closed');
    if (this.#failure) throw this.#failure;
    if (this.#meeting || this.#group?.isOpen) throw new HeddleError('state', 'join: this transport is in a run already; leave it first');
    signal?.throwIfAborted();
    const meeting = this.#meeting = new Meeting(this.id, settings, (to, message) => this.#send(to, message), plan => this.#open(plan, signal));
    const onAbort = () => meeting.end(abortError(signal));
    signal?.addEventListener('abort', onAbort);
    try {
      return await meeting.group;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#meeting = null;
    }
  }

  /** @param {Plan} plan @param {AbortSignal | undefined} signal */
  #open(plan, signal) {
    this.#group = new Group(this.id, plan, (to, message) => this.#send(to, message), signal);
    return this.#group;
  }

  /** @param {string | null} to @param {Omit<Message, 'from'>} message @returns {Traffic} */
  #send(to, message) {
    const whole = encode({ ...message, from: this.id }), pieces = split(whole, this.#bus.limit, this.id, ++this.#number);
    if (!this.#isClosed) for (const piece of pieces) this.#bus.send(to, piece);
    const payload = payloadBytes(message.parts);
    return { payload, header: pieces.reduce((sum, piece) => sum + piece.length, 0) - payload, messages: 1 };
  }

  /** @param {Uint8Array} bytes @param {string} [sender] */
  #receive(bytes, sender) {
    if (this.#isClosed) return;
    const whole = this.#assembler.add(bytes);
    if (whole === null) return;
    const message = typeof whole === 'string' ? whole : decode(whole.bytes);
    if (typeof message === 'string' || typeof whole === 'string') {
      this.refused[/** @type {Refusal} */ (message)]++;
    } else if (sender !== undefined && sender !== message.from) {
      this.refused.foreign++;
    } else if (message.from === this.id) {
      if (sender === undefined) this.refused.foreign++; // the back end gives no echo: somebody has the same name
    } else if (beforeRun.has(message.kind)) {
      this.#meeting?.receive(message);
    } else if (this.#group?.run !== message.run || !this.#group.has(message.from)) {
      this.refused.run++;
    } else {
      const payload = payloadBytes(message.parts);
      this.#group.receive(message, { payload, header: whole.bytes.length + whole.extra - payload, messages: 1 });
    }
  }

  /** Leaves the run and the room. More calls do nothing. */
  async close() {
    if (this.#isClosed) return;
    this.#group?.leave();
    this.#meeting?.end(new HeddleError('state', 'the transport was closed while it waited for others'));
    this.#isClosed = true;
    await this.#bus.close();
  }
}

// `await using transport = ...`, where the platform has it.
if (Symbol.asyncDispose) Object.defineProperty(Transport.prototype, Symbol.asyncDispose, { value: Transport.prototype.close, configurable: true, writable: true });

/**
 * How a run begins. All say hello until the first by name sees as many as wanted; it names them in a start, each of them
 * accepts the first start that names it, and with all of their answers there it says go; else it abandons and tries anew.
 */
class Meeting {
  #id;
  #settings;
  #send;
  #open;
  /** @type {Map<string, number>} when others that wait for the same were last heard of */
  #seen = new Map();
  /** @type {Start | null} */
  #start = null;
  #timer;
  #since = performance.now();
  /** @type {(group: Group) => void} */
  #resolve = () => {};
  /** @type {(error: unknown) => void} */
  #reject = () => {};

  /** @param {string} id @param {Required<Omit<JoinOptions, 'signal'>>} settings
   * @param {(to: string | null, message: Omit<Message, 'from'>) => unknown} send @param {(plan: Plan) => Group} open */
  constructor(id, settings, send, open) {
    this.#id = id;
    this.#settings = settings;
    this.#send = send;
    this.#open = open;
    /** @type {Promise<Group>} */
    this.group = new Promise((resolve, reject) => [this.#resolve, this.#reject] = [resolve, reject]);
    this.#timer = setInterval(() => this.#tick(), tick);
    this.#tick();
  }

  /** @param {string | null} to @param {Message['kind']} kind @param {bigint} run @param {Part[]} [parts] */
  #say(to, kind, run, parts = []) {
    this.#send(to, { kind, run, round: 0, parts });
  }

  #tick() {
    const now = performance.now(), { members, task, timeout } = this.#settings;
    if (this.#start) {
      if (now - this.#start.since > patience * (this.#start.leader === this.#id ? 1 : 2)) this.#abandon();
      return;
    }
    for (const [id, time] of this.#seen) if (now - time > forgotten) this.#seen.delete(id);
    const ids = [this.#id, ...this.#seen.keys()].sort();
    if (ids.length >= members && ids[0] === this.#id) {
      this.#lead(ids.slice(0, members));
    } else if (now - this.#since > 1000 * timeout) {
      this.end(new HeddleError('timeout', `join: ${ids.length} of ${members} members came within ${timeout} s: ${ids.join(', ')}`));
    } else {
      this.#say(null, 'hello', 0n, [jsonPart({ members, task })]);
    }
  }

  /** @param {string[]} members */
  #lead(members) {
    const [high, low, s1, s2] = crypto.getRandomValues(new Uint32Array(4)), { deadline, onLoss } = this.#settings;
    const plan = { run: BigInt(high) << 32n | BigInt(low), members, seed: s1 % 2 ** 21 * 2 ** 32 + s2, deadline, onLoss };
    this.#start = { plan, leader: this.#id, group: this.#open(plan), accepted: new Set([this.#id]), since: performance.now() };
    if (members.length === 1) return this.#go();
    const { run, ...rest } = plan;
    this.#say(null, 'start', run, [jsonPart({ ...rest, task: this.#settings.task })]);
  }

  #abandon() {
    const { plan, leader, accepted } = /** @type {Start} */ (this.#start);
    this.#start = null;
    if (leader !== this.#id) return;
    this.#say(null, 'abandon', plan.run);
    for (const id of plan.members) if (!accepted.has(id)) this.#seen.delete(id);
  }

  #go() {
    const { group } = /** @type {Start} */ (this.#start);
    clearInterval(this.#timer);
    this.#resolve(group);
  }

  /** @param {Message} message */
  receive({ kind, run, from, parts }) {
    const start = this.#start;
    if (kind === 'hello') {
      const wanted = readJson(parts[0]);
      if (wanted?.members === this.#settings.members && wanted.task === this.#settings.task) this.#seen.set(from, performance.now());
    } else if (kind === 'start') {
      this.#accept(run, from, readJson(parts[0]));
    } else if (start?.plan.run === run) {
      if (kind === 'accept' && start.leader === this.#id) {
        if (start.plan.members.includes(from)) start.accepted.add(from);
        if (start.accepted.size < start.plan.members.length) return;
        this.#say(null, 'go', run, [jsonPart(start.plan.members)]);
        this.#go();
      } else if (from === start.leader) {
        if (kind === 'go') this.#go();
        if (kind === 'abandon') this.#start = null;
      }
    } else if (kind === 'go') { // of others, who wait no more
      for (const id of [readJson(parts[0]) ?? []].flat()) this.#seen.delete(id);
    }
  }

  /** @param {bigint} run @param {string} from @param {Omit<Plan, 'run'> & { task: string } | undefined} plan */
  #accept(run, from, plan) {
    const { members, seed, deadline, onLoss } = plan ?? {};
    const isPlan = Array.isArray(members) && members.length === this.#settings.members && members.every(isName) && members[0] === from && plan?.task === this.#settings.task
      && Number.isSafeInteger(seed) && Number(deadline) > 0 && (onLoss === 'continue' || onLoss === 'stop');
    if (!isPlan || !members.includes(this.#id) || this.#start && !(from < this.#start.leader)) return;
    if (this.#start?.leader === this.#id) this.#abandon(); // two leaders: the first by name stays one
    const whole = /** @type {Plan} */ ({ run, members, seed, deadline, onLoss });
    this.#start = { plan: whole, leader: from, group: this.#open(whole), accepted: new Set(), since: performance.now() };
    this.#say(from, 'accept', run);
  }

  /** @param {unknown} error */
  end(error) {
    clearInterval(this.#timer);
    this.#reject(error);
  }
}
