"""Which parameters does a function have?  `inspect.signature` in what registration needs of it, and many times faster.

Hundreds of rules and forward functions are registered while the package is imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

EMPTY = inspect.Parameter.empty


class Parameter(NamedTuple):
    """One parameter."""

    name: str
    kind: Any  # as in inspect.Parameter
    default: Any
    annotation: Any


def parameters(fn: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a function, in order.

    >>> def f(x, *, axis: int = 0): ...
    >>> [(p.name, p.default is EMPTY, p.annotation) for p in parameters(f)]
    [('x', True, <class 'inspect._empty'>), ('axis', False, 'int')]
    """
    fn = inspect.unwrap(fn, stop=_says_itself)
    if type(fn) is not FunctionType or _says_itself(fn):
        return [Parameter(p.name, p.kind, p.default, p.annotation) for p in inspect.signature(fn).parameters.values()]
    code, annotations = fn.__code__, fn.__annotations__
    names, count, keywords = code.co_varnames, code.co_argcount, code.co_kwonlyargcount
    defaults = fn.__defaults__ or ()
    given = {**dict(zip(names[count - len(defaults) : count], defaults, strict=True)), **(fn.__kwdefaults__ or {})}

    def one(name: str, kind: Any) -> Parameter:
        return Parameter(name, kind, given.get(name, EMPTY), annotations.get(name, EMPTY))

    plain, only = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    found = [one(n, plain) for n in names[:count]]
    after = count + keywords
    if code.co_flags & inspect.CO_VARARGS:
        found.append(one(names[after], inspect.Parameter.VAR_POSITIONAL))
        after += 1
    found += [one(n, only) for n in names[count : count + keywords]]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        found.append(one(names[after], inspect.Parameter.VAR_KEYWORD))
    return found


def _says_itself(fn: Any) -> bool:
    return hasattr(fn, "__signature__")


class OfFunction:
    """What `help(mt.exp)` shows: of an operation that of its function, of the class its own."""

    def __init__(self, own: str | None, name: str, read: Callable[[Any], Any]):
        self.own, self.name, self.read = own, name, read

    def __get__(self, operation: Any, cls: type) -> Any:
        return self.own if operation is None else self.read(getattr(operation, self.name))
