// What enlarges pictures: the bicubic filter, the network that comes with heddle, and networks that were trained here or opened.
import { HeddleError } from 'heddle';
import { SuperResolver } from 'heddle/super-resolution';
import { bicubicBands } from './pictures.js';

/** @import { Band, Pixels } from './pictures.js' */
/**
 * @typedef {object} Method
 * @property {string} id
 * @property {string} name
 * @property {string} about in words
 * @property {(picture: Pixels, options: { signal: AbortSignal, selfEnsemble: boolean, onProgress?: (part: number) => void }) => AsyncGenerator<Band, void, void>} bands
 */

/** Kinds of networks that can be trained here. @type {{ [kind: string]: { name: string, options: object } }} */
export const kinds = {
  conv: { name: 'Convolutional', options: { network: 'conv' } },
  'matnet-denoise': { name: 'MatNet', options: { network: 'matnet', mode: 'denoise' } },
  'matnet-residual': { name: 'MatNet, residual', options: { network: 'matnet', mode: 'residual' } },
  'matnet-literal': { name: 'MatNet, literal', options: { network: 'matnet', mode: 'literal' } },
};

/** @param {SuperResolver} resolver */
export const kindOf = ({ network, config }) => (network === 'conv' ? 'conv' : `matnet-${config.mode}`);

const count = (n) => n.toLocaleString('en');

/** @param {SuperResolver} resolver */
function describe({ model, report }) {
  const { psnr } = report?.epochs[report.bestEpoch] ?? {}, gain = psnr === undefined || !report.bicubic ? '' : `, ${(psnr - report.bicubic).toFixed(2)} dB over bicubic on what was held back`;
  return `${count(model.parameters)} weights${gain}`;
}

const bicubic = (scale) => ({
  id: 'bicubic', name: 'Bicubic', about: 'the filter that networks are measured against',
  bands: (picture, { signal }) => bicubicBands(picture, scale, signal),
});

/** @param {string} id @param {string} name @param {SuperResolver} resolver @param {string} about @returns {Method} */
const byNetwork = (id, name, resolver, about) => ({
  id, name, about,
  bands: (picture, { signal, selfEnsemble, onProgress }) => resolver.upscaleBands(picture, { signal, selfEnsemble, onProgress: ({ done, total }) => onProgress?.(done / total) }),
});

export class Networks {
  /** Those that come with heddle, by scale. @type {Map<number, Promise<SuperResolver[]>>} */
  #shipped = new Map();
  /** By kind and scale. @type {Map<string, { resolver: SuperResolver, kind: string, about: string }>} */
  #own = new Map();
  /** @type {(() => void)[]} */
  #listeners = [];

  /** @param {() => void} listener is called when there is another network */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** Those that come with heddle: the best, then the MatNets if they are others. @param {number} scale @returns {Promise<SuperResolver[]>} */
  #shippedFor(scale) {
    const known = this.#shipped.get(scale) ?? this.#fetchShipped(scale).catch((error) => {
      this.#shipped.delete(scale); // a later try may succeed
      throw error;
    });
    this.#shipped.set(scale, known);
    return known;
  }

  /** @param {number} scale */
  async #fetchShipped(scale) {
    const found = new Map(), kinds = [{}, { network: 'matnet', mode: 'denoise' }, { network: 'matnet', mode: 'residual' }, { network: 'conv' }];
    for (const kind of kinds) {
      const resolver = await SuperResolver.pretrained({ scale, ...kind }).catch((error) => {
        if (error.code !== 'unsupported') throw error;
        return null;
      });
      if (resolver && found.has(kindOf(resolver))) resolver.dispose();
      else if (resolver) found.set(kindOf(resolver), resolver);
    }
    return [...found.values()];
  }

  /** All that enlarge by this scale. @param {number} scale @returns {Promise<Method[]>} */
  async methods(scale) {
    const shipped = await this.#shippedFor(scale), own = [...this.#own.values()].filter(({ resolver }) => resolver.scale === scale);
    return [
      bicubic(scale),
      ...shipped.map((resolver) => byNetwork(`${kindOf(resolver)}-shipped`, `${kinds[kindOf(resolver)].name} (heddle's)`, resolver, `comes with heddle: ${describe(resolver)}`)),
      ...own.map(({ resolver, kind, about }) => byNetwork(`${kind}-own`, kinds[kind].name, resolver, `${about}: ${describe(resolver)}`)),
    ];
  }

  /** Takes a network in place of one of its kind and scale. @param {SuperResolver} resolver @param {string} about where it is from */
  adopt(resolver, about) {
    const kind = kindOf(resolver), key = `${kind} ${resolver.scale}`, before = this.#own.get(key);
    this.#own.delete(key);
    this.#own.set(key, { resolver, kind, about });
    if (before && before.resolver !== resolver) before.resolver.dispose();
    for (const listener of this.#listeners) listener();
  }

  /** The one taken last. @returns {SuperResolver | null} */
  get newest() {
    return [...this.#own.values()].at(-1)?.resolver ?? null;
  }

  /** @param {string | File} from @returns {Promise<SuperResolver>} */
  async open(from) {
    const name = typeof from === 'string' ? 'The kept network' : from.name;
    const resolver = await SuperResolver.load(from).catch((cause) => {
      if (cause.name === 'AbortError') throw cause;
      throw new HeddleError(cause.code ?? 'file', `${name} can't be opened. ${cause.message}`, { cause });
    });
    this.adopt(resolver, typeof from === 'string' ? 'kept' : from.name);
    return resolver;
  }
}
