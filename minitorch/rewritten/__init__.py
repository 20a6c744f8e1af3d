"""Which functions are an expression of others?  `vstack`, `diff`, `flatten`: each is a line or two of operations.

So they go through the tape without rules of their own, and on plain arrays they are what NumPy computes.  What an
argument that is missing here would mean, `interop.py` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minitorch.ops.contraction import einsum, tensordot
from minitorch.ops.diagonal import diagonal, trace
from minitorch.ops.elementwise import absolute, positive, round
from minitorch.ops.linalg import matmul
from minitorch.ops.movement import swapaxes
from minitorch.ops.statistics import norm
from minitorch.rewritten.arithmetic import average, diff, divmod, inner, matrix_norm, vecdot, vector_norm
from minitorch.rewritten.arrangement import (
    append,
    array_split,
    atleast_1d,
    atleast_2d,
    chunk,
    column_stack,
    copy,
    expand,
    flatten,
    hstack,
    numel,
    one_hot,
    ravel,
    unbind,
    unflatten,
    vstack,
    where_or_nonzero,
)

__all__ = [
    "REWRITTEN",
    "average",
    "chunk",
    "diff",
    "expand",
    "flatten",
    "hstack",
    "inner",
    "numel",
    "one_hot",
    "ravel",
    "unbind",
    "unflatten",
    "vstack",
]

# The functions of `np.linalg` work on the last two axes, where those of `np` by the same name take the first two.
REWRITTEN: Mapping[Callable[..., Any], Callable[..., Any]] = {
    np.ravel: ravel,
    np.copy: copy,
    np.atleast_1d: atleast_1d,
    np.atleast_2d: atleast_2d,
    np.vstack: vstack,
    np.hstack: hstack,
    np.column_stack: column_stack,
    np.append: append,
    np.array_split: array_split,
    np.where: where_or_nonzero,
    np.diff: diff,
    np.inner: inner,
    np.vecdot: vecdot,
    np.average: average,
    np.divmod: divmod,
    np.around: round,
    np.fabs: absolute,
    np.conjugate: positive,
    np.matrix_transpose: lambda x: swapaxes(x, -1, -2),
    np.linalg.norm: norm,
    np.linalg.vector_norm: vector_norm,
    np.linalg.matrix_norm: matrix_norm,
    np.linalg.matmul: matmul,
    np.linalg.vecdot: vecdot,
    np.linalg.tensordot: tensordot,
    np.linalg.outer: lambda x1, x2: einsum("i,j->ij", x1, x2),
    np.linalg.trace: lambda x, offset=0: trace(x, offset, -2, -1),
    np.linalg.diagonal: lambda x, offset=0: diagonal(x, offset=offset, axis1=-2, axis2=-1),
}
"""NumPy's function, and what it is here."""
