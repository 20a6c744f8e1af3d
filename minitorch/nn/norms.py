"""Which layers bring activations to one scale?  The operations of `ops/norms.py` with a weight and a bias to learn.

The papers' gamma is `weight` here and their beta `bias`, as in PyTorch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.arguments import check_numbers, check_sizes
from minitorch.errors import ShapeError
from minitorch.nn.module import Module
from minitorch.ops.dtype import floating, shape_of
from minitorch.ops.movement import reshape
from minitorch.ops.norms import group_norm, layer_norm, rms_norm
from minitorch.primitive import Array
from minitorch.shapes import Shape
from minitorch.tensor import Parameter, Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class _OverLast(Module):
    """A norm over the last axis, or over the last few together."""

    weight: Parameter | None
    bias: Parameter | None = None

    def _shaped(self, normalized_shape: int | Shape) -> Shape:
        """The axes that are normalised over, as a tuple."""
        shape = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        check_sizes(type(self).__name__, normalized_shape=len(shape))
        check_sizes(type(self).__name__, **{f"normalized_shape[{k}]": n for k, n in enumerate(shape)})
        return tuple(shape)

    def _normed(self, norm: Any, x: Any, *parts: Parameter | None) -> Any:
        """norm(x, *parts); several axes are taken as one for it."""
        last, shape = self.normalized_shape, shape_of(x)
        if shape[-len(last) :] != last:
            wanted = f"axis of {shape} should be {last[0]}" if len(last) == 1 else f"axes of {shape} should be {last}"
            raise ShapeError(f"{type(self).__name__}: the last {wanted}, as its parameters are.")
        if len(last) == 1:
            return norm(x, *parts)
        flat = reshape(x, (*shape[: -len(last)], math.prod(last)))
        return reshape(norm(flat, *(None if p is None else reshape(p, (p.size,)) for p in parts)), shape)

    normalized_shape: Shape

    def extra_repr(self) -> str:
        """The axes, where no parameter shows them."""
        return f"normalized_shape={self.normalized_shape}" if self.weight is None else ""


class LayerNorm(_OverLast):
    """y = gamma (x - mean) / sqrt(var + eps) + beta over the last axis (Ba et al. 2016, arXiv 1607.06450, eq. 4).

    Args:
        normalized_shape: size of the last axis, or a tuple: the sizes of as many last axes, normalised over together.
        eps: added to the variance.
        elementwise_affine: whether there are gamma, called `weight`, and beta, called `bias`; of that shape.
        bias: whether there is beta.
        dtype: of the parameters; the default dtype unless given.

    >>> LayerNorm((2, 2))(np.array([[[1.0, 1.0], [3.0, 3.0]]])).numpy().round(2).tolist()
    [[[-1.0, -1.0], [1.0, 1.0]]]
    """

    def __init__(
        self,
        normalized_shape: int | Shape,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ):
        check_numbers("LayerNorm", 0.0, eps=eps)
        self.normalized_shape, self.eps = self._shaped(normalized_shape), eps
        self.weight = _ones(self.normalized_shape, elementwise_affine, dtype)
        self.bias = _zeros(self.normalized_shape, elementwise_affine and bias, dtype)

    def forward(self, x: Any) -> Tensor:
        """x (..., *normalized_shape), a Tensor or an array -> the same shape."""
        return self._normed(lambda *xs: layer_norm(*xs, eps=self.eps), x, self.weight, self.bias)


class RMSNorm(_OverLast):
    """y = gamma x / sqrt(mean(x^2) + eps) over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467, eq. 4).

    Args:
        normalized_shape: as for `LayerNorm`.
        eps: added to the mean square; PyTorch's default, the machine epsilon of x, unless given.
        elementwise_affine: whether there is gamma, called `weight`.
        dtype: of the parameters; the default dtype unless given.

    >>> RMSNorm(2)(np.array([[3.0, 4.0]])).numpy().round(4)  # the root of (9 + 16) / 2 is 3.5355
    array([[0.8485, 1.1314]])
    """

    def __init__(
        self,
        normalized_shape: int | Shape,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ):
        check_numbers("RMSNorm", 0.0, eps=0.0 if eps is None else eps)
        self.normalized_shape, self.eps = self._shaped(normalized_shape), eps
        self.weight = _ones(self.normalized_shape, elementwise_affine, dtype)

    def forward(self, x: Any) -> Tensor:
        """x (..., *normalized_shape), a Tensor or an array -> the same shape."""
        dtype = getattr(x, "dtype", modes.current().dtype)
        eps = float(np.finfo(floating(np.empty(0, dtype)).dtype).eps) if self.eps is None else self.eps
        return self._normed(lambda *xs: rms_norm(*xs, eps=eps), x, self.weight)


class GroupNorm(Module):
    """The layer norm of each of `num_groups` blocks of channels (Wu and He 2018, arXiv 1803.08494, eq. 1 to 4).

    Args:
        num_groups: how many blocks; it must divide the channels.
        num_channels: size of axis 1.
        eps: added to the variance.
        affine: whether there are gamma, called `weight`, and beta, called `bias`, a number for each channel.
        dtype: of the parameters; the default dtype unless given.

    >>> GroupNorm(2, 4)(np.arange(8.0).reshape(1, 4, 2)).numpy().round(1).tolist()
    [[[-1.3, -0.4], [0.4, 1.3], [-1.3, -0.4], [0.4, 1.3]]]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ):
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        check_numbers("GroupNorm", 0.0, eps=eps)
        if num_channels % num_groups:
            raise ShapeError(f"GroupNorm: {num_groups} groups do not divide {num_channels} channels.")
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = _ones((num_channels,), affine, dtype)
        self.bias = _zeros((num_channels,), affine, dtype)

    def forward(self, x: Array) -> Tensor:
        """x (batch, num_channels, ...) -> the same shape."""
        if shape_of(x)[1:2] != (self.num_channels,):
            raise ShapeError(f"GroupNorm: axis 1 of {shape_of(x)} should be {self.num_channels}, as its channels are.")
        return group_norm(x, self.num_groups, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        """The groups."""
        return f"num_groups={self.num_groups}"


def _ones(shape: Shape, wanted: bool, dtype: DTypeLike | None) -> Parameter | None:
    return Parameter(np.ones(shape, dtype or modes.current().dtype)) if wanted else None


def _zeros(shape: Shape, wanted: bool, dtype: DTypeLike | None) -> Parameter | None:
    return Parameter(np.zeros(shape, dtype or modes.current().dtype)) if wanted else None
