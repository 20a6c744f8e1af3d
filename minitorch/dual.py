"""What stands in the place of a Tensor while a function is differentiated forward?  A value with its tangent.

    x + e t   with   e^2 = 0 :   f(x + e t) = f(x) + e J t                                       (Clifford 1873)

A dual is no Tensor: what would go past the tangent (an array of it, indexed assignment, `backward`) raises.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitorch import modes
from minitorch.errors import GradientError
from minitorch.operators import Operators
from minitorch.ops.indexing import getitem
from minitorch.tensor import Tensor
from minitorch.trees import Tree, TreeError, flatten


class Level(NamedTuple):
    """Which jvp a tangent belongs to; a later one is further inside."""

    number: int
    recording: bool  # whether gradients were enabled when it began: a no_grad block inside it then cuts tangents too


_numbers = itertools.count()


def new_level() -> Level:
    """A level further inside than all before."""
    return Level(next(_numbers), modes.current().grad_enabled)


def _no_write(name: str, instead: str) -> Any:
    """A writing method: raises, and says what to write instead."""

    def refuse(self: StandIn, *args: Any, **kwargs: Any) -> Any:
        raise GradientError(
            f"{name} of a value of shape {self.shape} inside jvp would drop its tangent; nothing is written in place "
            f"there. Write {instead}?"
        )

    refuse.__name__, refuse.__doc__ = name, "Not here: raises."
    return refuse


def _no_tape(name: str, why: str) -> Any:
    """A method of what a tape knows: raises, and says why there is none."""

    def refuse(self: StandIn, *args: Any, **kwargs: Any) -> Any:
        raise GradientError(f"{name} of a value of shape {self.shape} inside jvp: {why}")

    refuse.__name__, refuse.__doc__ = name, "Not here: raises."
    return refuse


class StandIn(Operators):
    """What a function is given in the place of a Tensor: it has a value, and operations on it are seen."""

    __slots__ = ("value",)
    __array_ufunc__ = None  # `array + standin` asks StandIn.__radd__

    value: Any

    @property
    def __class__(self) -> type:  # so that a function that asks isinstance(x, Tensor) computes what it computes outside
        return Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.value.size

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the entries."""
        return self.value.dtype

    @property
    def requires_grad(self) -> bool:
        """True: it is being differentiated."""
        return True

    def numpy(self) -> np.ndarray:
        """The values without derivatives, read-only."""
        return self.value.numpy()

    def item(self) -> Any:
        """The only entry, as a Python number."""
        return self.value.item()

    def detach(self) -> Tensor:
        """The same values as a constant: no derivative of any kind passes."""
        return self.value.detach()

    def backward(self, *args: Any, **kwargs: Any) -> None:
        """Not here: raises."""
        raise GradientError("backward() inside jvp would drop the tangent of the gradient. Use mt.grad instead?")

    register_hook = _no_tape("register_hook", "no gradient passes there that it could see. Use mt.grad inside?")
    retain_grad = _no_tape("retain_grad", "no gradient arrives there. Use mt.grad inside?")
    _grad = _no_tape("grad", "no gradient arrives there, since derivatives go forward. Use mt.grad inside?")
    grad = property(_grad, _grad, doc="Not here: raises.")
    _leaf = _no_tape("is_leaf", "there is no tape that it could be a leaf of. Ask before jvp?")
    is_leaf = property(_leaf, doc="Not here: raises.")

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Itself: it is being differentiated; a GradientError if it should not be."""
        if not requires_grad:
            raise GradientError(
                f"requires_grad_(False) of a value of shape {self.shape} that jvp differentiates. Use detach()?"
            )
        return self

    add_ = _no_write("add_", "x = x + y")
    sub_ = _no_write("sub_", "x = x - y")
    mul_ = _no_write("mul_", "x = x * y")
    div_ = _no_write("div_", "x = x / y")
    pow_ = _no_write("pow_", "x = x ** y")
    clamp_ = _no_write("clamp_", "x = x.clip(min, max)")
    copy_ = _no_write("copy_", "x = value + mt.zeros_like(x)")
    fill_ = _no_write("fill_", "x = mt.full_like(x, value)")
    zero_ = _no_write("zero_", "x = mt.zeros_like(x)")
    data = property(detach, _no_write("data = ...", "x = value"), doc="The same values as a constant, to read.")

    @property
    def name(self) -> str | None:
        """How graphs call the value."""
        return self.value.name

    @name.setter
    def name(self, name: str | None) -> None:
        self.value.name = name

    def tolist(self) -> Any:
        """The values as Python numbers in nested lists."""
        return self.value.tolist()

    def __contains__(self, value: Any) -> bool:
        return (value.detach() if isinstance(value, StandIn) else value) in self.detach()

    def __index__(self) -> int:
        return self.value.__index__()

    @property
    def _array(self) -> np.ndarray:
        raise GradientError("the array of a value that jvp differentiates would drop its tangent. Use .detach()?")

    @property
    def _requires_grad(self) -> bool:  # asked for when it is written into a Tensor
        raise GradientError("an in-place write inside jvp would drop the tangent. Use mt.where or mt.concatenate?")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise GradientError("an array of a value that jvp differentiates would drop its tangent. Use .detach()?")

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        plain = tuple(i.numpy() if isinstance(i, Tensor | StandIn) else i for i in parts)
        return getitem(self, index=plain if isinstance(index, tuple) else plain[0])  # type: ignore[arg-type]

    def __setitem__(self, index: Any, value: Any) -> None:
        raise GradientError("indexed assignment inside jvp is not differentiated. Use mt.where or mt.concatenate?")

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class Dual(StandIn):
    """A value and its tangent, both of the same shape and dtype: Tensors, or duals of an outer jvp."""

    __slots__ = ("level", "tangent")

    def __init__(self, level: Level, value: Any, tangent: Any):
        self.level, self.value, self.tangent = level, value, tangent


# -- what goes in, and what comes out ----------------------------------------------------------------------------------


def dtype_of(x: Any) -> np.dtype | None:
    """The dtype that x has or would have as a Tensor; None if it is not numeric data."""
    if isinstance(x, Tensor | StandIn | np.ndarray | np.generic):
        return x.dtype
    return np.asarray(x).dtype if isinstance(x, int | float | complex | list) else None


def requires_grad(x: Any) -> bool:
    """Whether x is a variable of some derivative."""
    return isinstance(x, Tensor | StandIn) and x.requires_grad


def arguments(given: Any, name: str) -> tuple[Any, ...]:
    """One entry per argument, as a tuple."""
    if not isinstance(given, tuple | list):
        raise TreeError(
            f"{name} is a {type(given).__name__}; it takes a tuple, one entry per argument. Write ({name},)?"
        )
    return tuple(given)


def split(result: Any) -> tuple[Any, Any]:
    """(value, aux) of a function that was called with `has_aux`."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise TreeError(
            f"with has_aux=True the function returns (value, aux), but it returned a {type(result).__name__}."
        )
    return result


def outputs(value: Tree) -> list[Any]:
    """The leaves of what a function returned, as Tensors."""
    found = []
    for path, leaf in flatten(value):
        if not isinstance(leaf, Tensor | StandIn | np.ndarray | np.generic | int | float):
            raise TreeError(
                f"output{path} is a {type(leaf).__name__}; a function that is differentiated returns tensors. "
                "Return it as the second of a pair, with has_aux=True?"
            )
        found.append(leaf if isinstance(leaf, Tensor | StandIn) else Tensor(leaf))
    return found
