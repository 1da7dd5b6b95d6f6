// The page of closed-form networks: connects settings, runs, charts and what is asked of the model.
import { HeddleError, info, init, load } from 'heddle';
import { loadEstimator } from 'heddle/estimators';
import { onChosen } from '../dropped.js';
import { ModelFiles, opened, titleOf } from '../model_files.js';
import { attempt, begin, byId, clearErrors, enable, listenForDrops, onClick, percent, put, say, showError } from '../page.js';
import { showEngine, tell } from '../progress.js';
import { Charts, Results } from './charts.js';
import { Controls } from './controls.js';
import { fittedBy, methodOf, methods, weightsOf } from './models.js';
import { DigitSet, TableSet, TypedSet, readTable, spirals } from './sets.js';
import { together } from './together.js';
import { Trying } from './trying.js';

/** @import { Fitted, Method, Point } from './models.js' */

const digits = new DigitSet(), threeArms = spirals();
/** @type {DigitSet | TableSet | TypedSet} */
let set = digits;
/** The user's table. @type {TableSet | null} */
let own = null;
/** What answers: the best of the last run, or from a file. @type {{ fitted: Fitted, method: string, accuracy: number | null } | null} */
let current = null;
/** @type {'starting' | 'idle' | 'loading' | 'running' | 'stopping'} */
let state = 'starting';
/** @type {AbortController | null} of the run */
let abort = null;
/** @type {AbortController | null} of the file that is being read */
let reading = null;
let rateControl = null, lastFacts = 0, ran = Promise.resolve();

const charts = await Charts.make([...methods, together]);
const results = new Results(byId('runs'), byId('points'));
const trying = new Trying(showError), modelFiles = new ModelFiles('closed-form', { save, open });
const controls = new Controls({
  onSource: () => attempt(() => useSet({ digits, spirals: threeArms, file: own }[controls.read().source])),
  onTarget: () => attempt(changeTarget),
  onMethod: () => {
    charts.look(methodOf(controls.read().method));
    describe();
  },
  onRate: (rate) => rateControl?.setLearningRate(rate),
});

const nameOf = (id) => [...methods, together].find((method) => method.id === id)?.name ?? '–';

function describe() {
  put('about', methodOf(controls.read().method).about);
}

/** @param {typeof state} next */
function enter(next) {
  state = next;
  const isIdle = state === 'idle';
  for (const id of ['run', 'compare', 'join']) enable(id, isIdle && set.load !== undefined);
  enable('stop', state === 'loading' || state === 'running');
  enable('reset', isIdle);
  controls.lock(!isIdle);
  for (const name of ['method', 'members', 'travel']) controls.form.elements[name].disabled = !isIdle;
  lastFacts = 0; // the figures follow at once
  void modelFiles.refresh({ canSave: isIdle && current !== null, canOpen: isIdle });
}

/** Takes a model in place of the present one. @param {Fitted} fitted @param {string} method @param {number | null} accuracy */
function adopt(fitted, method, accuracy) {
  const before = current;
  current = { fitted, method, accuracy };
  trying.setFitted(fitted);
  before?.fitted.dispose();
}

async function drop() {
  const before = current;
  current = null;
  await trying.release();
  trying.refresh();
  before?.fitted.dispose();
}

/** @param {Method} method */
async function run(method) {
  clearErrors();
  controls.check();
  if (reading) throw new HeddleError('state', 'Your file is still being read.');
  const settings = controls.read();
  abort = new AbortController();
  enter('loading');
  ran = fit(method, settings, abort.signal).catch((error) => {
    if (error?.name !== 'AbortError') {
      say('Not fitted');
      throw error;
    }
    say(`Stopped${current?.accuracy ? `: ${percent(current.accuracy)} of the test rows are right` : ''}`);
  }).finally(() => enter('idle'));
  await ran;
}

/** @param {Method} method @param {import('./controls.js').Settings} settings @param {AbortSignal} signal */
async function fit(method, settings, signal) {
  say(`Getting ${set.name} ready`);
  const parts = await set.load(Math.min(settings.rows, method.mostRows ?? Infinity), (part) => say(`Fetching ${set.name}: ${Math.round(part * 100)} %`, { isUrgent: false }));
  signal.throwIfAborted();
  if (info().threadsAsked !== settings.threads) {
    await trying.release();
    await init({ threads: settings.threads });
    if (current) trying.setFitted(current.fitted);
  }
  enter('running');
  charts.begin(method);
  results.begin(method, `${parts.train.rows.toLocaleString('en')} rows of ${set.name}`);
  let best = -1, last = -1, isOwn = false; // isOwn: the model in use is of this run
  say(`Fitting ${method.name}`);
  await method.run({
    parts, outputs: set.classes.length, settings, signal,
    onControl: (control) => { rateControl = control; },
    onProgress(text, part) {
      byId('progress').value = part;
      say(`${method.name}, ${text}${last < 0 ? '' : `; so far ${percent(last)} of the test rows are right`}`, { isUrgent: false });
    },
    onPoint(point) {
      charts.add(method, point);
      results.add(point);
      last = point.accuracy;
      best = Math.max(best, last);
    },
    onFitted(fitted, point) { // of a sweep the best, else the last
      results.fitted(point, weightsOf(fitted.model));
      if (isOwn && method.axis === 'rho' && point.accuracy < best) fitted.dispose();
      else adopt(fitted, method.id, point.accuracy);
      isOwn = true;
    },
  }).finally(() => results.end());
  byId('progress').value = 1;
  say(`${method.name} fitted: ${percent(current.accuracy)} of ${parts.test.rows.toLocaleString('en')} test rows are right`);
}

async function stop() {
  if (state !== 'loading' && state !== 'running') return;
  enter('stopping');
  abort.abort();
  await ran.catch(() => {}); // whoever started it is told
}

function clear() {
  charts.clear();
  results.clear();
  byId('progress').value = 0;
}

/** Other data: what was fitted to those before is of no use for them. @param {DigitSet | TableSet | TypedSet} next */
async function useSet(next) {
  await drop();
  set = next;
  clear();
  const isTable = next.kind === 'table', [hide, count] = [(id, is) => { byId(id).hidden = is; }, (n) => n.toLocaleString('en')];
  controls.showSource(next === digits ? 'digits' : next === own ? 'file' : next === threeArms ? 'spirals' : '', next === own ? own.name : undefined);
  controls.showTargets(next === own ? own : null);
  hide('try-examples', isTable);
  hide('files-state', next !== own);
  if (next === own) {
    const { unused, trained, tested, classes } = own, left = unused.length ? ` Left out, as they hold one value or too many words: ${unused.join(', ')}.` : '';
    put('files-state', `${own.name}: ${count(trained.length)} rows to train on, ${count(tested.length)} to test on, ${own.features} inputs, ${classes.length} classes.${left}`);
  }
  controls.suit(next);
  trying.setSet(next);
  enter(state);
}

async function changeTarget() {
  const { target } = controls.read(), before = own;
  try {
    own = new TableSet(own.name, own.table, target);
  } catch (error) {
    controls.showTargets(before);
    throw error;
  }
  await useSet(own);
  say(`Predicting ${target}`);
}

/** @param {File} file */
async function takeFile(file) {
  clearErrors();
  if (state !== 'idle') throw new HeddleError('state', 'Stop the run before you change the data.');
  reading?.abort();
  const mine = reading = new AbortController();
  try {
    say(`Reading ${file.name}`);
    const next = await readTable(file, mine.signal);
    own = next;
    await useSet(own);
    say('Your table is ready');
  } catch (error) {
    if (reading === mine) say('Ready');
    throw error;
  } finally {
    if (reading === mine) reading = null;
  }
}

/** @param {string} target */
async function save(target) {
  const { fitted: { model, estimator, classes }, method, accuracy } = current;
  const metadata = { page: { method, accuracy, classes, set } };
  await (estimator ?? model).save(target, { metadata: JSON.parse(JSON.stringify(metadata)) });
}

/** @param {string | File} from @returns {Promise<Fitted>} */
async function openFitted(from) {
  const model = await load(from), { estimator, page } = model.metadata ?? {};
  if (!estimator) return { model, classes: page?.classes, estimator: null, dispose: () => model.dispose() };
  model.dispose();
  return fittedBy(await loadEstimator(from));
}

/** The data that a model was fitted to, if they are here; else what is known of them. @param {{ kind: string } | undefined} about */
function setOf(about) {
  const here = [set, digits, own, threeArms].find((one) => one && JSON.stringify(one) === JSON.stringify(about));
  return here ?? (about?.kind === 'table' ? new TypedSet(about) : null);
}

/** @param {string | File} from */
async function open(from) {
  const fitted = await opened(openFitted(from), from);
  try {
    const page = fitted.model.metadata?.page, next = setOf(page?.set);
    const { inputs, outputs } = fitted.model, isFit = next && inputs.length === 1 && outputs.length === 1 && inputs[0].shape.join() === String(next.features)
      && Array.isArray(fitted.classes) && outputs[0].shape.join() === String(fitted.classes.length) && fitted.classes.every((k) => k in next.classes);
    if (!isFit) throw new HeddleError('file', `${titleOf(from)} can't be used here: it was not saved by this page.`);
    if (next !== set) await useSet(next);
    adopt(fitted, page.method, page.accuracy);
    controls.showMethod(page.method);
    describe();
    enter('idle');
    tell(`The model is loaded${page.accuracy >= 0 ? `: ${percent(page.accuracy)} of the test rows were right` : ''}`);
  } catch (error) {
    if (current?.fitted !== fitted) fitted.dispose();
    throw error;
  }
}

function listen() {
  const on = (id, work) => onClick(id, () => attempt(work));
  on('run', () => run(methodOf(controls.read().method)));
  on('compare', () => run(methodOf('mlp')));
  on('join', () => run(together));
  on('stop', stop);
  on('reset', clear);
  onChosen('files', ([found]) => attempt(() => found && takeFile(found.file)));
  listenForDrops(document.body, byId('drop'), ({ files: [file] }) => attempt(() => file && takeFile(file)));
}

/** All drawing happens here. @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  charts.draw();
  if (now - lastFacts < 250) return;
  lastFacts = now;
  showEngine();
  put('fact-model', current ? nameOf(current.method) : '–');
  put('fact-accuracy', current?.accuracy >= 0 ? percent(current.accuracy) : '–');
}

async function start() {
  listen();
  describe();
  byId('isolation').hidden = globalThis.crossOriginIsolated === true;
  requestAnimationFrame(frame);
  await begin(async () => {
    await init({ threads: controls.read().threads });
    enter('idle');
  }, 'Ready');
  await attempt(async () => trying.examples.offer(await digits.mnist.examples()));
}

controls.suit(set);
trying.setSet(set);
void start();
