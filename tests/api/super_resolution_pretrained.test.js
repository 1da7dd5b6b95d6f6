// The networks that ship: small, with their data named, and far better than the bicubic filter on what they never saw.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { resize } from '../../bindings/images/index.js';
import { SuperResolver } from '../../bindings/super_resolution/index.js';
import { tree } from '../../tools/common.mjs';
import { fresh, refuses } from './modelkit.js';

const folder = join(tree, 'bindings', 'super_resolution');
before(() => fresh());

/** Letters and discs as a program draws them, smoothed by shrinking. */
async function drawing() {
  const side = 512, data = Uint8Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [Math.floor(i / side), i % side], ring = Math.hypot(y - 200, x - 180) % 64 < 28, bar = (x + 2 * y) % 90 < 34 && y > 300;
    return ring !== bar ? 40 + (x >> 2) : 220 - (y >> 3);
  });
  return resize({ data, shape: [side, side, 1] }, { scale: 0.5, method: 'bicubic' });
}

for (const [options, parameters, gain] of /** @type {[any, number, number][]} */ ([[{}, 47_716, 2.5], [{ scale: 2, network: 'matnet' }, 4_225, 0.8], [{ network: 'matnet', mode: 'residual' }, 2_125, 0.8]])) {
  test(`pretrained(${JSON.stringify(options)}) beats the bicubic filter on a drawing, and names its data`, async () => {
    const resolver = await SuperResolver.pretrained(options), { psnr, ssim, bicubic } = await resolver.evaluate([await drawing()]);
    assert.ok(psnr > bicubic.psnr + gain && ssim > bicubic.ssim, `${psnr} against ${bicubic.psnr}`);
    assert.equal(resolver.model?.parameters, parameters);
    assert.deepEqual([resolver.scale, resolver.network], [2, options.network ?? 'conv']);
    const { data, script, heldOut } = resolver.training.about;
    assert.match(data, /@stdlib\/datasets-img-acanthus-mollis, .* public domain/);
    assert.match(readdirSync(join(tree, 'examples')).join(), new RegExp(script.replace('examples/', '')));
    assert.ok(heldOut.psnr > heldOut.bicubic + 1);
    resolver.dispose();
  });
}

test('none takes 200 KiB, all of them together less than 256', () => {
  const sizes = readdirSync(folder).filter(name => name.endsWith('.safetensors')).map(name => statSync(join(folder, name)).size);
  assert.equal(sizes.length, 3);
  assert.ok(Math.max(...sizes) < 200 * 1024 && sizes.reduce((a, b) => a + b) < 256 * 1024, `${sizes} bytes`);
});

test('what does not ship is refused', async () => {
  await refuses(() => SuperResolver.pretrained({ scale: 3 }), 'unsupported', /no network \(scale 3\) comes with heddle, only: scale 2, conv; scale 2, matnet, denoise; scale 2, matnet, residual/);
  await refuses(() => SuperResolver.pretrained({ network: 'matnet', mode: 'literal' }), 'unsupported', /no network \(scale 2, matnet, literal\)/);
});
