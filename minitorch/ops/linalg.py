"""What is contracted?  The matrix product, for every pair of ranks that NumPy's `@` takes, and the layer x W^T + b."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.ops.movement import expand_dims, squeeze
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape, matmul_mismatch

_ndarray = np.ndarray  # looked up once


def _matmul_formula(ranks, static):
    """Rank 1 has no row (on the left) or no column (on the right)."""
    a = "...,i,k" if ranks.get("a", 2) > 1 else "k"
    b = "...,k,j" if ranks.get("b", 2) > 1 else "k"
    free = [letters for letters, rank in (("i", ranks.get("a", 2)), ("j", ranks.get("b", 2))) if rank > 1]
    batch = ["..."] if max(ranks.get("a", 2), ranks.get("b", 2)) > 2 or len(free) == 2 else []
    out = f"out[{','.join(batch + free)}]" if batch + free else "out"
    return f"{out} = sum_k a[{a}] b[{b}]"


def _left(g, b, a_shape):
    """g b^T."""
    if b.ndim == 1:
        return expand_dims(g, -1) * b if len(a_shape) > 1 else g * b
    if len(a_shape) == 1:
        return squeeze(b @ expand_dims(g, -1), -1)
    return matmul(g, b.swapaxes(-1, -2))


def _right(g, a, b_shape):
    """a^T g; where one matrix serves a whole batch, the batch is contracted in the same product."""
    if len(b_shape) == 1:
        return g * a if a.ndim == 1 else squeeze(a.swapaxes(-1, -2) @ expand_dims(g, -1), -1)
    if a.ndim == 1:
        return expand_dims(a, -1) * expand_dims(g, -2)
    if len(b_shape) == 2 and a.ndim > 2:
        rows = a.reshape(_rows(a.shape), a.shape[-1])
        return rows.swapaxes(0, 1) @ g.reshape(_rows(g.shape), g.shape[-1])
    return matmul(a.swapaxes(-1, -2), g)


def _rows(shape):
    """How many rows of the last axis there are (-1 would be undefined for size zero)."""
    return int(np.prod(shape[:-1], dtype=int))


@primitive(
    formula=_matmul_formula,
    vjp={"a": _left, "b": _right},
    explain=lambda a, b: matmul_mismatch(a, b),
)
def matmul(a: Array, b: Array):
    """The matrix product `a @ b`: (..., n, k) @ (..., k, m) -> (..., n, m); a vector is a row on the left, a column on
    the right."""
    if isinstance(a, _ndarray) and isinstance(b, _ndarray) and a.ndim == b.ndim == 2:
        return a.dot(b)  # the same product; np.matmul takes 4 times as long for a column by a row
    return np.matmul(a, b)


def _linear_mismatch(x: Shape, weight: Shape, bias: Shape | None = None) -> str | None:
    if len(weight) != 2:
        return f"weight {weight} is no matrix (d_out, d_in)."
    if x[-1:] != weight[1:]:
        transposed = " Transpose the weight?" if x[-1:] == weight[:1] else ""
        return f"x {x} does not end with axis -1 of weight {weight}, which is (d_out, d_in).{transposed}"
    if bias is not None and bias != weight[:1]:
        return f"bias {bias}, but weight {weight} has {weight[0]} rows; one number for each."
    return None


def _linear_by_x(g, weight):
    return matmul(g, weight)


def _linear_by_weight(g, x, weight_shape):
    """g^T x."""
    return _right(x, g, weight_shape)


@primitive(
    formula="out[...,j] = sum_i x[...,i] weight[j,i]",
    vjp={"x": _linear_by_x, "weight": _linear_by_weight},
    explain=_linear_mismatch,
)
def linear_map(x: Array, weight: Array):
    """x W^T: what `linear` is without a bias."""
    x, weight = np.asarray(x), np.asarray(weight)
    if _linear_mismatch(x.shape, weight.shape):
        raise ValueError("shapes do not fit")
    return matmul.forward(x, weight.T)


@primitive(
    name="linear",
    formula="out[...,j] = sum_i x[...,i] weight[j,i] + bias[j]",
    vjp={"x": _linear_by_x, "weight": _linear_by_weight, "bias": lambda g: g},
    explain=_linear_mismatch,
)
def _linear(x: Array, weight: Array, bias: Array):
    x, weight, bias = np.asarray(x), np.asarray(weight), np.asarray(bias)
    if _linear_mismatch(x.shape, weight.shape, bias.shape):
        raise ValueError("shapes do not fit")
    out = matmul.forward(x, weight.T)
    return np.add(out, bias, out=out) if out.dtype == np.result_type(out, bias) else out + bias


def linear(x: Array, weight: Array, bias: Array | None = None) -> Any:
    """x W^T + b, as `torch.nn.functional.linear`: x (..., d_in), weight (d_out, d_in), bias (d_out,) -> (..., d_out).

    >>> linear(np.array([1.0, 2.0]), np.array([[1.0, 1.0], [0.0, 1.0], [2.0, 0.0]]))
    array([3., 2., 2.])
    """
    return linear_map(x, weight) if bias is None else _linear(x, weight, bias)
