/** What Emscripten's glue exports; bindings/heap.js says what is in the module. */
declare const make: (options?: object) => Promise<any>;
export default make;
