"""What is left out?  Each entry with probability p, and the others are scaled so that the mean stays.

out = x m / (1 - p),   m_i = 0 with probability p, else 1             (Srivastava et al. 2014, JMLR 15)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import OperandError
from minitorch.ops.dtype import shape_of
from minitorch.ops.elementwise import multiply
from minitorch.ops.select import where
from minitorch.primitive import Array
from minitorch.random import generator


def dropout(x: Array, p: float = 0.5, training: bool = True) -> Any:
    """x with each entry set to 0 with probability p and the others divided by 1 - p; x itself unless `training`.

    The mask comes from the one generator (`minitorch.seed`).  An entry that is left out lets nothing through, NaN
    neither.

    Raises:
        OperandError: p is not in 0 ... 1.

    >>> from minitorch import seed
    >>> _ = seed(0)
    >>> dropout(np.ones(5), 0.5)
    array([2., 2., 2., 0., 0.])
    """
    if not isinstance(p, int | float | np.floating) or not 0 <= p <= 1:
        raise OperandError(f"dropout: p is {p!r}; it is a probability, a number from 0 to 1.")
    if not training or p == 0:
        return x
    keep = generator().random(shape_of(x), np.float32) >= p
    return where(keep, multiply(x, 1 / (1 - p) if p < 1 else 0.0), 0)
