/** Models for other programs, as `heddle/onnx`: the format ONNX, by the optional packages onnx-buf and @bufbuild/protobuf. */
import { blame } from '../archive.js';
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { filled } from '../imported.js';
import { Model } from '../model.js';
import { loadFrom } from '../stores/index.js';
import { tables } from '../tables.js';
import { decode, refuse } from './read_file.js';
import { Graph } from './write_graph.js';
import { operators } from './write_layers.js';
import { packages } from './packages.js';
import { Reader } from './read_graph.js';
import { readers } from './read_operators.js';

/** @import { Source } from '../stores/index.js' */
/** @import { Decoded, Place } from './read_file.js' */
/** @import { Attributes, Constant, Operation, Value } from './write_graph.js' */

/** Of the operators as they are used here: 2021, which every runtime of today reads. */
const opset = 17n, irVersion = 8n;

/** @param {Model} model @returns {Promise<{ graph: Graph, inputs: Value[], outputs: Value[] }>} */
async function translate(model) {
  const { description: { nodes, outputs: names }, layers } = model, weights = await model.getWeights(), graph = new Graph();
  /** @type {Map<string, Value>} */
  const values = new Map();
  const inputs = nodes.filter(({ layer }) => layer === 'input').map(({ name }, i) => ({ name, shape: model.inputs[i].shape }));
  const missing = layers.find(({ kind }) => kind !== 'input' && !Object.hasOwn(operators, kind));
  if (missing) {
    throw new HeddleError('unsupported', `exportOnnx: layer "${missing.name}" (${missing.kind}) has no counterpart in ONNX's operators`);
  }
  for (const [i, { name, layer: kind, options = {}, inputs: from = [] }] of nodes.entries()) {
    if (kind === 'input') {
      values.set(name, { name, shape: layers[i].outputShape });
      continue;
    }
    const all = Object.entries(tables.layer[kind].options).map(([key, option]) => [key, options[key] ?? option.default]);
    const ofLayer = Object.entries(weights).filter(([key]) => key.startsWith(`${name}/`));
    const own = Object.fromEntries(ofLayer.map(([key, weight]) => [key.slice(name.length + 1), weight]));
    const layer = { name, kind, options: Object.fromEntries(all), weights: own, shape: layers[i].outputShape };
    values.set(name, operators[kind](graph, layer, from.map(input => /** @type {Value} */ (values.get(input)))));
  }
  const outputs = names.map(name => {
    const value = graph.last(/** @type {Value} */ (values.get(name)));
    return { name: graph.add('Identity', [value.name], {}, `${name}.output`), shape: value.shape };
  });
  return { graph, inputs, outputs };
}

/** @param {import('./packages.js').Packages} packages */
function writers({ schema: s, protobuf: { create } }) {
  const { FLOAT, INT64 } = s.TensorProto_DataType, { AttributeProto_AttributeType: type } = s;
  /** @param {string} name @param {Attributes[string]} value */
  const attribute = (name, value) => create(s.AttributeProtoSchema, {
    name,
    ...typeof value === 'bigint' ? { type: type.INT, i: value } : typeof value === 'number' ? { type: type.FLOAT, f: value }
      : typeof value === 'string' ? { type: type.STRING, s: new TextEncoder().encode(value) } : { type: type.INTS, ints: value.map(BigInt) },
  });
  return {
    /** @param {Operation} operation */
    node: ({ name, op, inputs, output, attributes }) => create(s.NodeProtoSchema, {
      name, opType: op, input: inputs, output: [output], attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    }),
    /** @param {Constant} constant */
    tensor: ({ name, dims, data }) => create(s.TensorProtoSchema, {
      name, dims: dims.map(BigInt), dataType: data instanceof Float32Array ? FLOAT : INT64,
      rawData: new Uint8Array(/** @type {ArrayBuffer} */ (data.buffer), data.byteOffset, data.byteLength),
    }),
    /** @param {Value} value */
    info: ({ name, shape }) => create(s.ValueInfoProtoSchema, {
      name,
      type: create(s.TypeProtoSchema, { value: { case: 'tensorType', value: create(s.TypeProto_TensorSchema, {
        elemType: FLOAT,
        shape: create(s.TensorShapeProtoSchema, { dim: [
          create(s.TensorShapeProto_DimensionSchema, { value: { case: 'dimParam', value: 'N' } }),
          ...shape.map(n => create(s.TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(n) } })),
        ] }),
      }) } }),
    }),
  };
}

/**
 * A model as an ONNX file (operators of opset 17, float32), as it is at inference: augmentation and dropout do nothing. Inputs and outputs have the
 * model's names (outputs with ".output" behind) and shapes, [N, height, width, channels] for pictures, with any number N of samples.
 * @param {Model} model whose layers and weights are written; it stays as it is
 * @param {{ name?: string }} [options] name: of the graph; the model's unless told
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {HeddleError} `argument`; `unsupported` for a layer that ONNX has no operators for (kernelMap), or without the packages onnx-buf and
 *   @bufbuild/protobuf
 */
export async function exportOnnx(model, options = {}) {
  if (!(model instanceof Model)) throw new HeddleError('argument', `exportOnnx: expected a model, got ${kindOf(model)}`);
  checkOptions(options, ['name'], 'exportOnnx');
  const found = await packages(), { schema: s, protobuf: { create, toBinary } } = found, { graph, inputs, outputs } = await translate(model);
  const { node, tensor, info } = writers(found);
  return /** @type {Uint8Array<ArrayBuffer>} */ (toBinary(s.ModelProtoSchema, create(s.ModelProtoSchema, {
    irVersion, producerName: 'heddle',
    opsetImport: [create(s.OperatorSetIdProtoSchema, { version: opset })],
    graph: create(s.GraphProtoSchema, {
      name: options.name ?? model.description.name, node: graph.operations.map(node), initializer: [...graph.constants.values()].map(tensor),
      input: inputs.map(info), output: outputs.map(info),
    }),
  })));
}

/**
 * @typedef {object} ImportOptions
 * @property {'auto' | 'NCHW' | 'NHWC'} [inputLayout] how the file's inputs of four axes lie; `auto` (default): as the first operator that minds wants it
 * @property {string} [name] of the model; "model" unless told
 * @property {AbortSignal} [signal] stops the reading of the source; `importOnnx` then rejects with its reason
 */

/** Operators that work on each element, whatever the order of axes. */
const carefree = new Set(['Pad', 'Relu', 'Sigmoid', 'Tanh', 'Clip', 'LeakyRelu', 'Elu', 'Softplus', 'Add', 'Sub', 'Mul', 'Div', 'Neg', 'Sum', 'Identity', 'Dropout',
  'Gather']);

/** Operators on pictures with channels first. */
const picky = new Set(['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'ReduceMean', 'BatchNormalization', 'DepthToSpace',
  'Resize', 'Upsample', 'Slice']);

/** Whether a picture's channels come first. @param {Decoded} decoded @param {string} name */
function channelsComeFirst({ steps }, name) {
  const same = new Set([name]);
  for (const { op, inputs, outputs } of steps) {
    if (!inputs.some(one => same.has(one))) continue;
    if (!carefree.has(op)) return picky.has(op);
    same.add(outputs[0]);
  }
  return false;
}

/** @param {Place} place @param {boolean} first @returns {number[]} shape of a sample, as here */
function shapeOf({ name, shape: [, ...shape] }, first) {
  if (!shape.length || shape.some(n => n === null)) {
    refuse(`input "${name}" is [N, ${shape.map(n => n ?? '?').join(', ')}], expected every size but the number of samples to be given`);
  }
  const [c, ...rest] = /** @type {number[]} */ (shape);
  return first ? [...rest, c] : [c, ...rest];
}

/**
 * A model from an ONNX file, with the file's weights, ready to be run, trained on, or to have its head replaced (`extend`). Pictures lie as everywhere
 * here, [height, width, channels], whatever the file has; layers have its nodes' names ("/" becomes ".").
 * @param {Source} source bytes, a Blob, a Response, a path, a URL
 * @param {ImportOptions} [options]
 * @returns {Promise<Model>}
 * @throws {HeddleError} `file` for what is no ONNX model, and for an operator or a way to use it that this library has no layer for, named with its
 *   node; `unsupported` without the packages onnx-buf and @bufbuild/protobuf; `argument`
 */
export async function importOnnx(source, options = {}) {
  checkOptions(options, ['inputLayout', 'name', 'signal'], 'importOnnx');
  const { inputLayout = 'auto', name, signal } = options;
  if (!['auto', 'NCHW', 'NHWC'].includes(inputLayout)) {
    throw new HeddleError('argument', `importOnnx: inputLayout = ${JSON.stringify(inputLayout)}, expected one of auto, NCHW, NHWC`);
  }
  const bytes = await loadFrom(source, { signal });
  try {
    return await modelOf(await decode(bytes), inputLayout, name);
  } catch (cause) {
    return blame(cause, 'importOnnx');
  }
}

/** @param {Decoded} decoded @param {string} inputLayout @param {string} [name] */
function modelOf(decoded, inputLayout, name) {
  const reader = new Reader(decoded);
  const inputs = decoded.inputs.map(place => {
    const isPicture = place.shape.length === 4;
    const first = isPicture && (inputLayout === 'auto' ? channelsComeFirst(decoded, place.name) : inputLayout === 'NCHW');
    const shape = shapeOf(place, first), size = isPicture ? /** @type {[number, number, number]} */ (shape) : undefined;
    reader.values.set(place.name, { piece: reader.add('input', place, { shape }, []), rank: shape.length, first, size });
    return { name: place.name, shape };
  });
  for (const step of decoded.steps) {
    if (step.op === 'Constant' && step.attributes.value) reader.constants.set(step.outputs[0], step.attributes.value);
    else if (!Object.hasOwn(readers, step.op)) refuse(`node "${step.name}": no layer for the operator ${step.op}`);
    else reader.set(step, readers[step.op](reader, step));
  }
  const weights = reader.pieces.flatMap(piece => Object.entries(piece.weights).map(
    ([weight, data]) => /** @type {const} */ ([`${piece.name}/${weight}`, Float32Array.from(data)])));
  return filled({ ...reader.network(inputs, decoded.outputs), ...name !== undefined && { name } }, Object.fromEntries(weights), Infinity, 'importOnnx');
}
