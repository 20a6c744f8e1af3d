"""Which keys may a query see?  A boolean mask is True where it may; any other is a number to add to the score.

    causal   query i sees keys 0 ... i + (m - n): of m keys the last n are the queries' own

A boolean mask is about which keys there are, an additive one about what the formula says; only the first can leave a
query without keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.errors import DtypeError
from minitorch.ops.dtype import values
from minitorch.ops.select import where

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def causal_mask(n: int, m: int | None = None, dtype: DTypeLike = np.float64) -> np.ndarray:
    """The additive mask (n, m) under which query i sees keys 0 ... i + (m - n): itself and the past.

    >>> causal_mask(3)
    array([[  0., -inf, -inf],
           [  0.,   0., -inf],
           [  0.,   0.,   0.]])
    """
    m = n if m is None else m
    return np.where(_past(n, m, 0, n, m), 0.0, -np.inf).astype(dtype)


def _past(n: int, m: int, start: int, stop: int, end: int) -> np.ndarray:
    """True where query i of n sees key j of m, for i from start to stop - 1 and j up to end - 1."""
    return np.tri(stop - start, end, start + m - n, dtype=bool)


def is_boolean(mask: Any) -> bool:
    """Whether a mask says which keys there are, rather than what to add to their scores."""
    return (mask if hasattr(mask, "dtype") else np.asarray(mask)).dtype == bool


def checked_mask(mask: Any, dtype: np.dtype) -> Any:
    """The mask as a boolean array, or as numbers to add: a Tensor as it is, an array in `dtype`.

    Raises:
        DtypeError: it is neither boolean nor floating.
    """
    if mask.dtype == bool:
        return values(mask)
    if mask.dtype.kind != "f":
        raise DtypeError(
            f"scaled_dot_product_attention: the mask is {mask.dtype}; a boolean one is True where a key may be "
            "seen, a floating one is added to the scores. Use mask.astype(bool)?"
        )
    return mask.astype(dtype, copy=False) if isinstance(mask, np.ndarray | np.generic) else mask


def cut_mask(mask: Any, start: int, stop: int, end: int) -> Any:
    """A view of the part for queries start ... stop - 1 and keys 0 ... end - 1; axes of size 1 serve all."""
    cuts = (slice(start, stop), slice(end))[-mask.ndim :] if mask.ndim else ()
    cuts = [c if k > 1 else slice(None) for c, k in zip(cuts, mask.shape[-2:], strict=True)]
    return mask[(..., *cuts)]


def part_of_mask(
    mask: Any, causal: bool, n: int, m: int, start: int, stop: int, end: int
) -> tuple[np.ndarray | None, Any]:
    """What a checked mask and causality say about queries start ... stop - 1 of n and keys 0 ... end - 1 of m.

    Returns:
        seen: boolean (..., stop - start, end), or None if each of these queries sees each of these keys.
        bias: what is added to the scores, or None.
    """
    part = mask if mask is None or (stop - start, end) == (n, m) else cut_mask(mask, start, stop, end)
    seen, bias = (part, None) if part is not None and part.dtype == bool else (None, part)
    if causal:
        past = _past(n, m, start, stop, end)
        seen = past if seen is None else seen & past
    if seen is None or seen.all():
        return None, bias
    whole = (*seen.shape[:-2], stop - start, end)
    return (seen if seen.shape == whole else np.broadcast_to(seen, whole)), bias


def masked(A: Any, seen: np.ndarray | None, bias: Any, *, exact: bool) -> tuple[Any, np.ndarray | None]:
    """Scores A with the mask added, or, if `exact`, chosen, so that no value of a hidden score matters.

    Returns:
        The scores, and (..., n, 1), true for queries that see no key, or None if there are none; their scores are as
        if nothing was hidden, since a softmax over nothing is undefined.
    """
    if seen is None:
        return (A if bias is None else A + bias), None
    empty: np.ndarray = ~np.any(seen, -1, keepdims=True)
    low = -np.inf if bias is not None or exact else np.finfo(A.dtype).min / 2  # finite: anomaly mode has nothing to say
    M = np.where(seen | empty, 0.0, low).astype(A.dtype)
    none = empty if empty.any() else None
    if exact:
        return where(seen, A if bias is None else A + bias, M), none
    return A + (M if bias is None else bias + M), none
