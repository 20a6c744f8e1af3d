"""Activations as layers, for `nn.Sequential`: each applies the operation of its name."""

from __future__ import annotations

from typing import Any

from minitorch.nn.module import Module
from minitorch.ops import activations, elementwise, fused
from minitorch.primitive import Array


class _Activation(Module):
    """One operation with its options, entry by entry unless it has an axis."""

    def __init__(self, operation: Any, **options: Any):
        self._operation, self._options = operation, options

    def forward(self, x: Array) -> Any:
        """x (...) -> (...)."""
        return self._operation(x, **self._options)

    def extra_repr(self) -> str:
        """The options."""
        return ", ".join(f"{name}={value!r}" for name, value in self._options.items())


class ReLU(_Activation):
    """max(x, 0)."""

    def __init__(self) -> None:
        super().__init__(elementwise.relu)


class Tanh(_Activation):
    """The hyperbolic tangent."""

    def __init__(self) -> None:
        super().__init__(elementwise.tanh)


class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    def __init__(self) -> None:
        super().__init__(activations.sigmoid)


class SiLU(_Activation):
    """x sigmoid(x)."""

    def __init__(self) -> None:
        super().__init__(activations.silu)


class GELU(_Activation):
    """x Phi(x); with approximate="tanh" the formula of GPT-2.

    >>> GELU("tanh")
    GELU(approximate='tanh')
    """

    def __init__(self, approximate: str = "none"):
        super().__init__(activations.gelu, approximate=approximate)


class LeakyReLU(_Activation):
    """x, or negative_slope x where x < 0."""

    def __init__(self, negative_slope: float = 0.01):
        super().__init__(activations.leaky_relu, negative_slope=negative_slope)


class ELU(_Activation):
    """x, or alpha (exp(x) - 1) where x < 0."""

    def __init__(self, alpha: float = 1.0):
        super().__init__(activations.elu, alpha=alpha)


class Softplus(_Activation):
    """log(1 + exp(x))."""

    def __init__(self) -> None:
        super().__init__(activations.softplus)


class Softmax(_Activation):
    """exp(x) over its sum along an axis."""

    def __init__(self, axis: int = -1):
        super().__init__(fused.softmax, axis=axis)


class LogSoftmax(_Activation):
    """The logarithm of the softmax along an axis."""

    def __init__(self, axis: int = -1):
        super().__init__(fused.log_softmax, axis=axis)


class LogSigmoid(_Activation):
    """log(1 / (1 + exp(-x)))."""

    def __init__(self) -> None:
        super().__init__(activations.log_sigmoid)


class GLU(_Activation):
    """a sigmoid(b), with a and b the two halves of x along an axis."""

    def __init__(self, axis: int = -1):
        super().__init__(activations.glu, axis=axis)
