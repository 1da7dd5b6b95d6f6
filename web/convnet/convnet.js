// The page of convolutional networks: connects training, controls and pictures.
import { HeddleError, load } from 'heddle';
import { confusionMatrix } from 'heddle/vis';
import { Answer } from '../answer.js';
import { Curves } from '../curves.js';
import { droppedFiles, onChosen } from '../dropped.js';
import { KeptTraining } from '../interrupted.js';
import { ModelFiles, opened } from '../model_files.js';
import { attempt, begin, byId, clearErrors, enable, listenForDrops, onClick, percent, put, say, showError } from '../page.js';
import { addEpochRow, showEngine, showProgress, tell } from '../progress.js';
import { Training } from '../training.js';
import { Controls } from './controls.js';
import { readOwn } from './files.js';
import { Layers } from './layers.js';
import { Live } from './live.js';
import { compileNetwork, fits, makeNetwork, misfit, networkKey } from './network.js';
import { Mistakes, judge } from './results.js';
import { Samples } from './samples.js';
import { MnistSet } from './sets.js';

/** @import { PictureSet, Part } from './sets.js' */

const mnist = new MnistSet();
/** @type {PictureSet} */
let set = mnist;
/** What the running fit is tested on after each epoch. @type {Part} */
let held;
/** Where the running fit began on the curves' axis, its epochs, its newest log. */
let fit = { begin: 0, epochs: 0, log: null };
let accuracy = null, lastFacts = 0;
/** @type {AbortController | null} */
let reading = null;

const curves = await Curves.make();
const answer = new Answer(byId('bars')), confusion = confusionMatrix(byId('confusion'), new Uint32Array(100), { label: 'Test pictures by class' });
const samples = new Samples((part, row) => look(part, row)), mistakes = new Mistakes((part, row) => {
  look(part, row);
  byId('sample-title').scrollIntoView({ block: 'nearest' });
});

const modelFiles = new ModelFiles('convnet', { save, open });
const interrupted = new KeptTraining('convnet', {
  everySeconds: 5,
  lacks: ({ set: wanted }) => ([set.key, mnist.key].includes(wanted.key) ? '' : `To go on it needs its pictures: ${wanted.summary}. Please choose them again first.`),
});

const live = new Live(new Layers(), {
  onChances: (chances) => showAnswer(chances),
  onTest: (chances, part) => showVerdict(judge(chances, part.labels), part, 'now'),
  onError: showError,
});

/** @type {import('../training.js').Task} */
const task = {
  key: (settings) => networkKey(settings, set), make: (settings) => makeNetwork(settings, set), compile: compileNetwork,
  async data(settings, onLoading) {
    const { rows } = settings, [train, test] = await Promise.all([set.train(rows, onLoading), set.test(rows)]);
    held = test;
    const before = training.wouldRenew(settings) ? 0 : training.epochs, { key, summary } = set;
    return { x: set.input(train.images), y: train.labels, options: interrupted.options({ settings, before, set: { key, summary } }) };
  },
};

const training = new Training(task, {
  onState: showState,
  onLoading: (part) => say(`Fetching pictures: ${Math.round(part * 100)} %`, { isUrgent: false }),
  quiet: () => live.hold(),
  onNetwork(net, isFresh) {
    live.setNet(net, set);
    confusion.set(new Uint32Array(set.classes.length ** 2), { labels: set.classes });
    clearResults();
    put('network-facts', `${net.name}: ${net.parameters.toLocaleString('en')} weights in ${net.layers.length - 1} layers`);
    if (isFresh) restartCurves(null);
  },
  onBatch(log) {
    fit.log = log;
    curves.add(log);
  },
  async onEpoch(log, signal) {
    const verdict = judge(await training.net.predict(set.input(held.images), { batchSize: 100, signal }), held.labels);
    Object.assign(log, { val_loss: verdict.loss, val_accuracy: verdict.accuracy });
    interrupted.tested(log);
    fit.log = log;
    accuracy = verdict.accuracy;
    live.wasTested();
    showVerdict(verdict, held, `after epoch ${training.epochs}`);
    curves.add(log);
    addEpochRow(training.epochs, log);
    say(`Epoch ${log.epoch + 1} of ${fit.epochs}: ${percent(accuracy)} of the test pictures are right`, { isUrgent: false });
  },
});

const controls = new Controls({
  onNetwork: () => { byId('new-network').hidden = !training.net || !training.wouldRenew(controls.read()); },
  onRate: (rate) => attempt(() => training.setRate(rate)),
});

/** @param {Part} part @param {number} row */
function look(part, row) {
  samples.show(part, row);
  live.setPicture(set.picture(part, row));
}

/** @param {Float32Array} chances */
function showAnswer(chances) {
  const isTrained = training.epochs > 0 || fit.log !== null, best = chances.indexOf(Math.max(...chances)), truth = set.classes[samples.label];
  answer.show(chances, (index) => set.classes[index]);
  if (best < 0) put('answer', 'The network overflows: its weights are too large');
  else if (isTrained) put('answer', best === samples.label ? `${truth}: right` : `Says ${set.classes[best]}, but it is ${truth}`);
  else put('answer', `It is ${truth}; the network is not trained yet`);
}

/** @param {import('./results.js').Verdict} verdict @param {Part} part @param {string} when */
function showVerdict(verdict, part, when) {
  confusion.set(verdict.counts);
  mistakes.show(set, part, verdict);
  const count = verdict.rows.toLocaleString('en'), wrong = verdict.mistakes.length.toLocaleString('en');
  put('confusion-state', `${percent(verdict.accuracy)} of ${count} test pictures right, ${when}. Rows: what it is; columns: what the network says.`);
  put('mistakes-state', verdict.mistakes.length ? `${wrong} of ${count} test pictures, ${when}; those first of which it is surest. Press one to look at it above.`
    : `None of ${count} test pictures, ${when}.`);
}

function clearResults() {
  mistakes.clear();
  put('confusion-state', 'Not tested yet.');
  put('mistakes-state', 'Not tested yet.');
}

/** @param {number | null} tested accuracy of the network that is there now */
function restartCurves(tested) {
  fit = { begin: 0, epochs: 0, log: null };
  accuracy = tested;
  curves.clear();
  byId('epochs').replaceChildren();
}

/** @param {import('../training.js').State} state */
function showState(state) {
  const isRunning = state === 'training' || state === 'paused';
  byId('run').textContent = { training: 'Pause', paused: 'Resume' }[state] ?? 'Train';
  enable('run', state === 'idle' || isRunning);
  enable('stop', isRunning || state === 'loading');
  enable('reset', state !== 'starting' && state !== 'stopping');
  controls.lock(training.isBusy);
  live.isLearning = state === 'training';
  lastFacts = 0; // the figures follow at once
  if (state === 'paused') say('Paused');
  if (state === 'loading') say('Getting the pictures ready');
  void modelFiles.refresh({ canSave: state !== 'starting', canOpen: state === 'idle' });
  void interrupted.offer(state === 'idle');
}

/** @param {number | null} before epochs before a fit that goes on; null: another one begins */
async function train(before = null) {
  clearErrors();
  if (reading) throw new HeddleError('state', 'Your pictures are still being read.');
  controls.check();
  const settings = controls.read();
  if (training.wouldRenew(settings)) curves.clear();
  if (before === null) curves.begin();
  fit = { begin: before ?? curves.end, epochs: settings.epochs, log: null };
  let history = null;
  try {
    history = await training.start(settings);
  } finally {
    byId('new-network').hidden = true;
    say(`${history ? 'Trained' : 'Stopped'}${accuracy === null ? '' : `: ${percent(accuracy)} of the test pictures are right`}`);
  }
}

/** The pictures, the network, its settings and the curves come back, then it goes on. */
const goOn = () => interrupted.goOn(async ({ settings, before, set: wanted, model, logs }) => {
  if (reading) throw new HeddleError('state', 'Your pictures are still being read.');
  if (wanted.key !== set.key) await usePictures(mnist);
  controls.restore(settings);
  training.adopt(model, controls.read(), 0);
  training.epochs = before;
  for (const log of logs) {
    curves.add(log);
    addEpochRow(++training.epochs, log);
  }
  accuracy = logs.at(-1)?.val_accuracy ?? null;
  await train(before);
});

async function reset() {
  clearErrors();
  controls.check();
  await training.reset(controls.read());
  byId('new-network').hidden = true;
  say('A new network, not trained yet');
}

/** @param {string} target */
async function save(target) {
  const { net, epochs } = training, { name, classes, preprocessing } = set;
  await net.save(target, { preprocessing, metadata: { settings: controls.read(), set: name, classes, epochs, accuracy } });
}

/** @param {string | File} from */
async function open(from) {
  const net = await opened(load(from), from);
  try {
    if (!fits(net, set) && fits(net, mnist)) await usePictures(mnist);
    if (!fits(net, set)) throw misfit(net, set);
  } catch (error) {
    net.dispose();
    throw error;
  }
  const { epochs = 1, accuracy: tested = null, settings } = net.metadata ?? {};
  controls.show(settings, net.seed);
  restartCurves(tested);
  training.adopt(net, controls.read(), epochs);
  live.test();
  byId('new-network').hidden = true;
  tell(`The model is loaded${tested === null ? '' : `: ${percent(tested)} of the test pictures were right`}`);
}

/** Other pictures, and a network for them. @param {PictureSet} next */
async function usePictures(next) {
  const part = await next.examples(), isOwn = next !== mnist;
  if (next !== set) {
    const before = set;
    set = next;
    controls.suggest(set.shape[2]);
    await training.reset(controls.read()).catch((error) => {
      set = before;
      throw error;
    });
    byId('new-network').hidden = true;
  }
  byId('files-state').hidden = byId('files-clear').hidden = !isOwn;
  if (isOwn) put('files-state', `${set.summary}.`);
  samples.offer(set, part);
  live.setPicture(set.picture(part, samples.row), part);
  void interrupted.offer(training.state === 'idle'); // which may wait for another tab
}

/** @param {Promise<import('./files.js').Found[]>} coming */
async function takeFiles(coming) {
  clearErrors();
  if (training.isBusy) throw new HeddleError('state', 'Stop the training before you change the pictures.');
  reading?.abort();
  const own = reading = new AbortController();
  try {
    say('Reading your files');
    const onProgress = (part) => say(`Reading your pictures: ${Math.round(part * 100)} %`, { isUrgent: false });
    const { set: next, unread } = await readOwn(await coming, { signal: own.signal, onProgress });
    own.signal.throwIfAborted();
    await usePictures(next);
    say('Your pictures are ready');
    if (unread.length) throw new HeddleError('file', `${unread.length} files can't be read as pictures and are left out: ${unread.slice(0, 5).join(', ')}${unread.length > 5 ? ' ...' : ''}`);
  } catch (error) {
    if (set !== mnist || error.code !== 'file') throw error;
    say('Ready to train');
    throw error;
  } finally {
    if (reading === own) reading = null;
  }
}

function listen() {
  const on = (id, work) => onClick(id, () => attempt(work));
  on('run', () => ({ training: () => training.pause(), paused: () => training.resume() }[training.state] ?? train)());
  on('stop', () => training.stop());
  on('reset', reset);
  on('go-on', goOn);
  on('forget', () => interrupted.forget());
  on('files-clear', () => usePictures(mnist));
  for (const id of ['files', 'folder']) {
    onChosen(id, (files) => { if (files.length) void attempt(() => takeFiles(Promise.resolve(files))); });
  }
  listenForDrops(document.body, byId('drop'), (data) => {
    const files = droppedFiles(data);
    void attempt(() => takeFiles(files));
  });
}

/** All drawing happens here. @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  live.frame(now);
  if (now - lastFacts < 250) return;
  lastFacts = now;
  showEngine();
  showProgress(fit, { epochs: training.epochs, isBusy: training.isBusy, accuracy, unit: 'pictures' });
}

async function start() {
  listen();
  byId('isolation').hidden = globalThis.crossOriginIsolated === true;
  requestAnimationFrame(frame);
  await begin(() => training.open(controls.read()), 'Ready to train');
  await attempt(() => usePictures(mnist));
}

void start();
