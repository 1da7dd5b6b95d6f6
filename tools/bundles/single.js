/** The package as one file: the engine without threads and the worker's script are in it, nothing is fetched. */
import wasmBinary from '../../bindings/engines/heddle-st.wasm';
import worker from 'worker-text';
import { isNode } from '../../bindings/platform.js';
import { setStandard } from '../../bindings/session.js';

export * from '../../bindings/everything.js';

setStandard({
  engine: 'heddle-st', wasmBinary,
  ...!isNode() && { workerUrl: URL.createObjectURL(new Blob([worker], { type: 'text/javascript' })) },
});
