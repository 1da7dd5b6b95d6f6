// ms of a training step of a batch in ConvNetJS (plain JavaScript, sample by sample): 32 of them are timed.
import convnetjs from 'convnetjs';
import { numbers, time } from '../kit.mjs';
import { convNets } from '../networks.mjs';

function build({ shape: [h, w, c], classes, draw }) {
  const specs = [{ type: 'input', out_sx: w, out_sy: h, out_depth: c }], activation = (relu) => (relu ? { activation: 'relu' } : {});
  const drawer = {
    conv: (x, { filters, size, stride = 1, pad = 0, relu }) => specs.push({ type: 'conv', sx: size, filters, stride, pad, ...activation(relu) }),
    maxPool: (x, { size, stride }) => specs.push({ type: 'pool', sx: size, stride }),
    flatten: () => {},
    dropout: (x, rate) => { specs.at(-1).drop_prob = rate; },
    dense: (x, { units, relu }) => specs.push(relu ? { type: 'fc', num_neurons: units, activation: 'relu' } : { type: 'softmax', num_classes: units }),
  };
  draw(drawer);
  for (const spec of specs) if (spec.type === 'pool') delete spec.drop_prob; // it has dropout after dense layers only
  const net = new convnetjs.Net();
  net.makeLayers(specs);
  return net;
}

export async function run(given) {
  const spec = convNets[given.net], { shape: [h, w, c], classes, batch } = spec;
  const trainer = new convnetjs.Trainer(build(spec), { method: 'adadelta', batch_size: batch });
  const part = 32, samples = Array.from({ length: part }, () => {
    const sample = new convnetjs.Vol(w, h, c, 0);
    numbers(h * w * c).forEach((v, i) => { sample.w[i] = v; });
    return sample;
  });
  const ms = await time(given, () => samples.forEach((sample, i) => trainer.train(sample, i % classes)));
  return { ms: ms.map((one) => one * batch / part) };
}
