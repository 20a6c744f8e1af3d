"""How is a product kept that no float can hold?  As m 2^e: a float and an exponent of its own, which has no end.

A product of some entries may be 1e400 or 1e-400, and times the others an ordinary number.  Powers of two cost no
rounding, so what fits into a float comes out as if it had never been taken apart.  It costs ten times as much, so that
it is for those who need it: see `ordinary`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_NONE = -(2**40)  # the exponent of 0, below every other
_FAR = 5000  # further apart than the largest and the smallest float of any dtype


class Scaled:
    """Numbers m 2^e, entry by entry, with the arithmetic of an array; infinities and NaNs are in m.

    >>> large, small = scaled(np.array([1e200])), scaled(np.array([1e-200]))
    >>> number(large * large * (small * small) + small)
    array([1.])
    """

    __slots__ = ("e", "m")

    def __init__(self, m: np.ndarray, e: np.ndarray):
        self.m, self.e = m, e

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.m.shape

    def copy(self) -> Scaled:
        """The same numbers in memory of their own."""
        return Scaled(self.m.copy(), self.e.copy())

    def __getitem__(self, index: Any) -> Scaled:
        return Scaled(self.m[index], self.e[index])

    def __setitem__(self, index: Any, value: Scaled) -> None:
        self.m[index], self.e[index] = value.m, value.e

    def __mul__(self, other: Scaled) -> Scaled:
        return scaled(self.m * other.m, self.e + other.e)

    def __add__(self, other: Scaled) -> Scaled:
        top = np.maximum(self.e, other.e)
        own, others = (np.ldexp(a.m, np.maximum(a.e - top, -_FAR).astype(np.intc)) for a in (self, other))
        return scaled(own + others, top)


def scaled(x: np.ndarray, e: Any = 0) -> Scaled:
    """x 2^e."""
    m, own = np.frexp(x)
    return Scaled(m, np.where(m == 0, _NONE, own + np.asarray(e, np.int64)))


def number(a: Scaled | np.ndarray) -> np.ndarray:
    """As floats: infinite or 0 where no float is so large or so small."""
    return np.ldexp(a.m, np.clip(a.e, -_FAR, _FAR).astype(np.intc)) if isinstance(a, Scaled) else a


# -- along the last axis, of plain and of scaled numbers; in log2(n) rounds: each doubles how far back entries look ----


def running_product(x: Any) -> Any:
    """x_0 ... x_t."""
    y, by = x.copy(), 1
    while by < y.shape[-1]:
        y[..., by:] = y[..., by:] * y[..., :-by]
        by *= 2
    return y


def recurrence(g: Any, x: Any) -> Any:
    """s_t = g_t + x_t s_{t-1}, from 0."""
    s, m, by = g.copy(), x.copy(), 1
    while by < s.shape[-1]:
        s[..., by:] = s[..., by:] + m[..., by:] * s[..., :-by]
        m[..., by:] = m[..., by:] * m[..., :-by]
        by *= 2
    return s


def ordinary(g: np.ndarray, x: np.ndarray) -> bool:
    """Whether products of runs of x, of those before them and of g fit into floats; zeros do no harm.

    >>> g = np.array([1.0])
    >>> ordinary(g, np.array([1e30, 0.0, 1e-30])), ordinary(g, np.array([1e100, 1e100, 0.0]))
    (True, False)
    """
    far = 0.4 * np.finfo(x.dtype).maxexp  # of a run, of those before it and of g; the rest is for sums of many
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes, ends = (np.where(a == 0, 0, np.log2(np.abs(a))) for a in (g, x))
    ends = np.cumsum(ends, -1)
    low, high = ends.min(-1, initial=0), ends.max(-1, initial=0)
    return bool(np.all(high - low < far) and np.all(np.abs(sizes) < far))
