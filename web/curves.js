// Loss and accuracy of a training, side by side.
import { lossChart } from 'heddle/vis';
import { byId } from './page.js';

const make = (metric, label) => lossChart(byId(`chart-${metric}`), {
  metric, label, legend: false, names: { training: `training ${metric}`, validation: `test ${metric}` },
});

/** Both charts as one. */
export class Curves {
  static async make() {
    const curves = new Curves();
    curves.charts = await Promise.all([make('loss', 'Loss'), make('accuracy', 'Accuracy')]);
    return curves;
  }

  /** Epochs so far. */
  get end() {
    return this.charts[0].end;
  }

  /** Another fit begins. */
  begin() {
    for (const chart of this.charts) chart.begin();
  }

  /** @param {import('heddle').TrainingLog} log of a batch or an epoch */
  add(log) {
    for (const chart of this.charts) chart.add(log);
  }

  clear() {
    for (const chart of this.charts) chart.clear();
  }
}
