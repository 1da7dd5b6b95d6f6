"""Writes tests/golden/resize.json. `pil`: pictures resized by PIL, bilinear, 8 bits and float (mode F). `imresize`: what MATLAB's imresize with
'bicubic' gives, from its description in float64, index by index: not a library's.
Run: python3 tests/golden/resize.py > tests/golden/resize.json   (Debian: python3-pil, python3-numpy)"""

import base64
import hashlib
import json
import math

import numpy
import PIL
from PIL import Image

from hashed import noise


def encoded(a):
    return base64.b64encode(numpy.ascontiguousarray(a).tobytes()).decode()


def pil():
    cases = []
    for (h, w, c), (to_h, to_w) in [((13, 17, 3), (19, 21)), ((13, 17, 3), (5, 7)), ((13, 17, 3), (13, 8)), ((13, 17, 3), (20, 17)), ((1, 1, 3), (4, 3)),
                                    ((1, 9, 3), (3, 2)), ((64, 48, 1), (3, 5)), ((9, 8, 1), (10, 21)), ((7, 11, 4), (5, 23)), ((97, 101, 3), (1, 1))]:
        x = noise(h * w * c).reshape(h, w, c)
        if c == 4:  # PIL multiplies colours by alpha first: we do not, so the channels go one by one
            y = numpy.stack([numpy.asarray(Image.fromarray(x[:, :, k]).resize((to_w, to_h), Image.BILINEAR)) for k in range(4)], 2)
        else:
            y = numpy.asarray(Image.fromarray(x[:, :, 0] if c == 1 else x).resize((to_w, to_h), Image.BILINEAR))
        cases.append({"from": [h, w, c], "to": [to_h, to_w, c], "bytes": encoded(y)})
    large = []
    for (h, w), (to_h, to_w) in [((500, 500), (498, 664)), ((498, 664), (224, 224)), ((300, 401), (97, 1000))]:
        y = numpy.asarray(Image.fromarray(noise(h * w * 3).reshape(h, w, 3)).resize((to_w, to_h), Image.BILINEAR))
        large.append({"from": [h, w, 3], "to": [to_h, to_w, 3], "sha256": hashlib.sha256(y.tobytes()).hexdigest()})
    floats = []
    for (h, w), (to_h, to_w) in [((13, 17), (19, 21)), ((13, 17), (5, 7)), ((1, 9), (3, 2))]:
        x = (noise(h * w).reshape(h, w) / 255).astype(numpy.float32)
        y = numpy.asarray(Image.fromarray(x).resize((to_w, to_h), Image.BILINEAR))
        floats.append({"from": [h, w, 1], "to": [to_h, to_w, 1], "floats": encoded(y)})
    return {"version": PIL.__version__, "cases": cases, "large": large, "floats": floats}


def kernel(t):
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t <= 2 else 0.0


def imresize_side(x, scale, rounded):
    """Along axis 0, with numbers counted from 1 as MATLAB counts."""
    n = x.shape[0]
    m = math.ceil(scale * n)
    shrink = min(scale, 1)
    width = 4 / shrink
    y = numpy.zeros((m,) + x.shape[1:])
    for i in range(1, m + 1):
        u = i / scale + 0.5 * (1 - 1 / scale)
        left = math.floor(u - width / 2)
        inputs = range(left, left + math.ceil(width) + 2)
        weights = [shrink * kernel(shrink * (u - k)) for k in inputs]
        for k, weight in zip(inputs, weights):
            at = (k - 1) % (2 * n)
            y[i - 1] += weight / sum(weights) * x[at if at < n else 2 * n - 1 - at]
    return numpy.clip(numpy.floor(y + 0.5), 0, 255) if rounded else y


def imresize(x, scale, rounded):
    """Both sides have the same scale: rows first. Bytes are rounded after each side, since each call works on bytes."""
    return imresize_side(imresize_side(x.astype(float), scale, rounded).swapaxes(0, 1), scale, rounded).swapaxes(0, 1)


def bicubic():
    h, w = 7, 9
    i, j = numpy.mgrid[0:h, 0:w]
    pictures = {"ramp": 10 * i + 7 * j, "constant": 0 * i + 77, "delta": 255 * ((i == 3) & (j == 4)), "noise": noise(h * w).reshape(h, w)}
    cases = []
    for name, x in pictures.items():
        for scale in (2, 1 / 2, 3, 1 / 3, 0.37, 1.7):
            y = imresize(x, scale, False)
            cases.append({"name": name, "scale": scale, "from": [h, w, 1], "to": list(y.shape) + [1],
                          "bytes": encoded(imresize(x, scale, True).astype(numpy.uint8)), "floats": encoded(y.astype(numpy.float32))})
    return cases


print(json.dumps({"pil": pil(), "imresize": bicubic()}).replace("}, ", "},\n"))
