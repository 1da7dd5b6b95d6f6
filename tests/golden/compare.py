"""Writes tests/golden/compare.json: PSNR, SSIM and MS-SSIM in float64 as their papers define them, window by window over the two-dimensional
kernel; the pictures are noise from a formula and a blend of it with a ramp.
Run: python3 tests/golden/compare.py > tests/golden/compare.json   (Debian: python3-numpy)"""

import json

import numpy
from numpy.lib.stride_tricks import sliding_window_view

from hashed import noise

t = numpy.arange(11) - 5
window = numpy.exp(-(t[:, None] ** 2 + t[None, :] ** 2) / (2 * 1.5**2))
window /= window.sum()


def mean(x):
    return (sliding_window_view(x, (11, 11)) * window).sum((2, 3))


def similarity(x, y, peak):
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    cs = (2 * cov + c2) / (vx + vy + c2)
    return ((2 * mx * my + c1) / (mx**2 + my**2 + c1) * cs).mean(), cs.mean()


def halved(x):
    x = numpy.pad(x, ((0, x.shape[0] % 2), (0, x.shape[1] % 2)), "edge")
    return (x[0::2, 0::2] + x[1::2, 0::2] + x[0::2, 1::2] + x[1::2, 1::2]) / 4


def ms_ssim(x, y, peak):
    product = 1
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        ssim, cs = similarity(x, y, peak)
        product *= max(ssim if scale == 4 else cs, 0) ** weight
        x, y = halved(x), halved(y)
    return product


def luma(x):
    return 0.299 * x[:, :, 0] + 0.587 * x[:, :, 1] + 0.114 * x[:, :, 2]


def pictures(h, w, c):
    x = noise(h * w * c).reshape(h, w, c)
    i, j, k = numpy.mgrid[0:h, 0:w, 0:c]
    return ((i * 2 + j * 3 + 40 * k) % 256 + x.astype(int)) // 2, ((i * 2 + j * 3 + 40 * k) % 256 * 3 + x.astype(int)) // 4


cases = []
for shape in [(11, 11, 1), (23, 40, 3), (177, 190, 3)]:
    x, y = (p.astype(float) for p in pictures(*shape))
    each = [(x[:, :, k], y[:, :, k]) for k in range(shape[2])]
    grey = (luma(x), luma(y)) if shape[2] == 3 else each[0]
    case = {"shape": shape, "psnr": {"channels": 10 * numpy.log10(255**2 / ((x - y) ** 2).mean()), "luma": 10 * numpy.log10(255**2 / ((grey[0] - grey[1]) ** 2).mean())},
            "ssim": {"channels": numpy.mean([similarity(*e, 255)[0] for e in each]), "luma": similarity(*grey, 255)[0]}}
    if min(shape[:2]) >= 176:
        case["msSsim"] = {"channels": numpy.mean([ms_ssim(*e, 255) for e in each]), "luma": ms_ssim(*grey, 255)}
    cases.append(case)
print(json.dumps(cases, indent=1))
