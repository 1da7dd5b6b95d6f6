"""The same works in NumPy (with whatever BLAS it has) or PyTorch: works.py WORK LIBRARY THREADS ROUNDS SECONDS prints {"ms": [...]}.

Networks and sizes as in ../networks.mjs; one call to warm up, then at least one round, at most ROUNDS, none begun after SECONDS.
"""
import json
import os
import sys
import time

os.environ.update({name: sys.argv[3] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})  # before NumPy is loaded
import numpy as np  # noqa: E402

BATCH, CLASSES = 128, 10
random = np.random.default_rng(1)


def measure(fn, rounds, seconds):
    fn()
    ms, begin = [], time.perf_counter()
    while len(ms) < rounds and (not ms or time.perf_counter() - begin < seconds):
        start = time.perf_counter()
        fn()
        ms.append(1e3 * (time.perf_counter() - start))
    return ms


def definite(n):
    a = random.uniform(-1, 1, (n, n))
    return np.tril(a) + np.tril(a, -1).T + n * np.eye(n)


def square_product(name):
    """float32, op(A) op(B): "512 NT" """
    n, transposed = name.split()
    a, b = (random.uniform(-1, 1, (int(n), int(n))).astype(np.float32) for _ in range(2))
    return [x.T if one == "T" else x for x, one in zip((a, b), transposed)]


def ridge(x, y, solve):
    n = x.shape[1]
    return lambda: solve((x.T @ x) + np.eye(n, dtype=np.float32), x.T @ y)


def numpy_works():
    def solved():
        a, b = definite(1024), random.uniform(-1, 1, (1024, 10))
        try:
            from scipy.linalg import cho_factor, cho_solve
            return lambda: cho_solve(cho_factor(a), b)
        except ImportError:
            return lambda: np.linalg.solve(a, b)  # by LU

    def product():
        a, b = (random.uniform(-1, 1, (1024, 1024)) for _ in range(2))
        return lambda: a @ b

    def rows():
        x = random.uniform(-1, 1, (10_000, 2000)).astype(np.float32)
        return x, random.uniform(-1, 1, (10_000, 10)).astype(np.float32)

    def syrk():
        x, _ = rows()
        return lambda: x.T @ x

    def on(n, make, fn):
        a = make(n)
        return lambda: fn(a)

    plain = lambda n: random.uniform(-1, 1, (n, n))  # noqa: E731
    return {
        "gemm": product, "solve": solved, "syrk": syrk,
        "ridge": lambda: ridge(*rows(), np.linalg.solve),
        "cholesky": lambda: on(2000, definite, np.linalg.cholesky),
        "qr": lambda: on(1000, plain, np.linalg.qr),
        "eigh": lambda: on(1000, definite, np.linalg.eigh),
        "svd": lambda: on(1000, plain, np.linalg.svd),
    }


def torch_networks():
    import torch
    from torch import nn

    class Bilinear(nn.Module):
        """U X V^T + B"""

        def __init__(self, i, j, p, q):
            super().__init__()
            self.u, self.v = nn.Parameter(torch.randn(p, i) / i**0.5), nn.Parameter(torch.randn(q, j) / j**0.5)
            self.b = nn.Parameter(torch.zeros(p, q))

        def forward(self, x):
            return self.u @ x @ self.v.T + self.b

    class Block(nn.Module):
        """of ResNet-18, batch normalisation folded into the convolutions"""

        def __init__(self, c, k, stride):
            super().__init__()
            self.inner, self.outer = nn.Conv2d(c, k, 3, stride, 1), nn.Conv2d(k, k, 3, 1, 1)
            self.skip = nn.Conv2d(c, k, 1, stride) if stride == 2 else nn.Identity()

        def forward(self, x):
            return torch.relu(self.outer(torch.relu(self.inner(x))) + self.skip(x))

    def conv(c, k, size=3):
        return [nn.Conv2d(c, k, size, 1, size // 2), nn.ReLU()]

    def cifar():
        pool = [nn.MaxPool2d(3, 3), nn.Dropout(0.25)]
        return nn.Sequential(*conv(3, 32), *conv(32, 32), *pool, *conv(32, 64), *conv(64, 32), *pool, nn.Flatten(),
                             nn.Linear(288, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, CLASSES))

    def resnet18():
        blocks, c = [], 64
        for k in (64, 128, 256, 512):
            blocks += [Block(c, k, 2 if k > 64 else 1), Block(k, k, 1)]
            c = k
        return nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                             nn.Linear(512, 1000))

    return {
        "matnet": ((28, 28), lambda: nn.Sequential(Bilinear(28, 28, 20, 20), nn.Sigmoid(), Bilinear(20, 20, 16, 16), nn.Sigmoid(), nn.Flatten(),
                                                   nn.Linear(256, CLASSES))),
        "mlp": ((784,), lambda: nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, CLASSES))),
        "cifar": ((3, 32, 32), cifar),
        "mnist": ((1, 28, 28), lambda: nn.Sequential(*conv(1, 8, 5), nn.MaxPool2d(2, 2), *conv(8, 16, 5), nn.MaxPool2d(3, 3), nn.Flatten(),
                                                     nn.Linear(256, CLASSES))),
        "resnet18": ((3, 224, 224), resnet18),
    }


def torch_network(work):
    import torch
    name, kind = work.split()
    shape, make = torch_networks()[name]
    net, x = make(), torch.rand((1 if name == "resnet18" else BATCH, *shape))
    if len(shape) == 3:  # its fastest way
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    if kind == "forward":
        net.eval()

        def forward():
            with torch.no_grad():
                net(x)
        return forward
    y, adam, loss = torch.arange(BATCH) % CLASSES, torch.optim.Adam(net.parameters(), 1e-3), torch.nn.CrossEntropyLoss()
    repeat = 10 if name in ("matnet", "mlp") else 1

    def step():
        for _ in range(repeat):
            adam.zero_grad()
            loss(net(x), y).backward()
            adam.step()
    step.repeat = repeat
    return step


def main():
    work, library, threads, rounds, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    if library == "torch":
        import torch
        torch.set_num_threads(threads)
    if work.split()[0].isdigit():
        a, b = square_product(work)
        if library == "torch":
            a, b = torch.from_numpy(a), torch.from_numpy(b)
        fn = lambda: a @ b  # noqa: E731
    elif library == "torch" and work == "ridge":
        x, y = torch.rand(10_000, 2000), torch.rand(10_000, 10)
        fn = lambda: torch.linalg.solve(x.T @ x + torch.eye(2000), x.T @ y)  # noqa: E731
    elif library == "torch":
        fn = torch_network(work)
    else:
        fn = numpy_works()[work]()
    repeat = getattr(fn, "repeat", 1)
    print(json.dumps({"ms": [ms / repeat for ms in measure(fn, rounds, seconds)]}))


main()
