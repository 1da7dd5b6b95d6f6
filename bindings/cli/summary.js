/** `heddle summary`: what is in a model file. */
import { readSafetensors } from '../files/index.js';
import { init } from '../index.js';
import { openModel } from './inputs.js';
import { count, say } from './terminal.js';
import { UsageError, numberOption, parse } from './usage.js';

/** @import { Model } from '../model.js' */
/** @import { Command, Flag } from './usage.js' */

/** @type {{ [name: string]: Flag }} */
const flags = { weights: { type: 'boolean', short: 'w' }, trainable: { type: 'boolean' }, width: { type: 'string' }, metadata: { type: 'boolean' }, json: { type: 'boolean' } };

const help = `heddle summary FILE [--weights] [--json]

Says what a file holds: a model with its layers, shapes and parameters, as in Keras; of what heddle has trained also what it is for and how well
it did. FILE is one of heddle's own (.safetensors), an ONNX file, the model.json of a Keras model saved for TensorFlow.js, or - for stdin.
Of safetensors files of other programs the tensors are listed.

  --weights, -w   each weight with its shape, too
  --trainable     a column that says which layers learn
  --width N       characters of a line, at least 40; unless told those of the terminal, or 100
  --metadata      everything that was saved with the model, as JSON
  --json          all of it as JSON

Examples:
  heddle summary digits.safetensors
  heddle summary net.onnx --weights --width 120
  heddle summary judge.safetensors --json | jq .layers[].name

Exit codes: 0 done, 1 failed, 2 wrong usage. ONNX files need npm install onnx-buf @bufbuild/protobuf.
`;

/** What it is for. @param {any} metadata */
function purpose(metadata) {
  const { superResolution: resolver, quality, estimator, classes, table } = metadata ?? {};
  if (resolver) return `Enlarges pictures by ${resolver.config?.scale} (heddle upscale IN OUT --model FILE).`;
  if (quality) return 'Judges the quality of pictures (heddle score FOLDER --model FILE).';
  if (table) return `Predicts "${table.target}" from ${table.columns.length === 1 ? 'a column' : `${table.columns.length} columns`} of a table (heddle predict FILE TABLE.csv): ${table.columns.map((/** @type {any} */ one) => one.name).join(', ')}.`;
  if (estimator) return `An estimator: ${estimator}${Array.isArray(classes) ? `, ${count(classes.length, 'class').replace('classs', 'classes')}` : ''} (loadEstimator of heddle/estimators).`;
  return '';
}

/** @param {string} file @param {Uint8Array} bytes @param {boolean} json */
function listTensors(file, bytes, json) {
  const { tensors, metadata } = readSafetensors(bytes), list = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  if (json) return say(JSON.stringify({ kind: 'tensors', tensors: list, metadata }, null, 2));
  const width = Math.max(...list.map(({ name }) => name.length), 0);
  say(`${file}: weights without a model, ${count(list.length, 'tensor')}\n${list.map(({ name, dtype, shape }) => `${name.padEnd(width)}  ${dtype.padEnd(4)}  [${shape.join(', ')}]`).join('\n')}`);
}

/** @param {Model} model @param {string} kind */
const asJson = (model, kind) => ({
  kind, name: model.name, parameters: model.parameters, inputs: model.inputs, outputs: model.outputs, layers: model.layers,
  preprocessing: model.preprocessing ?? null, metadata: model.metadata ?? null,
});

/** @param {string[]} args @param {AbortSignal} signal @returns {Promise<number>} */
async function run(args, signal) {
  const { values, positionals: [file, ...more] } = parse(args, flags), lineLength = numberOption(values, 'width', { min: 40, max: 1000, whole: true });
  if (file === undefined || more.length) throw new UsageError(file === undefined ? 'which file?' : `one file at a time, got ${more.length + 1}`);
  await init({ threads: 1 });
  const { kind, model, bytes } = await openModel(file, signal);
  if (!model) {
    listTensors(file, bytes, Boolean(values.json));
    return 0;
  }
  if (values.json) say(JSON.stringify(asJson(model, kind), null, 2));
  else if (values.metadata) say(JSON.stringify(model.metadata ?? null, null, 2));
  else {
    const about = purpose(model.metadata);
    if (about) say(`${about}\n`);
    say(model.summary({ lineLength: lineLength ?? Math.max(40, Math.min(process.stdout.columns ?? 100, 140)), expand: Boolean(values.weights), showTrainable: Boolean(values.trainable) }));
    if (model.metadata !== undefined) say('(--metadata shows what was saved with it)');
  }
  model.dispose();
  return 0;
}

/** @type {Command} */
export const summary = { usage: 'summary FILE [--weights]', about: 'says what a model file holds: layers, shapes, parameters, purpose', help, run, onInterrupt: 'nothing is lost' };
