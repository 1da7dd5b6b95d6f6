// Files and folders that a user drops or chooses.

/** @typedef {{ path: string, file: File }} Found a file and its place below what was chosen, with slashes */

/** @param {Found} found */
export const isPicture = ({ path }) => /\.(png|jpe?g|webp|gif|avif|bmp)$/i.test(path);

/** @param {FileSystemEntry} entry @returns {Promise<Found[]>} */
async function filesBelow(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    return [{ path: entry.fullPath.replace(/^\//, ''), file }];
  }
  const reader = entry.createReader(), all = [];
  for (;;) { // gives at most some hundred at a time
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (some.length === 0) break;
    all.push(...some);
  }
  return (await Promise.all(all.map(filesBelow))).flat();
}

/** What was dropped, with the files in folders. To be called while the event is handled. @param {DataTransfer} data @returns {Promise<Found[]>} */
export async function droppedFiles(data) {
  const things = Array.from(data.items, (item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  return (await Promise.all(things.map((thing) => (thing instanceof File ? [{ path: thing.name, file: thing }] : filesBelow(thing))))).flat();
}

/** Calls `work` with the files that the user chooses; the same ones may be chosen again.
 * @param {string} id of an input of files @param {(files: Found[]) => void} work */
export const onChosen = (id, work) => document.getElementById(id).addEventListener('change', ({ target }) => {
  const files = Array.from(target.files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
  target.value = '';
  work(files);
});
