"""Random formulas: what was only rewritten is equal, what was changed is not; dimensions all distinct and all equal."""

import random

import numpy as np
import pytest

from minitorch import symbolic
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Entry, Index, dimension
from minitorch.symbolic.normal import equal_by_normal_form
from minitorch.symbolic.sampling import draw_arrays

from .random_formulas import ARRAYS, Maker, altered, rewritten, text

ROUNDS, PER_ROUND = 6, 50  # each formula is rewritten and changed, at distinct and at equal dimensions: 1,200 pairs
every_round = pytest.mark.parametrize("seed", range(ROUNDS))
DISTINCT, EQUAL = {"n": "n", "m": "m"}, {"n": "n", "m": "n"}
both = pytest.mark.parametrize("sizes", [DISTINCT, EQUAL], ids=["distinct", "equal"])


def parsed(tree, sizes):
    header = ", ".join(f"{name}[{','.join(sizes[s] for s in axes)}]" for name, axes in ARRAYS.items())
    return symbolic.parse(f"{header}, i<{sizes['n']}, j<{sizes['m']}: f[i,j] = {text(tree)}").definition("f").value


def values(expression, sizes):
    """In float64, by code that knows nothing of normal forms."""
    numbers = {dimension("n"): 3, dimension("m"): 4 if sizes is DISTINCT else 3}
    indices = Index("i", dimension("n")), Index("j", dimension(sizes["m"]))
    entries = sorted(expression.atoms(Entry), key=lambda e: e.name)
    draw = {name: np.random.default_rng(ord(name)) for name in ARRAYS}
    arrays = {e.name: draw_arrays([e], numbers, draw[e.name])[e.name] for e in {e.name: e for e in entries}.values()}
    with np.errstate(all="ignore"):
        return evaluate(expression, arrays, indices, numbers)


def formulas(seed):
    maker = Maker(random.Random(seed))
    for _ in range(PER_ROUND):
        yield maker, maker.formula(maker.random.choice([2, 3, 4]), {"i": "n", "j": "m"})


@every_round
@both
def test_a_rewritten_formula_is_equal(seed, sizes):
    for maker, tree in formulas(seed):
        again = rewritten(tree, maker)
        assert equal_by_normal_form(parsed(tree, sizes), parsed(again, sizes)), (text(tree), text(again))


@every_round
@both
def test_a_changed_formula_is_not_equal(seed, sizes):
    told_apart = 0
    for maker, tree in formulas(seed):
        other = altered(tree, maker)
        a, b = parsed(tree, sizes), parsed(other, sizes)
        left, right = values(a, sizes), values(b, sizes)
        if np.isfinite(left).all() and np.isfinite(right).all() and not np.allclose(left, right, rtol=1e-6):
            told_apart += 1
            assert not equal_by_normal_form(a, b), (text(tree), text(other))
    assert told_apart > PER_ROUND // 2  # or the rest of this test would say little
