"""How much memory does attention need at its peak, beyond what it is given and what it returns?

    python benchmarks/attention_memory.py [--n 8192] [--heads 2] [--d-k 64] [--method chunked] [--causal] [--json]

Forward and backward of scaled dot-product attention, float32.  Counted by `tracemalloc`, in which NumPy reports each
array: the peak while both run, less Q, K, V (there before) and less the output and the three gradients (there after).
Dense attention keeps n weights for each query: `--method dense` shows what the blocks save.
"""

import argparse
import json
import sys
import time
import tracemalloc

import numpy as np

import minitorch as mt


def measure(n: int, heads: int, d_k: int, *, method: str, causal: bool = False) -> dict[str, float]:
    """Bytes at the peak beyond inputs, output and gradients, and seconds without counting."""
    draw = np.random.default_rng(0).standard_normal
    QKV = [mt.tensor(draw((heads, n, d_k), np.float32), requires_grad=True) for _ in range(3)]
    cotangent = draw((heads, n, d_k), np.float32)

    def both() -> tuple[mt.Tensor, ...]:
        O = mt.scaled_dot_product_attention(*QKV, causal=causal, method=method)
        return O, *mt.grad(O, QKV, cotangent)

    start = time.perf_counter()
    both()  # also loads what is loaded once
    seconds = time.perf_counter() - start
    tracemalloc.start()
    returned = both()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"bytes": peak - sum(x.numpy().nbytes for x in returned), "seconds": seconds}


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=8192, help="positions (default: %(default)s)")
    parser.add_argument("--heads", type=int, default=2, help="heads (default: %(default)s)")
    parser.add_argument("--d-k", type=int, default=64, help="width of a head (default: %(default)s)")
    parser.add_argument("--method", choices=("chunked", "dense"), default="chunked", help="(default: %(default)s)")
    parser.add_argument("--causal", action="store_true", help="a position sees itself and the past only")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if min(given.n, given.heads, given.d_k) < 1:
        parser.error(f"--n {given.n} --heads {given.heads} --d-k {given.d_k}: each is at least 1")
    found = measure(given.n, given.heads, given.d_k, method=given.method, causal=given.causal)
    if given.json:
        json.dump({**vars(given), **found}, sys.stdout)
        print()
    else:
        print(f"{given.method}, n = {given.n}, {given.heads} heads of {given.d_k}, float32, forward and backward:")
        print(f"  {found['bytes'] / 1e6:.1f} MB beyond inputs, output and gradients; {found['seconds']:.1f} s")


if __name__ == "__main__":
    main()
