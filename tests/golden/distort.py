"""Writes tests/golden/distort.json: a picture of a formula as PIL's JPEG gives it back at the qualities of jpegBlocking, chroma not
subsampled; and the same blurred with a Gaussian in two dimensions, in float64.
Run: python3 tests/golden/distort.py > tests/golden/distort.json   (Debian: python3-pil, python3-numpy)"""

import base64
import io
import json

import numpy
from PIL import Image

from hashed import noise

H, W = 27, 37
i, j, k = numpy.mgrid[0:H, 0:W, 0:3]
x = 30 + noise(4000).astype(int)[(i // 7 * 40 + j // 7) * 4 + k] * 3 // 4 + (i + 2 * j) % 32


def encoded(a):
    return base64.b64encode(numpy.ascontiguousarray(a).astype(numpy.uint8).tobytes()).decode()


def jpeg(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture.astype(numpy.uint8)).save(file, "JPEG", quality=quality, subsampling=0)
    return encoded(numpy.asarray(Image.open(file)))


def blurred(x, deviation):
    radius = int(numpy.ceil(3 * deviation))
    t = numpy.arange(-radius, radius + 1)
    window = numpy.exp(-(t[:, None] ** 2 + t[None, :] ** 2) / (2 * deviation**2))
    padded = numpy.pad(x.astype(float), ((radius, radius), (radius, radius), (0, 0)), "symmetric")
    y = sum(window[a, b] * padded[a:a + H, b:b + W] for a in range(2 * radius + 1) for b in range(2 * radius + 1))
    return y / window.sum()


print(json.dumps({"shape": [H, W, 3], "colour": [jpeg(x, q) for q in (40, 22, 12, 7, 4)], "grey": [jpeg(x[:, :, 0], q) for q in (40, 22, 12, 7, 4)],
                  "blur": [encoded(numpy.floor(blurred(x, s) + 0.5)) for s in (0.7, 1.2, 2, 3.2, 5)]}).replace(", ", ",\n"))
