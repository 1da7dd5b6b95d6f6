// The page that says what is in a picture: connects files, camera, network and answer.
import { HeddleError, info, init } from 'heddle';
import { imageToTensor } from 'heddle/images';
import { Answer } from '../answer.js';
import { byId, clearErrors, enable, listenForDrops, onClick, put, say, showError } from '../page.js';
import { paintPicture } from '../picture.js';
import { Camera } from './camera.js';
import { networks, openNetwork } from './networks.js';

const answer = new Answer(byId('bars'));
/** @type {Camera | null} */
let camera = null;
/** @type {import('./networks.js').Network | null} */
let network = null;
/** What was opened last, or tried to: to do it again with other settings. @type {File | string | null} */
let source = null;
/** Of a file of labels; used if they fit the network. @type {string[]} */
let labels = [];
/** The picture shown, for when the network changes. @type {Blob | null} */
let picture = null;
/** @type {AbortController | null} */
let opening = null;

/** The network does one thing at a time: it is not let go while it looks at a picture. @type {Promise<unknown>} */
let busy = Promise.resolve();
/** @template T @param {() => T | Promise<T>} work @returns {Promise<T>} */
function inTurn(work) {
  const done = busy.then(work);
  busy = done.catch(() => {});
  return done;
}

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
  const isCancelFocused = document.activeElement === byId('cancel');
  byId('cancel').hidden = opening === null;
  enable('load', opening === null);
  if (isCancelFocused && opening === null) byId('load').focus();
  enable('webcam', network !== null);
  put('webcam', camera ? 'Stop the webcam' : 'Use the webcam');
  const { engine, threads } = info();
  put('engine', engine ? `${engine}, ${threads} thread${threads === 1 ? '' : 's'}` : '');
}

/** Says what is there. */
function describe() {
  const count = labels.length ? `${labels.length.toLocaleString('en')} labels` : '';
  if (!network) return say(count ? `${count}; choose a file of weights` : 'Choose a file of weights');
  const { label, prepared, classes, net } = network, differ = count && labels.length !== classes ? ' do not fit, and are not used' : '';
  const how = prepared && byId('settings').querySelector(`[value="${prepared}"]`).textContent;
  return say(`${label} with ${classes.toLocaleString('en')} classes${count && ` (${count}${differ})`}, ${net.parameters.toLocaleString('en')} parameters`
    + (how && `; pictures are prepared as in ${how}`));
}

/** @param {File | string} from */
async function open(from) {
  opening?.abort();
  const own = opening = new AbortController();
  source = from;
  refresh();
  say(`Reading ${typeof from === 'string' ? from.split('/').at(-1) : from.name}`);
  try {
    const form = new FormData(byId('settings'));
    const next = await openNetwork(from, { kind: String(form.get('network')), preprocessing: String(form.get('preprocessing')) }, own.signal);
    await inTurn(() => {
      network?.net.dispose();
      network = next;
    });
    describe();
    if (picture) await classify(picture);
  } catch (error) {
    if (opening === own) describe();
    throw error;
  } finally {
    if (opening === own) opening = null;
    refresh();
  }
}

/** @param {number} index */
const nameOf = (index) => (labels.length === network?.classes ? labels : network?.labels ?? [])[index] || `class ${index}`;

/** Says what is on a picture. @param {Blob | HTMLVideoElement} from */
const classify = (from) => inTurn(async () => {
  const side = network?.side ?? 224, tensor = await imageToTensor(from, { width: side, height: side, fit: 'cover' });
  paintPicture(byId('picture'), tensor.data, tensor.shape);
  byId('empty').hidden = true;
  if (!network) return;
  const start = performance.now();
  const { data } = await network.net.predict({ data: tensor.data, shape: [1, ...tensor.shape] });
  put('time', `${(performance.now() - start).toFixed(0)} ms`);
  answer.show(data, nameOf);
});

/** @param {Blob} blob */
async function take(blob) {
  stopCamera();
  await classify(blob);
  picture = blob;
  put('spoken', answer.text); // not with each frame of a camera
  if (!network) say('Now choose a network');
}

function stopCamera() {
  camera?.stop();
  camera = null;
  put('fps', '');
  refresh();
}

async function toggleCamera() {
  if (camera) return stopCamera();
  const own = camera = new Camera();
  refresh();
  try {
    await own.start();
    let before = performance.now(), pace = 0;
    await own.run(async (video) => {
      await classify(video);
      const now = performance.now();
      pace = pace ? 0.9 * pace + 0.1 * (now - before) : now - before;
      before = now;
      if (camera === own) put('fps', `${(1000 / pace).toFixed(1)} pictures a second`);
    });
    if (own.isLost) throw new HeddleError('state', 'The camera is gone.');
  } finally {
    own.stop();
    if (camera === own) stopCamera();
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
  describe();
  if (picture && network) await classify(picture);
}

/** @param {string} id of a file input */
function onFiles(id) {
  byId(id).addEventListener('click', ({ target }) => { target.value = ''; }); // so that the same file can be chosen again
  byId(id).addEventListener('change', ({ target }) => { void attempt(() => takeFiles([...target.files])); });
}

function listen() {
  for (const id of ['weights', 'labels', 'image']) onFiles(id);
  onClick('load', () => attempt(() => {
    const address = byId('url').value.trim();
    if (!address || !URL.canParse(address, document.baseURI)) throw new HeddleError('argument', 'Please give the address of a safetensors file.');
    return open(new URL(address, document.baseURI).href);
  }));
  byId('url').addEventListener('keydown', ({ key }) => { if (key === 'Enter') byId('load').click(); });
  byId('settings').addEventListener('change', () => { if (source !== null) void attempt(() => open(source)); });
  onClick('cancel', () => {
    source = null;
    opening?.abort();
  });
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
    describe();
  });
  refresh();
}

void start();
