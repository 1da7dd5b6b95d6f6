// What the tests of README and guides share: their blocks of code, made into programs, and the small data that these are given.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { recipes } from '../../bindings/recipes.js';
import { tree } from '../../tools/common.mjs';

/** README, examples/README and the guides, as paths from the tree. */
export const documents = ['README.md', 'examples/README.md', ...readdirSync(join(tree, 'web', 'guides')).filter((name) => name.endsWith('.md')).map((name) => `web/guides/${name}`)];
/** @param {string} name */
export const readDocument = (name) => readFileSync(join(tree, name), 'utf8');

/**
 * Blocks of code between fences. A fence says what happens to its block: `js` runs in Node, `js browser` in a page, `sh` in a shell (its lines that begin
 * with npx heddle), `c FILE` is a part of this file of the tree; others (text, html, nginx) are for the eye.
 * @param {string} text of a document
 * @returns {{ info: string, code: string, line: number }[]} line: of the first line of code, from 0
 */
export function blocks(text) {
  const found = [], lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const info = /^```(.*)$/.exec(lines[i])?.[1];
    if (info === undefined) continue;
    const end = lines.indexOf('```', i + 1);
    if (end < 0) throw new Error(`line ${i + 1}: a fence without end`);
    found.push({ info: info.trim(), code: lines.slice(i + 1, end).join('\n'), line: i + 1 });
    i = end;
  }
  return found;
}

/** Names of what a document takes as given: those that its list below a line "Given:" puts in `code` before the colon. @param {string} text */
export function givenNames(text) {
  const list = /^Given:\n\n((?:- .*\n|  .*\n)+)/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/^- ([^:]+):/gm)].flatMap(([, names]) => [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
}

/**
 * The blocks of one kind as one module. Each line of code keeps its place, so that errors name the document's own lines.
 * @param {string} text of a document @param {string} info of the blocks @param {string} [first] a line to begin with
 */
export function program(text, info, first = '') {
  const lines = Array.from({ length: text.split('\n').length }, () => '');
  const own = blocks(text).filter((block) => block.info === info);
  for (const { code, line } of own) code.split('\n').forEach((one, i) => { lines[line + i] = one; });
  lines[0] = first;
  return { code: lines.join('\n'), count: own.length };
}

/** A picture of a slope with noise, as bytes of a file. @param {number} noise @param {number} seed @param {[number, number]} size @param {'png' | 'jpeg'} [format] */
function slope(noise, seed, [width, height], format = 'png') {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const uniform = (Math.imul(i + 1 + 7919 * seed, 2654435761) >>> 8) / 2 ** 24;
    return Math.max(0, Math.min(255, 60 + 3 * (Math.floor(i / 3) % width) + noise * (uniform - 0.5)));
  });
  return sharp(data, { raw: { width, height, channels: 3 } })[format]().toBuffer();
}

/** Pictures with ratings that fall as their noise grows. @param {string} folder */
async function ratedPhotos(folder) {
  mkdirSync(join(folder, 'photos'));
  const rows = await Promise.all(Array.from({ length: 30 }, async (_, i) => {
    const noise = 6 * ((i * 7) % 30);
    writeFileSync(join(folder, 'photos', `${i}.png`), await slope(noise, i, [40, 40]));
    return `${i}.png,${5 - noise / 50}`;
  }));
  writeFileSync(join(folder, 'ratings.csv'), ['image,mos', ...rows].join('\n'));
}

/** A Keras model, a dense layer 3 to 2, in the format of TensorFlow.js. @param {string} folder */
function kerasModel(folder) {
  const layer = (/** @type {string} */ name, /** @type {object} */ config) => ({ class_name: name, config });
  const topology = { class_name: 'Sequential', config: { name: 'm', layers: [layer('Dense', { name: 'd', units: 2, activation: 'softmax', use_bias: true, batch_input_shape: [null, 3] })] } };
  const weights = [{ name: 'd/kernel', shape: [3, 2], dtype: 'float32' }, { name: 'd/bias', shape: [2], dtype: 'float32' }];
  writeFileSync(join(folder, 'weights.bin'), new Uint8Array(Float32Array.from({ length: 8 }, (_, i) => i / 8).buffer));
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ format: 'layers-model', modelTopology: { model_config: topology }, weightsManifest: [{ paths: ['weights.bin'], weights }] }));
}

/** Folders of coloured pictures, one for each class. @param {string} folder */
async function classFolders(folder) {
  for (const [k, name] of ['cats', 'dogs', 'birds'].entries()) {
    mkdirSync(join(folder, 'pictures', name), { recursive: true });
    for (let i = 0; i < 6; i++) {
      const background = { r: 40 + 80 * k, g: 200 - 70 * k + 5 * i, b: 90 + 3 * i };
      writeFileSync(join(folder, 'pictures', name, `${i}.png`), await sharp({ create: { width: 48, height: 40, channels: 3, background } }).png().toBuffer());
    }
  }
}

/** Flowers, in two tables: one that says which they are, and one that does not. @param {string} folder */
function tables(folder) {
  const flower = (/** @type {number} */ i) => [4 + i % 3 + (i * 7 % 10) / 20, 3 + (i * 3 % 10) / 20, 1 + 2 * (i % 3) + (i * 9 % 10) / 20];
  const rows = Array.from({ length: 90 }, (_, i) => [...flower(i), ['setosa', 'versicolor', 'virginica'][i % 3]]);
  writeFileSync(join(folder, 'table.csv'), ['sepal,width,petal,species', ...rows].join('\n'));
  writeFileSync(join(folder, 'new.csv'), ['sepal,width,petal', ...Array.from({ length: 6 }, (_, i) => flower(i + 100))].join('\n'));
}

/** What documents may take as given: files, made in the folder that a program runs in, and values, as an expression of the program.
 * @type {{ [name: string]: string | ((folder: string) => void | Promise<void>) }} */
const givens = {
  'ratings.csv': ratedPhotos, 'photos/': () => {}, // one makes both
  'table.csv': tables, 'new.csv': () => {},
  'photo.jpg': async (folder) => writeFileSync(join(folder, 'photo.jpg'), await slope(9, 1, [60, 40], 'jpeg')),
  'originals/': async (folder) => {
    mkdirSync(join(folder, 'originals'));
    for (let i = 0; i < 4; i++) writeFileSync(join(folder, 'originals', `${i}.png`), await slope(90, i, [96, 80]));
  },
  'pictures/': classFolders,
  'model.json': kerasModel,
  'resnet18.safetensors': async (folder) => {
    const net = await recipes.resnet18({ seed: 1 });
    await net.save(join(folder, 'resnet18.safetensors'));
    net.dispose();
  },
  x: 'Array.from({ length: 300 }, (_, i) => [i / 300, (7 * i % 300) / 300])',
  y: 'Array.from({ length: 300 }, (_, i) => Number((i / 300 - 0.5) ** 2 + ((7 * i % 300) / 300 - 0.5) ** 2 < 0.1))',
};

/** Makes the files that a document takes as given. @param {string} text @param {string} folder @returns {Promise<string>} code that declares the values */
export async function prepare(text, folder) {
  const code = [];
  for (const name of givenNames(text)) {
    const given = givens[name];
    if (given === undefined) throw new Error(`"${name}" is given, but tests/api/guidekit.js does not say what it is`);
    if (typeof given === 'string') code.push(`const ${name} = ${given};`);
    else await given(folder);
  }
  return code.join(' ');
}

/** A folder's node_modules: those of this tree, and heddle. @param {string} folder @param {(from: string, to: string) => void} link */
export function linkModules(folder, link) {
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(tree, 'node_modules'))) link(join(tree, 'node_modules', name), join(folder, 'node_modules', name));
  link(tree, join(folder, 'node_modules', 'heddle'));
}
