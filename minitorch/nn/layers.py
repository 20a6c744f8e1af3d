"""What are the small layers that every model is built of?  Each is an equation with parameters; see its docstring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import ShapeError
from minitorch.nn.init import normal, uniform
from minitorch.nn.module import Module
from minitorch.ops.dropout import dropout
from minitorch.ops.indexing import embedding
from minitorch.ops.linalg import linear
from minitorch.ops.norms import layer_norm, rms_norm
from minitorch.primitive import Array
from minitorch.tensor import Parameter, Tensor


class Linear(Module):
    """y = x W + b: (..., d_in) -> (..., d_out).

    Args:
        d_in, d_out: sizes of the last axis before and after.
        bias: whether to add b.

    W has shape (d_in, d_out), PyTorch's transposed.  W and b start from U(-1/sqrt(d_in), 1/sqrt(d_in)), PyTorch's
    default.
    """

    def __init__(self, d_in: int, d_out: int, bias: bool = True):
        bound = 1 / math.sqrt(d_in) if d_in else 0.0
        self.weight = Parameter(uniform((d_in, d_out), bound))
        self.bias = Parameter(uniform((d_out,), bound)) if bias else None

    def forward(self, x: Array) -> Tensor:
        """x (..., d_in) -> (..., d_out)."""
        return linear(x, self.weight, self.bias)


class Embedding(Module):
    """A vector for each of N tokens: integer ids (...) -> (..., d).

    Args:
        N: how many tokens there are.
        d: width of a vector.
        padding_idx: a token that means nothing: its vector starts as zeros and never gets a gradient.  Negative counts
            from the end.

    The table starts from a standard normal distribution.
    """

    def __init__(self, N: int, d: int, padding_idx: int | None = None):
        if padding_idx is not None and not -N <= padding_idx < N:
            raise ShapeError(f"Embedding: padding_idx={padding_idx} is none of the {N} tokens 0 ... {N - 1}.")
        table = normal((N, d))
        self.padding_idx = None if padding_idx is None else padding_idx % N
        if self.padding_idx is not None:
            table[self.padding_idx] = 0
        self.weight = Parameter(table)

    def forward(self, ids: Array | Sequence[Any]) -> Tensor:
        """ids (...) of integers in 0 ... N-1 -> (..., d)."""
        return embedding(self.weight, np.asarray(ids), padding_idx=self.padding_idx)

    def extra_repr(self) -> str:
        """The padding, if there is one."""
        return "" if self.padding_idx is None else f"padding_idx={self.padding_idx}"


class LayerNorm(Module):
    """y = gamma (x - mean) / sqrt(var + eps) + beta over the last axis (Ba et al. 2016, arXiv 1607.06450, eq. 4).

    Args:
        d: size of the last axis.
        eps: added to the variance.
        bias: whether to add beta.
    """

    def __init__(self, d: int, eps: float = 1e-5, bias: bool = True):
        dtype = modes.current().dtype
        self.eps = eps
        self.gamma = Parameter(np.ones(d, dtype))
        self.beta = Parameter(np.zeros(d, dtype)) if bias else None

    def forward(self, x: Any) -> Tensor:
        """x (..., d), a Tensor or an array -> (..., d)."""
        _check_width("LayerNorm", x, self.gamma)
        return layer_norm(x, self.gamma, self.beta, eps=self.eps)


class RMSNorm(Module):
    """y = gamma x / sqrt(mean(x^2) + eps) over the last axis (Zhang and Sennrich 2019, arXiv 1910.07467, eq. 4).

    Args:
        d: size of the last axis.
        eps: added to the mean square; PyTorch's default, the machine epsilon of x, unless given.

    >>> RMSNorm(2)(np.array([[3.0, 4.0]])).numpy().round(4)  # the root of (9 + 16) / 2 is 3.5355
    array([[0.8485, 1.1314]])
    """

    def __init__(self, d: int, eps: float | None = None):
        self.eps = eps
        self.gamma = Parameter(np.ones(d, modes.current().dtype))

    def forward(self, x: Any) -> Tensor:
        """x (..., d), a Tensor or an array -> (..., d)."""
        _check_width("RMSNorm", x, self.gamma)
        eps = float(np.finfo(getattr(x, "dtype", self.gamma.dtype)).eps) if self.eps is None else self.eps
        return rms_norm(x, self.gamma, eps=eps)


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
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p={p} is no probability; it can be 0 ... 1")
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


def _check_width(layer: str, x: Any, gamma: Parameter) -> None:
    if np.shape(x)[-1:] != gamma.shape:
        raise ShapeError(f"{layer}: the last axis of {np.shape(x)} should be {gamma.size}, as its parameters are.")
