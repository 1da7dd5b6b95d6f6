// The map of local scores: parts of a picture scored one by one, laid over it.
import { extent, weightMap } from 'heddle/vis';
import { byId, put } from '../page.js';

const across = ['left', 'middle', 'right'], down = ['top', 'middle', 'bottom'];
/** Where in a picture a cell lies, in words. @param {number} at @param {number} rows @param {number} cols */
function placeOf(at, rows, cols) {
  const third = (index, count) => Math.min(2, Math.floor(3 * (index + 0.5) / count));
  const [y, x] = [down[third(Math.floor(at / cols), rows)], across[third(at % cols, cols)]];
  return x === y ? 'middle' : `${y} ${x}`;
}

export class LocalMap {
  constructor() {
    byId('veil').addEventListener('input', ({ target }) => { byId('map').style.opacity = target.value; });
    byId('map').style.opacity = byId('veil').value;
  }

  clear() {
    byId('map').hidden = byId('scale').hidden = true;
  }

  /**
   * Scores the parts of a picture and draws the map.
   * @param {import('./judge.js').QualityModel} model
   * @param {import('./pictures.js').Picture} picture
   * @param {number} parts a patch is 1 / parts of the shorter side
   * @param {AbortSignal} signal
   * @returns {Promise<string>} in words
   */
  async show(model, picture, parts, signal) {
    const patch = Math.min(224, Math.max(16, Math.round(Math.min(...model.preprocessing.size) / parts)));
    const { data, shape } = await model.localScores(picture, { patch, stride: Math.ceil(patch / 2), signal });
    const [rows, cols] = shape, [low, high] = extent(data), all = Array.from(data);
    // Low scores are warm, high ones blue; a level map has no range of its own.
    weightMap(byId('map'), { data: all.map((score) => -score), shape }, { range: [-high, Math.max(-low, -high + 1e-6)], colours: 'diverging' });
    put('scale-low', low.toFixed(1));
    put('scale-high', high.toFixed(1));
    byId('map').hidden = byId('scale').hidden = false;
    return `${rows} x ${cols} parts, worst ${low.toFixed(1)} at the ${placeOf(all.indexOf(low), rows, cols)}, best ${high.toFixed(1)} at the ${placeOf(all.indexOf(high), rows, cols)}`;
  }
}
