"""Who sees an operation before the tape does?  Whoever asks for it, for as long as a `with` block lasts.

`primitive.HANDLERS` hands a call to the class of its first argument that has a handler.  A transform must come before
that: in `W @ x` the Tensor `W` comes first, but it is `x` that carries a tangent.  While no transform runs, nothing is
installed and operations cost what they cost.  Who asked is known per thread and per task; an exception leaves nothing
behind.
"""

from __future__ import annotations

import _thread
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from minitorch.primitive import HANDLERS, Primitive
from minitorch.tensor import Tensor

Proceed = Callable[[Primitive[...], tuple[Any, ...], dict[str, Any]], Any]
Interceptor = Callable[[Primitive[...], tuple[Any, ...], dict[str, Any], Proceed], Any]
"""(primitive, arguments, static arguments, what would have happened) -> the result."""

_chain: ContextVar[tuple[Interceptor, ...]] = ContextVar("minitorch.interceptors", default=())
_lock = _thread.allocate_lock()  # a threading.Lock, without the rest of that module: 0.5 ms to import
_before: dict[type, Proceed] = {}  # the handlers that are replaced while somebody looks on
_first: dict[type, Proceed] = {}  # the handlers that come before the tape
_users = 0


@contextmanager
def intercept(by: Interceptor) -> Iterator[None]:
    """Let `by` see each operation on a Tensor inside; the innermost one is asked first.

    >>> import minitorch as mt
    >>> def look(p, args, static, proceed):
    ...     print(p.name)
    ...     return proceed(p, args, static)
    >>> with intercept(look):
    ...     _ = mt.tanh(mt.tensor(1.0)) * 2.0
    tanh
    multiply
    """
    outer = _chain.get()
    with before_the_tape():
        _chain.set((*outer, by))
        try:
            yield
        finally:
            _chain.set(outer)


@contextmanager
def substitute(instead: Mapping[int, Any]) -> Iterator[None]:
    """Use other tensors for some: `instead` gives by `id(tensor)` what operations inside take in its place.

    What comes in is not exchanged once more, so that two tensors may change places.

    >>> import minitorch as mt
    >>> w = mt.tensor(2.0)
    >>> with substitute({id(w): mt.tensor(5.0)}):
    ...     print((w * 3.0).item())
    15.0
    """
    with intercept(_Swap(instead, _chain.get())):
        yield


class _Swap:
    """Exchanges the arguments of operations."""

    def __init__(self, instead: Mapping[int, Any], outer: tuple[Interceptor, ...]):
        self.instead, self.outer = instead, outer

    def __call__(self, p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any], proceed: Proceed) -> Any:
        if not any(id(a) in self.instead for a in args):
            return proceed(p, args, static)
        before = _chain.get()
        _chain.set(self.outer)
        try:  # from the start, since what comes in may be of any class; but past this exchange
            return p(*(self.instead.get(id(a), a) for a in args), **static)
        finally:
            _chain.set(before)


def standing_for(x: Any) -> Any:
    """What operations take here in the place of x: x itself, unless it is exchanged."""
    for by in reversed(_chain.get()):
        if isinstance(by, _Swap):
            x = by.instead.get(id(x), x)
    return x


def register(cls: type, handler: Proceed) -> None:
    """Let `handler` take calls with an argument of this class, after those who look on and before the tape."""
    _first[cls] = handler
    HANDLERS[cls] = functools.partial(_ask, handler)


@contextmanager
def before_the_tape() -> Iterator[None]:
    """Let the registered classes take their calls inside, also where a Tensor is the first argument."""
    _install()
    try:
        yield
    finally:
        _remove()


def _install() -> None:
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            record = HANDLERS[Tensor]
            for cls, handler in list(HANDLERS.items()):
                if handler is record:  # a subclass that hands on to Tensor's handler is met there
                    _before[cls] = handler
                    HANDLERS[cls] = functools.partial(_ask, handler)


def _remove() -> None:
    global _users
    with _lock:
        _users -= 1
        if not _users:
            HANDLERS.update(_before)
            _before.clear()


def _ask(handler: Proceed, p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    return _next(_chain.get(), handler, p, args, static)


def _next(
    chain: tuple[Interceptor, ...], handler: Proceed, p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]
) -> Any:
    if chain:
        return chain[-1](p, args, static, functools.partial(_next, chain[:-1], handler))
    for a in args:
        if (first := _first.get(type(a))) is not None:
            return first(p, args, static)
    return handler(p, args, static)
