// The page of picture quality: its three parts, the engine, and files that are dropped.
import { droppedFiles } from '../dropped.js';
import { byId, clearErrors, listenForDrops } from '../page.js';
import { showEngine } from '../progress.js';
import { Tabs } from '../tabs.js';
import { attempt, startEngine } from '../work.js';
import { Mix } from './mix.js';
import { Rate } from './rate.js';
import { Train } from './train.js';

const train = new Train(), parts = { train, rate: new Rate(), mix: new Mix(train) }, tabs = new Tabs(Object.keys(parts));
let lastFacts = 0;

/** @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  if (now - lastFacts < 250) return;
  lastFacts = now;
  showEngine();
}

async function start() {
  listenForDrops(document.body, document.body, (data) => {
    const files = droppedFiles(data);
    void attempt(async () => {
      clearErrors();
      await parts[tabs.shown].take(await files);
    });
  });
  byId('isolation').hidden = globalThis.crossOriginIsolated === true;
  requestAnimationFrame(frame);
  await startEngine(Number(byId('settings').elements.threads.value));
}

void start();
