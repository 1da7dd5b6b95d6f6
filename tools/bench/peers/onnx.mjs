// Writes an ONNX model (opset 13, float32, NCHW) of what is drawn: just enough of its protobuf format for the benchmarks.
import { numbers } from '../kit.mjs';

const utf8 = new TextEncoder();

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(128 + (value % 128));
  return Uint8Array.from([...bytes, value]);
}

function join(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const int = (field, value) => join([varint(field * 8), varint(value)]);
const bytes = (field, value) => {
  const data = typeof value === 'string' ? utf8.encode(value) : value;
  return join([varint(field * 8 + 2), varint(data.length), data]);
};
const ints = (name, values) => bytes(5, join([bytes(1, name), ...values.map((value) => int(8, value)), int(20, 7)])); // attribute of a node
const node = (type, inputs, output, attributes = []) =>
  bytes(1, join([...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, type), ...attributes]));
const tensor = (name, dims, data) => bytes(5, join([...dims.map((n) => int(1, n)), int(2, 1), bytes(8, name), bytes(9, new Uint8Array(data.buffer))]));
const value = (field, name, dims) => bytes(field, join([bytes(1, name), bytes(2, bytes(1, join([int(1, 1), bytes(2, join(dims.map((n) => bytes(1, int(1, n)))))])))]));

/** The bytes of a model with input "x" and output "y". */
export function writeOnnx({ shape: [h, w, c], classes, batch, draw }) {
  const parts = [];
  let count = 0;
  const fresh = () => `t${count++}`;
  const emit = (type, inputs, attributes, dims) => {
    const name = fresh();
    parts.push(node(type, inputs, name, attributes));
    return { name, dims };
  };
  const weight = (...dims) => {
    const name = fresh(), fan = dims.slice(1).reduce((a, b) => a * b, 1), size = dims[0] * fan;
    parts.push(tensor(name, dims, numbers(size, dims.length > 1 ? Math.sqrt(3 / fan) : 0)));
    return name;
  };
  const relu = (x, wanted = true) => (wanted ? emit('Relu', [x.name], [], x.dims) : x);
  const slide = ([channels, rows, cols], filters, size, stride, pad) =>
    [filters ?? channels, ...[rows, cols].map((n) => Math.floor((n + 2 * pad - size) / stride) + 1)];
  const window = (size, stride, pad) => [ints('kernel_shape', [size, size]), ints('strides', [stride, stride]), ints('pads', [pad, pad, pad, pad])];
  const drawer = {
    conv: (x, { filters, size, stride = 1, pad = 0, relu: wanted = false }) => relu(emit('Conv',
      [x.name, weight(filters, x.dims[0], size, size), weight(filters)], window(size, stride, pad), slide(x.dims, filters, size, stride, pad)), wanted),
    maxPool: (x, { size, stride, pad = 0 }) => emit('MaxPool', [x.name], window(size, stride, pad), slide(x.dims, undefined, size, stride, pad)),
    add: (a, b) => relu(emit('Add', [a.name, b.name], [], a.dims)),
    globalAverage: (x) => drawer.flatten(emit('GlobalAveragePool', [x.name], [], [x.dims[0], 1, 1])),
    flatten: (x) => emit('Flatten', [x.name], [], [x.dims.reduce((a, b) => a * b)]),
    dropout: (x) => x,
    dense: (x, { units, relu: wanted = false }) => relu(emit('Gemm', [x.name, weight(x.dims[0], units), weight(units)], [], [units]), wanted),
  };
  const last = draw(drawer, { name: 'x', dims: [c, h, w] });
  parts.push(node('Identity', [last.name], 'y'), bytes(2, 'net'), value(11, 'x', [batch, c, h, w]), value(12, 'y', [batch, classes]));
  return join([int(1, 8), bytes(7, join(parts)), bytes(8, int(2, 13))]);
}
