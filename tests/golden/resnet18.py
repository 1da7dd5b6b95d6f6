"""Writes tests/golden/resnet18.json: logits of torchvision's ResNet-18 with weights and an image from a formula that both
sides compute (hashed below), and one training step of a batch normalisation.
Run: python3 tests/golden/resnet18.py > tests/golden/resnet18.json   (Debian: python3-torch, python3-torchvision)"""

import json
import math

import numpy
import torch
import torchvision


def hashed(n, seed):
    """Numbers in [-1, 1) with 24 bits: a 32-bit finaliser (lowbias32, C. Wellons) of the element's number."""
    x = (numpy.arange(n, dtype=numpy.uint64) + numpy.uint64(seed * 0x9E3779B1)) & numpy.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        x = ((x ^ (x >> numpy.uint64(shift))) * numpy.uint64(factor)) & numpy.uint64(0xFFFFFFFF)
    return ((x >> numpy.uint64(8)).astype(numpy.float64) / 2**23 - 1).astype(numpy.float32)


def value(name, shape, seed):
    """Weights that keep activations of a size: He's variance for convolutions, near 1 for gamma and variance."""
    u = torch.from_numpy(hashed(math.prod(shape), seed)).reshape(shape)
    if len(shape) > 1:
        return u * numpy.float32(math.sqrt((6 if len(shape) == 4 else 0.02) / math.prod(shape[1:])))
    if name.endswith("running_var") or (name.endswith("weight")):
        return 1 + u * numpy.float32(0.25)
    return u * numpy.float32(0.25)


def resnet18(height, width):
    net = torchvision.models.resnet18(weights=None)
    state = {}
    for seed, (name, old) in enumerate((n, t) for n, t in net.state_dict().items() if not n.endswith("num_batches_tracked")):
        state[name] = value(name, list(old.shape), seed + 1)
    net.load_state_dict(state, strict=False)
    net.eval()
    image = torch.from_numpy(hashed(3 * height * width, 0)).reshape(1, height, width, 3).permute(0, 3, 1, 2)
    with torch.no_grad():
        logits = net(image)[0]
    return {"height": height, "width": width, "tensors": {name: list(t.shape) for name, t in state.items()},
            "logits": [float(f"{v:.7g}") for v in logits[:100].tolist()], "norm": float(logits.norm())}


def batch_norm():
    """Training mode: output, gradients of sum(output * direction), running statistics after the step."""
    n, h, w, channels = 3, 2, 2, 3
    norm = torch.nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)
    with torch.no_grad():
        for seed, tensor in enumerate((norm.weight, norm.bias, norm.running_mean, norm.running_var)):
            tensor.copy_(torch.from_numpy(hashed(channels, 100 + seed)) * 0.5 + 1)
    images = [torch.from_numpy(hashed(n * h * w * channels, seed)).reshape(n, h, w, channels).permute(0, 3, 1, 2) for seed in (110, 111)]
    x = images[0].clone().requires_grad_()
    y = norm(x)
    (y * images[1]).sum().backward()
    rounded = lambda t: [float(f"{v:.8g}") for v in (t.permute(0, 2, 3, 1) if t.dim() == 4 else t).reshape(-1).tolist()]
    return {"shape": [n, h, w, channels], "epsilon": 1e-3, "momentum": 0.1, "y": rounded(y), "dx": rounded(x.grad),
            "dGamma": rounded(norm.weight.grad), "dBeta": rounded(norm.bias.grad),
            "mean": rounded(norm.running_mean), "variance": rounded(norm.running_var)}


print(json.dumps({"torch": torch.__version__, "resnet18": resnet18(96, 64), "batchNorm": batch_norm()}))
