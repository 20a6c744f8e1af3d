"""Which keys does a query see?  Those that are real tokens, that are not in the future, and that are near enough.

    real    key j of sentence b stands if j < lengths[b]
    window  causal: query i sees the last r keys, i - r + 1 ... i; otherwise the r around it, i - r // 2 ...

Source: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.3 (causal) and table 1, fourth row (the neighbourhood r).

A boolean mask is True where a key may be seen.  Causality is `minitorch.scaled_dot_product_attention`'s own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt


def real_tokens(lengths: Any, n: int) -> np.ndarray:
    """lengths (batch,) -> (batch, n), True for the first lengths[b] tokens of row b.

    Raises:
        minitorch.ShapeError: a length is negative or larger than n.

    >>> real_tokens([1, 3], 3).astype(int).tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise mt.ShapeError(
            f"lengths of shape {lengths.shape} and dtype {lengths.dtype}; they are one integer for each row. "
            "Use mask.sum(-1) if it is a mask?"
        )
    if lengths.size and not 0 <= lengths.min() <= lengths.max() <= n:
        raise mt.ShapeError(f"lengths from {lengths.min()} to {lengths.max()}, of rows that hold {n} tokens.")
    return np.arange(n) < lengths[:, None]


def near(queries: np.ndarray, keys: np.ndarray, window: int, *, causal: bool) -> np.ndarray:
    """Positions (..., n) and (..., m) -> (..., n, m), True for the `window` keys that a query reaches.

    >>> near(np.arange(3), np.arange(3), 2, causal=True).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    """
    back = queries[..., :, None] - keys[..., None, :]  # how far before the query the key stands
    first = window - 1 if causal else window // 2
    return (back <= first) & (back > first - window)


def both(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    """What two boolean masks show both; None shows everything."""
    return b if a is None else a if b is None else a & b


def hide(bias: Any, seen: np.ndarray) -> tuple[Any, np.ndarray]:
    """Numbers to add to scores, -inf where `seen` is False; and (..., n, 1), which queries see nothing.

    The scores of those stay as they are, since a softmax over nothing is undefined; what they read is to be set to 0.
    """
    empty: np.ndarray = ~np.any(seen, -1, keepdims=True)
    return mt.where(seen | empty, bias, -np.inf), empty
