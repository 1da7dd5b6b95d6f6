/** Counts the elements of arrays that are made: to be imported before what is to be counted. Views and copies of what is there do not count. */
let made = 0;

const kinds = ['Int8Array', 'Uint8Array', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array', 'Float32Array', 'Float64Array',
  'ArrayBuffer', 'Array'];
for (const kind of kinds) {
  const plain = globalThis[kind];
  const count = (/** @type {unknown[]} */ args) => { if (args.length === 1 && Number.isFinite(args[0])) made += /** @type {number} */ (args[0]); };
  globalThis[kind] = new Proxy(plain, {
    construct(target, args, self) {
      count(args);
      return Reflect.construct(target, args, self === globalThis[kind] ? target : self);
    },
    apply(target, self, args) {
      count(args);
      return Reflect.apply(target, self, args);
    },
  });
}

/** Elements made while `work` runs. @param {() => unknown} work */
export async function counted(work) {
  const before = made;
  await work();
  return made - before;
}
