"""Writes tests/golden/preprocess.json: files that PIL wrote, decoded, resized to 498 x 664 and normalised as the published code of LinearityIQA does with
PIL and torchvision: bilinear with antialiasing on bytes, / 255, minus mean, / deviation. `values`: every 997th of the 498 x 664 x 3 float32 numbers.
Run: python3 tests/golden/preprocess.py > tests/golden/preprocess.json   (Debian: python3-pil, python3-numpy)"""

import base64
import io
import json

import numpy
from PIL import Image

from hashed import noise

mean, deviation = numpy.float32([0.485, 0.456, 0.406]), numpy.float32([0.229, 0.224, 0.225])


def case(name, picture, first=None, **how):
    file = io.BytesIO()
    picture.save(file, **how)
    rgb = Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    if first:
        rgb = rgb.resize((first[1], first[0]), Image.BILINEAR)
    small = numpy.asarray(rgb.resize((664, 498), Image.BILINEAR))
    values = ((small.astype(numpy.float32) / numpy.float32(255) - mean) / deviation).ravel()[::997]
    return {"name": name, "first": first, "file": base64.b64encode(file.getvalue()).decode(), "values": base64.b64encode(values.tobytes()).decode()}


smooth = numpy.add.outer(numpy.arange(60), numpy.arange(45)) * 2
waves = numpy.stack([smooth % 256, 255 - smooth % 256, smooth * 3 % 256], 2).astype(numpy.uint8)
print(json.dumps({"cases": [
    case("png.png", Image.fromarray(noise(31 * 23 * 3).reshape(31, 23, 3)), format="PNG"),
    case("grey.png", Image.fromarray(noise(9 * 40).reshape(9, 40)), format="PNG"),
    case("palette.png", Image.fromarray(waves).quantize(16), format="PNG", first=[50, 50]),
    case("tall.png", Image.fromarray(numpy.tile(noise(1200 * 3).reshape(1200, 1, 3), (1, 2, 1))), format="PNG"),
]}))
