r"""Are two formulas equal?

Three questions, asked by code that has nothing in common:

1. Is the normal form of $a - b$ zero?  (for all sizes)
2. Do $a$ and $b$ agree at random points of a finite field?  (guards the prover)
3. Do they agree in floating point, at distinct and at equal sizes?  (finds the witness of a refutation)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from sympy import Expr, Symbol

from minitorch.symbolic import field, normal
from minitorch.symbolic.entrywise import shown_sizes
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Entry, dimensions, free, names
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.sampling import axes_of, draw_arrays, has_arrays
from minitorch.symbolic.verdict import PROBABLE, PROVED, REFUTED, TESTED, UNDECIDED, Verdict

FLOAT_METHOD = "float64"
_TOLERANCE = 1e-7
_POINTS = 10  # at each choice of sizes, for a bound


def prove_equal(a: Expr, b: Expr, definitions: Sequence[Definition] = (), trials: int = 3, largest: int = 4) -> Verdict:
    """How far two index expressions are known to be equal.

    Arguments:
        a, b: the two sides; their free indices are compared by name.
        definitions: what defined names in them stand for, in order.
        trials: random points of the field check.
        largest: the largest size of a dimension in the field check.

    Returns:
        "proved for all sizes" if the normal form shows it *and* the field agrees; "refuted" only with a witness in
        floating point; otherwise what is known.

    Example:
        >>> from minitorch.symbolic import parse
        >>> p = parse("x[n]: y[i] = sin(2 x[i])")
        >>> print(prove_equal(p.expression("y[i]"), p.expression("2 sin(x[i]) cos(x[i])"), p.definitions))
        tested (float64): largest error below 1e-07 at n=2; n=3; n=4
    """
    agreed = field.agree_in_field(a, b, definitions, trials, largest)
    in_field = field.METHOD.format(trials=trials)
    # Where the field disagrees, a witness is probably near, and the normal form is spared.
    shown = agreed is not False and _shown(a, b, definitions)
    if shown and agreed:
        return Verdict(PROVED, (normal.METHOD, in_field))
    witness, tested = float_witness(a, b, definitions)
    if witness:
        return Verdict(REFUTED, (), witness)
    shown = shown or (agreed is False and _shown(a, b, definitions))
    if shown:
        said = "disagrees" if agreed is False else "cannot be evaluated there"
        return Verdict(UNDECIDED, (normal.METHOD,), f"the normal form agrees but the {in_field} {said}")
    if agreed:
        return Verdict(PROBABLE, (in_field, FLOAT_METHOD))
    if tested:
        return Verdict(TESTED, (FLOAT_METHOD,), f"largest error below {_TOLERANCE} at {tested}")
    return Verdict(UNDECIDED, (), "no method could evaluate both sides")


def _shown(a: Expr, b: Expr, definitions: Sequence[Definition]) -> bool:
    """Whether the normal form shows it, if need be with every definition substituted.

    Names that both sides read may stand for anything: what then holds, holds for what they mean.
    """
    left, right = a, b
    while only_one := names(left) ^ names(right):
        meant = [d for d in definitions if d.name in only_one]
        if not meant:
            break
        left, right = inline(left, meant), inline(right, meant)
    if normal.equal_by_normal_form(left, right):
        return True
    whole = inline(a, definitions), inline(b, definitions)
    return whole != (left, right) and normal.equal_by_normal_form(*whole)


def float_witness(a: Expr, b: Expr, definitions: Sequence[Definition] = ()) -> tuple[str, str]:
    """A place where two expressions differ in float64 (empty if none was found), and the sizes that were tried."""
    return _float_search(a, b, definitions, lambda left, right: np.abs(left - right))


def float_excess(smaller: Expr, larger: Expr, definitions: Sequence[Definition] = ()) -> tuple[str, str]:
    """A place where what should be smaller is larger in float64 (empty if none), and the sizes that were tried."""
    witness, tried = "", ""
    for seed in range(_POINTS):  # a false bound may hold at most points
        witness, tried = _float_search(smaller, larger, definitions, lambda left, right: left - right, seed)
        if witness:
            break
    return witness, tried


def _float_search(
    a: Expr,
    b: Expr,
    definitions: Sequence[Definition],
    miss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    seed: int = 0,
) -> tuple[str, str]:
    a, b = inline(a, definitions), inline(b, definitions)
    indices = tuple(sorted(free(a) | free(b), key=str))
    symbols = sorted(frozenset().union(*map(dimensions, (a, b, *indices))), key=str)
    entries, axes = sorted(a.atoms(Entry) | b.atoms(Entry), key=str), axes_of((a, b))
    tried = []
    for sizes in _size_choices(symbols):
        if not has_arrays(axes, sizes):
            continue
        arrays = draw_arrays(entries, sizes, np.random.default_rng(seed))
        with np.errstate(all="ignore"):
            left, right = (evaluate(e, arrays, indices, sizes) for e in (a, b))
            finite = np.isfinite(left) & np.isfinite(right)
            wrong = finite & (miss(left, right) > _TOLERANCE * (1 + np.abs(left) + np.abs(right)))
        if wrong.any():
            place = tuple(map(int, np.argwhere(wrong)[0]))
            where = ", ".join(f"{i.name}={v}" for i, v in zip(indices, place, strict=True))
            values = f"{left[place]:.6g} against {right[place]:.6g}"
            return f"at {shown_sizes(sizes) or 'a point'}, entry ({where}): {values}, seed {seed}", ""
        if finite.any():
            tried.append(shown_sizes(sizes) or "a point")
    return "", "; ".join(dict.fromkeys(tried))


def _size_choices(symbols: Sequence[Symbol]) -> Iterator[dict[Symbol, int]]:
    """Sizes all distinct, then all equal: a transposed array shows in the first, a captured index in the second."""
    if len(symbols) > 1:
        yield {symbol: 2 + k for k, symbol in enumerate(symbols)}
        yield {symbol: 2 + (k + 1) % len(symbols) for k, symbol in enumerate(symbols)}
    for size in (2, 3, 4):
        yield dict.fromkeys(symbols, size)
