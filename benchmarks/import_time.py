"""What does `import minitorch` cost over `import numpy`?  Fresh interpreters in turn, compiled before; medians.

python benchmarks/import_time.py [--runs 15] [--json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

SNIPPET = "import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"


def seconds(module: str, bytecode: str) -> float:
    """The time that one fresh interpreter takes to import a module, compiled in the folder `bytecode` before."""
    command = [sys.executable, "-c", SNIPPET.format(module=module)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = bytecode
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    modules = ("numpy", "minitorch")
    taken = {module: [] for module in modules}
    with tempfile.TemporaryDirectory() as bytecode:
        for module in modules:  # once, to compile and to fill the file cache
            seconds(module, bytecode)
        for _ in range(options.runs):
            for module in modules:
                taken[module].append(seconds(module, bytecode))
    numpy, minitorch = (statistics.median(taken[m]) for m in modules)
    result = {"numpy_s": numpy, "minitorch_s": minitorch, "over_numpy_s": minitorch - numpy, "ratio": minitorch / numpy}
    print(json.dumps(result) if options.json else "\n".join(f"{k:>14} {v:.3f}" for k, v in result.items()))


if __name__ == "__main__":
    main()
