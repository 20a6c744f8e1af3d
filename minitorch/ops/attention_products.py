"""Which products does attention need?  Q K^T and P V, where queries may share keys, and hidden terms may not exist.

    sampled_product   out_ij = sum_e a_ie b_je   where seen_ij, else 0           (of Q and K)
    masked_product    out_id = sum_j a_ij b_jd   over those j with seen_ij       (of P and V)

A hidden term is absent, not zero: 0 * NaN is NaN, and 0 * inf too.  Each of the two has the other in its derivatives,
so that what is hidden stays absent in every order.  They are for operands that are not finite; for finite ones a term
with weight 0 is 0, and the plain product is quicker.

Grouped queries (Ainslie et al. 2023, arXiv 2305.13245): with h query heads and h_kv key heads on axis -3, query head i
uses key head i // (h / h_kv).  The queries of one key head become rows of one product; no key is copied.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.ops.elementwise import tanh
from minitorch.ops.linalg import matmul
from minitorch.ops.movement import broadcast_to, reshape, swapaxes
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape, matmul_mismatch


def _sampled_mismatch(a: Shape, b: Shape, seen: Shape) -> str | None:
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-1] or seen[-2:] != (a[-2], b[-2]):
        return f"a {a}, b {b}, seen {seen}; wanted (..., n, d), (..., m, d) and (..., n, m)."
    return None


def _masked_mismatch(a: Shape, b: Shape, seen: Shape) -> str | None:
    return matmul_mismatch(a, b) or (None if seen[-2:] == a[-2:] else f"a {a}, seen {seen}; axes -2 and -1 must agree.")


def _over_seen(a: Any, b: Any, seen: Any) -> Any:
    return masked_product(a, b, seen)


@primitive(
    vjp={
        "a": lambda g, b, seen: _over_seen(g, b, seen),
        "b": lambda g, a, seen: _over_seen(swapaxes(g, -1, -2), a, np.swapaxes(seen, -1, -2)),
        "seen": None,
    },
    explain=_sampled_mismatch,
)
def sampled_product(a: Array, b: Array, seen: Array) -> Any:
    """a b^T where `seen` holds and 0 elsewhere: a (..., n, d), b (..., m, d), seen (..., n, m) -> (..., n, m).

    >>> sampled_product(np.ones((1, 1)), np.array([[2.0], [np.nan]]), np.array([[True, False]]))
    array([[2., 0.]])
    """
    if _sampled_mismatch(np.shape(a), np.shape(b), np.shape(seen)):
        raise ValueError("shapes do not fit")
    with np.errstate(invalid="ignore", over="ignore"):
        product = np.asarray(np.matmul(a, np.swapaxes(b, -1, -2)))
    return np.where(seen, product, product.dtype.type(0))


@primitive(
    vjp={
        "a": lambda g, b, seen: sampled_product(g, b, seen),
        "b": lambda g, a, seen: _over_seen(swapaxes(a, -1, -2), g, np.swapaxes(seen, -1, -2)),
        "seen": None,
    },
    explain=_masked_mismatch,
)
def masked_product(a: Array, b: Array, seen: Array) -> Any:
    """a b over those terms of the sum that `seen` allows: a and seen (..., n, m), b (..., m, d) -> (..., n, d).

    Rows of b that are not finite are added one by one, where they are seen; nobody's cost nothing.

    >>> masked_product(np.ones((2, 2)), np.array([[2.0], [np.nan]]), np.array([[True, False], [True, True]]))
    array([[ 2.],
           [nan]])
    """
    seen, b = np.asarray(seen), np.asarray(b)
    if _masked_mismatch(np.shape(a), b.shape, seen.shape):
        raise ValueError("shapes do not fit")
    a = np.where(seen, a, np.asarray(a).dtype.type(0))
    bad: np.ndarray = ~np.all(np.isfinite(b), -1)
    if not bad.any():
        return np.matmul(a, b)
    rows = np.flatnonzero(bad.reshape(-1, bad.shape[-1]).any(0))
    finite, rest = np.array(b), np.array(a)
    finite[..., rows, :], rest[..., rows] = 0, 0
    out = np.matmul(rest, finite)
    with np.errstate(invalid="ignore"):
        for j in rows:
            here = seen[..., j, None]
            if here.any():
                out = out + np.where(here, a[..., j, None] * b[..., j, None, :], out.dtype.type(0))
    return out


def scores(Q: Any, K: Any, scale: float | None, softcap: float | None, seen: Any = None) -> tuple[Any, Any]:
    """The scores before the mask: Q K^T / sqrt(d_k), or times `scale`; with a softcap c, c tanh(scores / c).

    Returns:
        The scores (..., n, m), and the tanh, or None.
    """
    A = queries_by_keys(Q, K, seen)
    A = A / math.sqrt(Q.shape[-1]) if scale is None else A * scale
    if softcap is None:
        return A, None
    t = tanh(A / softcap)
    return t * softcap, t


def queries_by_keys(Q: Any, K: Any, seen: Any = None) -> Any:
    """Q K^T: (..., h, n, d), (..., h_kv, m, d) -> (..., h, n, m); only what is seen, if that is given."""
    heads = _fewer(Q, K)
    if seen is None:
        return _unfolded(matmul(_folded(Q, heads), swapaxes(K, -1, -2)), Q, heads)
    return _unfolded(sampled_product(_folded(Q, heads), K, _folded_mask(seen, Q, heads)), Q, heads)


def weights_by_values(P: Any, V: Any, seen: Any = None) -> Any:
    """P V: (..., h, n, m), (..., h_kv, m, d) -> (..., h, n, d); only what is seen, if that is given."""
    heads = _fewer(P, V)
    if seen is None:
        return _unfolded(matmul(_folded(P, heads), V), P, heads)
    return _unfolded(masked_product(_folded(P, heads), V, _folded_mask(seen, P, heads)), P, heads)


def weights_by_rows(P: Any, G: Any, heads: Any, seen: Any = None) -> Any:
    """P^T G, summed over the queries of one key head: what P V gives for the cotangent G of its result.

    P (..., h, n, m), G (..., h, n, d) -> (..., h_kv, m, d), where `heads` has h_kv heads.
    """
    count = _fewer(P, heads)
    if count is not None and G.shape[:-1] != P.shape[:-1]:
        G = broadcast_to(G, (*P.shape[:-1], G.shape[-1]))
    left, right = swapaxes(_folded(P, count), -1, -2), _folded(G, count)
    if seen is None:
        return matmul(left, right)
    return masked_product(left, right, np.swapaxes(_folded_mask(seen, P, count), -1, -2))


def _fewer(x: Any, y: Any) -> int | None:
    """How many heads y has, if those of x are to be grouped by them."""
    if len(x.shape) < 3 or len(y.shape) < 3:
        return None
    h, heads = x.shape[-3], y.shape[-3]
    return heads if 0 < heads < h else None


def _folded(x: Any, heads: int | None) -> Any:
    """(..., h, n, k) -> (..., heads, h/heads n, k): the rows of all heads of a group, one after another."""
    if heads is None:
        return x
    *lead, h, n, k = x.shape
    return reshape(x, (*lead, heads, h // heads * n, k))


def _folded_mask(seen: np.ndarray, x: Any, heads: int | None) -> np.ndarray:
    """The same for a mask, which may have fewer axes than x or axes of size 1."""
    if heads is None:
        return seen
    return _folded(np.broadcast_to(seen, (*np.broadcast_shapes(seen.shape[:-1], x.shape[:-1]), seen.shape[-1])), heads)


def _unfolded(x: Any, like: Any, heads: int | None) -> Any:
    if heads is None:
        return x
    return reshape(x, (*x.shape[:-3], *like.shape[-3:-1], x.shape[-1]))
