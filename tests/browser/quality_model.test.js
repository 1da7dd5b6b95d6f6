// A judge of pictures in Chromium: trained on a page's pictures with features kept in its stores, gone on with after a stop, saved and loaded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withPage } from './pagekit.js';

const path = 'tests/browser/blank.html';

for (const store of ['opfs', 'indexeddb']) {
  test(`features in ${store}://, an interrupted pass and training, the same scores from a stored judge`, async () => {
    await withPage({ path }, async (page) => {
      const found = await page.evaluate(async (scheme) => {
        const { init } = await import('/bindings/index.js');
        const { featureCache, loadQualityModel, qualityModel } = await import('/bindings/quality/index.js');
        await init({ deterministic: true });
        const images = [], scores = [];
        for (let i = 0; i < 11; i++) {
          const canvas = new OffscreenCanvas(60, 40), context = canvas.getContext('2d');
          for (let x = 0; x < 60; x += 4) {
            context.fillStyle = `hsl(${x * 6} 80% ${(x * 7 * (i + 1)) % 100}%)`;
            context.fillRect(x, 0, 2 + i / 3, 40);
          }
          images.push(i % 2 ? new File([await canvas.convertToBlob()], `${i}.png`) : context.getImageData(0, 0, 60, 40));
          scores.push(100 - 7 * i);
        }
        images[5] = new File(['no picture'], 'broken.png');
        const make = () => qualityModel({ backbone: 'small', preprocessing: { size: [32, 48] }, encoder: [8], seed: 5 });
        const judge = await make(), where = `${scheme}://features`, cache = featureCache(where), stop = new AbortController();
        const common = { epochs: 3, learningRate: 1e-3, fineTunedRate: 0, seed: 1, validationData: [images.slice(6), scores.slice(6)] };
        const options = { ...common, checkpoint: `${scheme}://training` };
        const aborted = (reason) => reason.name;
        const first = await judge.fit(images, scores, { ...options, cache, signal: stop.signal, onProgress: ({ phase, done }) => phase === 'features' && done === 4 && stop.abort() }).catch(aborted);
        const kept = featureCache(where), before = (await kept.open(), kept.size), again = new AbortController();
        const second = await judge.fit(images, scores, { ...options, cache: kept, signal: again.signal, onEpochEnd: (epoch) => { if (epoch === 0) again.abort(); } }).catch(aborted);
        const other = await make(), report = await other.fit(images, scores, { ...options, cache: kept, resume: true });
        await other.save(`${scheme}://judge`);
        const back = await loadQualityModel(`${scheme}://judge`), plain = await make();
        await plain.fit(images, scores, common);
        const results = [];
        for (const one of [other, back, plain]) results.push([...await one.score(images)]);
        return { first, before, second, size: kept.size, epochs: report.epochs.length, skipped: report.skipped, results };
      }, store);
      assert.deepEqual([found.first, found.before, found.second, found.size, found.epochs], ['AbortError', 4, 'AbortError', 10, 3]);
      assert.deepEqual(found.skipped.map(({ index, name }) => [index, name]), [[5, 'broken.png']]);
      const [trained, loaded, plain] = found.results;
      assert.ok(Number.isNaN(trained[5]) && trained.filter(Number.isFinite).length === 10);
      assert.deepEqual(loaded, trained);
      assert.deepEqual(plain, trained);
    });
  });
}
