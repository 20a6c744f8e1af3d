"""How are activations brought to one scale?  By their own mean and variance, or by their mean square.

    layer norm   y = (x - mean) / sqrt(var + eps) * weight + bias           (Ba et al. 2016, arXiv 1607.06450, eq. 4)
    RMS norm     y = x / sqrt(mean(x^2) + eps) * weight                     (Zhang & Sennrich 2019, arXiv 1910.07467)
    group norm   the layer norm of each of `groups` blocks of channels      (Wu & He 2018, arXiv 1803.08494)

The scale r = 1 / sqrt(...) is an output beside the result, since the rules want it; it depends on x and so has a
cotangent of its own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.errors import OperandError, ShapeError
from minitorch.explain import named
from minitorch.ops.dtype import accumulating, floating, shape_of
from minitorch.ops.elementwise import add, multiply
from minitorch.ops.movement import expand_dims, reshape
from minitorch.ops.reduce import mean
from minitorch.primitive import Array, composite
from minitorch.shapes import Shape


def _standardize_rule(g, g_r, out, r):
    """r (g - mean(g) - out mean(g out)) for the result; dr/dx_i = -r^2 out_i / n for the scale beside it."""
    return _scale_back(g - mean(g, axis=-1, keepdims=True), g, g_r, out, r)


def _scale_back(centred, g, g_r, out, r):
    r, g_r = expand_dims(r, -1), expand_dims(g_r, -1)
    return r * (centred - out * mean(g * out, axis=-1, keepdims=True)) - out * (g_r * r * r / out.shape[-1])


@accumulating(
    name="standardize",
    outputs=("out", "r"),
    formula=lambda ranks, static: (
        "m[...] = mean_k x[...,k]; v[...] = mean_k (x[...,k] - m[...])**2;"
        f"r[...] = 1 / sqrt(v[...] + {static['eps']}); out[...,i] = (x[...,i] - m[...]) * r[...]"
    ),
    vjp={"x": _standardize_rule},
)
def _standardize(x: Array, *, eps: float):
    x = floating(x)
    _not_negative("standardize", eps)
    centred = x - x.mean(-1, keepdims=True)
    r = 1 / np.sqrt(np.square(centred).mean(-1, keepdims=True) + eps)
    return np.multiply(centred, r, out=centred), r[..., 0]


def _rms_rule(g, g_r, out, r):
    """r (g - out mean(g out)) for the result; dr/dx_i = -r^2 out_i / n for the scale beside it."""
    return _scale_back(g, g, g_r, out, r)


@accumulating(
    name="rms_scale",
    outputs=("out", "r"),
    formula=lambda ranks, static: (
        f"r[...] = 1 / sqrt(mean_k x[...,k]**2 + {static['eps']}); out[...,i] = x[...,i] * r[...]"
    ),
    vjp={"x": _rms_rule},
)
def _rms_scale(x: Array, *, eps: float):
    x = floating(x)
    _not_negative("rms_scale", eps)
    r = 1 / np.sqrt(np.square(x).mean(-1, keepdims=True) + eps)
    return x * r, r[..., 0]


def _not_negative(name: str, eps: float) -> None:
    if not eps >= 0:
        raise OperandError(f"{name}: eps is {eps!r}; a variance plus a negative number has no root. Use 1e-5?")


def _fits(name: str, x: Shape, **parts: Any) -> None:
    """Raise if a weight or bias is not as long as the last axis."""
    for part, value in parts.items():
        if value is not None and shape_of(value) != x[-1:]:
            raise ShapeError(
                f"{name}: the last axis of x {x} should be {math.prod(shape_of(value))}, as {part} "
                f"{shape_of(value)} is; they are multiplied entry by entry."
            )


@composite(
    formula="""
    x[n,d], weight[d], bias[d], eps:
    m[i]     = mean_k x[i,k];
    v[i]     = mean_k (x[i,k] - m[i])**2;
    r[i]     = 1 / sqrt(v[i] + eps);
    h[i,j]   = (x[i,j] - m[i]) r[i];
    out[i,j] = h[i,j] weight[j] + bias[j]
    """
)
def layer_norm(x: Array, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5) -> Any:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last axis: x (..., d), weight and bias (d,).

    Raises:
        ShapeError: weight or bias is not as long as the last axis.
    """
    _fits("layer_norm", shape_of(x), weight=weight, bias=bias)
    out = _standardize(x, eps=eps)[0]
    out = out if weight is None else multiply(out, weight)
    return out if bias is None else add(out, bias)


@composite(
    formula="""
    x[n,d], weight[d], eps:
    r[i]     = 1 / sqrt(mean_k x[i,k]**2 + eps);
    h[i,j]   = x[i,j] r[i];
    out[i,j] = h[i,j] weight[j]
    """
)
def rms_norm(x: Array, weight: Array | None = None, eps: float = 1e-6) -> Any:
    """x / sqrt(mean(x^2) + eps) * weight over the last axis: x (..., d), weight (d,).

    Raises:
        ShapeError: weight is not as long as the last axis.
    """
    _fits("rms_norm", shape_of(x), weight=weight)
    out = _rms_scale(x, eps=eps)[0]
    return out if weight is None else multiply(out, weight)


@named
def group_norm(x: Array, groups: int, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5) -> Any:
    """The layer norm of each block of channels / groups channels: x (batch, channels, ...), weight and bias
    (channels,).

    Raises:
        ShapeError: the groups do not divide the channels, or weight or bias is not as long as there are channels.
    """
    shape = shape_of(x)
    if len(shape) < 2 or groups < 1 or shape[1] % groups:
        raise ShapeError(f"group_norm: {groups} groups do not divide the channels (axis 1) of x {shape}.")
    batch, channels = shape[:2]
    for part, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value) != (channels,):
            raise ShapeError(f"group_norm: {part} {shape_of(value)}, but x {shape} has {channels} channels (axis 1).")
    block = math.prod(shape[2:]) * (channels // groups)
    out = reshape(_standardize(reshape(x, (batch, groups, block)), eps=eps)[0], shape)
    each = (channels,) + (1,) * (len(shape) - 2)
    out = out if weight is None else multiply(out, reshape(weight, each))
    return out if bias is None else add(out, reshape(bias, each))
