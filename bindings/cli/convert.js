/** `heddle convert`: models from one format to another. */
import { extname } from 'node:path';
import { init } from '../index.js';
import { checkTarget, deliver, openNetwork } from './inputs.js';
import { complain } from './terminal.js';
import { UsageError, choiceOption, parse } from './usage.js';

/** @import { Command, Flag } from './usage.js' */

/** @type {{ [name: string]: Flag }} */
const flags = { to: { type: 'string' }, 'input-layout': { type: 'string' }, force: { type: 'boolean', short: 'f' }, quiet: { type: 'boolean', short: 'q' } };

const help = `heddle convert IN OUT [--to onnx|heddle]

Reads a model and writes it in another format. IN: heddle's own (.safetensors), ONNX, the model.json of a Keras model saved for TensorFlow.js
(its weights lie beside it), or - for stdin. OUT: a name that ends in .onnx or .safetensors, or - for stdout.
What the other format has no words for is refused by the name of the layer; nothing is left out.

  --to FORMAT            onnx or heddle; unless told by the ending of OUT
  --input-layout LAYOUT  of pictures that an ONNX file takes: NCHW or NHWC; unless told as its first operator that minds wants it. Here they always
                         lie as NHWC
  --force, -f            write over OUT
  --quiet, -q            say nothing

Examples:
  heddle convert digits.safetensors digits.onnx
  heddle convert keras/model.json net.safetensors
  heddle convert net.onnx - --to heddle | heddle summary -

Exit codes: 0 done, 1 failed, 2 wrong usage. ONNX files need npm install onnx-buf @bufbuild/protobuf.
`;

/** @param {string} out @param {string | undefined} asked */
function formatOf(out, asked) {
  const ending = extname(out).toLowerCase(), found = asked ?? (ending === '.onnx' ? 'onnx' : ending === '.safetensors' ? 'heddle' : undefined);
  if (!found) throw new UsageError(out === '-' ? 'which format? With - for stdout, --to onnx or --to heddle says it' : `${out}: expected a name that ends in .onnx or .safetensors, or --to`);
  return found;
}

/** @param {string[]} args @param {AbortSignal} signal @returns {Promise<number>} */
async function run(args, signal) {
  const { values, positionals } = parse(args, flags), [source, out] = positionals;
  if (positionals.length !== 2) throw new UsageError(positionals.length < 2 ? 'which model, and where does it go? Name two files' : `expected two files, got ${positionals.length}`);
  const format = formatOf(out, choiceOption(values, 'to', ['onnx', 'heddle'])), inputLayout = choiceOption(values, 'input-layout', ['NCHW', 'NHWC']);
  checkTarget(out, Boolean(values.force));
  await init({ threads: 1 });
  const model = await openNetwork(source, signal, inputLayout && { inputLayout });
  const bytes = format === 'onnx' ? await (await import('../onnx/index.js')).exportOnnx(model)
    : await model.save('bytes', { metadata: model.metadata, preprocessing: model.preprocessing });
  await deliver(out, bytes);
  if (!values.quiet) complain(`${model.name}: ${model.layers.length} nodes, ${model.parameters} parameters, ${bytes.length} bytes${out === '-' ? '' : `: ${out}`}`);
  model.dispose();
  return 0;
}

/** @type {Command} */
export const convert = { usage: 'convert IN OUT', about: 'turns models into ONNX, and ONNX and Keras models into heddle\'s', help, run, onInterrupt: 'nothing was written' };
