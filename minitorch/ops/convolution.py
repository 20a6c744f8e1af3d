"""What does a window see as it slides?  Convolution along one axis (a correlation, as in every deep learning library).

    out[b,o,l] = sum_{c,k} x[b, c, l s + k d] weight[o, c, k]          stride s, dilation d

Both derivatives are convolutions too: by x, of the cotangent spread s apart with the weights reversed; by the weights,
of x with the cotangent, in which stride and dilation exchange their roles.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, ShapeError
from minitorch.explain import named
from minitorch.ops.arrangement import flip, pad
from minitorch.ops.dtype import shape_of
from minitorch.ops.elementwise import add
from minitorch.ops.indexing import getitem, put_into_zeros
from minitorch.ops.movement import reshape, transpose
from minitorch.options import settled
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape


def _by_x(g, weight, x_shape: Shape, weight_shape: Shape, *, stride, dilation, groups):
    batch, channels, length = x_shape
    outs, per_group, k = weight_shape
    span = dilation * (k - 1) + 1
    apart = slice(span - 1, span - 1 + stride * (g.shape[-1] - 1) + 1, stride)
    spread = put_into_zeros(g, (slice(None), slice(None), apart), (batch, outs, length + span - 1))
    turned = transpose(reshape(weight, (groups, outs // groups, per_group, k)), axes=(0, 2, 1, 3))
    turned = flip(reshape(turned, (channels, outs // groups, k)), axis=-1)
    return conv1d_valid(spread, turned, stride=1, dilation=dilation, groups=groups)


def _by_weight(g, x, x_shape: Shape, weight_shape: Shape, *, stride, dilation, groups):
    batch, _, length = x_shape
    _, per_group, k = weight_shape
    # Channels take the place of the batch, and the batch that of the channels.
    rows = transpose(reshape(x, (batch, groups, per_group, length)), axes=(2, 1, 0, 3))
    rows = reshape(rows, (per_group, groups * batch, length))
    kernel = transpose(g, axes=(1, 0, 2))  # (outs, batch, steps)
    whole = conv1d_valid(rows, kernel, stride=dilation, dilation=stride, groups=groups)  # (per_group, outs, >= k)
    return transpose(getitem(whole, (slice(None), slice(None), slice(k))), axes=(1, 0, 2))


def _mismatch(x: Shape, weight: Shape, *, stride: int = 1, dilation: int = 1, groups: int = 1) -> str | None:
    if len(x) != 3 or len(weight) != 3:
        return f"x {x} and weight {weight}; wanted (batch, channels, length) and (outs, channels / groups, k)."
    if min(stride, dilation, groups) < 1:
        return f"stride {stride}, dilation {dilation} and groups {groups} are counted from 1."
    if x[1] % groups or weight[0] % groups:
        return f"{groups} groups do not divide the {x[1]} channels of x {x} and the {weight[0]} of weight {weight}."
    if x[1] // groups != weight[1]:
        return (
            f"x {x} has {x[1]} channels in {groups} groups, that is {x[1] // groups} for each window, "
            f"but weight {weight} takes {weight[1]}. Change groups, or axis 1 of the weight?"
        )
    if weight[2] < 1 or x[2] < dilation * (weight[2] - 1) + 1:
        return f"a window of {dilation * (weight[2] - 1) + 1} does not fit into the length {x[2]} of x {x}. Pad it?"
    return None


def _formula(ranks, static):
    """Strides would need the quotient of sizes, groups that of indices."""
    if (static["stride"], static["groups"]) != (1, 1):
        return None
    d = static["dilation"]
    return f"""
        x[b,c,n], weight[o,c,k], l < n - {d} * (k - 1):
        out[b,o,l] = sum_{{c,s}} x[b,c,l + {d} * s] weight[o,c,s]
    """


@primitive(name="conv1d", formula=_formula, vjp={"x": _by_x, "weight": _by_weight}, explain=_mismatch)
def conv1d_valid(x: Array, weight: Array, stride: int = 1, dilation: int = 1, groups: int = 1):
    """The convolution of x (batch, channels, length) with weight (outs, channels / groups, k), without padding."""
    x, weight = np.asarray(x), np.asarray(weight)
    if _mismatch(x.shape, weight.shape, stride=stride, dilation=dilation, groups=groups):
        raise ValueError("shapes do not fit")
    (batch, _, _), (outs, per_group, k) = x.shape, weight.shape
    windows = np.lib.stride_tricks.sliding_window_view(x, dilation * (k - 1) + 1, axis=-1)
    windows = windows[:, :, ::stride, ::dilation]  # (batch, channels, steps, k), a view
    steps = windows.shape[2]
    windows = windows.reshape(batch, groups, per_group, steps, k).transpose(0, 1, 3, 2, 4)
    kernel = weight.reshape(groups, outs // groups, per_group * k).swapaxes(-1, -2)
    out = windows.reshape(batch, groups, steps, per_group * k) @ kernel  # (batch, groups, steps, outs / groups)
    return np.ascontiguousarray(out.swapaxes(-1, -2)).reshape(batch, outs, steps)


@named
def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: int = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """x (batch, channels, length) or (channels, length), with weight (outs, channels / groups, k) -> (batch, outs,
    steps).

    Args:
        bias: (outs,), added to every step.
        padding: zeros at both ends: a number, (before, after), "valid" for none, or "same" for as many steps as x is
        long; where that number is odd, the additional zero stands at the end. (before, 0) with before = dilation * (k
        - 1) is causal.

    Raises:
        ShapeError: sizes that do not fit, or "same" with a stride.
    """
    given = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    plain = {option: settled("conv1d", option, value) for option, value in given.items()}
    padding = plain.pop("padding")
    stride, dilation, groups = (_one(option, value) for option, value in plain.items())
    if len(shape_of(x)) == 2:
        lone = conv1d(reshape(x, (1, *shape_of(x))), weight, bias, stride, padding, dilation, groups)
        return reshape(lone, lone.shape[1:])
    window = shape_of(weight)[-1:] or (1,)
    if len(shape_of(x)) == 3 and (ends := _ends(padding, stride, dilation, window[0])):
        x = pad(x, ((0, 0), (0, 0), ends))
    out = conv1d_valid(x, weight, stride=stride, dilation=dilation, groups=groups)
    if bias is None:
        return out
    if shape_of(bias) != (out.shape[1],):
        raise ShapeError(f"conv1d: bias {shape_of(bias)}, but there are {out.shape[1]} outputs; one number for each.")
    return add(out, reshape(bias, (out.shape[1], 1)))


def _one(option: str, value: Any) -> int:
    """A number, which PyTorch users also write as a tuple of one."""
    found = value[0] if isinstance(value, tuple | list) and len(value) == 1 else value
    if not isinstance(found, int):
        raise ArgumentError(f"conv1d: {option} is {value!r}; one integer is wanted.")
    return found


def _ends(padding: int | tuple[int, int] | str, stride: int, dilation: int, k: int) -> tuple[int, int] | None:
    """How many zeros before and after."""
    if isinstance(padding, tuple | list) and len(padding) == 1:
        padding = padding[0]
    if padding == "valid" or padding == 0:
        return None
    if padding == "same":
        if stride != 1:
            raise ShapeError(f"conv1d: padding 'same' with stride {stride}; as many steps as x is long needs stride 1.")
        total = dilation * (k - 1)
        return total // 2, total - total // 2
    ends = (padding, padding) if isinstance(padding, int) else padding
    if isinstance(ends, str) or len(ends) != 2 or not all(isinstance(n, int) and n >= 0 for n in ends):
        raise ShapeError(f"conv1d: padding is {padding!r}; it can be a number, (before, after), 'same' or 'valid'.")
    return ends[0], ends[1]
