// The page that says what is in a picture: connects files, camera, network and answer.
import { HeddleError, info, init } from 'heddle';
import { imageToTensor } from 'heddle/images';
import { Answer } from '../answer.js';
import { byId, clearErrors, enable, listenForDrops, onClick, put, say, showError } from '../page.js';
import { paintPicture } from '../picture.js';
import { Camera } from './camera.js';
import { networks, openNetwork } from './networks.js';

const answer = new Answer(byId('bars')), camera = new Camera();
/** @type {{ net: any, label: string, side: number, classes: number } | null} */
let network = null;
/** @type {string[]} */
let labels = [];
/** The picture shown, for when the network changes. @type {Blob | null} */
let picture = null;
/** @type {AbortController | null} */
let opening = null;

const cameraErrors = {
  NotAllowedError: new HeddleError('state', 'The camera was not allowed.'), NotFoundError: new HeddleError('state', 'There is no camera.'),
};

/** Runs what the user asked for; what goes wrong is said in the page. @param {() => unknown} work */
async function attempt(work) {
  try {
    clearErrors();
    await work();
  } catch (error) {
    if (error?.name !== 'AbortError') showError(cameraErrors[error?.name] ?? error);
  }
}

function refresh() {
  byId('cancel').hidden = opening === null;
  enable('load', opening === null);
  enable('webcam', network !== null);
  byId('webcam').textContent = camera.isOn ? 'Stop the webcam' : 'Use the webcam';
  const { engine, threads } = info();
  byId('engine').textContent = engine ? `${engine}, ${threads} thread${threads === 1 ? '' : 's'}` : '';
}

/** @param {File | string} source */
async function open(source) {
  opening?.abort();
  const own = opening = new AbortController();
  refresh();
  const name = typeof source === 'string' ? source.split('/').at(-1) : source.name;
  say(`Reading ${name}`);
  try {
    const form = new FormData(byId('settings'));
    const next = await openNetwork(source, { kind: String(form.get('network')), preprocessing: String(form.get('preprocessing')) }, own.signal);
    network?.net.dispose();
    network = next;
    say(`${network.label} with ${network.classes.toLocaleString('en')} classes, ${network.net.parameters.toLocaleString('en')} parameters`);
    if (picture) await classify(picture);
  } catch (error) {
    say(network ? `${network.label} stays` : 'No network yet');
    throw error;
  } finally {
    if (opening === own) opening = null;
    refresh();
  }
}

/** @param {number} index */
const nameOf = (index) => labels[index] ?? `class ${index}`;

/** Says what is on a picture. @param {Blob | HTMLVideoElement} source @returns {Promise<number>} ms of the prediction */
async function classify(source) {
  const side = network?.side ?? 224, tensor = await imageToTensor(source, { width: side, height: side, fit: 'cover' });
  paintPicture(byId('picture'), tensor.data, tensor.shape);
  byId('empty').hidden = true;
  if (!network) {
    say('Now choose a network');
    return 0;
  }
  const start = performance.now();
  const { data } = await network.net.predict({ data: tensor.data, shape: [1, ...tensor.shape] });
  const ms = performance.now() - start;
  answer.show(data, nameOf);
  byId('time').textContent = `${ms.toFixed(0)} ms`;
  refresh();
  return ms;
}

/** @param {Blob} blob */
async function take(blob) {
  stopCamera();
  picture = blob;
  await classify(blob);
  put('spoken', answer.text); // not with each frame of a camera
}

function stopCamera() {
  camera.stop();
  byId('fps').textContent = '';
  refresh();
}

async function toggleCamera() {
  if (camera.isOn) return stopCamera();
  await camera.start();
  refresh();
  let before = performance.now(), pace = 0;
  try {
    await camera.run(async (video) => {
      await classify(video);
      const now = performance.now();
      pace = pace ? 0.9 * pace + 0.1 * (now - before) : now - before;
      before = now;
      byId('fps').textContent = `${(1000 / pace).toFixed(1)} pictures a second`;
    });
  } finally {
    stopCamera();
  }
}

/** @param {Iterable<File>} files a picture, weights or labels: whatever they are */
async function takeFiles(files) {
  for (const file of files) {
    if (/\.safetensors$/i.test(file.name)) await open(file);
    else if (/\.(txt|csv)$/i.test(file.name)) await takeLabels(file);
    else await take(file);
  }
}

/** @param {File} file one label a line */
async function takeLabels(file) {
  labels = (await file.text()).split(/\r?\n/).map((line) => line.trim());
  while (labels.at(-1) === '') labels.pop();
  say(network && labels.length !== network.classes
    ? `${labels.length} labels, but the network has ${network.classes} classes` : `${labels.length} labels`);
  if (picture && network) await classify(picture);
}

/** @param {string} id of a file input */
function onFiles(id) {
  byId(id).addEventListener('change', ({ target }) => {
    const files = [...target.files];
    target.value = '';
    void attempt(() => takeFiles(files));
  });
}

function listen() {
  for (const id of ['weights', 'labels', 'image']) onFiles(id);
  onClick('load', () => attempt(() => {
    const address = byId('url').value.trim();
    if (!address) throw new HeddleError('argument', 'Please give the address of a safetensors file.');
    return open(address);
  }));
  onClick('cancel', () => opening?.abort());
  onClick('webcam', () => attempt(toggleCamera));
  listenForDrops(document.body, byId('drop'), ({ files }) => attempt(() => takeFiles([...files])));
  document.addEventListener('paste', (event) => {
    const files = [...event.clipboardData?.files ?? []];
    if (files.length) void attempt(() => takeFiles(files));
  });
}

async function start() {
  byId('network').append(...Object.entries(networks).map(([kind, { label }]) => new Option(label, kind)));
  listen();
  await attempt(async () => {
    await init();
    say('Choose a file of weights');
  });
  refresh();
}

void start();
