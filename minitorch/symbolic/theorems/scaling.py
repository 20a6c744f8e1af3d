r"""Why does attention divide its scores by $\sqrt{d_k}$?

For independent entries of mean 0 and variance 1, $\operatorname{Var}\big(\sum_e q_e k_e\big) = d_k$, so

$$ \operatorname{Var}(q \cdot k) = d_k, \qquad \operatorname{Var}\!\big(q \cdot k / \sqrt{d_k}\big) = 1, \qquad
   \operatorname{Var}(q \cdot k / d_k) = 1 / d_k . $$

Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1, footnote 4.
"""

from __future__ import annotations

from typing import cast

from sympy import Expr, S

from minitorch.symbolic.binders import replace
from minitorch.symbolic.entrywise import Sizes, shown_sizes
from minitorch.symbolic.expression import Sum, dimensions
from minitorch.symbolic.library import find
from minitorch.symbolic.normal import normal_form
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.theorems.expectation import (
    ENTRIES_METHOD,
    METHOD,
    Mean,
    Variance,
    factored,
    mean,
    mean_by_entries,
    variance,
)
from minitorch.symbolic.theorems.programs import inline_once
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.verdict import PROVED, REFUTED, UNDECIDED, Verdict

RANDOM = frozenset({"Q", "K"})
SIZES = (1, 2, 3)  # of d_k, where every entry is a scalar


def scores(scale: str) -> Expr:
    """The engine's scores of attention: as they are (``""``), or with another scale."""
    program = find("attention-scaled" if scale else "attention").program
    value = program.definition("A").value
    return inline_once(value, [_scale(program, scale)]) if scale else value


def _scale(program: Program, scale: str) -> Definition:
    return Definition(program.targets["scale"], program.expression(scale))


def _variances(*claims: str) -> Proof:
    program = find("attention").program
    work = Proving(Notation.of(program))
    for scale, claim in zip(("1", "", "1 / d_k"), claims, strict=True):
        _explain(work, scores(scale), program.expression(claim))
    return work.proof()


def _explain(work: Proving, score: Expr, claim: Expr) -> None:
    """One variance: by its definition, by independence, by the law, by counting."""
    left, verdict = cast(Expr, Variance(score)), variance_known(score, claim)
    square = cast(Expr, Mean(score**2)) - cast(Expr, Mean(score)) ** 2
    work.add(left, "=", square, "definition", "The average square minus the square of the average.", "definition")
    apart = factored(score**2, RANDOM) - factored(score, RANDOM) ** 2
    work.add(left, "=", apart, "independence", "An average of independent factors is a product of averages.", METHOD)
    if verdict.kind == PROVED:
        met = replace(replace(apart, _known), lambda e: S.Zero if isinstance(e, Sum) and e.body == 0 else None)
        work.add(left, "=", met, "standard entries", "E(q_e q_f) is 1 where e = f and else 0; E(q_e) is 0.", METHOD)
        work.add(left, "=", claim, "contract deltas", "d_k terms are left, each 1.", str(verdict))
    work.state(left, "=", claim, verdict)


def _known(e: Expr) -> Expr | None:
    return mean(cast(Expr, e.args[0]), RANDOM) if isinstance(e, Mean) else None


def variance_known(score: Expr, claim: Expr) -> Verdict:
    """How far the variance of a score is known: for all sizes, and by the moments of every entry at some."""
    (size,) = (s for s in dimensions(normal_form(score**2)) if str(s) == "d_k")
    for number in SIZES:
        sizes: Sizes = {size: number}
        exact = mean_by_entries(score**2, RANDOM, sizes) - mean_by_entries(score, RANDOM, sizes) ** 2
        if exact != claim.xreplace(sizes):
            return Verdict(REFUTED, (), f"at {shown_sizes(sizes)} it is {exact}, not {claim.xreplace(sizes)}")
    shown = prove_equal(variance(score, RANDOM), claim)
    if shown.kind != PROVED:
        return Verdict(UNDECIDED, (), f"the moments give {variance(score, RANDOM)}")
    at = ENTRIES_METHOD.format(sizes=f"{size} = {', '.join(map(str, SIZES))}")
    return Verdict(PROVED, (METHOD, at))


SCALING = (
    Theorem(
        name="attention-scale",
        title="Without 1/sqrt(d_k), the variance of a score is d_k; with it, 1",
        claims=("d_k", "1", "1 / d_k"),
        prove=_variances,
        source="Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1, footnote 4",
        why="A score is a sum of d_k independent terms, so its spread grows like sqrt(d_k); dividing by that keeps the "
        "logits of softmax at spread 1, whatever the width; dividing by d_k would make them all alike.",
        assumptions=("the entries of q and k are independent, of mean 0 and variance 1; their law need not be normal",),
    ),
)
