"""How does a product of queries and keys see their distance?  Each pair of columns turns by an angle with the position.

    (y_2k, y_2k+1) = R(t f_k) (x_2k, x_2k+1),   f_k = base^(-2k/d),   R(a) = ((cos a, -sin a), (sin a, cos a))

The product of two rows then depends on the difference of their positions t alone (Su et al. 2021, arXiv 2104.09864,
eq. 15 and 34).  A rotation keeps lengths, and its adjoint turns back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minitorch.ops.dtype import floating
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape


def _turned_back(g, *, positions, base, interleaved, inverse):
    return rotary(g, positions=positions, base=base, interleaved=interleaved, inverse=not inverse)


def _mismatch(x: Shape, *, positions: int | Sequence[int] = 0, **static: object) -> str | None:
    if len(x) < 2 or x[-1] % 2:
        return f"x {x}; wanted (..., n, d) with an even d, since columns turn in pairs."
    if not isinstance(positions, int) and len(positions) != x[-2]:
        return f"{len(positions)} positions for the {x[-2]} rows (axis -2) of x {x}."
    return None


def _formula(ranks, static):
    """With the angle of row i and pair k; a list of positions has no formula."""
    if not isinstance(static["positions"], int):
        return None
    first, second = ("2 * k", "2 * k + 1") if static["interleaved"] else ("k + 0", "k + d")
    turn = "-" if static["inverse"] else ""
    return f"""
        x[...,n,2*d], k < d, j < 2*d:
        a[i,k]       = {turn}(i + {static["positions"]}) * {static["base"]} ** (-k / d);
        u[...,i,k]   = x[...,i,{first}] cos(a[i,k]) - x[...,i,{second}] sin(a[i,k]);
        v[...,i,k]   = x[...,i,{first}] sin(a[i,k]) + x[...,i,{second}] cos(a[i,k]);
        out[...,i,j] = sum_k (delta(j, {first}) u[...,i,k] + delta(j, {second}) v[...,i,k])
    """


@primitive(formula=_formula, vjp={"x": _turned_back}, explain=_mismatch)
def rotary(
    x: Array,
    positions: int | Sequence[int] = 0,
    base: float = 10000.0,
    interleaved: bool = False,
    inverse: bool = False,
):
    """x (..., n, d) with each pair of columns turned by its position times its frequency.

    Args:
        positions: of the first row, if the rows follow each other, or of each row.
        base: the slowest pair turns by about position / base.
        interleaved: pairs are columns 2k and 2k + 1, as in the paper; otherwise k and k + d/2, as LLaMA has them.
        inverse: turn back.
    """
    x = floating(x)
    if _mismatch(x.shape, positions=positions):
        raise ValueError("shapes do not fit")
    n, half = x.shape[-2], x.shape[-1] // 2
    rows = positions + np.arange(n) if isinstance(positions, int) else np.asarray(positions)
    angles = np.multiply.outer(rows, base ** (-np.arange(half) / max(half, 1)))  # (n, d/2), in float64
    c = np.cos(angles).astype(x.dtype, copy=False)
    s = np.sin(-angles if inverse else angles).astype(x.dtype, copy=False)
    out = np.empty_like(x)
    first, second = (np.s_[..., ::2], np.s_[..., 1::2]) if interleaved else (np.s_[..., :half], np.s_[..., half:])
    out[first] = x[first] * c - x[second] * s
    out[second] = x[first] * s + x[second] * c
    return out
