"""What are the small layers that every model is built of?  Each is an equation with parameters; see its docstring.

Names of parameters, their shapes, arguments and first values are PyTorch's, so that a state dict of either loads in the
other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minitorch.arguments import check_sizes, number
from minitorch.errors import OperandError, ShapeError
from minitorch.nn.init import normal, uniform
from minitorch.nn.module import Module
from minitorch.ops.convolution import conv1d
from minitorch.ops.dropout import dropout
from minitorch.ops.dtype import shape_of
from minitorch.ops.indexing import embedding
from minitorch.ops.linalg import linear
from minitorch.ops.movement import reshape
from minitorch.primitive import Array
from minitorch.shapes import Shape, normalize_axes
from minitorch.tensor import Parameter, Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Linear(Module):
    """y = x W^T + b: (..., in_features) -> (..., out_features).

    Args:
        in_features, out_features: sizes of the last axis before and after.
        bias: whether to add b.
        dtype: of the parameters; the default dtype unless given.

    W has shape (out_features, in_features).  W and b start from U(-1/sqrt(in_features), 1/sqrt(in_features)).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, dtype: DTypeLike | None = None):
        check_sizes("Linear", 0, in_features=in_features, out_features=out_features)
        self.weight, self.bias = _drawn((out_features, in_features), bias, dtype)

    def forward(self, x: Array) -> Tensor:
        """x (..., in_features) -> (..., out_features)."""
        return linear(x, self.weight, self.bias)


class Conv1d(Module):
    """A window that slides along: (batch, in_channels, length) -> (batch, out_channels, steps).

    Args:
        in_channels, out_channels: how many numbers each position has before and after.
        kernel_size: width of the window.
        stride, padding, dilation, groups: as for `minitorch.conv1d`.
        bias: whether to add one number for each channel.
        dtype: of the parameters; the default dtype unless given.

    The weight has shape (out_channels, in_channels / groups, kernel_size).  Weight and bias start from U(-b, b) with b
    = 1 / sqrt(in_channels / groups kernel_size).

    >>> Conv1d(2, 3, kernel_size=5, padding="same")(Tensor([[1.0, 2.0], [3.0, 4.0]])).shape
    (3, 2)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: DTypeLike | None = None,
    ):
        sizes = {"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size}
        check_sizes("Conv1d", **sizes, stride=stride, dilation=dilation, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ShapeError(
                f"Conv1d: groups={groups} does not divide {in_channels} channels before and {out_channels} after."
            )
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.weight, self.bias = _drawn((out_channels, in_channels // groups, kernel_size), bias, dtype)

    def forward(self, x: Array) -> Tensor:
        """x (batch, in_channels, length) or (in_channels, length) -> (batch, out_channels, steps), or without batch."""
        return conv1d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """What is not the default."""
        plain = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        return ", ".join(f"{k}={getattr(self, k)!r}" for k, v in plain.items() if getattr(self, k) != v)


def _drawn(shape: Shape, bias: bool, dtype: DTypeLike | None) -> tuple[Parameter, Parameter | None]:
    """A weight (outputs, inputs, ...) and a bias (outputs,) from U(-1/sqrt(n), 1/sqrt(n)), with n numbers summed in
    each output."""
    bound = 1 / math.sqrt(max(math.prod(shape[1:]), 1))
    weight = Parameter(uniform(shape, bound), dtype=dtype)
    return weight, Parameter(uniform(shape[:1], bound), dtype=dtype) if bias else None


class Embedding(Module):
    """A vector for each of many tokens: integer ids (...) -> (..., embedding_dim).

    Args:
        num_embeddings: how many tokens there are.
        embedding_dim: width of a vector.
        padding_idx: a token that means nothing: its vector starts as zeros and never gets a gradient.  Negative counts
            from the end.
        dtype: of the table; the default dtype unless given.

    The table, `weight`, starts from a standard normal distribution.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike | None = None,
    ):
        N = num_embeddings
        check_sizes("Embedding", 0, num_embeddings=N, embedding_dim=embedding_dim)
        if padding_idx is not None:
            check_sizes("Embedding", -math.inf, padding_idx=padding_idx)
        if padding_idx is not None and not -N <= padding_idx < N:
            raise ShapeError(f"Embedding: padding_idx={padding_idx} is none of the {N} tokens 0 ... {N - 1}.")
        table = normal((N, embedding_dim))
        self.padding_idx = None if padding_idx is None else padding_idx % N
        if self.padding_idx is not None:
            table[self.padding_idx] = 0
        self.weight = Parameter(table, dtype=dtype)

    def forward(self, ids: Array | Sequence[Any]) -> Tensor:
        """ids (...) of integers in 0 ... num_embeddings - 1 -> (..., embedding_dim)."""
        ids = ids if hasattr(ids, "dtype") else Tensor(ids)
        return embedding(self.weight, ids, padding_idx=self.padding_idx)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """The padding, if there is one."""
        return "" if self.padding_idx is None else f"padding_idx={self.padding_idx}"


class Dropout(Module):
    """In training each entry is 0 with probability p and divided by 1 - p otherwise, so that its mean stays; in
    evaluation x itself (Srivastava et al. 2014).

    Args:
        p: the probability of 0, in [0, 1].

    The masks come from the generator that `minitorch.seed` starts.

    >>> drop = Dropout(0.5).eval()
    >>> drop(Tensor([1.0, 2.0])).numpy().tolist()
    [1.0, 2.0]
    """

    def __init__(self, p: float = 0.5):
        if number(p) is None or not 0 <= p <= 1:
            raise OperandError(f"Dropout: p={p!r} is no probability; it can be 0 ... 1.")
        self.p = p

    def forward(self, x: Array) -> Any:
        """x (...) -> (...)."""
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"


class Identity(Module):
    """y = x."""

    def forward(self, x: Any) -> Any:
        """x as it is."""
        return x


class Flatten(Module):
    """Several neighbouring axes as one; all but the first unless said otherwise.

    >>> Flatten()(Tensor([[[1.0, 2.0], [3.0, 4.0]]])).shape
    (1, 4)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Array) -> Any:
        """x (..., a, ..., b, ...) -> (..., a ... b, ...)."""
        shape = shape_of(x)
        first, last = (normalize_axes(axis, len(shape))[0] for axis in (self.start_dim, self.end_dim))
        if first > last:
            raise ShapeError(f"Flatten: axis {first} to axis {last} of {shape} is no range; the first comes first.")
        return reshape(x, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
