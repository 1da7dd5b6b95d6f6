/** An ONNX file as plain lists: nodes with their attributes, constants, inputs and outputs. Everything that the file says is checked. */
import { HeddleError } from '../errors.js';
import { toFloat32 } from '../files/safetensors.js';
import { packages } from './packages.js';

/** @typedef {{ dims: number[], data: Float32Array | number[] }} Constant whole numbers as a plain list */
/**
 * @typedef {{ name: string, op: string, inputs: string[], outputs: string[], attributes: Record<string, any> }} Step attributes: numbers,
 *   lists, texts, constants
 */
/** @typedef {{ name: string, shape: (number | null)[] }} Place null: any number */
/** @typedef {{ opset: number, steps: Step[], constants: Map<string, Constant>, inputs: Place[], outputs: string[] }} Decoded */

/** Elements of a tensor, at most: what a list in memory may hold. */
const most = 2 ** 29;

/** @param {string} message @returns {never} */
export function refuse(message) {
  throw new HeddleError('file', `importOnnx: ${message}`);
}

/** Whole numbers come as a list; null for a type that is not read. @param {number} type @param {Uint8Array} raw little-endian
 * @returns {Float32Array | number[] | null} */
function numbersOf(type, raw) {
  const size = { 1: 4, 6: 4, 7: 8, 10: 2, 11: 8, 16: 2 }[type];
  if (!size || raw.length % size) return null;
  const { buffer } = raw.slice(); // aligned
  if (type === 1) return new Float32Array(buffer);
  if (type === 6) return [...new Int32Array(buffer)];
  if (type === 7) return Array.from(new BigInt64Array(buffer), Number);
  if (type === 11) return Float32Array.from(new Float64Array(buffer));
  return toFloat32({ dtype: type === 10 ? 'F16' : 'BF16', data: new Uint16Array(buffer), shape: [] });
}

/** @param {import('onnx-buf').TensorProto} tensor @param {string} where @returns {Constant} */
function constantOf({ dims: long, dataType, floatData, int32Data, int64Data, rawData, dataLocation, name }, where) {
  const dims = long.map(Number), count = dims.reduce((product, n) => product * n, 1), what = `${where} "${name}"`;
  if (!dims.every(n => Number.isSafeInteger(n) && n >= 0) || !(count <= most)) refuse(`${what}: dimensions [${dims}]`);
  if (dataLocation === 1) refuse(`${what}: its values are in another file, expected one file with everything`);
  const listed = { 1: () => Float32Array.from(floatData), 6: () => [...int32Data], 7: () => int64Data.map(Number) }[Number(dataType)];
  const given = rawData.length || !listed ? numbersOf(dataType, rawData) : listed();
  if (!given) {
    refuse(`${what}: elements of type ${dataType}, in ${rawData.length} bytes, expected float, float16, bfloat16, double, int32 or int64`);
  }
  if (given.length !== count) refuse(`${what}: ${given.length} values for dimensions [${dims}]`);
  return { dims, data: given };
}

/** Attributes that are read, and what they must be. */
const lists = new Set(['pads', 'strides', 'dilations', 'kernel_shape', 'output_padding', 'output_shape', 'perm', 'axes', 'scales', 'starts', 'ends', 'steps']);
const texts = new Set(['auto_pad', 'mode', 'coordinate_transformation_mode', 'nearest_mode']);
const values = new Set(['alpha', 'beta', 'transA', 'transB', 'axis', 'group', 'ceil_mode', 'count_include_pad', 'epsilon', 'momentum', 'training_mode', 'keepdims', 'blocksize', 'min', 'max']);

/** @param {import('onnx-buf').AttributeProto} attribute @param {string} where */
function attributeOf(attribute, where) {
  const { name } = attribute, value = anyAttribute(attribute, where);
  const expected = lists.has(name) ? 'a list' : texts.has(name) ? 'a text' : values.has(name) ? 'a number' : '';
  const got = Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'a text' : typeof value === 'number' ? 'a number' : 'a tensor';
  if (expected && expected !== got) refuse(`${where}: attribute ${name} is ${got}, expected ${expected}`);
  return value;
}

/** @param {import('onnx-buf').AttributeProto} attribute @param {string} where */
function anyAttribute({ name, type, f, i, s, t, floats, ints }, where) {
  if (type === 1) return f;
  if (type === 2) return Number(i);
  if (type === 3) return new TextDecoder().decode(s);
  if (type === 4 && t) return constantOf(t, `${where}, attribute`);
  if (type === 6) return [...floats];
  if (type === 7) return ints.map(Number);
  return refuse(`${where}: attribute ${name} of type ${type}`);
}

/** @param {import('onnx-buf').ValueInfoProto} value @returns {Place} */
function placeOf({ name, type }) {
  if (type?.value.case !== 'tensorType' || !type.value.value.shape) refuse(`input "${name}" has no shape`);
  const { elemType, shape } = type.value.value;
  if (elemType !== 1) refuse(`input "${name}" has elements of type ${elemType}, expected float`);
  return { name, shape: shape.dim.map(({ value }) => (value.case === 'dimValue' && value.value > 0n ? Number(value.value) : null)) };
}

/** @param {Uint8Array} bytes @returns {Promise<Decoded>} */
export async function decode(bytes) {
  const { schema, protobuf: { fromBinary } } = await packages();
  /** @type {import('onnx-buf').ModelProto} */
  let file;
  try {
    file = fromBinary(schema.ModelProtoSchema, bytes);
  } catch (cause) {
    return refuse(`the bytes are no ONNX model: ${cause instanceof Error ? cause.message : cause}`);
  }
  const { graph } = file, opset = Number(file.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0);
  if (!graph || !graph.node.length) return refuse('the bytes are no ONNX model: they hold no graph');
  if (!(opset >= 7 && opset <= 25)) refuse(`operators of version ${opset}, expected 7 to 25`);
  const constants = new Map(graph.initializer.map(tensor => [tensor.name, constantOf(tensor, 'initializer')]));
  const steps = graph.node.map(({ name, opType: op, domain, input, output, attribute }, i) => {
    const where = `node ${i} "${name}" (${op})`;
    if (domain !== '' && domain !== 'ai.onnx') refuse(`${where} is of the domain ${domain}`);
    return { name: name || output[0], op, inputs: input, outputs: output, attributes: Object.fromEntries(attribute.map(one => [one.name, attributeOf(one, where)])) };
  });
  return { opset, steps, constants, inputs: graph.input.filter(({ name }) => !constants.has(name)).map(placeOf), outputs: graph.output.map(({ name }) => name) };
}
