/** The optional packages that know ONNX's file format. */
import { HeddleError } from '../errors.js';

/** @typedef {{ schema: typeof import('onnx-buf'), protobuf: typeof import('@bufbuild/protobuf') }} Packages */

/** @returns {Promise<Packages>} */
export async function packages() {
  try {
    const [schema, protobuf] = await Promise.all([import('onnx-buf'), import('@bufbuild/protobuf')]);
    return { schema, protobuf };
  } catch (cause) {
    throw new HeddleError('unsupported', 'ONNX needs two packages: npm install onnx-buf @bufbuild/protobuf', { cause });
  }
}
