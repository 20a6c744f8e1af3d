"""Which functions does generated code call?  NumPy's, Python's for plain numbers, and four that NumPy does not have."""

from __future__ import annotations

from sympy import Abs, cos, erf, exp, log, sign, sin, sinh, tanh

from minitorch.symbolic.code.accurate import expm1, log1p, logaddexp
from minitorch.symbolic.functions import maximum, sigmoid

_NUMPY: dict[type, str] = {Abs: "abs", **{f: f.__name__ for f in (exp, log, tanh, sin, cos, sinh, sign, maximum)}}
_NUMPY |= {f: f.__name__ for f in (log1p, expm1, logaddexp)}
FUNCTIONS = {erf: "_erf", sigmoid: "_logistic", **{f: f"np.{name}" for f, name in _NUMPY.items()}}
OF_NUMBERS = {"np.abs": "abs", "np.maximum": "max"}  # what Python calls these; the others are in math

HELPERS = {
    "_at": '''def _at(x, *places):
    """x[places], and 0 where a place is outside."""
    inside = True
    for place, size in zip(places, x.shape):
        inside = inside & (place >= 0) & (place < size)
    found = x[tuple(np.where(inside, place, 0) for place in places)]
    return np.where(inside[(...,) + (None,) * (x.ndim - len(places))], found, 0)
''',
    "_shares": '''def _shares(x, axis):
    """1 at the largest entry of an axis, shared at a tie, and 0 elsewhere."""
    wins = x == x.max(axis=axis, keepdims=True)
    return wins / wins.sum(axis=axis, keepdims=True)
''',
    "_logistic": '''def _logistic(x):
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)
''',
    "_erf": '''def _erf(x):
    """The error function, which NumPy lacks: Python's own, entry by entry."""
    return np.vectorize(math.erf, otypes=[float])(x)
''',
}
