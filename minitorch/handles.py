"""How does a hook leave?  By the handle that its registration returned."""

from __future__ import annotations

import itertools
from typing import Any, Generic, TypeVar

H = TypeVar("H")
_number = itertools.count()


class Handle(Generic[H]):
    """What every `register_..._hook` returns: `remove()` takes the hook away, and so do a call of the handle and the
    end of a `with` block.

    >>> hooks = {}
    >>> with Handle(hooks, print):
    ...     len(hooks)
    1
    >>> len(hooks)
    0
    """

    __slots__ = ("_hooks", "_key")

    def __init__(self, hooks: dict[int, H], hook: H):
        self._hooks, self._key = hooks, next(_number)
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; doing so twice does no harm."""
        self._hooks.pop(self._key, None)

    def __call__(self) -> None:
        self.remove()

    def __enter__(self) -> Handle[H]:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.remove()
