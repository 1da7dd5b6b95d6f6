// ms of a float32 product in the kernel alone, without the way from JavaScript and back: native/kern.c compiled to WebAssembly.

/** @param {any} given program: kern-relaxed or kern-baseline; name: "512 NT" */
export async function run({ program, threads, name, rounds }) {
  const { default: start } = await import(`../../../build/bench/${program}.mjs`), lines = [];
  await new Promise((resolve, reject) => {
    start({ arguments: [threads, 'square', name, rounds].map(String), print: (line) => lines.push(line), printErr: (line) => reject(new Error(line)), onExit: resolve }).catch(reject);
  });
  return JSON.parse(lines.at(-1));
}
