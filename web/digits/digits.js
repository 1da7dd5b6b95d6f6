// The digits page: connects training, controls and pictures.
import { HeddleError, load } from 'heddle';
import { Curves } from '../curves.js';
import { Pad, toDigit } from '../draw.js';
import { Examples } from '../examples.js';
import { KeptTraining } from '../interrupted.js';
import { Mnist, preprocessing } from '../mnist.js';
import { ModelFiles, opened } from '../model_files.js';
import { attempt, begin, byId, clearErrors, enable, listenForDrops, onClick, percent, say, showError } from '../page.js';
import { addEpochRow, showEngine, showProgress, tell } from '../progress.js';
import { Training } from '../training.js';
import { Controls, networkKey } from './controls.js';
import { asInput, readOwnDigits } from './data.js';
import { Figures } from './figures.js';
import { Live } from './live.js';
import { compileNetwork, makeNetwork, settingsOf } from './network.js';
import { Answer } from './page.js';

const mnist = new Mnist();
let source = mnist;
/** Of the digit that is shown; null for drawings. @type {number | null} */
let label = null;
/** Where the running fit began on the curves' axis, its epochs, its newest log; isWhole (L-BFGS): batches mean nothing. */
let fit = { begin: 0, epochs: 0, isWhole: false, log: null };
let accuracy = null, lastFacts = 0;

const curves = await Curves.make();
const answer = new Answer(), interrupted = new KeptTraining('digits', { everySeconds: 1 }), modelFiles = new ModelFiles('digits', { save, open });
const live = new Live(new Figures(byId('network'), document.querySelectorAll('[data-map]')), {
  onChances(chances) {
    if (!pad.isEmpty) answer.show(chances, { isTrained: training.epochs > 0 || fit.log !== null, label });
  },
  onError: showError,
});

/** @type {import('../training.js').Task} */
const task = {
  key: networkKey, make: makeNetwork, compile: compileNetwork,
  async data(settings, onLoading) {
    const { rows } = settings, [train, test] = await Promise.all([source.train(rows, onLoading), source.test(rows)]);
    const isKept = source === mnist, before = training.wouldRenew(settings) ? 0 : training.epochs; // own digits are gone with the page
    const options = { validationData: [asInput(test.images), test.labels], ...isKept && interrupted.options({ settings, before }) };
    return { x: asInput(train.images), y: train.labels, options };
  },
};

const training = new Training(task, {
  onState: showState,
  onLoading: (part) => say(`Fetching digits: ${Math.round(part * 100)} %`, { isUrgent: false }),
  quiet: () => live.hold(),
  onNetwork(net, isFresh) {
    live.setNet(net);
    if (!isFresh) return;
    Object.assign(fit, { begin: 0, log: null });
    accuracy = null;
    curves.clear();
    byId('epochs').replaceChildren();
  },
  onBatch(log) {
    if (fit.isWhole) return;
    fit.log = log;
    curves.add(log);
  },
  onEpoch(log) {
    fit.log = log;
    accuracy = log.val_accuracy;
    curves.add(log);
    addEpochRow(training.epochs, log);
    say(`Epoch ${log.epoch + 1} of ${fit.epochs}: ${percent(accuracy)} of the test digits are read right`, { isUrgent: false });
  },
});

const controls = new Controls({
  onNetwork: () => { byId('new-network').hidden = !training.net || !training.wouldRenew(controls.read()); },
  onRate: (rate) => attempt(() => training.setRate(rate)),
});

const pad = new Pad(byId('pad'), (strokes) => {
  label = null;
  examples.release();
  live.setDigit(toDigit(strokes));
  answer.speakSoon();
});

const examples = new Examples((digit, itsLabel) => {
  label = itsLabel;
  pad.show(digit);
  live.setDigit(digit);
  answer.speakSoon();
});

/** @param {import('../training.js').State} state */
function showState(state) {
  const run = byId('run'), isRunning = state === 'training' || state === 'paused';
  run.textContent = { training: 'Pause', paused: 'Resume' }[state] ?? 'Train';
  enable('run', state === 'idle' || isRunning);
  enable('stop', isRunning || state === 'loading');
  enable('reset', state !== 'starting' && state !== 'stopping');
  controls.lock(training.isBusy);
  live.isLearning = state === 'training';
  live.refresh();
  lastFacts = 0; // the figures follow at once
  if (state === 'paused') say('Paused');
  if (state === 'loading') say('Getting the digits ready');
  void modelFiles.refresh({ canSave: state !== 'starting', canOpen: state === 'idle' });
  void interrupted.offer(state === 'idle' && source === mnist);
}

/** @param {number | null} before epochs before a fit that goes on; null: another one begins */
async function train(before = null) {
  clearErrors();
  controls.check();
  const settings = controls.read();
  if (training.wouldRenew(settings)) curves.clear();
  if (before === null) curves.begin();
  fit = { begin: before ?? curves.end, epochs: settings.epochs, isWhole: settings.optimizer === 'lbfgs', log: null };
  let history = null;
  try {
    history = await training.start(settings);
  } finally {
    byId('new-network').hidden = true;
    const learnt = accuracy === null ? '' : `: ${percent(accuracy)} of the test digits are read right`;
    say(`${history ? 'Trained' : 'Stopped'}${history?.stopped === 'converged' ? ' as far as it goes' : ''}${learnt}`);
  }
}

/** The network, its settings and the curves come back, then it goes on. */
const goOn = () => interrupted.goOn(async ({ settings, before, model, logs }) => {
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
  const { net, epochs } = training, settings = controls.read();
  await net.save(target, { preprocessing, metadata: { settings, epochs, accuracy } });
}

/** @param {string | File} from */
async function open(from) {
  const net = await opened(load(from), from);
  try {
    controls.show(settingsOf(net));
  } catch (error) {
    net.dispose();
    throw error;
  }
  curves.clear();
  byId('epochs').replaceChildren();
  const { epochs = 1, accuracy: tested = null } = net.metadata ?? {};
  fit = { begin: 0, epochs: 0, isWhole: false, log: null };
  accuracy = tested;
  training.adopt(net, controls.read(), epochs);
  byId('new-network').hidden = true;
  tell(`The model is loaded${accuracy === null ? '' : `: ${percent(accuracy)} of the test digits were read right`}`);
}

/** @param {import('../mnist.js').Mnist | import('./data.js').OwnDigits} next */
async function useDigits(next) {
  examples.offer(await next.examples());
  source = next;
  const isOwn = source !== mnist;
  byId('files-state').hidden = byId('files-clear').hidden = !isOwn;
  if (isOwn) byId('files-state').textContent = `${source.own.rows} digits to train on, ${source.held.rows} to test on.`;
}

/** @param {FileList} files */
const takeFiles = (files) => attempt(async () => {
  if (files.length === 0) return;
  if (training.isBusy) throw new HeddleError('state', 'Stop the training before you change the digits.');
  clearErrors();
  await useDigits(await readOwnDigits(files));
  say('Your digits are ready');
});

function listen() {
  const on = (id, work) => onClick(id, () => attempt(work));
  on('run', () => ({ training: () => training.pause(), paused: () => training.resume() }[training.state] ?? train)());
  on('stop', () => training.stop());
  on('reset', reset);
  on('go-on', goOn);
  on('forget', () => interrupted.forget());
  on('files-clear', async () => {
    byId('files').value = '';
    await useDigits(mnist);
  });
  on('clear', () => {
    pad.clear();
    label = null;
    examples.release();
    answer.clear();
    live.setDigit(null);
  });
  byId('files').addEventListener('change', ({ target }) => takeFiles(target.files));
  listenForDrops(byId('drop'), byId('drop'), ({ files }) => takeFiles(files));
}

/** All drawing happens here. @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  live.frame(now);
  if (now - lastFacts < 250) return;
  lastFacts = now;
  showEngine();
  showProgress(fit, { epochs: training.epochs, isBusy: training.isBusy, accuracy, unit: 'digits' });
}

/** With ?debug in the address: frames a second, the slowest of the last second in ms. */
function watchFrames() {
  byId('fps-box').hidden = false;
  let frames = 0, slowest = 0, begin = performance.now(), last = begin;
  const count = (now) => {
    frames++;
    slowest = Math.max(slowest, now - last);
    last = now;
    if (now - begin >= 1000) {
      byId('fact-fps').textContent = `${Math.round(frames * 1000 / (now - begin))}, slowest ${Math.round(slowest)} ms`;
      [frames, slowest, begin] = [0, 0, now];
    }
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
}

async function start() {
  listen();
  answer.clear();
  byId('isolation').hidden = globalThis.crossOriginIsolated === true;
  if (new URLSearchParams(location.search).has('debug')) watchFrames();
  requestAnimationFrame(frame);
  await begin(() => training.open(controls.read()), 'Ready to train');
  await attempt(async () => {
    await useDigits(mnist);
    if (pad.isEmpty) examples.choose(7);
  });
}

void start();
