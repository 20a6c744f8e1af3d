"""What does a query read?  The average of the values, weighted by how well their keys answer it.

    O = softmax(Q K^T / sqrt(d_k) + M) V                                (Vaswani et al. 2017, arXiv 1706.03762, eq. 1)

A boolean mask means that the hidden keys do not exist: values and gradients are those of attention with these keys
deleted, row by row, whatever stands in their place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, OperandError, ShapeError
from minitorch.ops.attention_chunked import chunked_attention
from minitorch.ops.attention_products import scores, weights_by_values
from minitorch.ops.attention_shapes import attention_mismatch
from minitorch.ops.dtype import shape_of, values
from minitorch.ops.fused import softmax
from minitorch.ops.masks import checked_mask, masked, part_of_mask
from minitorch.ops.movement import concatenate
from minitorch.ops.select import where
from minitorch.primitive import Array, composite
from minitorch.shapes import Shape

_NAME = "scaled_dot_product_attention"


def _formula(ranks, static):
    """With the mask M added to the scores, unless static has mask=False; with a `scale` if static has scale=True."""
    bias, added = ("", "") if static.get("mask") is False else (", M[n,m]", " + M[i,j]")
    setting, scaled = (", scale", "scale ") if static.get("scale") else ("", "")
    return f"""
    Q[n,d_k], K[m,d_k], V[m,d_v]{bias}{setting}:
    A[i,j] = {scaled}sum_e Q[i,e] K[j,e]{"" if scaled else " / sqrt(d_k)"}{added};
    Z[i]   = sum_k exp(A[i,k]);
    P[i,j] = exp(A[i,j]) / Z[i];
    O[i,c] = sum_j P[i,j] V[j,c]
    """


@composite(formula=_formula)
def scaled_dot_product_attention(
    Q: Array,
    K: Array,
    V: Array,
    mask: Array | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    past: tuple[Array, Array] | None = None,
    method: str = "dense",
) -> Any:
    """softmax(scale Q K^T + M) V over the last two axes; leading axes broadcast.

    Args:
        Q: queries (..., h, n, d_k).
        K: keys (..., h_kv, m, d_k), where h_kv divides h: query head i uses key head i // (h / h_kv) (grouped queries,
            Ainslie et al. 2023, arXiv 2305.13245).  Without heads (..., m, d_k), as any leading axes.
        V: values (..., h_kv, m, d_v).
        mask: broadcasts to (..., h, n, m).  A boolean one is True where a key may be seen; hidden keys count as
            deleted, a NaN in them reaches nothing, and a row that sees no key gives zeros.  A floating one is added to
            the scores and follows the formula; an array takes the dtype of the scores.
        causal: query i sees keys 0 ... i + (m - n) only.
        scale: of the scores; 1 / sqrt(d_k) unless given.
        softcap: c, for scores c tanh(scores / c) before the mask (Gemma 2, arXiv 2408.00118, section 2).
        past: (keys, values) that are put before K and V, as a cache of earlier positions; m counts them too.
        method: "dense" keeps the weights, O(n m) of memory.  "chunked" computes blocks of them, and again in the
            backward pass: O(n + m) of memory for values and first derivatives.

    Returns:
        O (..., h, n, d_v).

    Raises:
        ShapeError: the sizes of two of Q, K, V, past and mask do not fit; the message says which axes.
        DtypeError: the mask is neither boolean nor floating.
        OperandError: softcap is not positive.
        ArgumentError: another method.

    >>> x = np.eye(2)
    >>> scaled_dot_product_attention(x, x, x, causal=True)[0]
    array([1., 0.])
    """
    if past is not None:
        K, V = _after(past, K, V)
    given: list[Any] = [x if x is None or hasattr(x, "shape") else np.asarray(x) for x in (Q, K, V, mask)]
    Q, K, V, mask = given
    shapes: list[Shape] = [() if x is None else x.shape for x in given]
    if reason := attention_mismatch(*shapes, scale=scale):
        raise ShapeError(f"{_NAME}: {reason}")
    scale, softcap = _number("scale", scale), _number("softcap", softcap)
    if softcap is not None and not softcap > 0:
        raise OperandError(f"{_NAME}: softcap is {softcap}, the bound of the scores; it must be positive.")
    if mask is not None:
        mask = checked_mask(mask, np.result_type(*map(values, given[:3]), np.float16))
    exact = _needs_care(Q, K, V, mask, causal, scale)
    if method == "chunked":
        heard = True if mask is None else mask
        return chunked_attention(Q, K, V, heard, causal=causal, scale=scale, softcap=softcap, exact=exact)[0]
    if method != "dense":
        raise ArgumentError(f"{_NAME}: method is {method!r}; it can be 'dense' or 'chunked'.")
    n, m = shapes[0][-2], shapes[1][-2]
    seen, bias = part_of_mask(mask, causal, n, m, 0, n, m)
    heeded = seen if exact else None
    A, _ = scores(Q, K, scale, softcap, heeded)  # (..., h, n, m)
    A, empty = masked(A, seen, bias, exact=exact)
    O = weights_by_values(softmax(A), V, heeded)  # (..., h, n, d_v)
    return O if empty is None else where(empty, 0, O)


def _needs_care(Q: Any, K: Any, V: Any, mask: Any, causal: bool, scale: float | None) -> bool:
    """Whether a hidden term could be seen: 0 times it is 0 only if it is finite, and not so large that a product
    overflows.

    Six reductions over n d entries, where attention itself passes n m entries several times.
    """
    if not causal and (mask is None or mask.dtype != bool):
        return False  # nothing is hidden
    if (
        mask is not None
        and mask.dtype != bool
        and not (Q.shape[-2] <= K.shape[-2] and values(mask).max(initial=-np.inf) < np.inf)
    ):
        return True
    arrays = [values(x) for x in (Q, K, V)]
    q, k, v = (max(float(x.max(initial=0)), -float(x.min(initial=0))) for x in arrays)  # NaN stays NaN
    room = float(np.finfo(np.result_type(*arrays, np.float16)).max)
    tame = 8 * q * k * Q.shape[-1] * max(1.0, abs(scale or 0)) < room and v * V.shape[-1] < math.sqrt(room)
    return not tame


def _number(name: str, value: Any) -> float | None:
    """A number that has no derivative, in Python's own type, which widens no array."""
    if value is None or isinstance(value, int | float):
        return None if value is None else float(value)
    if isinstance(value, np.generic | np.ndarray) and not value.ndim:
        return float(value)
    raise ArgumentError(f"{_NAME}: {name} is a {type(value).__name__}; it takes a number. Multiply Q by it?")


def _after(past: tuple[Array, Array], K: Array, V: Array) -> tuple[Any, Any]:
    """K and V with the past before them."""
    if not isinstance(past, tuple | list) or len(past) != 2:
        raise ArgumentError(f"{_NAME}: past is a {type(past).__name__}; it takes a pair (keys, values).")
    for name, before, now in (("K", past[0], K), ("V", past[1], V)):
        a, b = shape_of(before), shape_of(now)
        if len(a) != len(b) or len(a) < 2 or (*a[:-2], a[-1]) != (*b[:-2], b[-1]):
            raise ShapeError(f"{_NAME}: past {name} {a} and {name} {b}; all axes but -2 must be equal.")
    return concatenate([past[0], K], axis=-2), concatenate([past[1], V], axis=-2)
