"""How many wrong rules are there, and does a test fail for each?  `python -m tests.mutation --help` says how to ask."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.mutation.equivalent import reason
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.sites import sites
from tests.mutation.verdict import first_failure, judged
from tests.test_every_primitive import PRIMITIVES

MUTANTS: dict[str, Mutant] = {}
"""By key; a worker process finds them here."""


def main(arguments: list[str] | None = None) -> int:
    """0 if every mutant dies that is not known to compute the same; 1 if not; 2 if a right rule fails already."""
    asked = _parser().parse_args(arguments)
    if unknown := [op for op in asked.only if op not in PRIMITIVES]:
        print(f"no such operation: {', '.join(unknown)}")
        return 2
    MUTANTS.update((m.key, m) for m in mutants(asked.only))
    for op in sorted({op for m in MUTANTS.values() for op in m.ops}):  # all is imported and cached after this, too
        if failure := first_failure([op]):
            print(f"{op} fails unchanged: {failure}")
            return 2
    done = _read(asked.log) if asked.resume else {}
    todo = [key for key in MUTANTS if key not in done]
    print(f"{len(MUTANTS)} mutants, {len(todo)} to judge", flush=True)
    start = time.perf_counter()
    with ProcessPoolExecutor(asked.jobs, get_context("fork")) as pool:
        wider = [not asked.quick] * len(todo)
        for i, outcome in enumerate(pool.map(_judge, todo, wider), 1):
            done[outcome["key"]] = outcome
            if asked.log:
                with asked.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(outcome) + "\n")
            if i % 100 == 0:
                print(f"{i}/{len(todo)}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return _summary({key: done[key] for key in MUTANTS}, time.perf_counter() - start)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="OP", help="rules of these operations")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes at once")
    parser.add_argument("--log", type=Path, metavar="FILE.jsonl", help="a line for each mutant that was judged")
    parser.add_argument("--resume", action="store_true", help="judge only those that the log does not have")
    parser.add_argument("--quick", action="store_true", help="examine the operations; leave the wider tests out")
    return parser


def _read(log: Path | None) -> dict[str, dict[str, Any]]:
    if log is None or not log.exists():
        return {}
    return {o["key"]: o for o in map(json.loads, log.read_text(encoding="utf-8").splitlines())}


def _judge(key: str, wider: bool) -> dict[str, Any]:
    mutant = MUTANTS[key]
    same = reason(mutant.site.name, mutant.before, mutant.after)
    verdict, by, seconds = judged(mutant, mutant.ops, wider and not same)
    if same:
        verdict = "equivalent" if verdict == "survived" else "died, though listed as equivalent"
    return {"key": key, "kind": mutant.kind, "verdict": verdict, "by": by, "seconds": round(seconds, 3)}


def _summary(outcomes: dict[str, dict[str, Any]], seconds: float) -> int:
    """Print the counts, and whatever is not as it should be."""
    counts = Counter(o["verdict"] for o in outcomes.values())
    ops = {op for m in MUTANTS.values() for op in m.ops}
    functions = [s for s in sites() if ops & set(s.ops)]
    rules = sum(len(PRIMITIVES[op].rules) for op in ops)
    print(f"{rules} rules of {len(ops)} operations, in {len(functions)} functions; {len(outcomes)} mutants")
    for kind, n in Counter(o["kind"] for o in outcomes.values()).most_common():
        print(f"  {n:5} {kind}")
    for verdict, n in counts.most_common():
        print(f"{n:7} {verdict}")
    print(f"{seconds:.0f} s")
    wrong = [key for key, o in outcomes.items() if o["verdict"] in ("survived", "died, though listed as equivalent")]
    for key in wrong:
        m = MUTANTS[key]
        print(f"\n{m.site.file}:{m.line} ({', '.join(m.ops)}; {m.kind}) {outcomes[key]['verdict']}")
        print(f"  - {m.before}\n  + {m.after}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
