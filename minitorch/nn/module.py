"""What does a layer do?  It is called, and its call is traced under its own path; it trains, saves and shows itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minitorch import modes
from minitorch.arguments import check_callable
from minitorch.errors import DtypeError
from minitorch.handles import Handle
from minitorch.nn.backward_hooks import BackwardHook, Watch
from minitorch.nn.hooks import Hook
from minitorch.nn.show import shown
from minitorch.nn.state import IncompatibleKeys, load_into
from minitorch.nn.tree import Tree
from minitorch.tensor import Tensor

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Self = TypeVar("Self", bound="Module")


class Module(Tree):
    """Base of all layers: assign Parameters and Modules as attributes, define `forward`, call the object.

    What runs inside a call is recorded under the module's path: its class name at the top, below that the names under
    which it is held; the operations of a layer stand under the path of its parameters.  `super().__init__()` may be
    called, and need not be.

    >>> import minitorch as mt
    >>> class Net(Module):
    ...     def __init__(self):
    ...         self.scale = mt.nn.Parameter([2.0])
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> [(name, p.shape) for name, p in Net().named_parameters()]
    [('scale', (1,))]
    >>> Net()
    Net(1 parameter: scale (1,))
    """

    training: bool = True
    """Whether layers that behave differently in training, such as Dropout, do so."""

    # -- the call ------------------------------------------------------------------------------------------------------

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; each subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        state = modes.current()
        name = (state.module and state.module._path_of(self)) or type(self).__name__
        path = f"{state.scope}.{name}" if state.scope else name
        if state.called is not None:
            state.called(self)
        with modes.Mode(scope=path, module=lambda _: self):
            if "_hooks" not in self.__dict__:
                return self.forward(*args, **kwargs)
            for hook in self._hooks_of("forward_pre"):
                args, kwargs = hook.before(self, args, kwargs)
            watch = None
            pre, post = ([hook.function for hook in self._hooks_of(w)] for w in ("backward_pre", "backward"))
            if pre or post:
                watch = Watch(self, pre, post)
                args = watch.enter(args)
            out = self.forward(*args, **kwargs)
            for hook in self._hooks_of("forward"):
                out = hook.after(self, args, kwargs, out)
            return out if watch is None else watch.leave(out)

    def _hooks_of(self, when: str) -> list[Hook]:
        return [hook for hook in self.__dict__["_hooks"].values() if hook.when == when]

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, with_kwargs: bool = False) -> Handle:
        """Call `hook(module, args)` before each `forward`; what it returns, unless None, takes the place of the
        arguments.

        Args:
            hook: called inside the module's scope, so that what it computes is recorded there.
            with_kwargs: call `hook(module, args, kwargs)`, which returns None or a pair of both.

        Returns:
            A handle whose `remove()` takes the hook away.
        """
        return self._hooked("forward_pre", hook, with_kwargs)

    def register_forward_hook(self, hook: Callable[..., Any], *, with_kwargs: bool = False) -> Handle:
        """Call `hook(module, args, output)` after each `forward`; what it returns, unless None, takes the place of the
        output.  `with_kwargs`: `hook(module, args, kwargs, output)`.

        >>> class Double(Module):
        ...     def forward(self, x):
        ...         return 2 * x
        >>> layer = Double()
        >>> with layer.register_forward_hook(lambda module, args, out: out + 1):
        ...     layer(3)
        7
        >>> layer(3)
        6
        """
        return self._hooked("forward", hook, with_kwargs)

    def register_full_backward_hook(self, hook: BackwardHook) -> Handle:
        """Call `hook(module, grad_input, grad_output)` when the gradients of a call's inputs have been computed.

        Args:
            hook: gets two tuples of Tensors: one for each positional argument of `forward` (None where no gradient is
                asked for), one for each Tensor of its output.  What it returns, unless None, takes the place of the
                first.

        Returns:
            A handle whose `remove()` takes the hook away.

        >>> import minitorch as mt
        >>> layer = mt.nn.Tanh()
        >>> x = mt.tensor([0.0, 0.0], requires_grad=True)
        >>> with layer.register_full_backward_hook(lambda module, dx, dy: dx[0] * 10):
        ...     layer(x).sum().backward()
        >>> x.grad
        Tensor([10., 10.], dtype=float32)
        """
        return self._hooked("backward", hook)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(module, grad_output)` when the gradients of a call's outputs are there, a tuple with one Tensor
        for each Tensor of the output; what it returns, unless None, takes their place on the way back."""
        return self._hooked("backward_pre", hook)

    def _hooked(self, when: Any, function: Callable[..., Any], with_kwargs: bool = False) -> Handle:
        check_callable(f"{type(self).__name__}: a {when} hook", function)
        return Handle(self.__dict__.setdefault("_hooks", {}), Hook(when, function, with_kwargs))

    # -- what is done to all of it -------------------------------------------------------------------------------------

    def train(self: Self, mode: bool = True) -> Self:
        """Set `training` here and in all modules below."""
        for module in self.modules():
            object.__setattr__(module, "training", bool(mode))
        return self

    def eval(self: Self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def to(self: Self, dtype: DTypeLike) -> Self:
        """Bring all floating parameters, their gradients and buffers to a floating dtype; integers stay.

        Raises:
            DtypeError: not a floating dtype.
        """
        given: Any = dtype
        with suppress(TypeError):  # a device, or another library's dtype
            given = np.dtype(dtype)
        if not isinstance(given, np.dtype) or given.kind != "f":
            raise DtypeError(f"{type(self).__name__}.to: got {given}, wanted float16, float32 or float64.")
        for _, t in (*self.named_parameters(), *self.named_buffers()):
            if t.dtype.kind == "f":
                t._array = t._array.astype(dtype)
                t._grad = None if t._grad is None else t._grad.astype(dtype)
        return self

    def half(self: Self) -> Self:
        """The same as `to("float16")`."""
        return self.to("float16")

    def float(self: Self) -> Self:
        """The same as `to("float32")`."""
        return self.to("float32")

    def double(self: Self) -> Self:
        """The same as `to("float64")`."""
        return self.to("float64")

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Train all parameters, or none: freeze them."""
        for p in self.parameters():
            p._requires_grad = bool(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with `set_to_none=False` those that exist become zeros."""
        for p in self.parameters():
            p.grad = None if set_to_none or p.grad is None else Tensor(np.zeros_like(p.grad.numpy()))

    def apply(self: Self, function: Callable[[Module], Any]) -> Self:
        """Call `function(module)` for every module below, then for this one; return this one."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Path -> values of every parameter and persistent buffer, without gradient.

        As in PyTorch the values are the model's own memory: they change as it is trained.  `copy.deepcopy` keeps them.
        """
        return {prefix + path: t.detach() for path, t in self._stateful()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Write the values of a state dict (Tensors, NumPy arrays, PyTorch tensors) into parameters and buffers.

        Args:
            state: path -> values, as `state_dict` gives them.  Floating values are rounded to the model's dtype.
            strict: whether names that only one side has are an error; otherwise they are returned.

        Raises:
            StateError: everything that does not fit, all at once; then nothing has been loaded.
        """
        return load_into(type(self).__name__, dict(self._stateful()), state, strict=strict)

    def extra_repr(self) -> str:
        """What to say of this module besides its parameters, such as "p=0.1"."""
        return ""

    def __repr__(self) -> str:
        return shown(self)
