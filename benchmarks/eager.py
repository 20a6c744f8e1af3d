"""What does eager mode cost, against PyTorch and HIPS autograd?  Small operations, a recurrence, a long chain.

    python benchmarks/eager.py --peer PATH/TO/PYTHON-WITH-TORCH-AND-AUTOGRAD [--rounds 7] [--json]

Forward and backward, float32, one thread each: `c = a*b + a` on (4, 4), and a tanh RNN of 512 steps, width 64, batch 1,
written as the same Python loop.  Fresh processes in turn; medians of each process's best.  The chain has no peer: its
backward pass should take the same time per operation at any length.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

TIMED = """
import time
def best(f, repeats, inner):
    found = 1e9
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(inner):
            f()
        found = min(found, (time.perf_counter() - start) / inner)
    return found
"""

SMALL = """
def small():
    a.grad = b.grad = None
    (a * b + a).backward(one)
print(best(small, 7, 1000))
"""

RECURRENT = """
def recurrent():
    W.grad = U.grad = bias.grad = None
    h = zero
    for t in range(512):
        h = tanh(x[:, t] @ W + h @ U + bias)
    h.sum().backward()
print(best(recurrent, 7, 1))
"""

CHAIN = """
def chain(n):
    y = a
    for _ in range(n):
        y = y + b
    start = time.perf_counter()
    y.backward(one)
    return (time.perf_counter() - start) / n
for n in (1_000, 10_000, 100_000):
    print(n, min(chain(n) for _ in range(5)))
"""

SMALL_IN_HIPS = """
def small():
    pull, _ = make_vjp(lambda ab: ab[0] * ab[1] + ab[0])((a, b))
    pull(one)
print(best(small, 7, 1000))
"""

OURS = """
import numpy as np, minitorch as mt
draw = np.random.default_rng(0).standard_normal
leaf = lambda *s: mt.tensor((draw(s) * 0.1).astype(np.float32), requires_grad=True)
tanh, one, zero = mt.tanh, np.ones((4, 4), np.float32), mt.tensor(np.zeros((1, 64), np.float32))
a, b, W, U, bias = leaf(4, 4), leaf(4, 4), leaf(64, 64), leaf(64, 64), leaf(64)
x = mt.tensor(draw((1, 512, 64)).astype(np.float32))
"""

TORCH = """
import torch
torch.set_num_threads(1)
leaf = lambda *s: (torch.randn(*s) * 0.1).requires_grad_()
tanh, one, zero = torch.tanh, torch.ones(4, 4), torch.zeros(1, 64)
a, b, W, U, bias = leaf(4, 4), leaf(4, 4), leaf(64, 64), leaf(64, 64), leaf(64)
x = torch.randn(1, 512, 64)
"""

HIPS = """
import numpy as np
from autograd import make_vjp
draw = np.random.default_rng(0).standard_normal
a, b = ((draw((4, 4)) * 0.1).astype(np.float32) for _ in range(2))
one = np.ones((4, 4), np.float32)
"""

SMALL_NAME = "a*b + a, (4, 4)"
WORKLOADS = [
    (SMALL_NAME, "torch", SMALL, TORCH + TIMED + SMALL),
    (SMALL_NAME, "HIPS autograd", SMALL, HIPS + TIMED + SMALL_IN_HIPS),
    ("tanh RNN, 512 steps", "torch", RECURRENT, TORCH + TIMED + RECURRENT),
]


def printed(python: str, program: str) -> str:
    """What a fresh process prints, with one thread."""
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run([python, "-c", program], check=True, capture_output=True, text=True, env=environment).stdout


def compared(options: argparse.Namespace) -> list[dict[str, object]]:
    """A row for each workload and peer."""
    rows = []
    for name, peer, workload, in_peer in WORKLOADS:
        pairs = [
            (float(printed(sys.executable, OURS + TIMED + workload)), float(printed(options.peer, in_peer)))
            for _ in range(options.rounds)
        ]
        ours, theirs = (statistics.median(t) * 1e6 for t in zip(*pairs, strict=True))
        rows.append({"workload": name, "peer": peer, "ours_us": ours, "peer_us": theirs, "ratio": ours / theirs})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, help="a Python that has PyTorch and HIPS autograd")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = compared(options)
    lengths = [line.split() for line in printed(sys.executable, OURS + TIMED + CHAIN).splitlines()]
    chain = {int(n): float(t) * 1e6 for n, t in lengths}
    if options.json:
        print(json.dumps({"workloads": rows, "chain_us_per_op": chain}))
        return
    for r in rows:
        print(
            f"{r['workload']:20} ours {r['ours_us']:8.1f} us  {r['peer']:13} {r['peer_us']:8.1f} us  "
            f"ratio {r['ratio']:.2f}"
        )
    print("backward of a chain: " + ", ".join(f"{n} operations {t:.2f} us each" for n, t in chain.items()))


if __name__ == "__main__":
    main()
