// heddle/vis in Chromium: pixels, words and sizes of the charts; logs straight from fit; dark pages. Functions given to page.evaluate run in the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './pagekit.js';

/** @import { Page } from 'playwright-core' */

const path = 'tests/browser/blank.html';

/** Names for the page: vis, Plot (uPlot's class), at (an element), pixels (of a canvas), frames (waits for two). @param {Page} page */
const open = (page) => page.evaluate(async () => {
  const vis = await import('/bindings/vis/index.js'), { default: uPlot } = await import('/node_modules/uplot/dist/uPlot.esm.js');
  document.documentElement.style.colorScheme = 'light dark';
  const read = (canvas) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      return copy.getImageData(0, 0, canvas.width, canvas.height).data;
    };
    Object.assign(globalThis, {
    vis, Plot: uPlot,
    at: (tag, style) => {
      const element = document.createElement(tag);
      element.style.cssText = style;
      document.body.append(element);
      return element;
    },
    pixels: (canvas) => Array.from(new Uint32Array(read(canvas).buffer)),
    frames: () => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve))); }),
    /** How many pixels of a chart are about the colour, #rrggbb. */
    count: (element, hex) => {
      const wanted = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)), data = read(element.querySelector('canvas'));
      let found = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && wanted.every((v, c) => Math.abs(v - data[i + c]) < 12)) found++;
      return found;
    },
  });
});

test('without uplot charts say what to install; matrices do not need it; a class given is taken', async () => {
  await withPage({ path }, async (page) => {
    await open(page);
    const found = await page.evaluate(async () => {
      const errors = [], place = at('div', 'width: 400px; height: 200px'), say = ({ name, code, message }) => errors.push([name, code, message]);
      await vis.lossChart(place).catch(say);
      await vis.lossChart(place, { metrics: 'loss' }).catch(say);
      await vis.lossChart(null).catch(say);
      await vis.scatterChart(place, { predicted: [1, 2], rated: [1], uPlot: Plot }).catch(say);
      for (const wrong of [[document.body, { data: [1], shape: [1, 1] }], [at('canvas', ''), { data: [1, 2], shape: [3] }], [at('canvas', ''), { data: [1, 2], shape: [2] }]]) {
        try {
          vis.weightMap(...wrong);
        } catch (error) {
          say(error);
        }
      }
      const chart = await vis.lossChart(place, { uPlot: Plot });
      const label = place.getAttribute('aria-label');
      chart.destroy();
      return { errors, label, left: [place.childElementCount, place.hasAttribute('role')] };
    });
    assert.deepEqual(found.errors.map(([name, code]) => [name, code]), [['HeddleError', 'unsupported'], ...['argument', 'argument', 'shape', 'argument', 'shape', 'shape'].map((code) => ['HeddleError', code])]);
    assert.match(found.errors[0][2], /^lineChart: the package uplot is not there .npm install uplot/);
    assert.match(found.errors[1][2], /metrics.*did you mean "metric"/);
    assert.match(found.errors[5][2], /2 numbers, expected 3 of shape 3/);
    assert.match(found.errors[6][2], /expected a matrix \[rows, cols\] or kernels/);
    assert.equal(found.label, 'loss: not trained yet');
    assert.deepEqual(found.left, [0, false]);
  });
});

test('a loss chart takes logs of fit, of batches and of epochs, and histories; follows the size of its place', async () => {
  await withPage({ path, context: { deviceScaleFactor: 2 } }, async (page) => {
    await open(page);
    const found = await page.evaluate(async () => {
      const { init, layers, sequential } = await import('heddle'), x = Array.from({ length: 64 }, (_, i) => [i / 64, (i % 8) / 8]);
      await init({ threads: 1 });
      const net = await sequential([layers.input({ shape: [2] }), layers.dense({ units: 1 })], { seed: 7 }), y = x.map(([a, b]) => [a - 2 * b]);
      await net.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      const make = async () => {
        const place = at('div', 'width: 400px; height: 200px');
        return { place, chart: await vis.lossChart(place, { uPlot: Plot, label: 'Loss' }) };
      };
      const epochs = await make(), batches = await make(), past = await make();
      const options = { epochs: 4, batchSize: 8, validationSplit: 0.25, onEpochEnd: (epoch, logs) => { epochs.chart.add(epoch, logs); batches.chart.add(logs); }, onBatchEnd: (batch, logs) => batches.chart.add(batch, logs) };
      const history = await net.fit(x, y, options);
      past.chart.set(history);
      await frames();
      const inked = [epochs, batches, past].map(({ place }) => [count(place, '#1f5f92'), count(place, '#ad4f12')]);
      const labels = [epochs, batches, past].map(({ place }) => place.getAttribute('aria-label')), last = [history.history.loss.at(-1), history.history.val_loss.at(-1)];
      const ends = [epochs.chart.end];
      await net.fit(x, y, { ...options, epochs: 2 });
      ends.push(epochs.chart.end, batches.chart.end);
      epochs.place.style.width = '250px';
      await frames();
      const canvas = epochs.place.querySelector('canvas');
      batches.chart.clear();
      await frames();
      return { inked, labels, last, ends, width: canvas.getBoundingClientRect().width, sharp: canvas.width / canvas.getBoundingClientRect().width, empty: count(batches.place, '#1f5f92'), legend: past.place.innerText };
    });
    const format = (value) => String(+value.toPrecision(3));
    for (const [training, validation] of found.inked) assert.ok(training > 60 && validation > 60, `${found.inked}`);
    assert.equal(found.labels[0], `Loss: training ${format(found.last[0])}, validation ${format(found.last[1])}, after 4 epochs`);
    assert.equal(found.labels[2], found.labels[0], 'a history shows what the logs of epochs showed');
    assert.match(found.labels[1], /^Loss: training .*, validation .*, after 4 epochs$/);
    assert.deepEqual(found.ends, [4, 6, 6], 'a second fit comes after the first');
    assert.equal(Math.round(found.width), 250);
    assert.equal(found.sharp, 2, 'as many pixels as the screen has');
    assert.equal(found.empty, 0);
    assert.match(found.legend, /training\s+validation/);
  });
});

test('an epoch that was rolled back is drawn once; a stop and another fit come one after the other', async () => {
  await withPage({ path }, async (page) => {
    await open(page);
    assert.deepEqual(await page.evaluate(async () => {
      const chart = await vis.lossChart(at('div', 'width: 300px; height: 150px'), { uPlot: Plot }), ends = [];
      const batch = (epoch, index) => chart.add({ type: 'batch', epoch, batch: index, batches: 4, loss: 1 });
      for (let i = 0; i < 4; i++) batch(0, i);
      chart.add(0, { type: 'epoch', epoch: 0, loss: 1 });
      batch(1, 0);
      batch(1, 1);
      ends.push(chart.end);
      batch(1, 0); // rolled back to the begin of epoch 1
      ends.push(chart.end);
      batch(0, 0); // stopped, and another fit
      ends.push(chart.end);
      chart.begin();
      batch(0, 1);
      return [...ends, chart.end];
    }), [1.5, 1.25, 1.5, 2]);
  });
});

test('weights and features: every element its colour; filters side by side; dark pages and forced themes; words', async () => {
  await withPage({ path, context: { deviceScaleFactor: 1 } }, async (page) => {
    await open(page);
    const shown = await page.evaluate(async () => {
      const results = {}, canvas = at('canvas', ''), values = { data: Float32Array.of(-1, 0, 1, 0.5, -0.5, 0), shape: [2, 3] };
      globalThis.map = vis.weightMap(canvas, values, { label: 'U' });
      globalThis.first = canvas;
      const table = vis.colourTable(canvas, 'diverging');
      results.matrix = [pixels(canvas).map((pixel) => table.indexOf(pixel)), canvas.width, canvas.height, canvas.getAttribute('aria-label')];
      const box = at('div', 'width: 100px'), filters = document.createElement('canvas');
      box.append(filters);
      vis.weightMap(filters, { data: Array.from({ length: 5 * 2 * 2 * 3 }, (_, i) => (i % 3 === 0 ? 1 : -1)), shape: [5, 2, 2, 3] }, { cell: 10 });
      await frames();
      results.filters = [filters.width, filters.height, filters.getBoundingClientRect().width, pixels(filters)[filters.width + 1].toString(16), pixels(filters)[filters.width + 10]];
      box.style.width = '60px';
      await frames();
      results.narrow = [filters.width, filters.height];
      const maps = at('canvas', '');
      vis.featureMaps(maps, { data: Float32Array.from({ length: 2 * 2 * 3 }, (_, i) => i % 3), shape: [1, 2, 2, 3] }, { columns: 3 });
      const scale = vis.colourTable(maps, 'sequential');
      results.maps = [1, 12, 23].map((x) => scale.indexOf(pixels(maps)[maps.width + x]));
      results.forced = (() => {
        const dark = at('canvas', '');
        vis.weightMap(dark, values, { theme: 'dark' });
        return pixels(dark)[1] !== pixels(canvas)[1];
      })();
      return results;
    });
    assert.deepEqual(shown.matrix, [[0, 128, 255, 191, 64, 128], 3, 2, 'U, 2 by 3, as an image: -1.00 to 1.00']);
    assert.deepEqual(shown.filters, [32, 21, 80, 'ff0000ff', 0], 'three of 2 x 2, four pixels an element, three between them and a frame; red; nothing between');
    assert.deepEqual(shown.narrow, [21, 32], 'two in a row');
    assert.deepEqual(shown.maps, [0, 128, 255]);
    assert.equal(shown.forced, true);
    const before = await page.evaluate(() => pixels(first)[1]);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForFunction((old) => pixels(first)[1] !== old, before); // drawn anew
    await page.evaluate(() => map.set({ data: Float32Array.of(0, 0, 0, 0, 0, 2), shape: [2, 3] }));
    assert.match(await page.evaluate(() => first.getAttribute('aria-label')), /0\.00 to 2\.00$/);
  });
});

test('confusion matrices: counts, a table with headings, a picture with its worst mistakes in words', async () => {
  await withPage({ path }, async (page) => {
    await open(page);
    const found = await page.evaluate(async () => {
      const place = at('div', ''), truth = [0, 0, 0, 1, 1, 2], counts = vis.confusionCounts(truth, { data: [1, 0, 0, 1, 0, 0, 0, 3, 0, 0, 1, 0, 1, 0, 0, 0, 0, 2], shape: [6, 3] });
      const matrix = vis.confusionMatrix(place, counts, { labels: ['ant', 'bee', 'caterpillar'], label: 'Insects' });
      const rows = Array.from(place.querySelectorAll('tr'), (row) => Array.from(row.cells, (cell) => cell.textContent)), style = (i) => getComputedStyle(place.querySelectorAll('td')[i]).backgroundColor;
      const colours = [style(1), style(2), style(3)];
      matrix.set([[1, 2], [0, 4]], { labels: ['no', 'yes'] });
      const second = place.innerText.replace(/\s+/g, ' ').trim(), large = at('div', ''), many = 30, big = new Uint32Array(many * many);
      for (let k = 0; k < many; k++) big[k * many + k] = 9;
      big[3 * many + 7] = 30;
      vis.confusionMatrix(large, big);
      const scopes = Array.from(place.querySelectorAll('th'), ({ scope }) => scope);
      const refused = [[[0, 1.5], [0, 1]], [[0, -1], [0, 1]], [[0, 1], [0, 0.5]], [[0, 1], [0, 3]], [[0, undefined], [0, 1]]].map(([truth, said]) => { try { return vis.confusionCounts(truth, said, 3).data; } catch (error) { return error.message; } });
      return { counts: Array.from(counts.data), refused, rows, colours, second, scopes, label: large.querySelector('canvas').getAttribute('aria-label'), worst: large.querySelector('tbody').innerText || large.querySelector('tbody').textContent };
    });
    assert.deepEqual(found.counts, [2, 1, 0, 1, 1, 0, 0, 0, 1]);
    assert.deepEqual(found.refused, ['1.5', '-1', '0.5', '3', 'undefined'].map((k) => `confusionCounts: row 1 is of class ${k}, expected 0 to 2`));
    assert.deepEqual(found.rows, [['', 'ant', 'bee', 'caterpillar'], ['ant', '2', '1', ''], ['bee', '1', '1', ''], ['caterpillar', '', '', '1']]);
    assert.equal(new Set(found.colours).size, 3, `right, wrong, none: ${found.colours}`);
    assert.equal(found.second, 'no yes no 1 2 yes 4');
    assert.deepEqual(found.scopes, ['col', 'col', 'row', 'row']);
    assert.equal(found.label, 'Confusion matrix of 30 classes: 90.0 % of 300 on its diagonal');
    assert.equal(found.worst.replace(/\s/g, ''), '3730');
  });
});

test('a scatter chart draws the points where they are, and the mapping through them', async () => {
  await withPage({ path, context: { deviceScaleFactor: 1 } }, async (page) => {
    await open(page);
    const found = await page.evaluate(async () => {
      const place = at('div', 'width: 400px; height: 300px'), predicted = Array.from({ length: 40 }, (_, i) => i), rated = predicted.map((p) => 3 * p + 5);
      const chart = await vis.scatterChart(place, { predicted, rated, mapping: (q) => 3 * q + 5, mappingColour: '#00ff00', uPlot: Plot });
      await frames();
      const both = [count(place, '#1f5f92'), count(place, '#00ff00')], label = place.getAttribute('aria-label');
      chart.set({ predicted, rated });
      await frames();
      return { both, points: count(place, '#1f5f92'), curve: count(place, '#00ff00'), label };
    });
    assert.ok(found.both[1] > 300, `the curve is seen: ${found.both}`);
    assert.ok(found.points > 400 && found.points > 2 * found.both[0], `the curve lay over the points: ${found.points}, ${found.both[0]}`);
    assert.equal(found.curve, 0);
    assert.equal(found.label, '40 predictions against ratings, with the curve that maps them');
  });
});
