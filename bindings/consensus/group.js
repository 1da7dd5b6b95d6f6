/** The members of one run, and what they do together: sums, broadcasts, exchanges with neighbours. */
import { HeddleError, abortError } from '../errors.js';
import { byteSize, jsonPart, readJson, rounded } from './message.js';

/** @import { Message, Part } from './message.js' */
/** @import { Plan, Traffic } from './transport.js' */
/** Numbers to send: an array, or one with its shape.
 * @typedef {Float64Array | Float32Array | { data: Float64Array | Float32Array, shape: readonly number[] }} Values */
/** @typedef {object} WireOptions @property {'float32' | 'float64'} [type] of the numbers on their way; float32 unless told */
/** @typedef {(to: string | null, message: Omit<Message, 'from'>) => Traffic} Send */

const longest = 2 ** 31; // bytes of one message
const lastRound = 2 ** 32 - 1; // meetings count down from here

/** @param {readonly Values[]} values @param {'float32' | 'float64'} type @param {string} where @returns {Part[]} */
function toParts(values, type, where) {
  if (byteSize(type) < 4) throw new HeddleError('argument', `${where}: type = ${JSON.stringify(type)}, expected "float32" or "float64"`);
  const parts = values.map(value => {
    const { data, shape } = 'data' in value ? value : { data: value, shape: [value.length] };
    if (data.length !== shape.reduce((product, n) => product * n, 1)) {
      throw new HeddleError('shape', `${where}: ${data.length} numbers are not of shape [${shape}]`);
    }
    return rounded({ type, shape, data });
  });
  if (!(parts.reduce((sum, { data }) => sum + byteSize(type) * data.length, 0) < longest)) throw new HeddleError('memory', `${where}: more than 2 GiB to send`);
  const wrong = parts.findIndex(({ data }) => !data.every(Number.isFinite));
  if (wrong >= 0) throw new HeddleError('diverged', `${where}: array ${wrong} has numbers that are not finite as ${type}`);
  return parts;
}

/** @param {readonly Part[]} parts */
const shapesOf = parts => parts.map(({ type, shape }) => `${type} [${shape.join(', ')}]`).join(', ');

/** Made by `transport.join`. All members call the same methods in the same order with arrays of the same shapes. */
export class Group {
  #plan;
  #send;
  #round = 0;
  #meetings = 0;
  /** Another member wants to meet. */
  #isCalled = false;
  #isBusy = false;
  /** @type {Map<string, Message>} what has come, by kind, round and sender */
  #inbox = new Map();
  /** @type {Message | null} the last result, for whoever missed it */
  #last = null;
  /** @type {Parameters<Send>[]} what this member has said in this round and the one before */
  #said = [];
  /** @type {Set<string>} who has said that it leaves */
  #gone = new Set();
  /** @type {unknown} */
  #failure = null;
  #wake = () => {};

  /** @param {string} id @param {Plan} plan @param {Send} send @param {AbortSignal} [signal] */
  constructor(id, plan, send, signal) {
    this.#plan = plan;
    this.#send = send;
    /** Name of this member. @readonly */
    this.id = id;
    /** Number of the run, the same for all. @readonly */
    this.run = plan.run;
    /** A random number 0..2^53 - 1, the same for all: for weights that all must draw alike. @readonly */
    this.seed = plan.seed;
    /** Names of those who take part, in order; a lost one is taken out. @type {readonly string[]} */
    this.members = plan.members;
    /** Names of those who were lost. @type {readonly string[]} */
    this.lost = [];
    /** What this member has sent and received in this run. @type {{ sent: Traffic, received: Traffic }} */
    this.bytes = { sent: { payload: 0, header: 0, messages: 0 }, received: { payload: 0, header: 0, messages: 0 } };
    signal?.addEventListener('abort', () => this.leave(abortError(signal)), { once: true });
  }

  /** How many take part. */
  get size() {
    return this.members.length;
  }

  /** Place of this member among the members, from 0. */
  get rank() {
    return this.members.indexOf(this.id);
  }

  /** Seconds a member may take for its part of a round. */
  get deadline() {
    return this.#plan.deadline;
  }

  /** What happens when a member misses its deadline. */
  get onLoss() {
    return this.#plan.onLoss;
  }

  /** Whether the run goes on for this member: it has not left, and nothing has ended it. */
  get isOpen() {
    return this.#failure === null;
  }

  /** Was there at the beginning. @param {string} id a member's name */
  has(id) {
    return this.#plan.members.includes(id);
  }

  /**
   * Sums of all members' arrays, elements added in the order of members, in float64. The first of them adds: the others send
   * it their numbers and receive the sums. If it is lost, the next one does. All get the same bits.
   * @param {readonly Values[]} values this member's numbers, finite, below 2 GiB in all; every member has as many arrays, of the same shapes
   * @param {WireOptions} [options]
   * @returns {Promise<Float64Array<ArrayBuffer>[]>} over those in `members` after this call
   * @throws {HeddleError} `timeout` if a member missed its deadline (onLoss `stop`) or the others went on without this one;
   *   `shape` if the members' arrays differ in shape; `diverged` for numbers that are not finite; `state`
   */
  async allReduceSum(values, { type = 'float32' } = {}) {
    const parts = toParts(values, type, 'allReduceSum');
    return this.#collective(round => this.#reduce(round, parts, this.deadline));
  }

  /**
   * All that are left come together here, also those whose exchange with neighbours failed: then exchanges can begin anew.
   * @param {number} value what this member adds to the sum, finite
   * @returns {Promise<number>} the sum of all members' values
   * @throws {HeddleError} as `allReduceSum`
   */
  async meet(value) {
    const all = this.#plan.members, own = Float64Array.from(all, id => (id === this.id ? this.#round : 0));
    const parts = toParts([Float64Array.of(value), own], 'float64', 'meet');
    return this.#collective(async round => {
      const [[sum], rounds] = await this.#reduce(round, parts, 2 * this.deadline); // who has just missed a neighbour comes a deadline later
      this.#round = Math.max(...rounds);
      return sum;
    }, true);
  }

  /** @param {number} round @param {Part[]} parts @param {number} deadline @returns {Promise<Float64Array<ArrayBuffer>[]>} */
  async #reduce(round, parts, deadline) {
    for (let isFirst = true; ; isFirst = false) {
      const [root] = this.members;
      if (root === this.id) return this.#adopt(await this.#collect(round, parts, !isFirst, deadline));
      this.#post(root, 'contribute', round, parts);
      const result = () => this.#inbox.get(`result ${round}`);
      // A root may begin a deadline later than this member and wait one for others; the next one notices its loss no sooner.
      await this.#until(() => result() || this.members[0] !== root || this.#gone.has(root), (isFirst ? 2 : 5) * deadline);
      const found = result();
      if (found) return this.#adopt(found);
      if (this.members[0] === root) this.#lose([root], round);
    }
  }

  /** @param {number} round @param {Part[]} parts @param {boolean} isTakeover the root before was lost in this round @param {number} deadline
   * @returns {Promise<Message>} */
  async #collect(round, parts, isTakeover, deadline) {
    const others = this.members.slice(1), result = () => this.#inbox.get(`result ${round}`);
    const from = (/** @type {string} */ id) => this.#inbox.get(`contribute ${round} ${id}`);
    if (isTakeover) this.#post(null, 'need', round, []);
    await this.#until(() => result() || others.every(id => from(id) || this.#gone.has(id)), (isTakeover ? 2 : 1) * deadline);
    let found = result(); // of a root that has told some but not all
    if (!found) {
      const missing = others.filter(id => !from(id));
      if (missing.length) this.#lose(missing, round);
      const all = this.members.map(id => (id === this.id ? parts : /** @type {Message} */ (from(id)).parts));
      const wrong = all.findIndex(other => shapesOf(other) !== shapesOf(parts));
      if (wrong >= 0) this.#stop(new HeddleError('shape', `round ${round}: "${this.members[wrong]}" sent ${shapesOf(all[wrong])}, "${this.id}" has ${shapesOf(parts)}`));
      const sums = parts.map(({ type, shape, data }, k) => rounded({ type, shape, data: addUp(all.map(other => other[k].data), data.length) }));
      found = { kind: 'result', run: this.run, round, from: this.id, parts: [...sums, jsonPart(this.members)] };
    }
    if (this.size > 1) this.#post(null, 'result', round, found.parts);
    return found;
  }

  /** @param {Message} result @returns {Float64Array<ArrayBuffer>[]} */
  #adopt(result) {
    const sums = result.parts.slice(0, -1), counted = readJson(result.parts.at(-1));
    if (!Array.isArray(counted) || !counted.includes(this.id)) this.fail(dropped());
    this.#check();
    this.#forget(this.members.filter(id => !counted.includes(id)));
    this.#last = result;
    return sums.map(({ data }) => new Float64Array(data));
  }

  /**
   * One member's arrays for all.
   * @param {readonly Values[]} values of that member; the others' are not looked at
   * @param {WireOptions & { from?: string }} [options] from: that member; the first unless told
   * @returns {Promise<Float64Array<ArrayBuffer>[]>}
   * @throws {HeddleError} as `allReduceSum`; `timeout` also with onLoss `continue`: nobody else has these numbers
   */
  async broadcast(values, { type = 'float32', from = this.members[0] } = {}) {
    const parts = from === this.id ? toParts(values, type, 'broadcast') : [];
    return this.#collective(async round => {
      if (from === this.id) {
        if (this.size > 1) this.#post(null, 'share', round, parts);
        return parts.map(({ data }) => new Float64Array(data));
      }
      const found = () => this.#inbox.get(`share ${round} ${from}`);
      await this.#until(() => found() || this.#gone.has(from), 2 * this.deadline);
      return /** @type {Message} */ (found() ?? this.#stop(this.#missed([from], round))).parts.map(({ data }) => new Float64Array(data));
    });
  }

  /**
   * Sends arrays to some members and receives theirs: who calls this with `a` among its neighbours must be one of `a`'s.
   * @param {readonly Values[]} values to send, finite, below 2 GiB in all; the neighbours' have the same shapes
   * @param {readonly string[]} neighbours names of other members
   * @param {WireOptions} [options]
   * @returns {Promise<Map<string, Float64Array<ArrayBuffer>[]>>} by neighbour
   * @throws {HeddleError} as `allReduceSum`; `timeout` also with onLoss `continue`: for all members then, who can go on after a `meet`
   */
  async neighbourExchange(values, neighbours, { type = 'float32' } = {}) {
    const parts = toParts(values, type, 'neighbourExchange');
    const stranger = neighbours.find(id => !this.members.includes(id) || id === this.id);
    if (stranger !== undefined) throw new HeddleError('argument', `neighbourExchange: "${stranger}" is not one of the others: ${this.members.join(', ')}`);
    return this.#collective(async round => {
      if (this.#isCalled) throw called(round);
      for (const id of neighbours) this.#post(id, 'exchange', round, parts);
      const from = (/** @type {string} */ id) => this.#inbox.get(`exchange ${round} ${id}`);
      await this.#until(() => this.#isCalled || neighbours.every(id => from(id) || this.#gone.has(id)), this.deadline);
      const missing = neighbours.filter(id => !from(id));
      if (missing.length && this.onLoss === 'stop') this.#stop(this.#missed(missing, round));
      if (missing.length && this.#isCalled) throw called(round);
      if (missing.length) {
        this.#post(null, 'meet', this.#meeting, []);
        throw this.#missed(missing, round);
      }
      return new Map(neighbours.map(id => {
        const theirs = /** @type {Message} */ (from(id)).parts;
        if (shapesOf(theirs) !== shapesOf(parts)) this.#stop(new HeddleError('shape', `round ${round}: "${id}" sent ${shapesOf(theirs)}, "${this.id}" has ${shapesOf(parts)}`));
        return [id, theirs.map(({ data }) => new Float64Array(data))];
      }));
    });
  }

  /** Number of the next meeting. */
  get #meeting() {
    return lastRound - this.#meetings;
  }

  /** One collective call. @template T @param {(round: number) => Promise<T>} work @param {boolean} [isMeeting] @returns {Promise<T>} */
  async #collective(work, isMeeting = false) {
    if (this.#isBusy) throw new HeddleError('state', 'a call of this group is under way: wait for it');
    this.#check();
    this.#isBusy = true;
    const round = isMeeting ? this.#meeting : ++this.#round;
    this.#said = this.#said.filter(([, message]) => message.round >= this.#round - 1);
    for (const [key, message] of this.#inbox) if (message.round < this.#round || message.round > this.#meeting) this.#inbox.delete(key);
    if (isMeeting) {
      this.#meetings++;
      this.#isCalled = false;
    }
    try {
      return await work(round);
    } finally {
      this.#isBusy = false;
    }
  }

  /** @param {() => unknown} isThere @param {number} seconds */
  async #until(isThere, seconds) {
    const end = performance.now() + 1000 * seconds;
    for (this.#check(); !isThere(); this.#check()) {
      const left = end - performance.now();
      if (!(left > 0)) return;
      /** @type {ReturnType<typeof setTimeout> | undefined} */
      let timer;
      await new Promise(resolve => {
        this.#wake = () => resolve(undefined);
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  #check() {
    if (this.#failure !== null) throw this.#failure;
  }

  /** @param {string | null} to @param {Message['kind']} kind @param {number} round @param {readonly Part[]} parts */
  #post(to, kind, round, parts) {
    const message = { kind, run: this.run, round, parts: [...parts] };
    if (numbered.has(kind)) this.#said.push([to, message]);
    add(this.bytes.sent, this.#send(to, message));
  }

  /** For the transport: what was on the way may be lost. Who has had it takes no notice. Again some times in this round, for the others'
   * connections come back when they do. */
  repeat(times = 5) {
    if (!this.isOpen) return;
    for (const [to, message] of this.#said) add(this.bytes.sent, this.#send(to, message));
    const round = this.#round, timer = setTimeout(() => { if (times > 1 && this.#round === round) this.repeat(times - 1); }, 1000);
    if (typeof timer === 'object') timer.unref?.(); // Node
  }

  /** For the transport. @param {Message} message @param {Traffic} traffic */
  receive(message, traffic) {
    if (!this.isOpen) return;
    add(this.bytes.received, traffic);
    const { kind, round, from, parts } = message;
    if (!this.members.includes(from)) {
      if (kind !== 'stop' && kind !== 'leave') this.#post(from, 'stop', round, [jsonPart({ code: 'timeout', message: dropped().message })]);
    } else if (kind === 'stop') {
      const { code, message: text } = readJson(parts[0]) ?? {};
      this.fail(new HeddleError(code === 'shape' ? 'shape' : 'timeout', `"${from}" stopped the run: ${String(text).slice(0, 1000)}`));
    } else if (kind === 'leave') {
      this.#gone.add(from);
    } else if (kind === 'need') {
      this.#overthrow(round, from);
    } else if (kind === 'meet') {
      this.#isCalled ||= round === this.#meeting;
    } else if ((round >= this.#round && round <= this.#round + 1 + 2 * this.size) || (round >= this.#meeting && round <= this.#meeting + 1)) { // further ahead nobody can be
      const key = kind === 'result' ? `result ${round}` : `${kind} ${round} ${from}`;
      if (!this.#inbox.has(key)) this.#inbox.set(key, message);
    }
    this.#wake();
  }

  /** `from` has missed the members before it, and adds up from now on. @param {number} round @param {string} from */
  #overthrow(round, from) {
    if (this.onLoss === 'stop') return;
    if (this.#last?.round === round) this.#post(from, 'result', round, this.#last.parts);
    const earlier = this.members.slice(0, this.members.indexOf(from));
    if (earlier.includes(this.id)) this.fail(dropped());
    else this.#forget(earlier);
  }

  /** Goes on without them, or not. @param {readonly string[]} ids @param {number} round */
  #lose(ids, round) {
    if (this.onLoss === 'stop') this.#stop(this.#missed(ids, round));
    this.#forget(ids);
  }

  /** @param {readonly string[]} ids */
  #forget(ids) {
    this.members = this.members.filter(id => !ids.includes(id));
    this.lost = [...this.lost, ...ids];
  }

  /** @param {readonly string[]} ids @param {number} round */
  #missed(ids, round) {
    const names = ids.map(id => `"${id}"`).join(', '), haveLeft = ids.every(id => this.#gone.has(id));
    return new HeddleError('timeout', `round ${round}: ${names} ${haveLeft ? 'left the run' : `did not answer "${this.id}" within ${this.deadline} s`}`);
  }

  /** Ends the run for all. @param {HeddleError} error @returns {never} */
  #stop(error) {
    this.#post(null, 'stop', this.#round, [jsonPart({ code: error.code, message: error.message })]);
    this.fail(error);
    throw error;
  }

  /** For the transport. @param {unknown} error */
  fail(error) {
    this.#failure ??= error;
    this.#wake();
  }

  /** Takes this member out of the run; the others notice at once. More calls do nothing.
   * @param {unknown} [reason] what pending and later calls reject with; a HeddleError `state` unless told */
  leave(reason = new HeddleError('state', 'this member has left the run')) {
    if (!this.isOpen) return;
    this.#post(null, 'leave', this.#round, []);
    this.fail(reason);
  }
}

/** Of these a second one changes nothing. @type {ReadonlySet<Message['kind']>} */
const numbered = new Set(['contribute', 'result', 'share', 'exchange']);
/** @param {number} round */
const called = round => new HeddleError('timeout', `round ${round}: another member missed a neighbour`);
const dropped = () => new HeddleError('timeout', 'the others went on without this member: it did not answer in time');

/** @param {readonly ArrayLike<number>[]} arrays @param {number} length @returns {Float64Array<ArrayBuffer>} */
function addUp(arrays, length) {
  const sum = new Float64Array(length);
  for (const array of arrays) for (let i = 0; i < length; i++) sum[i] += array[i];
  return sum;
}

/** @param {Traffic} to @param {Traffic} more */
function add(to, more) {
  to.payload += more.payload;
  to.header += more.header;
  to.messages += more.messages;
}
