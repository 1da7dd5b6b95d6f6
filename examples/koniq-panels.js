// KonIQ-10k's table of scores (Hosu et al. 2020) has how about 100 people voted on each picture, but no pictures are needed here: panels of a few
// raters, drawn from these votes, stand in for a model. That shows what losses and statistics come to on real ratings, and with how many raters a
// published result can be compared.
import { readFile } from 'node:fs/promises';
import { HeddleError, layers, losses, sequential } from 'heddle';
import { readCsv } from 'heddle/files';
import { mapping, split, statistics } from 'heddle/quality';

const votes = ['c1', 'c2', 'c3', 'c4', 'c5'];
const exponents = [[1, 1], [1, 2], [2, 1], [2, 2]];

/** The table, its published parts, and the MOS. @param {string} path */
async function readTable(path) {
  const { names, columns, rows } = await readCsv(await readFile(path)), column = (name) => {
    if (!names.includes(name)) throw new HeddleError('file', `${path}: no column "${name}" among ${names.join(', ')}`);
    return columns[names.indexOf(name)];
  };
  const parts = split({ images: column('image_name'), splits: column('set') }, { by: 'column' });
  return { rows, parts, mos: column('MOS'), deviation: column('SD'), shares: votes.map(column) };
}

/** Numbers 0..1: multiplicative congruential, modulo 2^31 - 1 (MINSTD). @param {number} seed */
function uniform(seed) {
  let state = seed;
  return () => (state = state * 48271 % 2147483647) / 2147483647;
}

/** The mean of the votes of n raters, drawn from those of one picture; all of them for n = 0. */
function opinion(shares, n, random) {
  const all = shares.reduce((sum, share) => sum + share, 0);
  if (!n) return shares.reduce((sum, share, i) => sum + share * (i + 1), 0) / all;
  let sum = 0;
  for (let k = 0; k < n; k++) {
    let left = random() * all, vote = 0;
    while (vote < 4 && (left -= shares[vote]) >= 0) vote++;
    sum += vote + 1;
  }
  return sum / n;
}

/** The Norm-in-Norm loss of all scores as one batch. @param {Float64Array} q @param {Float64Array} y */
async function lossOf(q, y, [p, exponent]) {
  const net = await sequential([layers.input({ shape: [1] }), layers.activation({ activation: 'linear' })]);
  await net.compile({ optimizer: 'sgd', loss: losses.normInNorm({ p, q: exponent }) });
  const { loss } = await net.evaluate({ data: Float32Array.from(q), shape: [q.length, 1] }, { data: Float32Array.from(y), shape: [y.length, 1] }, { batchSize: q.length });
  net.dispose();
  return loss;
}

/**
 * Prints the agreement of panels with the published MOS on the test part.
 * @param {string} path of koniq10k_distributions_sets.csv @param {number} seed
 */
export async function panels(path, seed) {
  const { rows, parts: { train, validation, test }, mos, deviation, shares } = await readTable(path), random = uniform(seed + 1);
  const y = Float64Array.from(test, (i) => mos[i]), meanOf = (column, part) => part.reduce((sum, i) => sum + column[i], 0) / part.length;
  const mean = meanOf(mos, train), spread = meanOf(deviation, test);
  const { rmse } = await statistics(new Float64Array(y.length).fill(mean), y, { resamples: 0 });
  console.log(`KonIQ-10k's table: ${rows} pictures, ${train.length} / ${validation.length} / ${test.length} by its column; votes of a picture deviate by ${spread.toFixed(2)} of 5 steps on average;`
    + ` the mean MOS of the training part, ${mean.toFixed(2)}, has an RMSE of ${rmse.toFixed(2)} on the test part.`);
  console.log(`Panels drawn from the votes on the ${test.length} test pictures, against the published MOS:\n`);
  console.log(`| raters | SROCC | PLCC | KROCC | RMSE after a line | ${exponents.map(([p, q]) => `l, p = ${p}, q = ${q}`).join(' | ')} |\n|${' --- |'.repeat(5 + exponents.length)}`);
  for (const n of [1, 2, 5, 10, 20, 0]) {
    const q = Float64Array.from(test, (i) => opinion(shares.map((share) => share[i]), n, random)), line = await mapping.linear(q, y), found = [];
    for (const pair of exponents) found.push((await lossOf(q, y, pair)).toPrecision(3));
    const { srocc, plcc, krocc, rmse } = await statistics(line.apply(q), y, { resamples: 0 }), three = [srocc, plcc, krocc].map((value) => value.toFixed(3));
    console.log(`| ${n || 'all'} | ${three.join(' | ')} | ${rmse.toFixed(2)} | ${found.join(' | ')} |`);
  }
  console.log('\nThe paper\'s ResNeXt-101 has 0.937 / 0.947 (SROCC / PLCC) and an RMSE of 5.13 there. With p = q = 2 the loss is (1 - PLCC) / 2. A panel is drawn from the very votes that the MOS'
    + '\nis made of, so that it does a little better than other people would.\n');
}
