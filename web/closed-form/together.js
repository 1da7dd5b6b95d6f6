// One fit by several tabs: each has a share of the rows, which stays with it, and all come to the solution for all rows.
import { HeddleError } from 'heddle';
import { broadcastTransport, consensusSolver } from 'heddle/consensus';
import { SlfnClassifier } from 'heddle/estimators';
import { put } from '../page.js';
import { fittedBy } from './models.js';

/** @import { Job, Method } from './models.js' */
/** @import { Part } from './sets.js' */

const waiting = 300, deadline = 60; // seconds: for others to join, for a tab to do its part of a round

/** Every `size`-th row. @param {Part} part @param {number} rank @param {number} size @returns {Part} */
function shareOf({ x, y, rows }, rank, size) {
  const [, features] = x.shape, own = Array.from({ length: rows }, (_, row) => row).filter((row) => row % size === rank);
  const data = new x.data.constructor(own.length * features);
  own.forEach((row, i) => data.set(x.data.subarray(row * features, (row + 1) * features), i * features));
  return { x: { ...x, data, shape: [own.length, features] }, y: Uint8Array.from(own, (row) => y[row]), rows: own.length };
}

/** A number that differs when the rows differ: FNV-1a over some of them. @param {Part} part */
function markOf({ x: { data }, y }) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength), step = Math.max(1, Math.floor(bytes.length / 20000));
  let mark = 0x811c9dc5;
  const mix = (byte) => { mark = Math.imul(mark ^ byte, 0x01000193) >>> 0; };
  for (let i = 0; i < bytes.length; i += step) mix(bytes[i]);
  y.forEach(mix);
  return mark;
}

const kilobytes = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const all = ({ payload, header }) => payload + header;
/** @param {string} text */
const tell = (text) => put('together-state', text);

/** Fits to the rows of all tabs. @param {SlfnClassifier} slfn @param {Part} own @param {import('heddle/consensus').Group} group @param {Job} job
 * @returns {Promise<number>} rounds */
async function fitTogether(slfn, own, group, { settings: { travel }, signal, onProgress }) {
  let rounds = 1;
  await slfn.fit(own.x, own.y, { signal, together: consensusSolver({
    group, method: travel,
    onRound({ round, primal, members }) {
      rounds = round;
      tell(`Round ${round} of ${members} tabs: their solutions are ${primal.toPrecision(2)} apart.`);
      onProgress(`round ${round}`, round / 100);
    },
  }) });
  return rounds;
}

/** @param {Job} job */
async function run(job) {
  const { parts: { train, test }, settings: { members, travel, alpha, top, distribution }, signal, onProgress, onPoint, onFitted } = job;
  if (alpha === 'auto') throw new HeddleError('argument', 'Choose a penalty: tabs that solve together can\'t have it chosen.');
  const task = [markOf(train), train.rows, members, travel, alpha, top, distribution].join();
  const transport = broadcastTransport({ room: 'closed-form' });
  let slfn = null;
  try {
    tell(`Waiting for ${members - 1} more. Choose the same data and settings there, and press Join.`);
    const group = await transport.join({ members, task, timeout: waiting, deadline, onLoss: 'continue', signal });
    const own = shareOf(train, group.rank, group.size);
    tell(`${group.size} tabs are here; this is number ${group.rank + 1}, with ${own.rows.toLocaleString('en')} rows of its own.`);
    const make = (rows) => new SlfnClassifier({ ratio: top, distribution, alpha: Number(alpha) * rows, seed: group.seed });
    slfn = make(own.rows);
    const begin = performance.now(), elapsed = () => (performance.now() - begin) / 1000;
    await slfn.fit(own.x, own.y, { signal, onProgress: ({ done, total }) => onProgress('alone', 0.2 * done / total) });
    const alone = { x: 0, seconds: elapsed(), accuracy: await slfn.score(test.x, test.y, { signal }), setting: `this tab alone, ${own.rows.toLocaleString('en')} rows` };
    onPoint(alone);
    slfn.dispose();
    slfn = make(train.rows);
    const start = performance.now(), rounds = await fitTogether(slfn, own, group, job), { bytes, size } = group;
    const seconds = alone.seconds + (performance.now() - start) / 1000, accuracy = await slfn.score(test.x, test.y, { signal });
    const point = { x: 0, accuracy, seconds, setting: `${size} tabs, ${rounds === 1 ? '1 round' : `${rounds} rounds`}` };
    onPoint(point);
    onFitted(fittedBy(slfn), point);
    slfn = null;
    const lost = group.lost.length ? ` ${group.lost.length} went away on the way.` : '';
    tell(`Done: ${size} tabs, ${rounds === 1 ? '1 round' : `${rounds} rounds`}; sent ${kilobytes(all(bytes.sent))}, received ${kilobytes(all(bytes.received))}.${lost}`);
  } catch (error) {
    slfn?.dispose();
    tell(error?.name === 'AbortError' ? 'This tab has left.' : 'That came to no end.');
    throw error;
  } finally {
    await transport.close();
  }
}

/** @type {Method} */
export const together = { id: 'together', name: 'SLFN, together', axis: '', label: '', about: '', run };
