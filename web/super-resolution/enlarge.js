// The part that enlarges: one picture by several methods, compared in the viewer, measured where the original is known, saved as PNG.
import { HeddleError } from 'heddle';
import { isPicture, onChosen } from '../dropped.js';
import { byId, element, enable, onClick, put, say } from '../page.js';
import { attempt, isIdle, onWork, progress, run } from '../work.js';
import { Overview } from './overview.js';
import { bitmapOf, cut, examples, nearness, readExample, readPicture, shrunk } from './pictures.js';
import { PngWriter } from './png.js';
import { Viewer } from './view.js';

/** @import { Found } from '../dropped.js' */
/** @import { Method } from './networks.js' */
/** @import { Picture, Pixels } from './pictures.js' */

/** Pixels of enlarged pictures that are compared as a whole: several of them are in memory. */
const wholePixels = 4e6;
/** The example that is there at first. */
const first = 'allium-oreophilum';
const isModel = ({ path }) => /\.safetensors$/i.test(path), pixels = ([height, width]) => `${width.toLocaleString('en')} x ${height.toLocaleString('en')} pixels`;
const digits = (value, places) => (value === undefined || Number.isNaN(value) ? '–' : value === Infinity ? 'exact' : value.toFixed(places));

/** All bands of a picture together. @param {AsyncIterable<import('./pictures.js').Band>} bands @returns {Promise<Pixels>} */
async function whole(bands) {
  let out = null;
  for await (const { data, shape: [, width, channels], row, rows } of bands) {
    out ??= { data: new Uint8Array(rows * width * channels), shape: [rows, width, channels] };
    out.data.set(data, row * width * channels);
  }
  return out;
}

export class Enlarge {
  /** @type {Picture | null} */
  #picture = null;
  /** @type {Method[]} */
  #methods = [];
  /** Methods that are not wanted. @type {Set<string>} */
  #off = new Set();
  /** Of the last run. @type {Map<string, { result: Pixels, row: HTMLElement }>} */
  #done = new Map();
  #asked = 0;
  #form = byId('enlarge-settings');
  #view = new Viewer(byId('view'), {
    onSplit: (part) => { byId('split').value = String(part); },
    onZoom: (zoom) => put('zoom', `${Math.round(zoom * 100)} %`),
  });
  #overview = new Overview(() => this.#refresh());

  /** @param {import('./networks.js').Networks} networks */
  constructor(networks) {
    this.networks = networks;
    const { elements } = this.#form;
    this.#form.addEventListener('submit', (event) => event.preventDefault());
    for (const name of ['scale', 'task']) elements[name].addEventListener('change', () => attempt(() => this.#changed()));
    for (const id of ['picture-file', 'network-file']) onChosen(id, (files) => attempt(() => this.take(files)));
    byId('example').append(...Object.entries(examples).map(([name, text]) => new Option(text, name)));
    byId('example').addEventListener('change', ({ target }) => {
      const { value } = target;
      target.value = '';
      if (value) void this.#load(() => readExample(value));
    });
    onClick('enlarge', () => this.#enlarge());
    onClick('open-network', () => byId('network-file').click());
    networks.onChange(() => attempt(() => this.#changed()));
    onWork(() => this.#refresh());
    this.#listenForView();
    this.#refresh();
  }

  #listenForView() {
    const view = this.#view, select = (id, work) => byId(id).addEventListener('change', ({ target }) => work(target.value));
    select('view-mode', (mode) => {
      view.mode = mode;
      byId('split-line').hidden = mode !== 'split';
      view.arrange();
    });
    for (const [i, id] of ['view-left', 'view-right'].entries()) {
      select(id, (which) => {
        byId(id).dataset.chosen = 'true';
        view.pair[i] = which;
        view.arrange();
      });
    }
    byId('split').addEventListener('input', ({ target }) => view.splitAt(Number(target.value)));
    onClick('zoom-in', () => view.zoomBy(1.5));
    onClick('zoom-out', () => view.zoomBy(1 / 1.5));
    onClick('zoom-fit', () => view.zoomTo(0));
    onClick('zoom-one', () => view.zoomTo(1));
  }

  /** For requestAnimationFrame. */
  draw() {
    this.#view.draw();
  }

  /** When the engine is there: with an example, unless there is a picture already. */
  start() {
    return attempt(async () => {
      await this.#changed();
      if (!this.#picture && isIdle()) await this.#take(await readExample(first), () => this.#picture === null && isIdle());
    });
  }

  /** @param {Found[]} files a picture, a network */
  async take(files) {
    const model = files.find(isModel), found = files.find(isPicture);
    if (!model && !found) throw new HeddleError('file', `${files[0]?.path ?? 'This'} is no picture: expected JPEG, PNG, WebP, GIF, AVIF or BMP, or a network's .safetensors.`);
    if (model) {
      await run(`Opening ${model.path}`, async () => {
        const { scale } = await this.networks.open(model.file);
        this.#form.elements.scale.value = String(scale);
        await this.#changed();
        return 'The network is here';
      });
    }
    if (found) await this.#load(() => readPicture(found.file, found.path));
  }

  /** @param {() => Promise<Picture>} read */
  #load(read) {
    return run('Reading the picture', async () => {
      await this.#take(await read());
      return `${this.#picture.name} is here`;
    });
  }

  /** Shows a picture as it is. @param {Picture} picture @param {() => boolean} [isWanted] */
  async #take(picture, isWanted = () => true) {
    if (!isWanted()) return;
    this.#picture = picture;
    await this.#frame();
    const shown = this.#part();
    this.#clear(false, shown.shape);
    await this.#show('original', this.#isLarge ? 'The part in the frame' : 'The picture', shown);
  }

  /** What is compared of the picture. */
  #part() {
    return this.#isLarge ? cut(this.#picture, this.#overview.part) : this.#picture;
  }

  #settings() {
    const { scale, task, ensemble } = this.#form.elements;
    return { scale: Number(scale.value), isRestored: task.value === 'restore', selfEnsemble: ensemble.checked };
  }

  /** Pixels of the picture that are compared at a time. */
  #budget() {
    const { scale, isRestored } = this.#settings();
    return isRestored ? wholePixels : wholePixels / scale ** 2;
  }

  get #isLarge() {
    return this.#picture !== null && this.#picture.shape[0] * this.#picture.shape[1] > this.#budget();
  }

  async #frame() {
    await this.#overview.show(this.#isLarge ? this.#picture : null, this.#budget());
    this.#refresh();
  }

  /** Another scale, task or network. */
  async #changed() {
    const asked = ++this.#asked, methods = await this.networks.methods(this.#settings().scale);
    if (asked !== this.#asked) return;
    this.#methods = methods;
    byId('methods').replaceChildren(...methods.map(({ id, name, about }) => {
      const box = Object.assign(element('input'), { type: 'checkbox', checked: !this.#off.has(id), value: id });
      box.addEventListener('change', () => {
        if (box.checked) this.#off.delete(id);
        else this.#off.add(id);
        this.#refresh();
      });
      return element('li', '', element('label', 'check', box, element('span', '', name, element('small', 'muted', about))));
    }));
    byId('methods-hint').hidden = methods.length > 1;
    await this.#frame();
  }

  /** @param {boolean} keepsView */
  #clear(keepsView, [height, width] = [1, 1]) {
    this.#done.clear();
    byId('results').replaceChildren();
    this.#view.clear(width, height, keepsView);
    this.#offer();
  }

  /** What enlarging starts from, and the original if it is known. @returns {Promise<{ low: Pixels, high: Pixels | null }>} */
  async #input() {
    const { scale, isRestored } = this.#settings(), part = this.#part();
    return isRestored ? shrunk(part, scale) : { low: part, high: null };
  }

  async #enlarge() {
    const { scale, selfEnsemble } = this.#settings(), methods = this.#methods.filter(({ id }) => !this.#off.has(id));
    await run('Enlarging', async (signal) => {
      const { low, high } = await this.#input();
      this.#clear(true, low.shape.map((side) => side * scale));
      if (high) await this.#show('original', 'Original', high);
      byId('view').scrollIntoView({ block: 'nearest' });
      for (const [i, method] of methods.entries()) {
        const begin = performance.now(), at = (part) => progress((i + part) / methods.length, `${method.name}: ${Math.round(100 * part)} %`);
        at(0);
        const result = await whole(method.bands(low, { signal, selfEnsemble, onProgress: at })), seconds = (performance.now() - begin) / 1000;
        signal.throwIfAborted();
        this.#row(method, result, seconds, high ? await nearness(result, high) : null);
        await this.#show(method.id, method.name, result);
      }
      return `Enlarged by ${methods.length === 1 ? methods[0].name : `${methods.length} methods`} to ${pixels(low.shape.map((side) => side * scale))}${this.#isLarge ? ', a part of the picture' : ''}`;
    });
  }

  /** @param {string} id @param {string} name @param {Pixels} result */
  async #show(id, name, result) {
    this.#view.add(id, { name, bitmap: await bitmapOf(result) });
    this.#offer();
  }

  /** What the two sides of the line can be. */
  #offer() {
    const { ids, pair } = this.#view, networks = ids.filter((id) => id !== 'original' && id !== 'bicubic'), own = networks.findLast((id) => id.endsWith('-own'));
    const usual = [networks.length === 0 && ids.includes('original') ? 'original' : 'bicubic', own ?? networks[0] ?? (ids.includes('bicubic') ? 'bicubic' : ids[0])];
    for (const [i, id] of ['view-left', 'view-right'].entries()) {
      const place = byId(id), isChosen = place.dataset.chosen === 'true' && ids.includes(place.value), value = isChosen ? place.value : usual[i];
      place.replaceChildren(...ids.map((one) => new Option(this.#view.nameOf(one), one)));
      place.value = value;
      place.dataset.chosen = String(isChosen);
      pair[i] = place.value;
    }
    this.#view.arrange();
  }

  /** @param {Method} method @param {Pixels} result @param {number} seconds @param {{ psnr: number, ssim: number } | null} quality */
  #row(method, result, seconds, quality) {
    const head = element('th', '', method.name), save = element('button', '', 'Save PNG'), row = element('tr', '', head);
    head.scope = 'row';
    Object.assign(save, { type: 'button' });
    save.setAttribute('aria-label', `Save PNG: ${method.name}`);
    save.addEventListener('click', () => this.#save(method));
    for (const text of [`${seconds.toFixed(2)} s`, digits(quality?.psnr, 2), digits(quality?.ssim, 4)]) row.append(element('td', '', text));
    row.append(element('td', '', save));
    byId('results').append(row);
    this.#done.set(method.id, { result, row });
    this.#refresh();
  }

  /** The enlarged picture as a file; a large one is enlarged now, band by band. @param {Method} method */
  async #save(method) {
    const { scale, isRestored, selfEnsemble } = this.#settings(), { result } = this.#done.get(method.id), picture = this.#picture;
    const isStreamed = this.#isLarge && !isRestored, [height, width, channels] = isStreamed ? [...picture.shape.slice(0, 2).map((side) => side * scale), picture.shape[2]] : result.shape;
    await run(`Saving: ${method.name}`, async (signal) => {
      const writer = new PngWriter(height, width, channels), bands = isStreamed ? method.bands(picture, { signal, selfEnsemble }) : [{ data: result.data, row: 0, shape: result.shape }];
      try {
        for await (const { data, row, shape } of bands) {
          await writer.write(data);
          signal.throwIfAborted();
          progress((row + shape[0]) / height, `Enlarging all of it: ${(row + shape[0]).toLocaleString('en')} of ${height.toLocaleString('en')} rows`);
        }
        download(await writer.finish(), `${picture.name.split('/').at(-1).replace(/\.\w+$/, '')}-x${scale}.png`);
      } catch (error) {
        await writer.cancel();
        throw error;
      }
      return `Saved as PNG, ${pixels([height, width])}`;
    });
  }

  #refresh() {
    const { scale, isRestored } = this.#settings(), picture = this.#picture, isLarge = this.#isLarge;
    const goal = picture && !isRestored ? ` Enlarged: ${pixels(picture.shape.slice(0, 2).map((side) => side * scale))}.` : '';
    put('picture-state', picture ? `${picture.name}: ${pixels(picture.shape)}.${goal}` : 'No picture yet: drop one here, or take an example.');
    put('part-state', isLarge ? `This is a large picture: methods are compared on the part in the frame (${pixels([this.#overview.part.height, this.#overview.part.width])}). `
      + `Move it by dragging or with the arrow keys. ${isRestored ? '' : '"Save PNG" enlarges the whole picture in bands, in little memory.'}` : '');
    enable('enlarge', isIdle() && picture !== null && this.#methods.some(({ id }) => !this.#off.has(id)));
    enable('open-network', isIdle());
    byId('results-box').hidden = this.#done.size === 0;
    for (const field of this.#form.querySelectorAll('select, input')) field.disabled = !isIdle();
    for (const { row } of this.#done.values()) row.querySelector('button').disabled = !isIdle();
  }
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(element('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it at a time it does not tell
  say(`${name} is saved`);
}
