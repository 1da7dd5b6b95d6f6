// The page of picture quality: its three parts, the engine, and files that are dropped.
import { init } from 'heddle';
import { droppedFiles } from '../dropped.js';
import { byId, clearErrors, listenForDrops, say } from '../page.js';
import { showEngine } from '../progress.js';
import { Mix } from './mix.js';
import { Rate } from './rate.js';
import { Train } from './train.js';
import { attempt, setReady } from './work.js';

const train = new Train(), parts = { train, rate: new Rate(), mix: new Mix(train) }, names = Object.keys(parts);
let shown = 'train', lastFacts = 0;

/** @param {string} name of a part */
function show(name) {
  shown = names.includes(name) ? name : 'train';
  for (const one of names) {
    const tab = byId(`tab-${one}`), isShown = one === shown;
    tab.setAttribute('aria-selected', String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
    byId(`part-${one}`).hidden = !isShown;
  }
}

function listenForTabs() {
  for (const name of names) {
    byId(`tab-${name}`).addEventListener('click', () => {
      history.replaceState(null, '', `#${name}`);
      show(name);
    });
  }
  byId('parts').addEventListener('keydown', ({ key }) => {
    const last = names.length - 1, at = names.indexOf(shown);
    const next = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[key];
    if (next === undefined) return;
    byId(`tab-${names[next]}`).click();
    byId(`tab-${names[next]}`).focus();
  });
  addEventListener('hashchange', () => show(location.hash.slice(1)));
  show(location.hash.slice(1));
}

/** All drawing happens here. @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  parts.train.draw();
  if (now - lastFacts < 250) return;
  lastFacts = now;
  showEngine();
}

async function start() {
  listenForTabs();
  listenForDrops(document.body, document.body, (data) => {
    const files = droppedFiles(data);
    void attempt(async () => {
      clearErrors();
      await parts[shown].take(await files);
    });
  });
  byId('isolation').hidden = globalThis.crossOriginIsolated === true;
  requestAnimationFrame(frame);
  await attempt(async () => {
    try {
      await init({ threads: Number(byId('settings').elements.threads.value) });
      say('Ready');
      setReady();
    } catch (error) {
      say('The engine did not start');
      throw error;
    }
  });
}

void start();
