// Reads a CSV file apart from the page, which stays quick meanwhile. A worker has no import map, hence the path.
import { readCsv } from '../../bindings/files/csv.js';

addEventListener('message', async ({ data: file }) => {
  try {
    const table = await readCsv(await file.arrayBuffer());
    postMessage({ table }, table.columns.filter((column) => ArrayBuffer.isView(column)).map(({ buffer }) => buffer));
  } catch (error) {
    postMessage({ failure: { code: error.code ?? 'storage', message: error.message } });
  }
});
