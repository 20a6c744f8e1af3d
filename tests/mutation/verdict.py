"""Does a test fail?  First the examination of the operations that a mutant serves, then the tests of values and edges.

Each mutant is judged in a child of this process, which may hang, crash or leave anything behind.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minitorch.testing import CHECKS, Case, made
from tests.mutation.mutants import Mutant, installed
from tests.test_every_primitive import PER_OPERATION, calls, test_an_operation_passes_a_check

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 30.0  # that an examination may take; the longest of a right rule takes 4
SECONDS_WIDER = 300.0
WIDER = (  # the quickest first
    *("test_edges", "test_values", "test_adding_in_place", "test_dtypes", "test_losses", "test_higher_order"),
    *("test_functional", "test_inplace", "test_forward", "test_transforms", "test_jacobian", "test_nn_layers"),
    *("test_methods", "test_attention_masked", "test_attention_op", "test_attention_memory", "property"),
)


@cache
def _calls() -> dict[str, list[tuple[str, Case]]]:
    """By operation, (check, call) in the order of `CHECKS`."""
    found: dict[str, list[tuple[str, Case]]] = {}
    for parameters in calls([c for c in CHECKS if c not in PER_OPERATION]):
        check, case = parameters.values
        found.setdefault(case.name, []).append((check, case))
    return found


def first_failure(ops: Sequence[str]) -> str | None:
    """What `test_every_primitive` and `test_forward_every_primitive` find first in these operations."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return next(_failures(ops), None)


def _failures(ops: Sequence[str]) -> Iterator[str]:
    order = list(CHECKS)
    asked = sorted((c for op in ops for c in _calls().get(op, [])), key=lambda c: order.index(c[0]))
    for check, case in asked:
        outcome = made(CHECKS[check], case)
        if reason := outcome.failure or outcome.not_made:
            yield f"{check}: {case}: {reason}"
    for check in PER_OPERATION:
        for op in ops:
            try:
                test_an_operation_passes_a_check(check, op)
            except AssertionError as error:
                yield f"{check}: {op}: {str(error).splitlines()[:1]}"


class _First:
    """A pytest plugin that notes which test failed."""

    found: str | None = None

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and self.found is None:
            self.found = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        self.pytest_runtest_logreport(report)


def first_failed_test(names: Sequence[str] = WIDER) -> str | None:
    """The first test of these files that fails."""
    os.chdir(ROOT)
    first = _First()
    files = [f"tests/{n}" if (ROOT / "tests" / n).is_dir() else f"tests/{n}.py" for n in names]
    code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-m", "not torch", *files], plugins=[first])
    return first.found or (None if code == 0 else f"pytest ends with {code!r}")


def in_a_child(question: Callable[[], str | None], seconds: float) -> str | None:
    """What the question answers in a process of its own; a process that dies or takes too long is an answer, too."""
    ours, theirs = get_context("fork").Pipe(duplex=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking where NumPy's threads are: they idle
        child = get_context("fork").Process(target=_answer, args=(question, theirs))
        child.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(seconds) else f"no answer after {seconds:.0f} s"
    except EOFError:
        return "the process died"
    finally:
        child.kill()
        child.join()
        ours.close()


def _answer(question: Callable[[], str | None], to: Connection) -> None:
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    to.send(question())


def judged(mutant: Mutant | None, ops: Sequence[str], wider: bool) -> tuple[str, str | None, float]:
    """("died" | "died in wider tests" | "survived", what failed, seconds)."""

    def quick() -> str | None:
        with installed(mutant):
            return first_failure(ops)

    def slow() -> str | None:
        with installed(mutant):
            return first_failed_test()

    start = time.perf_counter()
    verdict, reason = "died", in_a_child(quick, SECONDS)
    if reason is None:
        reason = in_a_child(slow, SECONDS_WIDER) if wider else None
        verdict = "survived" if reason is None else "died in the wider tests"
    return verdict, reason, time.perf_counter() - start
