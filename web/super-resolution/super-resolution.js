// The page of super-resolution: its two parts, the engine, and files that are dropped.
import { droppedFiles } from '../dropped.js';
import { byId, clearErrors, listenForDrops } from '../page.js';
import { showEngine } from '../progress.js';
import { Tabs } from '../tabs.js';
import { attempt, startEngine } from '../work.js';
import { Enlarge } from './enlarge.js';
import { Networks } from './networks.js';
import { Train } from './train.js';

const networks = new Networks(), parts = { enlarge: new Enlarge(networks), train: new Train(networks) }, tabs = new Tabs(Object.keys(parts));
let lastFacts = 0;

/** All drawing happens here. @param {number} now */
function frame(now) {
  requestAnimationFrame(frame);
  parts[tabs.shown].draw();
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
  await parts.enlarge.start();
}

void start();
