// The types of the factories, as users' editors see them: what is right passes tsc, what is wrong does not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tree } from '../../tools/common.mjs';

const bindings = `import {
  constraints, initializers, layers, losses, metrics, optimizers, regularizers, schedules,
} from ${JSON.stringify(join(tree, 'bindings', 'factories.js'))};
import { extend, loadWeights, recipes } from ${JSON.stringify(join(tree, 'bindings', 'recipes.js'))};
import { ReDense, Ridge, SlfnClassifier, loadEstimator } from ${JSON.stringify(join(tree, 'bindings', 'estimators', 'index.js'))};`;

const right = `
layers.input({ shape: [28, 28], name: 'x' });
layers.dense({ units: 10, activation: 'softmax', name: 'y', kernelInitializer: 'he', biasInitializer: initializers.constant({ value: 1 }) });
layers.bilinear({ rows: 2, cols: 3, kernelConstraint: constraints.unitNorm({ axis: 'row' }), kernelRegularizer: ['l1', regularizers.l2()] });
layers.flatten(); layers.concat({ axis: 0 }); layers.reshape({ shape: [2, -1] });
layers.dense({ units: 1, activityRegularizer: regularizers.klSparsity({ rho: 0.1 }), trainable: false });
losses.huber({ delta: 2 }); losses.poisson(); metrics.topK({ k: 3 });
optimizers.adam(); optimizers.adam({ learningRate: schedules.cosine({ initialLearningRate: 0.1 }) });
const name = layers.dense({ units: 1 }).layer.length;
const backbone = await recipes.resnet18({ classes: 0, until: 'layer3', inputShape: [64, 64, 3], seed: 1, name: 'trunk' });
const missing: string[] = (await loadWeights(backbone, 'file', { partial: true })).missing;
const slfn: SlfnClassifier = await new SlfnClassifier({ ratio: 2, alphas: 'auto', distribution: 'normal' }).fit([[1], [2]], ['a', 'b'], { signal: AbortSignal.timeout(9) });
const score: number = await (await SlfnClassifier.load('file')).score([[1]], ['a']) + (await new Ridge({ fitIntercept: false }).partialFit([[1]], [1], { solve: false })).report.alpha;
await (await new ReDense({ loss: 'huber' }).fit(backbone, [[1]], [0], { validationData: [[[1]], [0]] })).fit({ features: [[1]], head: { kernel: [[1]] } }, [0]);
await (await loadEstimator('file')).predict([[1]]);
await (await extend(backbone, [layers.flatten()], { from: 'layer2', freeze: true })).predict([]);
`;

/** Each is an error in itself. */
const wrong = [
  'layers.dense({ unit: 10 })', 'layers.dense({})', 'layers.dense()', "layers.dense({ units: '10' })", 'layers.dens({ units: 1 })',
  "layers.dense({ units: 1, activation: 'Relu' })", "layers.flatten({ kernelInitializer: 'ones' })", 'layers.input({})',
  'layers.dense({ units: 1, kernelRegularizer: constraints.nonNeg() })', 'layers.dense({ units: 1, activityRegularizer: regularizers.l2() })',
  'losses.huber({ delta: true })', 'losses.poisson({ delta: 1 })', 'optimizers.adam({ learningRate: losses.poisson() })',
  "layers.dense({ units: 1 }).layer = 'flatten'", "await recipes.resnet18({ until: 'layer5' })", 'await recipes.resnet19()', 'await recipes.lenet({ until: 1 })',
  "await loadWeights(backbone, 'file', { partial: 'yes' })", 'await extend(backbone)',
  'new SlfnClassifier({ ratoi: 2 })', "new Ridge({ alphas: 'best' })", "await new ReDense().fit([[1]], [1])", "await slfn.fit([[1]], ['a'], { validationData: 1 })",
];

test('tsc accepts right calls of the factories and refuses each wrong one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-'));
  try {
    const path = join(folder, 'calls.mts');
    writeFileSync(path, [bindings, right, ...wrong.map((call) => `// @ts-expect-error\n${call};`), 'void name; void missing; void score;'].join('\n'));
    const run = spawnSync(process.execPath, [join(tree, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '--allowJs', '--checkJs',
      'false', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', path], { encoding: 'utf8', cwd: folder });
    assert.equal(run.status, 0, run.stdout + run.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
