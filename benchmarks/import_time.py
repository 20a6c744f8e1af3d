"""What does `import minitorch` cost over `import numpy`?  Fresh interpreters in turn; medians.

python benchmarks/import_time.py [--runs 15] [--json]
"""

import argparse
import json
import statistics
import subprocess
import sys

SNIPPET = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"


def seconds(module: str) -> float:
    """The time that one fresh interpreter takes to import a module."""
    command = [sys.executable, "-c", SNIPPET.format(module=module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    modules = ("numpy", "minitorch")
    for module in modules:  # once, to fill the file cache and __pycache__
        seconds(module)
    taken = {module: [] for module in modules}
    for _ in range(options.runs):
        for module in modules:
            taken[module].append(seconds(module))
    numpy, minitorch = (statistics.median(taken[m]) for m in modules)
    result = {"numpy_s": numpy, "minitorch_s": minitorch, "over_numpy_s": minitorch - numpy, "ratio": minitorch / numpy}
    print(json.dumps(result) if options.json else "\n".join(f"{k:>14} {v:.3f}" for k, v in result.items()))


if __name__ == "__main__":
    main()
