/** Runs beside the WebAssembly: calls C on behalf of rpc calls and turns statuses into errors. */
import { Algebra } from './algebra.js';
import { EngineData } from './engine_data.js';
import { HeddleError } from './errors.js';
import { readRecipe } from './recipe_reader.js';
import { Solver } from './solver.js';
import { Trainer } from './trainer.js';

/** @import { HeddleErrorCode } from './errors.js' */
/** @import { Heap, Argument } from './heap.js' */
/** @import { EngineFacts } from './load.js' */

/**
 * Something with options, as C takes them: a class name and doubles in table order.
 * @typedef {{ kind: string, options: number[] }} Item
 * @typedef {{ name: string, shape: number[] }} PlanInput
 * @typedef {object} PlanLayer
 * @property {string} name
 * @property {string} kind
 * @property {number[]} inputs node numbers
 * @property {number[]} options
 * @property {Item[]} kernel what hangs on the weights other than biases
 * @property {Item[]} bias
 * @property {Item} [activity]
 *
 * @typedef {{ nodes: (PlanInput | PlanLayer)[], outputs: number[], seed: number }} ModelPlan
 * @typedef {{ name: string, kind: string, inputs: number[], options: number[], shape: number[],
 *   weights: { weight: string, initializer: Item, regularizer: Item }[], activity: Item }} RecipeNode what the recipe hung on it and
 *   its weights; where nothing, the kind is ""
 *
 * @typedef {object} CompilePlan
 * @property {(Item & { output: number, weight: number })[]} losses
 * @property {(Item & { output: number })[]} metrics
 * @property {Item} optimizer
 * @property {Item} [schedule]
 *
 * @typedef {{ name: string, kind: string, shape: number[] }} NodeFacts shape of one sample of its output
 * @typedef {{ name: string, node: number, shape: number[], frozen: boolean }} WeightFacts
 * @typedef {{ id: number, nodes: NodeFacts[], inputs: number[], outputs: number[], weights: WeightFacts[] }} ModelFacts
 * @typedef {{ targetSizes: number[], metricSizes: number[], slots: number }} CompileFacts elements a row of each output's targets (0: none
 *   wanted), values of each metric
 */
/**
 * A column of a data set; element value = stored * scale + offset.
 * @typedef {object} Column
 * @property {'input' | 'target' | 'weight'} role
 * @property {number} index number of the input or output
 * @property {Float32Array | Uint8Array} data rows x size
 * @property {number} size elements a row
 * @property {number} scale
 * @property {number} offset
 * @property {boolean} owned nobody else uses `data`: it may be transferred
 *
 * @typedef {{ rows: number, columns: Column[] }} Table
 * @typedef {Table | number} Source a table, or the id of one that the engine holds
 */
/** Sums and means over a pass, before they have names.
 * @typedef {{ loss: number, losses: number[], metrics: (number | number[])[] }} Score */
/**
 * What a running call may ask of whoever runs it.
 * @typedef {object} CallContext
 * @property {() => void} check throws if the caller has aborted
 * @property {Promise<void>} aborted resolves when the caller aborts
 * @property {() => Promise<void>} breathe lets other calls in once in a while; checks afterwards
 * @property {(event: unknown) => void} emit
 */

/** @type {readonly HeddleErrorCode[]} of hd_status 1, 2, ... */
const codes = ['argument', 'shape', 'unsupported', 'memory', 'state', 'diverged'];
/** Rows are predicted and evaluated in pieces of about this many elements, so that aborts and other calls get through. */
const pieceElements = 1 << 20;
/** Once C has worked for this long, in ms, starting threads pays. */
const threadsPay = 50;

/** @typedef {{ handle: number, facts: ModelFacts, metricSizes: number[], losses: number,
 *   lastPass: Promise<unknown> }} EngineModel */

export class Engine {
  #context;
  /** @type {Map<number, EngineModel>} */
  #models = new Map();
  #lastId = 0;
  #threadsRaised = false;
  #work = 0;

  /** @param {Heap} heap @param {EngineFacts} facts @param {number} [memoryLimit] bytes; none unless told */
  constructor(heap, facts, memoryLimit) {
    this.heap = heap;
    this.facts = facts;
    this.#context = heap.call('hd_context_new', 1); // a first result should not wait for threads
    if (this.#context === 0) throw new HeddleError('memory', 'no memory for the engine');
    heap.context = this.#context;
    if (memoryLimit) this.check(heap.call('hd_context_limit_memory', this.#context, memoryLimit));
    this.data = new EngineData(this);
    this.trainer = new Trainer(this);
    this.solver = new Solver(this);
    this.algebra = new Algebra(this);
  }

  /** What info() tells. */
  status() {
    const { heap } = this;
    return {
      threads: heap.call('hd_context_threads', this.#context),
      memory: {
        heap: heap.bytes, used: heap.call('hd_context_memory', this.#context, 0),
        peak: heap.call('hd_context_memory', this.#context, 1), data: this.data.bytes,
        models: [...this.#models.values()].reduce((sum, { handle }) => sum + heap.call('hd_model_memory', handle), 0),
        fits: this.trainer.bytes,
      },
    };
  }

  /** For constructors of C. */
  get context() {
    return this.#context;
  }

  nextId() {
    return ++this.#lastId;
  }

  /** @param {number} status @returns {void} @throws {HeddleError} with the context's sentence unless it is 0 */
  check(status) {
    if (status !== 0) this.fail(status);
  }

  /** @param {number} [status] @returns {never} */
  fail(status = this.heap.call('hd_error_status', this.#context)) {
    throw new HeddleError(codes[status - 1] ?? 'state', this.heap.text('hd_error', this.#context));
  }

  /** @param {number} handle 0 for failure @param {number} [failure] */
  made(handle, failure = 0) {
    if (handle === failure) this.fail();
    return handle;
  }

  /** Starts the threads. Results do not depend on them, so any moment between two calls will do. */
  raiseThreads() {
    if (this.#threadsRaised || this.facts.threadsAsked === 1) return;
    this.#threadsRaised = true;
    this.heap.call('hd_context_set_threads', this.#context, this.facts.threadsAsked); // info() tells if there are fewer
  }

  /** Calls C for a piece of work; threads are started when there has been enough of it.
   * @param {() => number} run returns a status @returns {number} seconds */
  work(run) {
    const begin = performance.now(), status = run(), time = performance.now() - begin;
    this.check(status);
    this.#work += time;
    if (this.#work > threadsPay) this.raiseThreads();
    return time / 1000;
  }

  // --- models ---

  /** @param {ModelPlan} plan @param {number} [most] elements of all weights, as many as a file has: layers that want more are refused before
   * they take memory @returns {ModelFacts} */
  build(plan, most = Infinity) {
    const handle = this.made(this.heap.call('hd_model_new', this.#context));
    let facts;
    try {
      for (const node of plan.nodes) this.#addNode(handle, node);
      for (const node of plan.outputs) this.check(this.heap.call('hd_output', handle, node));
      this.#checkElements(handle, most);
      this.check(this.heap.call('hd_model_build', handle, plan.seed));
      facts = this.readFacts(handle);
    } catch (error) {
      this.heap.call('hd_model_free', handle);
      throw error;
    }
    this.#models.set(facts.id, { handle, facts, metricSizes: [], losses: 0, lastPass: Promise.resolve() });
    return facts;
  }

  /** @param {number} model handle @param {number} most */
  #checkElements(model, most) {
    let wanted = 0;
    for (let i = 0; i < this.heap.call('hd_weight_count', model); i++) wanted += this.heap.shape('hd_weight_shape', model, i).reduce((a, b) => a * b, 1);
    if (wanted > most) throw new HeddleError('shape', `the layers want ${wanted} weights, there are ${most}`);
  }

  /** @param {number} model handle @param {PlanInput | PlanLayer} node */
  #addNode(model, node) {
    const { heap } = this;
    if ('shape' in node) {
      this.made(heap.call('hd_input', model, node.name, Int32Array.from(node.shape), node.shape.length), -1);
      return;
    }
    const { name, kind, inputs, options, kernel, bias, activity } = node;
    const first = heap.call('hd_weight_count', model);
    this.made(heap.call('hd_layer', model, kind, name, Int32Array.from(inputs), inputs.length,
      Float64Array.from(options), options.length), -1);
    for (let i = first; i < heap.call('hd_weight_count', model); i++) {
      const weight = heap.text('hd_weight_name', model, i);
      const isState = heap.call('hd_weight_state', model, i) === 1;
      for (const item of /\/b(ias|eta)?$/i.test(weight) ? bias : kernel) {
        if (!isState || item.kind === 'frozen') this.#attach('hd_weight_set', model, weight, item);
      }
    }
    if (activity) this.#attach('hd_activity_set', model, name, activity);
  }

  /** @param {string} setter @param {number} model handle @param {string} name @param {Item} item */
  #attach(setter, model, name, { kind, options }) {
    this.check(this.heap.call(setter, model, name, kind, Float64Array.from(options), options.length));
  }

  /** The nodes of a named network, whose weights are not made. @param {string} name @param {number[]} options
   * @returns {{ nodes: RecipeNode[], outputs: number[] }} shape: of one sample of a node's output */
  describeRecipe(name, options) {
    return readRecipe(this, name, options);
  }

  /** @param {number} model handle @returns {ModelFacts} */
  readFacts(model) {
    const { heap } = this;
    /** @template T @param {string} count @param {(i: number) => T} read */
    const list = (count, read) => Array.from({ length: heap.call(count, model) }, (_, i) => read(i));
    return {
      id: this.nextId(),
      nodes: list('hd_node_count', i => ({
        name: heap.text('hd_node_name', model, i), kind: heap.text('hd_node_kind', model, i),
        shape: heap.shape('hd_node_shape', model, i),
      })),
      inputs: list('hd_input_count', i => heap.call('hd_input_node', model, i)),
      outputs: list('hd_output_count', i => heap.call('hd_output_node', model, i)),
      weights: list('hd_weight_count', i => ({
        name: heap.text('hd_weight_name', model, i), node: heap.call('hd_weight_node', model, i),
        shape: heap.shape('hd_weight_shape', model, i), frozen: heap.call('hd_weight_frozen', model, i) === 1,
      })),
    };
  }

  /** @param {number} id @returns {EngineModel} */
  model(id) {
    const model = this.#models.get(id);
    if (!model) throw new HeddleError('state', 'the model has been disposed of');
    return model;
  }

  /** @param {number} id */
  disposeModel(id) {
    const model = this.#models.get(id);
    if (!model) return;
    this.trainer.closeAll(id);
    this.#models.delete(id);
    this.heap.call('hd_model_free', model.handle);
  }

  /** @param {number} id @param {CompilePlan} plan @returns {CompileFacts} */
  compile(id, plan) {
    const { heap } = this, model = this.model(id), { handle } = model;
    this.check(heap.call('hd_compile_reset', handle));
    for (const { output, kind, weight, options } of plan.losses) {
      this.check(heap.call('hd_loss_add', handle, output, kind, weight, Float64Array.from(options), options.length));
    }
    for (const { output, kind, options } of plan.metrics) {
      this.made(heap.call('hd_metric_add', handle, output, kind, Float64Array.from(options), options.length), -1);
    }
    for (const [setter, item] of /** @type {const} */ ([['hd_optimizer_set', plan.optimizer], ['hd_schedule_set', plan.schedule]])) {
      if (item) this.check(heap.call(setter, handle, item.kind, Float64Array.from(item.options), item.options.length));
    }
    model.losses = plan.losses.length;
    model.metricSizes = plan.metrics.map((_, i) => heap.call('hd_metric_size', handle, i));
    return { targetSizes: model.facts.outputs.map((_, i) => heap.call('hd_target_size', handle, i)), metricSizes: model.metricSizes, slots: heap.call('hd_optimizer_slots', handle) };
  }

  /** @param {number} id @returns {Float32Array<ArrayBuffer>[]} in the order of the model's facts */
  readWeights(id) {
    const { handle, facts } = this.model(id);
    return facts.weights.map(({ shape }, i) => this.floats(shape, 'hd_weight_data', handle, i) ?? this.fail());
  }

  /**
   * All or none: if one is not finite, the model keeps its old weights.
   * @param {number} id
   * @param {(Float32Array | null)[]} weights in the order of the model's facts; null leaves one as it is
   */
  writeWeights(id, weights) {
    const { handle, facts } = this.model(id), old = this.readWeights(id);
    facts.weights.forEach(({ name, shape }, i) => {
      const given = weights[i]?.length, size = shape.reduce((a, b) => a * b, 1);
      if (given !== undefined && given !== size) throw new HeddleError('shape', `weight ${name}: ${given} elements, expected ${size}`);
    });
    /** @param {(Float32Array | null)[]} list */
    const write = list => list.forEach((data, i) => data && this.heap.fill(data, 'hd_weight_data', handle, i));
    write(weights);
    try {
      this.check(this.heap.call('hd_weights_check', handle));
    } catch (error) {
      write(old);
      throw error;
    }
  }

  /** A copy of the values that a C function points to; null for NULL. @param {number[]} shape @param {string} name @param {Argument[]} args */
  floats(shape, name, ...args) {
    return this.heap.floats(shape.reduce((a, b) => a * b, 1), name, ...args);
  }

  // --- running ---

  /**
   * Values of nodes for all rows, one array for each node, by one pass.
   * @param {number} id
   * @param {Source} source
   * @param {{ nodes: number[], batchSize: number }} options
   * @param {CallContext} context
   * @returns {Promise<Float32Array<ArrayBuffer>[]>}
   */
  async predict(id, source, { nodes, batchSize }, context) {
    if (nodes.length === 0) return [];
    const { handle, rows, release } = this.data.open(source);
    try {
      const sizes = nodes.map(node => this.#nodeSize(id, node)), results = sizes.map(size => new Float32Array(rows * size));
      await this.#inPieces(id, rows, batchSize, context, (model, begin, end) => this.heap.outputs(
        results.map((out, i) => out.subarray(begin * sizes[i], end * sizes[i])),
        'hd_predict_nodes', model, handle, Int32Array.from(nodes), nodes.length, begin, end, batchSize));
      return results;
    } finally {
      release();
    }
  }

  /** Elements a row. @param {number} id @param {number} node */
  #nodeSize(id, node) {
    return this.model(id).facts.nodes[node].shape.reduce((a, b) => a * b, 1);
  }

  /** @param {number} id @param {number} rows @param {number} batchSize @param {CallContext} context
   * @param {(model: number, begin: number, end: number) => number} run returns a status */
  async #inPieces(id, rows, batchSize, context, run) {
    const piece = this.#pieceRows(id, batchSize);
    for (let begin = 0; begin < rows; begin += piece) {
      const { handle } = this.model(id);
      this.work(() => run(handle, begin, Math.min(begin + piece, rows)));
      await context.breathe();
    }
  }

  /** New data that stay here: their first input is what a node gives for the rows of others; `columns` beside it.
   * @param {number} id @param {Source} source @param {{ node: number, batchSize: number, columns: Column[] }} options
   * @param {CallContext} context @returns {Promise<number>} id */
  async mapData(id, source, { node, batchSize, columns }, context) {
    const { heap } = this, size = this.#nodeSize(id, node), data = this.data.open(source);
    const made = this.data.make({ rows: data.rows, columns });
    try {
      const at = this.data.addInput(made, size);
      await this.#inPieces(id, data.rows, batchSize, context, (model, begin, end) =>
        heap.call('hd_predict', model, data.handle, node, begin, end, batchSize, heap.element(at, begin * size)));
    } catch (error) {
      this.data.free(made);
      throw error;
    } finally {
      data.release();
    }
    return this.data.keep(made);
  }

  /** @param {number} id @param {Source} source @param {number} batchSize @param {CallContext} context
   * @returns {Promise<Score>} */
  async evaluate(id, source, batchSize, context) {
    const data = this.data.open(source);
    try {
      return await this.score(id, data.handle, 0, data.rows, batchSize, context);
    } finally {
      data.release();
    }
  }

  /** Losses and metrics over rows; one pass at a time for each model.
   * @param {number} id @param {number} data handle @param {number} begin @param {number} end @param {number} batchSize
   * @param {CallContext} context @returns {Promise<Score>} */
  score(id, data, begin, end, batchSize, context) {
    const model = this.model(id);
    const pass = model.lastPass.then(() => this.#scorePass(id, data, begin, end, batchSize, context));
    model.lastPass = pass.catch(() => {}); // whoever asked for it gets the error
    return pass;
  }

  /** @param {number} id @param {number} data @param {number} begin @param {number} end @param {number} batchSize
   * @param {CallContext} context @returns {Promise<Score>} */
  async #scorePass(id, data, begin, end, batchSize, context) {
    const piece = this.#pieceRows(id, batchSize);
    this.check(this.heap.call('hd_evaluate_begin', this.model(id).handle, batchSize));
    try {
      for (let at = begin; at < end; at += piece) {
        const { handle } = this.model(id);
        this.work(() => this.heap.call('hd_evaluate_rows', handle, data, at, Math.min(at + piece, end)));
        await context.breathe();
      }
    } catch (error) { // aborted, say: the work memory must not stay
      if (this.#models.has(id)) this.heap.call('hd_evaluate_end', this.model(id).handle);
      throw error;
    }
    const { handle } = this.model(id);
    this.check(this.heap.call('hd_evaluate_end', handle));
    return this.readScore(id, handle, 'hd_evaluate', this.heap.call('hd_evaluate_total', handle));
  }

  /** Rows of a piece of work, whole batches. @param {number} id @param {number} batchSize */
  #pieceRows(id, batchSize) {
    const perRow = Math.max(...this.model(id).facts.nodes.map(({ shape }) => shape.reduce((a, b) => a * b, 1)));
    return Math.max(1, Math.floor(pieceElements / perRow / batchSize)) * batchSize;
  }

  /** @param {number} id @param {number} handle of the fit or model @param {'hd_fit' | 'hd_evaluate'} prefix
   * @param {number} loss @param {boolean} whole metrics that are lists too; else those are left empty
   * @returns {Score} */
  readScore(id, handle, prefix, loss, whole = true) {
    const { heap } = this, { losses, metricSizes } = this.model(id);
    /** @param {number} metric @param {number} i */
    const value = (metric, i) => heap.call(`${prefix}_metric`, handle, metric, i);
    return {
      loss,
      losses: Array.from({ length: losses }, (_, i) => heap.call(`${prefix}_loss`, handle, i)),
      metrics: metricSizes.map((n, metric) =>
        (n === 1 ? value(metric, 0) : Array.from({ length: whole ? n : 0 }, (_, i) => value(metric, i)))),
    };
  }

  /**
   * @param {number} id
   * @param {Source} source
   * @param {{ training: boolean, seed: number }} options
   * @returns {{ loss: number, gradients: (Float32Array<ArrayBuffer> | null)[] }} null for frozen weights
   */
  gradients(id, source, { training, seed }) {
    const { handle, facts } = this.model(id), data = this.data.open(source);
    try {
      const { status, value: loss } = this.heap.number('hd_gradients', handle, data.handle, 0, data.rows, Number(training), seed);
      this.check(status);
      const gradients = facts.weights.map(({ shape }, i) => this.floats(shape, 'hd_weight_gradient', handle, i));
      return { loss, gradients };
    } finally {
      data.release();
    }
  }

  /** Tests only: the n-th allocation from now on fails; 0: none. @param {number} n */
  failAllocation(n) {
    this.heap.call('hd_context_fail_allocation', this.#context, n);
  }

  /** Tests only: writes outside the memory, which is what a crash of C looks like. */
  trap() {
    this.heap.call('hd_data_rows', -8);
  }
}
