"""What if some entries are others?  Indexed assignment as an operation: a copy of x with `value` at `index`.

`x[index] = value` on a Tensor is this operation, written back into x's own memory (see `inplace.py`).
"""

from __future__ import annotations

import numpy as np

from minitorch.ops.elementwise import multiply
from minitorch.ops.indexing import Index, getitem, is_basic
from minitorch.ops.movement import reshape
from minitorch.primitive import Array, primitive


def _of_x(g, *, index: Index):
    return put(g, 0, index)


def _of_value(g, *, index: Index, x_shape):
    read = getitem(g, index)
    if is_basic(index):
        return read
    places = np.arange(read.size).reshape(read.shape)  # of an entry that was written twice, the last value stays
    last = np.full(x_shape, -1)
    last[index] = places
    return multiply(read, last[index] == places)


def _of_value_rule(g, x_shape, value_shape, *, index: Index):
    found = _of_value(g, index=index, x_shape=x_shape)
    return reshape(found, (1,) * len(value_shape) + found.shape)  # NumPy drops leading axes of size 1 when it writes


@primitive(vjp={"x": _of_x, "value": _of_value_rule})
def put(x: Array, value: Array, index: Index):
    """A copy of x in which x[index] is `value`; value broadcasts, and of several writes to one entry the last stays.

    >>> put(np.zeros(3), 1.0, [0, 2])
    array([1., 0., 1.])
    """
    out = np.array(x)
    out[index] = value
    return out
