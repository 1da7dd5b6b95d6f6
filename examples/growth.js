// A network that grows on MNIST: a row of the table as each layer is done, beside the numbers of a NumPy program on the same data.
import { info, init } from 'heddle';
import { saveCurves } from './curve.js';
import { mnist } from './mnist-data.js';

const part = async (name, count) => {
  const { x, y } = await mnist(name, count);
  return { x: { ...x, scale: 1 / 255, offset: 0 }, y };
};

/**
 * @param {{ title: string, make: () => any, reference: (number | undefined)[], trainRows: number, threads?: number, svg?: string }} experiment
 *   make: the estimator; reference: test accuracy in % by layer
 */
export async function grow({ title, make, reference, trainRows, threads, svg }) {
  await init(threads ? { threads } : {});
  const train = await part('train', trainRows), test = await part('test');
  console.log(`${title}; ${train.y.length.toLocaleString('en')} digits to train on, engine ${info().engine}`);
  console.log('\n| layer | random nodes | cost | NME, dB | norm of O | train, % | test, % | reference, % | s |\n|' + ' --- |'.repeat(9));
  const one = make(), points = [], percent = (part) => (100 * part).toFixed(2);
  await one.fit(train.x, train.y, {
    validationData: [test.x, test.y], // watched only: nothing is chosen by it
    onProgress: ({ layer, nodes, cost, nme, norm, trainAccuracy, validationAccuracy, seconds }) => {
      points.push([layer, 100 * validationAccuracy]);
      console.log(`| ${layer} | ${nodes} | ${cost.toFixed(0)} | ${nme.toFixed(2)} | ${norm.toFixed(2)} | ${percent(trainAccuracy)} `
        + `| ${percent(validationAccuracy)} | ${reference[layer] ?? '-'} | ${seconds.toFixed(1)} |`);
    },
  });
  const accuracy = await one.score(test.x, test.y), { threads: used, memory } = info();
  console.log(`\ntest accuracy ${percent(accuracy)} %, ${used} thread(s), at most ${(memory.peak / 2 ** 20).toFixed(0)} MiB`);
  one.dispose();
  await saveCurves(svg, {
    title, x: 'layer', y: 'test accuracy, %',
    series: [{ name: 'heddle', points }, { name: 'reference', dashed: true, points: points.flatMap(([layer]) => (reference[layer] ? [[layer, reference[layer]]] : [])) }]
      .filter((line) => line.points.length > 0),
  });
}
