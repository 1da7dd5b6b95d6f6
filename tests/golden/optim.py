"""Writes tests/native/optim_golden.h: trajectories of the first-order optimisers, in float64, from the update rules of
Keras 3 (keras/src/optimizers), written down anew. Run: python3 tests/golden/optim.py > tests/native/optim_golden.h"""

from math import sqrt

N, STEPS = 7, 25


def gradient(w, t):
    """Of a quadratic bowl with a push that changes from step to step; the last element's gradient ends with step 10."""
    g = [(0.5 + i / 3) * (w[i] - (i - 3)) + 0.3 * ((7 * t + 3 * i) % 5 - 2) for i in range(N)]
    if t > 10:
        g[-1] = 0.0
    return g


def sgd(o):
    v = [0.0] * N

    def step(w, g, t):
        for i in range(N):
            if o["momentum"] == 0:
                w[i] -= o["learningRate"] * g[i]
                continue
            v[i] = v[i] * o["momentum"] - g[i] * o["learningRate"]
            w[i] += v[i] * o["momentum"] - g[i] * o["learningRate"] if o["nesterov"] else v[i]

    return step


def adam(o):
    m, v = [0.0] * N, [0.0] * N

    def step(w, g, t):
        alpha = o["learningRate"] * sqrt(1 - o["beta2"] ** t) / (1 - o["beta1"] ** t)
        for i in range(N):
            w[i] -= w[i] * o.get("weightDecay", 0.0) * o["learningRate"]
            m[i] += (g[i] - m[i]) * (1 - o["beta1"])
            v[i] += (g[i] * g[i] - v[i]) * (1 - o["beta2"])
            w[i] -= m[i] * alpha / (sqrt(v[i]) + o["epsilon"])

    return step


def rmsprop(o):
    v, m = [0.0] * N, [0.0] * N

    def step(w, g, t):
        for i in range(N):
            v[i] = o["rho"] * v[i] + (1 - o["rho"]) * g[i] ** 2
            increment = o["learningRate"] * g[i] / sqrt(v[i] + o["epsilon"])
            m[i] = o["momentum"] * m[i] + increment
            w[i] -= m[i]

    return step


def adadelta(o):
    a, d = [0.0] * N, [0.0] * N

    def step(w, g, t):
        for i in range(N):
            a[i] = o["rho"] * a[i] + (1 - o["rho"]) * g[i] ** 2
            delta = -sqrt(d[i] + o["epsilon"]) * g[i] / sqrt(a[i] + o["epsilon"])
            d[i] = o["rho"] * d[i] + (1 - o["rho"]) * delta**2
            w[i] += o["learningRate"] * delta

    return step


ADAM = dict(learningRate=0.05, beta1=0.9, beta2=0.999, epsilon=1e-7)
CASES = [
    ("sgd", sgd, dict(learningRate=0.1, momentum=0.0, nesterov=0)),
    ("sgd", sgd, dict(learningRate=0.1, momentum=0.9, nesterov=0)),
    ("sgd", sgd, dict(learningRate=0.1, momentum=0.9, nesterov=1)),
    ("adam", adam, ADAM),
    ("adam", adam, dict(learningRate=0.2, beta1=0.5, beta2=0.9, epsilon=1e-3)),
    ("adamw", adam, dict(ADAM, weightDecay=0.3)),
    ("rmsprop", rmsprop, dict(learningRate=0.05, rho=0.9, momentum=0.0, epsilon=1e-7)),
    ("rmsprop", rmsprop, dict(learningRate=0.05, rho=0.8, momentum=0.7, epsilon=1e-2)),
    ("adadelta", adadelta, dict(learningRate=1.0, rho=0.95, epsilon=1e-7)),
    ("adadelta", adadelta, dict(learningRate=30.0, rho=0.7, epsilon=1e-4)),
]

print("/* Written by tests/golden/optim.py; do not edit. */")
print(f"enum {{ GOLDEN_N = {N}, GOLDEN_STEPS = {STEPS} }};")
print("typedef struct golden {")
print("    const char *name;")
print("    int n_options;")
print("    double options[5], after[GOLDEN_N]; /* after GOLDEN_STEPS steps from 1, 1/2, 1/3, ... */")
print("} golden;")
print("static const golden goldens[] = {")
for name, make, options in CASES:
    w, step = [1 / (i + 1) for i in range(N)], make(options)
    for t in range(1, STEPS + 1):
        step(w, gradient(w, t), t)
    print(f'    {{ "{name}", {len(options)}, {{ {", ".join(map(repr, options.values()))} }},')
    print(f'      {{ {", ".join(f"{x:.15g}" for x in w[:4])},')
    print(f'        {", ".join(f"{x:.15g}" for x in w[4:])} }} }},')
print("};")
