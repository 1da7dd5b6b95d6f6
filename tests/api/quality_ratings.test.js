// Files of ratings: read whatever their columns are called, refused with the line where they are wrong, split, and matched to pictures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '../../bindings/index.js';
import { gzip } from '../../bindings/files/index.js';
import { matchImages, readRatings, split } from '../../bindings/quality/index.js';
import { dataPath, without } from './datakit.js';
import { below, random, refuses } from './filekit.js';

const utf8 = (text) => new TextEncoder().encode(text);
const koniq = `"image_name","c1","c2","c3","c4","c5","c_total","MOS","SD","MOS_zscore"
"1.jpg",0,0,25,73,7,105,3.83,0.53,77.4
"2.jpg",0,3,45,47,1,96,3.48,0.58,68.7
"3.jpg",1,0,20,73,2,96,3.78,0.53,78.6
`;
const koniqSets = `image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set
1.jpg,0.0,0.0,0.24,0.70,0.06,105,77.4,0.53,training
2.jpg,0.0,0.03,0.47,0.49,0.01,96,68.7,0.58,test
3.jpg,0.01,0.0,0.21,0.76,0.02,96,78.6,0.53,validation
`;
const clive = `index,file,release_file,origin,width,height,role,mos,mos_std
0,t1.jpg,t1.bmp,x,500,500,training,63.9,18.3
7,3.jpg,3.bmp,x,500,500,test,33.5,17.1
8,4.jpg,4.bmp,x,500,500,test,50.25,16
`;

test('readRatings: columns by their usual names, in CSV, TSV and JSON, plain and packed', async () => {
  const want = { images: ['a.jpg', 'b, c.png', 'é.jpg'], scores: Float64Array.of(3.5, -1e-2, 4), std: Float64Array.of(0.5, 0, 1), references: ['r1', 'r1', 'r2'] };
  const rows = [['a.jpg', '3.5', '.5', 'r1'], ['"b, c.png"', '-1e-2', '0', 'r1'], ['é.jpg', '4', '1', 'r2']];
  for (const [separator, end] of [[',', '\n'], [';', '\r\n'], ['\t', '\n']]) {
    const text = [['Image Name', 'MOS', 'Std. dev', 'ref_img'], ...rows].map((row) => row.join(separator)).join(end);
    for (const source of [text, utf8(text), await gzip(utf8(text)), new Blob([text])]) {
      const { known, omitted, columns, ...found } = await readRatings(source);
      assert.deepEqual(found, want);
      assert.deepEqual([known, omitted, columns], ['csv', [], { image: 'Image Name', score: 'MOS', std: 'Std. dev', reference: 'ref_img' }]);
    }
  }
  const json = [{ file: 'a.jpg', rating: 3.5, sd: 0.5, reference: 'r1' }, { file: 'b, c.png', rating: '-1e-2', sd: 0, reference: 'r1' }, { file: 'é.jpg', rating: 4, sd: 1, reference: 'r2' }];
  const byColumn = Object.fromEntries(['file', 'rating', 'sd', 'reference'].map((name) => [name, json.map((entry) => entry[name])]));
  for (const value of [json, byColumn]) {
    const { known, omitted, columns, ...found } = await readRatings(utf8(JSON.stringify(value)));
    assert.deepEqual(found, want);
  }
  const map = await readRatings(utf8('{ "a.jpg": 3.5, "__proto__": 4 }'));
  assert.deepEqual([map.images, map.scores], [['a.jpg', '__proto__'], Float64Array.of(3.5, 4)]);
});

test('readRatings: columns by option, none of those not wanted, and two columns without names', async () => {
  const text = 'picture,first,second,std\nx,1,5,9\ny,2,4,9\n';
  const { scores, std, columns } = await readRatings(text, { score: 'second', std: 'first', format: 'csv' });
  assert.deepEqual([scores, std, columns], [Float64Array.of(5, 4), Float64Array.of(1, 2), { image: 'picture', score: 'second', std: 'first' }]);
  assert.equal((await readRatings(text, { score: 'first', std: null })).std, undefined);
  for (const bare of ['x.jpg,1\ny.jpg,2\n', '1,x.jpg\n2,y.jpg\n']) {
    const found = await readRatings(bare);
    assert.deepEqual([found.images, found.scores], [['x.jpg', 'y.jpg'], Float64Array.of(1, 2)]);
  }
  assert.deepEqual((await readRatings('0,x.jpg,1\n1,y.jpg,2\n', { image: 'column 2', score: 'column 3' })).scores, Float64Array.of(1, 2));
});

test("readRatings: KonIQ-10k's tables and CLIVE's are recognised; deviations are on the scores' scale or not taken", async () => {
  const scored = await readRatings(koniq);
  assert.deepEqual([scored.known, scored.scores, scored.std], ['koniq-10k', Float64Array.of(77.4, 68.7, 78.6), undefined]);
  const voted = await readRatings(koniq, { score: 'MOS' });
  assert.deepEqual([voted.scores, voted.std], [Float64Array.of(3.83, 3.48, 3.78), Float64Array.of(0.53, 0.58, 0.53)]);
  const sets = await readRatings(koniqSets);
  assert.deepEqual([sets.known, sets.std, sets.splits], ['koniq-10k', undefined, ['training', 'test', 'validation']]);
  assert.deepEqual(split(sets, { by: 'column', seed: undefined }), { train: Int32Array.of(0), validation: Int32Array.of(2), test: Int32Array.of(1) });
  assert.deepEqual((await readRatings(koniqSets, { std: 'SD' })).std, Float64Array.of(0.53, 0.58, 0.53));
  const live = await readRatings(clive);
  assert.deepEqual([live.known, live.images, live.omitted, live.std], ['clive', ['3.jpg', '4.jpg'], ['t1.jpg'], Float64Array.of(17.1, 16)]);
});

test('readRatings names what is wrong, and the line', async () => {
  const wrong = (text, pattern, options) => refuses(() => readRatings(text, options), 'file', pattern);
  await wrong('a,b\nx,y\nz,w\n', /no column of picture names among "a", "b": expected one of image, .*by the option image/);
  await wrong('image,b\nx,y\nz,w\n', /no column of scores among "image", "b": expected one of moszscore, mos/);
  await wrong('image,mos\nx,1\ny,2\n\nx,3\n', /line 5: "x" is rated a second time, first in line 2/);
  await wrong('image,mos\nx,1\ne\u0301,2\n\u00e9,3\n', /line 4: .* a second time, first in line 3/);
  for (const bad of ['NaN', 'Infinity', '-inf', '1e39', '0x10', 'good']) await wrong(`image,mos\nx,1\ny,${bad}\n`, new RegExp(`line 3: the score of "y" is "${bad}", expected a finite`));
  await wrong('image,mos\nx,1\ny,\n', /line 3: the score of "y" is missing/);
  await wrong('image;mos\nx;1,5\ny;2,5\n', /"1,5", expected a finite number with a point, not a comma/);
  await wrong('image,mos\nx,3\ny,3.0\nz,3\n', /all 3 scores are 3: there is nothing to learn/);
  await wrong('image,mos\nx,1\n', /1 row, expected at least two/);
  await wrong('image,mos\n', /0 rows, expected at least two/);
  await wrong('image,mos\nx,1\n  ,2\n', /line 3: the picture's name is empty/);
  await wrong('image,mos,std\nx,1,1\ny,2,-1\n', /line 3: the standard deviation of "y" is -1, expected at least 0/);
  await wrong('image,mos,std\nx,1,1\ny,2,\n', /line 3: the standard deviation of "y" is missing/);
  await wrong('image,mos,ref\nx,1,1\ny,2,\n', /line 3: the reference is empty/);
  await wrong('image,mos,mos\nx,1,1\ny,2,2\n', /two columns have the name "mos"/);
  await wrong('image,mos\nx,1\ny\n', /line 3 has 1 field, expected 2/);
  await wrong(new Uint8Array(0), /the file is empty/);
  await wrong(utf8('[1, 2]'), /entry 1 is no object/);
  await wrong(utf8('[{"image":"x","mos":[1]},{"image":"y","mos":2}]'), /entry 1: "mos": expected a text or a number, got an array/);
  await wrong(utf8('[{"image":"x","mos":1},{"image":"y","mos":null}]'), /entry 2: the score of "y" is missing/);
  await wrong(utf8('{"image":["x","y"],"mos":[1]}'), /column "mos" has 1 entries, "image" has 2/);
  await wrong(utf8('{"x.jpg":1,"x.jpg":2}'), /"x\.jpg" appears twice/);
  await wrong(utf8('[{"image":"x"'), /not valid JSON/);
  await wrong(utf8('3'), /JSON is neither/, { format: 'json' });
  await refuses(() => readRatings('image,mos\nx,1\ny,2\n', { score: 'moss' }), 'argument', /score = "moss": there is no such column, did you mean "mos"/);
  await refuses(() => readRatings('image,mos\nx,1\ny,2\n', { std: 'mos' }), 'argument', /std = "mos": the column is taken/);
  await refuses(() => readRatings('image,mos\nx,1\ny,2\n', { image: 3 }), 'argument', /image: expected the name of a column, got number/);
  await refuses(() => readRatings('image,mos\nx,1\ny,2\n', { format: 'xls' }), 'argument', /format = "xls"/);
  await refuses(() => readRatings('image,mos\nx,1\ny,2\n', { scores: 'mos' }), 'argument', /did you mean "score"/);
  await refuses(() => readRatings('no/such/file.csv'), 'storage', /cannot load/);
});

test('readRatings of bytes changed at random: ratings that hold what they promise, or a HeddleError', async () => {
  const int = below(random(11)), sources = [koniq, koniqSets, clive, '[{"image":"x","mos":1,"std":2},{"image":"y","mos":2,"std":1}]', '{"a":[1,2],"image":["x","y"],"mos":[3,4]}', '1;x\n2;y\n'];
  let read = 0, refused = 0;
  for (let round = 0; round < 3000; round++) {
    let bytes = [...utf8(sources[int(sources.length)])];
    for (let change = 1 + int(4); change > 0; change--) {
      const at = int(bytes.length + 1), kind = int(4), byte = int(3) ? 32 + int(96) : int(256);
      if (kind === 0) bytes.splice(at, 1 + int(9));
      else if (kind === 1) bytes.splice(at, 0, byte);
      else if (kind === 2) bytes.splice(at, 1, byte);
      else bytes = [...bytes.slice(0, at), ...bytes.slice(at - int(20))];
    }
    try {
      const { images, scores, std } = await readRatings(Uint8Array.from(bytes));
      assert.ok(images.length > 1 && images.length === scores.length && (!std || std.length === scores.length));
      assert.ok(scores.every(Number.isFinite) && new Set(images).size === images.length && !images.includes(''));
      read++;
    } catch (error) {
      assert.ok(error instanceof HeddleError, `${error?.stack}\n${new TextDecoder().decode(Uint8Array.from(bytes))}`);
      assert.ok(['file', 'argument'].includes(error.code) && error.message.length < 2000, error.message);
      refused++;
    }
  }
  assert.ok(read > 200 && refused > 200, `${read} read, ${refused} refused`);
});

test('split: every row in one part, the right number of each, by the seed and the names only', () => {
  const images = Array.from({ length: 101 }, (_, i) => `${i}.jpg`), parts = split({ images }, { train: 0.7, validation: 0.1, seed: 5 });
  assert.deepEqual([parts.train.length, parts.validation.length, parts.test.length], [71, 10, 20]);
  assert.deepEqual([...parts.train, ...parts.validation, ...parts.test].sort((a, b) => a - b), [...images.keys()]);
  assert.deepEqual(split({ images }, { train: 0.7, validation: 0.1, seed: 5 }), parts);
  assert.notDeepEqual(split({ images }, { train: 0.7, validation: 0.1, seed: 6 }), parts);
  const turned = split({ images: images.toReversed() }, { train: 0.7, validation: 0.1, seed: 5 });
  assert.deepEqual(Array.from(turned.test, (row) => 100 - row).sort((a, b) => a - b), [...parts.test]);
  assert.deepEqual([...split({ images }).test].slice(0, 6), [5, 25, 28, 36, 37, 41], 'the same on every platform');
  assert.deepEqual(split({ images: ['a', 'b'] }, { train: 1 }).train, Int32Array.of(0, 1));
  assert.deepEqual([split({ images: ['a', 'b'] }).train.length, split({ images: ['a', 'b'] }).test.length], [1, 1]);
});

test('split: each picture is as likely as any other to be tested', () => {
  const images = Array.from({ length: 50 }, (_, i) => `photo ${i}`), tested = new Float64Array(50), rounds = 2000;
  for (let seed = 0; seed < rounds; seed++) for (const row of split({ images }, { seed }).test) tested[row]++;
  const chi2 = tested.reduce((sum, n) => sum + (n - rounds / 5) ** 2 / (rounds / 5 * 4 / 5), 0);
  assert.ok(chi2 > 20 && chi2 < 90, `chi^2 = ${chi2} for 49 degrees of freedom`);
});

test('split by reference: no reference in two parts', () => {
  const references = Array.from({ length: 240 }, (_, i) => `ref ${i % 25}`), images = references.map((_, i) => `${i}`);
  for (let seed = 0; seed < 50; seed++) {
    const parts = split({ images, references }, { by: 'reference', train: 0.6, validation: 0.2, seed });
    const sets = Object.values(parts).map((rows) => new Set(Array.from(rows, (row) => references[row])));
    assert.deepEqual(sets.map(({ size }) => size), [15, 5, 5]);
    assert.equal(sets[0].union ? sets[0].union(sets[1]).union(sets[2]).size : new Set(sets.flatMap((set) => [...set])).size, 25);
  }
});

test('split refuses what does not fit', async () => {
  const ratings = { images: ['a', 'b', 'c'], splits: ['train', 'tests', 'test'] };
  const wrong = (options, pattern) => refuses(() => split(ratings, options), 'argument', pattern);
  await wrong({ train: 0 }, /train = 0, expected a number above 0/);
  await wrong({ train: NaN }, /train = NaN/);
  await wrong({ train: 0.9, validation: 0.2 }, /train \+ validation = 1\.1/);
  await wrong({ by: 'reference' }, /no column of references/);
  await wrong({ by: 'column' }, /"b" is for "tests", did you mean "test"/);
  await wrong({ by: 'column', seed: 1 }, /takes no train, validation or seed/);
  await wrong({ by: 'name' }, /by = "name"/);
  await wrong({ seed: -1 }, /seed = -1/);
  await wrong({ tain: 1 }, /did you mean "train"/);
  await refuses(() => split({ images: ['a', 'b'] }, { train: 0.5, validation: 0.2 }), 'argument', /2 pictures are too few for 3 parts/);
  await refuses(() => split({ images: ['a', 'b'], splits: ['test', 'test'] }, { by: 'column' }), 'argument', /no picture is for training/);
});

test('matchImages: nearer paths first; what has no picture and what no rating names is listed', async () => {
  const file = (webkitRelativePath, name = webkitRelativePath.split('/').at(-1)) => ({ name, webkitRelativePath });
  const files = ['x/a/1.jpg', 'x/b/1.jpg', 'x/2.JPG', 'x/e\u0301.png', 'x/left.jpg'];
  const ratings = { images: ['b\\1.jpg', 'gone.jpg', '2.jpg', './a/1.jpg', '\u00e9.png'] };
  for (const list of [files, files.map((path) => file(path)), files.map((name) => ({ name, source: 0 }))]) {
    const found = matchImages(ratings, list);
    assert.deepEqual(found.rows, Int32Array.of(0, 2, 3, 4));
    assert.deepEqual(found.files, [list[1], list[2], list[0], list[3]]);
    assert.deepEqual([found.missing, found.unrated], [['gone.jpg'], [list[4]]]);
  }
  assert.deepEqual(matchImages({ images: ['a/1.jpg', 'b/1.jpg'] }, ['a/1.jpg', 'c/1.jpg']).missing, ['b/1.jpg']);
  assert.deepEqual(matchImages({ images: ['a/1.jpg'] }, [file('', '1.jpg')]).missing, []);
  await refuses(() => matchImages({ images: ['1.jpg'] }, ['a/1.jpg', 'b/1.jpg']), 'argument', /2 files fit "1\.jpg": "a\/1\.jpg", "b\/1\.jpg"/);
  await refuses(() => matchImages({ images: ['a/1.jpg', 'b/1.jpg'] }, ['1.jpg']), 'argument', /the file "1\.jpg" fits both "a\/1\.jpg" and "b\/1\.jpg"/);
  await refuses(() => matchImages({ images: ['1.jpg'] }, [new Blob()]), 'argument', /expected paths, Files/);
});

test('the published tables', { skip: without('iqa/koniq-10k/koniq10k_distributions_sets.csv', 'iqa/clive/clive_scores.csv') }, async () => {
  const big = await readRatings(dataPath('iqa', 'koniq-10k', 'koniq10k_distributions_sets.csv')), parts = split(big, { by: 'column' });
  assert.deepEqual([big.known, big.images.length, big.scores[0]], ['koniq-10k', 10073, 77.3836206897]);
  assert.deepEqual([parts.train.length, parts.validation.length, parts.test.length], [7058, 1000, 2015]);
  const live = await readRatings(dataPath('iqa', 'clive', 'clive_scores.csv'));
  assert.deepEqual([live.known, live.omitted], ['clive', [1, 2, 3, 4, 5, 6, 7].map((i) => `t${i}.jpg`)]);
  assert.deepEqual([live.images.length, live.std?.length, live.columns.image], [930, 930, 'file']);
});
