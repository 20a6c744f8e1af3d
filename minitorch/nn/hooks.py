"""Who watches a layer run?  Functions that are called before or after `forward`, until their handle is removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from minitorch.errors import ArgumentError
from minitorch.record import Record


class Hook(Record):
    """One function, when it is called, and whether it gets the keyword arguments."""

    when: Literal["forward_pre", "forward", "backward_pre", "backward"]
    function: Callable[..., Any]
    with_kwargs: bool

    def before(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict]:
        """The arguments that `forward` gets."""
        given = self.function(module, args, kwargs) if self.with_kwargs else self.function(module, args)
        if given is None:
            return args, kwargs
        if not self.with_kwargs:
            return (given if isinstance(given, tuple) else (given,)), kwargs
        if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict)):
            raise ArgumentError("a forward pre-hook with_kwargs returns None or (args, kwargs), a tuple and a dict.")
        return (given[0] if isinstance(given[0], tuple) else (given[0],)), given[1]

    def after(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> Any:
        """The output that the caller gets."""
        more = (kwargs,) if self.with_kwargs else ()
        given = self.function(module, args, *more, out)
        return out if given is None else given
