import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzip, readCsv } from '../../bindings/files/index.js';
import { below, random, refuses } from './filekit.js';

const utf8 = (/** @type {string} */ text) => new TextEncoder().encode(text);
const plain = (/** @type {import('../../bindings/files/csv.js').CsvTable} */ { names, columns, rows }) =>
  ({ names, columns: columns.map(column => Array.from(column)), rows });

test('readCsv: numbers come as numbers, texts as they are, whatever the line ends and the separator', async () => {
  const want = { names: ['width', 'kind'], columns: [[1.5, -2e-3, 0.25], ['round', 'flat', '']], rows: 3 };
  for (const end of ['\n', '\r\n', '\r']) {
    for (const separator of [',', ';', '\t', '|']) {
      const text = [['width', 'kind'], ['1.5', 'round'], ['-2e-3', 'flat'], [' .25 ', '']].map(row => row.join(separator)).join(end);
      for (const tail of ['', end, end + end]) {
        assert.deepEqual(plain(await readCsv(text + tail)), want);
        assert.deepEqual(plain(await readCsv(utf8(`\ufeff${text}${tail}`))), want);
        assert.deepEqual(plain(await readCsv(await gzip(utf8(text + tail)))), want);
      }
    }
  }
});

test('readCsv: quoted fields hold separators, quotes and line ends', async () => {
  const { names, columns, rows } = await readCsv('"a ""b""","c,d",e\r\n"1","x\r\ny","""z"""\n2,5" wide,\n"3","",""\n');
  assert.deepEqual(names, ['a "b"', 'c,d', 'e']);
  assert.deepEqual(columns, [Float64Array.of(1, 2, 3), ['x\r\ny', '5" wide', ''], ['"z"', '', '']]);
  assert.equal(rows, 3);
  assert.deepEqual(plain(await readCsv('"a,b";"c"\n1,5;2\n')), { names: ['a,b', 'c'], columns: [['1,5'], [2]], rows: 1 });
});

test('readCsv: a header is seen, told or made; only decimal numbers are numbers', async () => {
  assert.deepEqual(plain(await readCsv('1,2\n3,4\n')), { names: ['column 1', 'column 2'], columns: [[1, 3], [2, 4]], rows: 2 });
  assert.deepEqual(plain(await readCsv('1,2\n3,4\n', { header: true })), { names: ['1', '2'], columns: [[3], [4]], rows: 1 });
  assert.deepEqual(plain(await readCsv('a,\n3,4\n', { header: true })).names, ['a', 'column 2']);
  assert.deepEqual(plain(await readCsv('a,b\n3,4\n', { header: false })).columns, [['a', '3'], ['b', '4']]);
  const { columns } = await readCsv('a,b,c,d,e\n0x1f,Infinity,1 2,,1e3\n1,NaN,3,,\n');
  assert.deepEqual(columns.slice(0, 4), [['0x1f', '1'], ['Infinity', 'NaN'], ['1 2', '3'], ['', '']]);
  assert.deepEqual(columns[4], Float64Array.of(1000, NaN));
  assert.deepEqual(plain(await readCsv('a:b\n1:2', { separator: ':' })), { names: ['a', 'b'], columns: [[1], [2]], rows: 1 });
});

test('readCsv names what is wrong, and the line', async () => {
  await refuses(() => readCsv(''), 'file', /the file is empty/);
  await refuses(() => readCsv('\n\r\n'), 'file', /the file is empty/);
  await refuses(() => readCsv('a,b\n'), 'file', /a header, but no row/);
  await refuses(() => readCsv('a,b\n1,2\n3\n'), 'file', /line 3 has 1 field, expected 2 as in the first line; .* by ","/);
  await refuses(() => readCsv('a,b\n"1\n2",2\n\n3,4,5\n'), 'file', /line 5 has 3 fields, expected 2/);
  await refuses(() => readCsv('a,b\n1,2\n3,"4\n5,6\n'), 'file', /line 3: the quote of field 2 is never closed/);
  await refuses(() => readCsv('a,b\n"x\ny","z'), 'file', /line 3: the quote of field 2 is never closed/);
  await refuses(() => readCsv('a,b\n"1"2,3\n'), 'file', /line 2: after the closing quote of field 1 comes "2", expected ","/);
  await refuses(() => readCsv(Uint8Array.of(0xff, 0xfe, 97, 0)), 'file', /UTF-16/);
  await refuses(() => readCsv(Uint8Array.of(80, 75, 3, 4, 0)), 'file', /no text: there are zero bytes/);
  await refuses(() => readCsv(Uint8Array.of(97, 0xff, 98)), 'file', /not valid UTF-8/);
  await refuses(async () => readCsv((await gzip(utf8('a,b\n1,2\n'.repeat(99)))).subarray(0, 30)), 'file', /gzip: .*damaged|cut short/);
  await refuses(() => readCsv('a', { separator: '"' }), 'argument', /separator = "\\"", expected one character/);
  await refuses(() => readCsv('a', { separator: ', ' }), 'argument', /separator = ", "/);
  // @ts-expect-error misspelt
  await refuses(() => readCsv('a', { seperator: ',' }), 'argument', /did you mean "separator"/);
  // @ts-expect-error no boolean
  await refuses(() => readCsv('a', { header: 1 }), 'argument', /header: expected true or false, got number/);
  // @ts-expect-error not bytes
  await refuses(() => readCsv(5), 'argument', /readCsv: expected a Uint8Array or an ArrayBuffer, got number/);
});

test('readCsv gives back any texts; a file cut anywhere gives a HeddleError or fewer rows', async () => {
  const int = below(random(3)), letters = ['a', 'b', '"', ',', '\n', '\r\n', ' ', '1', 'é'];
  for (let round = 0; round < 200; round++) {
    const width = 1 + int(4), rows = 1 + int(5);
    const table = Array.from({ length: rows }, () => Array.from({ length: width }, () => `x${Array.from({ length: int(6) }, () => letters[int(9)]).join('')}`));
    const names = Array.from({ length: width }, (_, i) => `n${i}`);
    const text = `${[names, ...table].map(row => row.map(field => `"${field.replaceAll('"', '""')}"`).join(',')).join('\n')}\n`;
    const want = names.map((_, i) => table.map(row => row[i]));
    assert.deepEqual(await readCsv(text), { names, columns: want, rows });
    try {
      const found = await readCsv(text.slice(0, int(text.length)));
      assert.ok(found.rows <= rows && found.columns.length <= width);
    } catch (error) {
      await refuses(() => { throw error; }, 'file', /^csv: /);
    }
  }
});
