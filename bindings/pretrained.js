/** Trained networks that come with the package. Their places are here, since a bundle for pages takes this folder for its own; each address is spelled out,
 * so that bundlers find the file. */

/** Super-resolution: the best of a scale first; examples/train-upscaler.js makes them.
 * @type {readonly { scale: number, network: string, mode?: string, url: () => URL }[]} */
export const upscalers = [
  { scale: 2, network: 'conv', url: () => new URL('./super_resolution/pretrained-x2.safetensors', import.meta.url) },
  { scale: 2, network: 'matnet', mode: 'denoise', url: () => new URL('./super_resolution/pretrained-x2-denoise.safetensors', import.meta.url) },
  { scale: 2, network: 'matnet', mode: 'residual', url: () => new URL('./super_resolution/pretrained-x2-residual.safetensors', import.meta.url) },
];
