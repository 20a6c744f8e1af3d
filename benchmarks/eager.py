"""What does eager mode cost, against PyTorch?  Small operations, and a recurrence of many of them.

    python benchmarks/eager.py --peer PATH/TO/PYTHON-WITH-TORCH [--rounds 7] [--json]

Two workloads, forward and backward, float32, one thread each: `c = a*b + a` on (4, 4), and a tanh RNN of 512 steps,
width 64, batch 1, written as the same Python loop.  Fresh processes in turn; medians of each process's best.
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

WORKLOADS = {"a*b + a, (4, 4)": SMALL, "tanh RNN, 512 steps": RECURRENT}


def seconds(python: str, setup: str, workload: str) -> float:
    """The best time of one fresh process, with one thread."""
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [python, "-c", setup + TIMED + workload]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", required=True, help="a Python that has PyTorch")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for name, workload in WORKLOADS.items():
        taken = [
            (seconds(sys.executable, OURS, workload), seconds(options.peer, TORCH, workload))
            for _ in range(options.rounds)
        ]
        ours, torch = (statistics.median(t) for t in zip(*taken, strict=True))
        rows.append({"workload": name, "ours_us": ours * 1e6, "torch_us": torch * 1e6, "ratio": ours / torch})
    if options.json:
        print(json.dumps(rows))
    else:
        for r in rows:
            print(
                f"{r['workload']:22} ours {r['ours_us']:9.1f} us  torch {r['torch_us']:9.1f} us  ratio {r['ratio']:.2f}"
            )


if __name__ == "__main__":
    main()
