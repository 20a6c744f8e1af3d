"""Is a tape recording, in which module, at which time step, with which default dtype?

One immutable state in one context variable: each thread and each task has its own, and an exception cannot leave it
changed, because whoever entered a mode restores the state that was there before.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from minitorch.errors import AnomalyError, DtypeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

F = TypeVar("F", bound=Callable[..., Any])


class State:
    """What holds while an operation runs.  Nobody writes to one that holds.

    It is no named tuple, since every operation reads it and every module makes one: slots are read three times as fast.
    """

    __slots__ = ("anomaly", "called", "dtype", "grad_enabled", "module", "outer", "scope", "step")

    def __init__(self) -> None:
        self.grad_enabled = True
        self.scope = ""  # the path of the module that runs, such as "Encoder.attention.W_q"
        self.step: int | None = None  # the time step of a recurrence, counted from 0
        self.dtype = np.dtype(np.float32)  # of parameters and of tensors made from Python numbers
        self.anomaly = False  # whether every value is looked at for NaN and infinity
        self.outer: State | None = None  # what held before, and will again
        self.module: Any = None  # the innermost nn.Module that runs; it knows under which path it holds what it calls
        self.called: Callable[[Any], None] | None = None  # is told of each nn.Module that is called

    def changed(self, change: Mapping[str, Any]) -> State:
        """What holds inside this one: each value is the new one, or a function of this state."""
        inner = _new(State)
        inner.grad_enabled, inner.scope, inner.step, inner.dtype = self.grad_enabled, self.scope, self.step, self.dtype
        inner.anomaly, inner.outer, inner.module, inner.called = self.anomaly, self, self.module, self.called
        for name, value in change.items():
            setattr(inner, name, value(self) if callable(value) else value)
        return inner

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and all(getattr(self, n) == getattr(other, n) for n in self.__slots__)


_new = object.__new__
_state: ContextVar[State] = ContextVar("minitorch.state", default=State())  # noqa: B039 (a State is immutable)
current = _state.get


class Mode:
    """A change of the state, as a `with` block or as a decorator (of functions and of generator functions).

    Each value is the new one, or a function of the state that is found on entering.
    """

    def __init__(self, **change: Any):
        self._change = change  # and nothing else: one Mode may be entered again before it is left, and by any thread

    def __enter__(self) -> Mode:
        _state.set(current().changed(self._change))
        return self

    def __exit__(self, *exception: object) -> None:
        if (outer := current().outer) is not None:
            _state.set(outer)

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return self._over_generator(function)  # type: ignore[return-value]
        if inspect.isasyncgenfunction(function):
            return self._over_async_generator(function)  # type: ignore[return-value]
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with Mode(**self._change):
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with Mode(**self._change):
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    def _over_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The mode holds while the generator's own code runs, not while its consumer's does."""

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            go, with_what = generator.send, None
            try:
                while True:
                    with Mode(**self._change):
                        try:
                            value = go(with_what)
                        except StopIteration as stop:
                            return stop.value
                    try:
                        go, with_what = generator.send, (yield value)
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:  # by the consumer, into the generator
                        go, with_what = generator.throw, thrown
            finally:
                with Mode(**self._change):
                    generator.close()

        return wrapped

    def _over_async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same, for a generator that awaits."""

        @functools.wraps(function)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            go, with_what = generator.asend, None
            try:
                while True:
                    with Mode(**self._change):
                        try:
                            value = await go(with_what)
                        except StopAsyncIteration:
                            return
                    try:
                        go, with_what = generator.asend, (yield value)
                    except GeneratorExit:
                        raise
                    except BaseException as thrown:
                        go, with_what = generator.athrow, thrown
            finally:
                with Mode(**self._change):
                    await generator.aclose()

        return wrapped


@overload
def no_grad(function: None = None) -> Mode: ...
@overload
def no_grad(function: F) -> F: ...
def no_grad(function: Callable[..., Any] | None = None) -> Any:
    """Record nothing: results do not require gradients.  `with mt.no_grad():`, `@mt.no_grad()` or `@mt.no_grad`, over
    functions, generators and what awaits.

    >>> import minitorch as mt
    >>> x = mt.tensor([1.0], requires_grad=True)
    >>> with mt.no_grad():
    ...     (x * 2).requires_grad
    False
    """
    mode = Mode(grad_enabled=False)
    return mode if function is None else mode(function)


@overload
def enable_grad(function: None = None) -> Mode: ...
@overload
def enable_grad(function: F) -> F: ...
def enable_grad(function: Callable[..., Any] | None = None) -> Any:
    """Record again inside a `no_grad` block; used like `no_grad`."""
    mode = Mode(grad_enabled=True)
    return mode if function is None else mode(function)


def scope(name: str) -> Mode:
    """Name what runs inside, under the scope that is already open: its operations are drawn and accounted together.

    >>> with scope("encoder"), scope("attention"):
    ...     current().scope
    'encoder.attention'
    """
    return Mode(scope=lambda state: f"{state.scope}.{name}" if state.scope else name)


def step(t: int) -> Mode:
    """Mark the operations inside as time step `t` (from 0) of a recurrence.

    >>> with step(3):
    ...     current().step
    3
    """
    return Mode(step=t)


def default_dtype(dtype: DTypeLike) -> Mode:
    """The dtype of parameters, and of tensors made from Python numbers, inside; float32 outside.

    >>> import minitorch as mt
    >>> with mt.default_dtype("float64"):
    ...     mt.tensor(1.0).dtype
    dtype('float64')
    """
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DtypeError(f"default_dtype({chosen}): parameters are floating-point numbers. Use float32 or float64?")
    return Mode(dtype=chosen)


def detect_anomaly() -> Mode:
    """Stop at the first NaN or infinity, forward or backward, and name the operation, the module and the user's line.

    Every result is looked at, and every call notes the user's line: for finding a fault, not for training.

    >>> import minitorch as mt
    >>> x = mt.tensor([0.0], requires_grad=True)
    >>> with np.errstate(divide="ignore"), mt.detect_anomaly():
    ...     mt.log(x)
    Traceback (most recent call last):
        ...
    minitorch.errors.AnomalyError: log: its out of shape (1,) has -inf at entry (0,)...
    """
    return Mode(anomaly=True)


def anomaly_error(name: str, what: str, values: np.ndarray, path: str, line: str | None = None) -> AnomalyError:
    """The error for a value that is not finite."""
    entry = tuple(int(i[0]) for i in np.nonzero(~np.isfinite(np.atleast_1d(values))))
    module = f", in module {path}" if path else ""
    recorded = f", recorded at {line}" if line else ""
    return AnomalyError(f"{name}: {what} has {np.atleast_1d(values)[entry]} at entry {entry}{module}{recorded}")
