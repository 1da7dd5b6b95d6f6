/** Where a package's own files are fetched from: this folder's node_modules, in a page from the server's root. @param {string} path */
export const folderOf = (path) => (globalThis.document ? `/tools/bench/node_modules/${path}/` : decodeURIComponent(new URL(`../node_modules/${path}/`, import.meta.url).pathname));
