"""How is attention computed without its matrix of weights?  Some queries at a time, forward and once more backward.

    A = softcap(Q K^T scale) + M    lse_i = log sum_j exp(A_ij)    O_i = sum_j exp(A_ij - lse_i) V_j
    P = exp(A - lse)                dP = g V^T                     dA = P (dP - <g, O> + g_lse)
    dV = P^T g                      dQ = scale dA K                dK = scale dA^T Q

Kept are Q, K, V, O and lse, of O(n) entries; P is computed again, in blocks of rows (Rabe & Staats 2021, arXiv
2112.05682; Dao et al. 2022, arXiv 2205.14135, algorithm 4).  A block sees whole rows, so that its softmax needs no
correction; under causality it ends at the last key that one of its queries sees.

The rule recorded (second derivatives) and the rule on tangents take all rows as one block: right, but of O(n^2) memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.ops.attention_products import queries_by_keys, scores, weights_by_rows, weights_by_values
from minitorch.ops.attention_shapes import attention_mismatch, served
from minitorch.ops.dtype import accumulating, values
from minitorch.ops.elementwise import exp
from minitorch.ops.fused import shifted
from minitorch.ops.indexing import getitem
from minitorch.ops.masks import cut_mask, is_boolean, masked, part_of_mask
from minitorch.ops.movement import concatenate, expand_dims, sum_to
from minitorch.ops.reduce import sum
from minitorch.ops.select import where
from minitorch.primitive import Array
from minitorch.record import Record
from minitorch.shapes import Shape

_ENTRIES = 2**18  # of a block of scores: what stays in a core's cache
_ROWS = 64  # at least, or the products would be those of vectors


class _Block(Record):
    """Scores of queries start ... stop - 1 and of the keys up to `end`."""

    start: int
    stop: int
    end: int
    Q: Any
    K: Any
    V: Any
    A: Any  # with the mask; -inf throughout for a query that sees no key
    t: Any  # the tanh of the softcap, or None
    seen: np.ndarray | None  # what the products must heed: None unless exact
    empty: np.ndarray | bool | None  # which queries see no key


def _blocks(Q, K, V, mask, rows: int, *, causal: bool, scale, softcap, exact: bool) -> Iterator[_Block]:
    n, m = Q.shape[-2], K.shape[-2]
    for start in range(0, n, rows) if n else [0]:
        stop = min(start + rows, n)
        end = min(m, max(0, stop + m - n)) if causal else m
        q, k, v = _cut(Q, start, stop), _cut(K, 0, end), _cut(V, 0, end)
        seen, bias = part_of_mask(mask, causal, n, m, start, stop, end)
        heeded = seen if exact else None
        A, t = scores(q, k, scale, softcap, heeded)
        A, empty = masked(A, seen, bias, exact=exact)
        if empty is not None:
            A = where(empty, -np.inf, A)
        block = _Block(start, stop, end, q, k, v, A, t, heeded, empty if end else True)
        del A, t
        yield block
        del block  # a block ends before the next one begins, here and wherever it is read


def _cut(x: Any, start: int, stop: int) -> Any:
    """Rows start ... stop - 1 of the last axis but one."""
    return x if stop - start == x.shape[-2] else getitem(x, (..., slice(start, stop), slice(None)))


def _rows(lead: Shape, n: int, m: int) -> int:
    """How many rows a block has."""
    return max(1, min(n, max(_ROWS, _ENTRIES // max(1, m * math.prod(lead)))))


# -- backward ----------------------------------------------------------------------------------------------------------


def _pulled(g, g_lse, Q, K, V, mask, O, lse, **options: Any) -> Iterator[tuple[_Block, Any, Any, Any]]:
    """(block, its part of g, P, cotangent of A): block by block on plain arrays, at once on anything that records."""
    plain = not any(hasattr(x, "numpy") for x in (g, g_lse, Q, K, V, O, lse, mask))
    n, m = Q.shape[-2], K.shape[-2]
    mask = values(mask) if is_boolean(mask) else mask
    for b in _blocks(Q, K, V, mask, _rows(O.shape[:-2], n, m) if plain else max(1, n), **options):
        g_b, O_b, lse_b, g_lse_b = (
            _cut(x, b.start, b.stop) for x in (g, O, expand_dims(lse, -1), expand_dims(g_lse, -1))
        )
        with np.errstate(invalid="ignore"):  # a row of -inf alone is NaN, as the formula says
            P = exp(b.A - lse_b)
        dA = P * (queries_by_keys(g_b, b.V, b.seen) - sum(g_b * O_b, axis=-1, keepdims=True) + g_lse_b)
        dA = dA if b.seen is None else where(b.seen, dA, 0)
        yield b, g_b, P, dA
        del b, P, dA


def _pull(g, g_lse, Q, K, V, mask, O, lse, *, causal, scale, softcap, exact):
    options = {"causal": causal, "scale": scale, "softcap": softcap, "exact": exact}
    dQ, dK, dV = [], None, None
    for b, g_b, P, dA in _pulled(g, g_lse, Q, K, V, mask, O, lse, **options):
        dA = dA if b.t is None else dA * (1 - b.t * b.t)
        dA = dA / math.sqrt(Q.shape[-1]) if scale is None else dA * scale
        dQ.append(sum_to(weights_by_values(dA, b.K, b.seen), b.Q.shape))
        dK = _added(dK, weights_by_rows(dA, b.Q, b.K, b.seen), b.K.shape, K.shape)
        dV = _added(dV, weights_by_rows(P, g_b, b.V, b.seen), b.V.shape, V.shape)
        del b, P, dA
    return dQ[0] if len(dQ) == 1 else concatenate(dQ, axis=-2), dK, dV


def _added(total: Any, part: Any, shape: Shape, whole: Shape) -> Any:
    """total + part, which is that of the first keys; its broadcasting is undone here."""
    part = sum_to(part, shape)
    if total is None:
        if shape == whole:
            return part
        total = np.zeros(whole, part.dtype)
    total[..., : shape[-2], :] += part
    return total


def _pull_mask(g, g_lse, Q, K, V, mask, O, lse, *, causal, scale, softcap, exact):
    options = {"causal": causal, "scale": scale, "softcap": softcap, "exact": exact}
    total = None
    for b, _, _, dA in _pulled(g, g_lse, Q, K, V, mask, O, lse, **options):
        if dA.shape[-2:] == (Q.shape[-2], K.shape[-2]):
            return sum_to(dA, mask.shape)
        total = np.zeros(mask.shape, dA.dtype) if total is None else total
        part = cut_mask(total, b.start, b.stop, b.end)
        part += sum_to(dA, part.shape)
    return total


@accumulating(
    name="chunked_attention",
    outputs=("O", "lse"),
    vjp={("Q", "K", "V"): _pull, "mask": _pull_mask},
    explain=attention_mismatch,
)
def chunked_attention(
    Q: Array, K: Array, V: Array, mask: Array, *, causal: bool, scale: float | None, softcap: float | None, exact: bool
):
    """O (..., n, d_v), and lse (..., n), the logarithm of each softmax's denominator; 0 where no key is seen.

    Args:
        Q, K, V: (..., h, n, d), (..., h_kv, m, d), (..., h_kv, m, d_v).
        mask: boolean or additive, broadcasting to (..., h, n, m); True for none.
        exact: whether hidden terms must be left out of the products, since 0 times them is not 0.
    """
    Q, K, V, mask = (np.asarray(x) for x in (Q, K, V, mask))
    if attention_mismatch(Q.shape, K.shape, V.shape, mask.shape, scale=scale):
        raise ValueError("shapes do not fit")
    heads = np.broadcast_shapes(Q.shape[:-2], mask.shape[:-2], served(K.shape, Q.shape), served(V.shape, Q.shape))
    n, m = Q.shape[-2], K.shape[-2]
    dtype = np.result_type(Q, K, V, np.float16 if mask.dtype == bool else mask)
    O = np.empty((*heads, n, V.shape[-1]), dtype)
    lse = np.empty((*heads, n), dtype)
    options = {"causal": causal, "scale": scale, "softcap": softcap, "exact": exact}
    for b in _blocks(Q, K, V, mask, _rows(heads, n, m), **options):
        e, top = shifted(b.A, -1)
        np.exp(e, out=e)
        s = e.sum(-1, keepdims=True)
        s = s if b.empty is None else np.where(b.empty, s.dtype.type(1), s)
        with np.errstate(invalid="ignore", divide="ignore"):
            O[..., b.start : b.stop, :] = weights_by_values(e, b.V, b.seen) / s
            lse[..., b.start : b.stop] = (np.log(s) + top)[..., 0]
        del b, e
    return O, lse
