/** What import.meta.url is to the modules in a script that is none: as if it lay in the folder of worker.js, which is the one above its own. */
export const scriptUrl = new URL('../heddle.js', document.currentScript?.src ?? location.href).href;
