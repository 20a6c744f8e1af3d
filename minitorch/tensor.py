"""What is a value?  A thin handle: an array, and where it came from.

A Tensor holds its array and its origin: the recorded call that made it, and which of that call's outputs it is.  A leaf
has no origin.  What can be written on one (`x + y`, `x.sum()`) stands in `operators.py`; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.arguments import check_callable
from minitorch.container import Container
from minitorch.errors import DtypeError, GradientError, ShapeError
from minitorch.handles import Handle
from minitorch.inplace import InPlace
from minitorch.operators import Operators
from minitorch.ops.indexing import getitem
from minitorch.options import is_plain, settled
from minitorch.primitive import HANDLERS, Array
from minitorch.reading import entries
from minitorch.shapes import Shape
from minitorch.versions import owner, rebased
from minitorch.wanting import Wanting

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from minitorch.call import Call, Part


class Tensor(Operators, InPlace, Wanting, Container):
    """An n-dimensional array of one dtype that remembers the operations it came from.

    Args:
        data: an array, a Tensor, a number or nested lists of numbers.  Copied: later changes of the source do not show.
        requires_grad: whether derivatives with respect to this Tensor will be asked for; floating dtypes only.
        dtype: the dtype to have; arrays keep theirs, Python numbers get the default dtype (float32, see
            `default_dtype`).
        name: how graphs call it.

    Raises:
        DtypeError: `requires_grad` of integers, booleans or complex numbers; an object that is not numeric.
        GradientError: data is a Tensor that requires a gradient, while gradients are enabled: the copy would lose it.
        OperandError: another library's array that wants its gradient, or is on another device.

    >>> x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([[2., 4.], [6., 8.]], dtype=float32)
    """

    __slots__ = ("__weakref__", "_array", "_grad", "_hooks", "_origin", "_rebased", "_requires_grad", "_view", "name")
    __array_ufunc__ = (
        None  # `array + tensor` asks Tensor.__radd__, and np.exp(tensor) says that it cannot, instead of detaching
    )

    _array: np.ndarray
    _origin: Call | Part | None
    _grad: Tensor | None
    _requires_grad: bool
    _hooks: dict[int, Callable[[Tensor], Tensor | None]] | None
    _rebased: int  # of a view: how often its base had been given a new origin when the view was taken
    _view: tuple[Tensor, Any] | None  # (base, index) of what was taken as base[index] and shows its memory
    name: str | None

    def __init__(
        self, data: Any, *, requires_grad: bool = False, dtype: DTypeLike | None = None, name: str | None = None
    ):
        array = entries(data, dtype)
        if requires_grad and array.dtype.kind != "f":
            raise DtypeError(
                f"requires_grad=True of a {array.dtype} tensor; derivatives are taken of floating-point numbers. "
                "Give dtype='float32'?"
            )
        self._array, self._origin, self._hooks, self._rebased = array, None, None, 0
        self._grad, self._requires_grad, self._view, self.name = None, requires_grad, None, name

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        HANDLERS[cls] = lambda *call: HANDLERS[Tensor](*call)  # operations record a subclass like a Tensor

    def __reduce__(self) -> tuple[Any, ...]:
        """What copy, deepcopy and pickle take along: the values, but neither the graph nor the gradient."""
        return _rebuilt, (type(self), self._array, self._requires_grad, self.name)

    # -- what it is ----------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        """The size of each axis."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self._array.ndim

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._array.size

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the entries."""
        return self._array.dtype

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient, of this Tensor's shape and dtype; None until `backward` has brought one."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and value.shape != self.shape:
            raise ShapeError(f"grad of shape {value.shape} for a tensor of shape {self.shape}; they must be equal.")
        if value is not None and (not isinstance(value, Tensor) or value.dtype != self.dtype):
            raise DtypeError(f"grad is a {value.dtype} {type(value).__name__}; it takes a {self.dtype} Tensor or None.")
        self._grad = value

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether derivatives with respect to this leaf will be asked for; a DtypeError for integers or booleans, a
        GradientError for a result."""
        if requires_grad and self.dtype.kind != "f":
            raise DtypeError(
                f"requires_grad_ of a {self.dtype} tensor; derivatives are taken of floating-point numbers."
            )
        if self._origin is not None and not requires_grad:
            raise GradientError(
                f"requires_grad_(False) of a result of {self._origin.call.primitive.name}. Use detach()?"
            )
        self._requires_grad = requires_grad
        return self

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call `hook` with this Tensor's gradient whenever a backward pass has computed it.

        Args:
            hook: sees the gradient, and may write to it; what it returns, if anything, takes its place.

        Returns:
            A handle whose `remove()` takes the hook away.

        Raises:
            ArgumentError: the hook cannot be called.
            GradientError: this Tensor does not require a gradient.

        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_hook(lambda g: g * 10)
        >>> x.sum().backward()
        >>> x.grad
        Tensor([10., 10.], dtype=float32)
        """
        check_callable("register_hook", hook)
        if not self._requires_grad:
            raise GradientError(
                f"a hook on a tensor of shape {self.shape} that does not require a gradient never runs."
            )
        if self._origin is None:
            hooks = self._hooks = self._hooks or {}
        else:
            hooks = self._origin.call.with_extra().hooks.setdefault(self._origin.index, {})
        return Handle(hooks, hook)

    def numpy(self) -> np.ndarray:
        """The values, as a read-only view: writing to them would go past the tape."""
        view = self._array.view()
        view.flags.writeable = False
        return view

    def item(self) -> Any:
        """The only entry, as a Python number."""
        if self.size != 1:
            raise ShapeError(
                f"item() of shape {self.shape}, which has {self.size} entries; it needs exactly 1. Index it first?"
            )
        return self._array.item()

    def detach(self) -> Tensor:
        """The same values, in the same memory, without an origin: gradients stop here."""
        t = wrap(self._array)
        t._rebased = rebased(self._array)
        return t

    if TYPE_CHECKING:  # reverse.py builds on Tensor, and gives it this method: see `connect`

        def backward(
            self,
            gradient: Array | None = None,
            *,
            retain_graph: bool = False,
            create_graph: bool = False,
            inputs: Tensor | Sequence[Tensor] | None = None,
        ) -> None: ...

    def __repr__(self) -> str:
        values = np.array2string(self._array, separator=", ", prefix="Tensor(", threshold=1000)
        values = " ".join(values.split()) if self._array.size <= 8 else values
        said = [] if self.dtype.kind in "b" or self.dtype in (np.int64, np.float64) else [f"dtype={self.dtype}"]
        if self._origin is not None:
            said.append(f"op={self._origin.call.primitive.name}")
        elif self._requires_grad:
            said.append("requires_grad=True")
        return f"Tensor({', '.join([values, *said])})"

    def __getitem__(self, index: Any) -> Tensor:
        if not is_plain(index):
            parts = tuple(map(plain, index)) if isinstance(index, tuple) else plain(index)
            index = settled("getitem", "index", parts)
        t = HANDLERS[type(self)](getitem, (self,), {"index": index})
        base = t._array.base if type(t) is Tensor else None
        if base is not None and (base is self._array or owner(base) is owner(self._array)):
            t._view = self, index
        return t


class Parameter(Tensor):
    """A Tensor that a model learns: it requires a gradient, and `nn.Module` finds it and names it.

    Arrays keep their dtype; Python numbers get the default dtype.

    >>> Parameter([0.0]).requires_grad
    True
    """

    __slots__ = ()

    def __init__(self, data: Any, *, dtype: DTypeLike | None = None, name: str | None = None):
        super().__init__(data, requires_grad=True, dtype=dtype, name=name)


tensor = Tensor
"""`mt.tensor(data, requires_grad=...)`, as PyTorch users write it."""


def connect(backward: Callable[..., None]) -> None:
    """Let `Tensor.backward` be this very function: one that called it would cost a small graph a hundredth more."""
    Tensor.backward = backward


_new = object.__new__


def made(array: np.ndarray, origin: Call | Part | None = None, cls: type[Tensor] = Tensor) -> Tensor:
    """A Tensor around this very array: no copy."""
    t = _new(cls)
    t._array, t._origin, t._requires_grad = array, origin, origin is not None
    t._grad = t._hooks = t._view = t.name = None
    t._rebased = 0
    return t


wrap = made
"""`wrap(array)`: a Tensor around this very array, without an origin."""


def _rebuilt(cls: type[Tensor], array: np.ndarray, requires_grad: bool, name: str | None) -> Tensor:
    t = made(array.copy(), None, cls)
    t._requires_grad, t.name = requires_grad, name
    return t


def source(x: Tensor) -> Call | Tensor:
    """What x came from: the call that made it, or itself."""
    return x if x._origin is None else x._origin.call


def plain(value: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return value._array if isinstance(value, Tensor) else value
