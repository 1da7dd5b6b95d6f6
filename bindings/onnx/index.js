/** Models for other programs, as `heddle/onnx`: the format ONNX, by the optional packages onnx-buf and @bufbuild/protobuf. */
import { HeddleError, checkOptions, kindOf } from '../errors.js';
import { Model } from '../model.js';
import { tables } from '../tables.js';
import { Graph } from './graph.js';
import { operators } from './operators.js';

/** @import { Attributes, Constant, Operation, Value } from './graph.js' */
/** @typedef {typeof import('onnx-buf')} Schema */
/** @typedef {typeof import('@bufbuild/protobuf')} Protobuf */

/** Of the operators as they are used here: 2021, which every runtime of today reads. */
const opset = 17n, irVersion = 8n;

/** @returns {Promise<{ schema: Schema, protobuf: Protobuf }>} */
async function packages() {
  try {
    const [schema, protobuf] = await Promise.all([import('onnx-buf'), import('@bufbuild/protobuf')]);
    return { schema, protobuf };
  } catch (cause) {
    throw new HeddleError('unsupported', 'ONNX needs two packages: npm install onnx-buf @bufbuild/protobuf', { cause });
  }
}

/** @param {Model} model @returns {Promise<{ graph: Graph, inputs: Value[], outputs: Value[] }>} */
async function translate(model) {
  const { description: { nodes, outputs: names }, layers } = model, weights = await model.getWeights(), graph = new Graph();
  /** @type {Map<string, Value>} */
  const values = new Map();
  const inputs = nodes.filter(({ layer }) => layer === 'input').map(({ name }, i) => ({ name, shape: model.inputs[i].shape }));
  const missing = layers.find(({ kind }) => kind !== 'input' && !Object.hasOwn(operators, kind));
  if (missing) throw new HeddleError('unsupported', `exportOnnx: layer "${missing.name}" (${missing.kind}) has no counterpart in ONNX's operators`);
  for (const [i, { name, layer: kind, options = {}, inputs: from = [] }] of nodes.entries()) {
    if (kind === 'input') {
      values.set(name, { name, shape: layers[i].outputShape });
      continue;
    }
    const all = Object.entries(tables.layer[kind].options).map(([key, option]) => [key, options[key] ?? option.default]);
    const own = Object.fromEntries(Object.entries(weights).filter(([key]) => key.startsWith(`${name}/`)).map(([key, weight]) => [key.slice(name.length + 1), weight]));
    const layer = { name, kind, options: Object.fromEntries(all), weights: own, shape: layers[i].outputShape };
    values.set(name, operators[kind](graph, layer, from.map(input => /** @type {Value} */ (values.get(input)))));
  }
  const outputs = names.map(name => {
    const value = graph.last(/** @type {Value} */ (values.get(name)));
    return { name: graph.add('Identity', [value.name], {}, `${name}.output`), shape: value.shape };
  });
  return { graph, inputs, outputs };
}

/** @param {{ schema: Schema, protobuf: Protobuf }} packages */
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
 * @param {Model} model
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
