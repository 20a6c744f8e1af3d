r"""What do other scales than $1/\sqrt{d_k}$ do to the gradient through softmax?  Measured, where no proof is known.

Standard normal queries, each with keys of its own, so that all rows are independent; the engine's softmax of their
scaled products, and the norm of each row's Jacobian $J$, as a sum of squares.  The claims bound ratios of average
norms; the verdict is "tested", with the sizes and the seed.
"""

from __future__ import annotations

import math
from functools import cache
from typing import cast

import numpy as np
from sympy import Expr, Float, Integer

from minitorch.ops.fused import softmax
from minitorch.symbolic.binders import replace, swap
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Entry, Index, dimension
from minitorch.symbolic.operation import program_of
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Program
from minitorch.symbolic.theorems.expectation import Mean
from minitorch.symbolic.theorems.norms import norm_of
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.theorems.sensitivity import UNIFORM, squared_norm
from minitorch.symbolic.verdict import REFUTED, TESTED, Verdict

NARROW, WIDE = 4, 1024  # the two widths d_k that are compared
ROWS, KEYS, SEED = 256, 16, 0
METHOD = f"seeded experiment, {ROWS} standard normal queries with {KEYS} keys each, seed {SEED}"
SCALES = {"1": 0.0, "sqrt": 0.5, "d": 1.0}  # what a score is divided by: this power of d_k


@cache
def scores(d_k: int, seed: int = SEED) -> np.ndarray:
    """The products of every query with its keys, (ROWS, KEYS)."""
    rng = np.random.default_rng(seed)
    Q, K = rng.standard_normal((ROWS, 1, d_k)), rng.standard_normal((ROWS, KEYS, d_k))
    return (Q * K).sum(-1)


def average_norm(power: float, d_k: int, seed: int = SEED) -> float:
    """The mean over queries of the Frobenius norm of softmax's Jacobian, scores divided by ``d_k**power``."""
    row = Index("b", dimension("rows"))
    squared = replace(squared_norm(), lambda e: Entry(e.symbol, row, *e.indices) if isinstance(e, Entry) else None)
    weights = np.asarray(softmax(scores(d_k, seed) / d_k**power))
    return float(np.sqrt(evaluate(squared, {"S": weights}, (row,))).mean())


def _scales(plain: str, root_most: str, root_least: str, width_most: str, width_least: str) -> Proof:
    program = program_of(softmax)
    work = Proving(Notation.of(program))
    by_width = {power: _measured(work, name, power) for name, power in SCALES.items()}
    _state(work, by_width[0.0], "≤", program.expression(plain))
    _state(work, by_width[0.5], "≤", program.expression(root_most))
    _state(work, by_width[0.5], "≥", program.expression(root_least))
    alike = _alike(work, program)
    _state(work, alike, "≤", program.expression(width_most))
    _state(work, alike, "≥", program.expression(width_least))
    return work.proof()


def _norm_at(name: str, d_k: int) -> Expr:
    return cast(Expr, Mean(norm_of(f"J_{{{name},{d_k}}}")))


def _measured(work: Proving, name: str, power: float) -> tuple[Expr, float]:
    """The average norms at both widths, as steps; their ratio, and what it is."""
    found = []
    for d_k in (NARROW, WIDE):
        value = average_norm(power, d_k)
        reason = f"Scores divided by d_k**{power:g}, with d_k = {d_k}."
        work.add(_norm_at(name, d_k), "=", Float(value, 4), "measured", reason, METHOD)
        found.append(value)
    return _norm_at(name, WIDE) / _norm_at(name, NARROW), found[1] / found[0]


def _alike(work: Proving, program: Program) -> tuple[Expr, float]:
    """The last average norm against that of equal weights."""
    (size,) = program.array("x").dimensions
    uniform = math.sqrt(float(swap(program.expression(UNIFORM), {size: Integer(KEYS)})))
    left, value = _norm_at("d", WIDE), average_norm(SCALES["d"], WIDE)
    work.add(left / Float(uniform, 4), "=", Float(value / uniform, 4), "compare", "With all weights equal.", METHOD)
    return left / Float(uniform, 4), value / uniform


def _state(work: Proving, measured: tuple[Expr, float], relation: str, limit: Expr) -> None:
    left, value = measured
    holds = value <= float(limit) if relation == "≤" else value >= float(limit)
    said = f"{value:.4g} {'keeps to' if holds else 'breaks'} {relation} {limit}"
    work.state(left, relation, limit, Verdict(TESTED if holds else REFUTED, (METHOD,), said))


MEASURED = (
    Theorem(
        name="attention-scale-measured",
        title="Without 1/sqrt(d_k) the gradient through softmax dies with the width; with it, it does not",
        claims=("1 / 3", "6 / 5", "4 / 5", "11 / 10", "9 / 10"),
        prove=_scales,
        source="Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1, which suspects it",
        why="At width 1024 an unscaled softmax is nearly one-hot and passes little back; divided by d_k instead, all "
        "weights are nearly equal, and attention is an average that cannot choose.",
        assumptions=("the entries of queries and keys are independent and standard normal",),
    ),
)
