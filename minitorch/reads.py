"""What does a function read without being given it?  Variables, constants and modules, seen while it runs.

Whoever runs it a second time has to give it the same: variables become inputs, modules are put in the mode in which
they were, and of constants it is noted what they held.  Tensors count their writes; a NumPy array does not, so its
bytes are summed up (CRC-32).  An array is seen where an operation of the function takes it; numbers and lists are not.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.dual import Dual, StandIn, new_level
from minitorch.errors import InPlaceError
from minitorch.intercept import Proceed, intercept, standing_for
from minitorch.primitive import Primitive
from minitorch.tensor import Tensor
from minitorch.versions import owner, version

Noted = tuple[weakref.ref[np.ndarray], int, int | None]
"""A block of memory, how often it was written to, and the sum of its bytes if nobody counts that."""


class Reads:
    """Notes what a function takes that is neither among its inputs nor made while it runs."""

    def __init__(self, given: list[Any]):
        self.found: dict[int, Tensor] = {}  # the variables, by id
        self.tangents = False  # whether it uses a dual of a jvp that began before
        self._began, self._given = new_level(), {id(x) for x in given}
        self._inputs = {id(owner(a)) for a in map(_array, given) if a is not None}
        self._modes: dict[int, tuple[Any, bool]] = {}
        self._variables: dict[int, weakref.ref[Tensor]] = {}  # those made here, by id
        self._made: dict[int, weakref.ref[np.ndarray]] = {}  # the memory of what is made here, by id
        self._constants: dict[int, tuple[weakref.ref[np.ndarray], bool]] = {}  # memory, and whether writes are counted

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Note what is read inside."""
        with modes.Mode(called=lambda state: lambda module: self._on_call(module, state.called)), intercept(self):
            yield

    def _on_call(self, module: Any, outer: Any) -> None:
        self._modes.setdefault(id(module), (module, module.training))
        if outer is not None:
            outer(module)

    def __call__(self, p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any], proceed: Proceed) -> Any:
        for a in args:
            self._take(a)
        for value in static.values():  # an index
            for part in value if isinstance(value, tuple) else (value,):
                self._take(part)
        result = proceed(p, args, static)
        taken = [owner(a) for a in map(_array, map(standing_for, args)) if a is not None]
        for o in result if isinstance(result, tuple) else (result,):
            if isinstance(o, Tensor) and not isinstance(o, StandIn):
                if o.requires_grad:
                    self._variables[id(o)] = weakref.ref(o)
                block = owner(o._array)
                if all(block is not other for other in taken):  # no view of what came in
                    self._made[id(block)] = weakref.ref(block)
        return result

    def _take(self, a: Any) -> None:
        if id(a) in self._given:
            return
        used = standing_for(a)
        if isinstance(used, Dual):
            self.tangents = self.tangents or used.level < self._began
        elif isinstance(used, StandIn):
            return
        elif isinstance(used, Tensor) and used.requires_grad:
            if _known(self._variables.get(id(used)), used) is None:
                self.found[id(a)] = a
        elif (array := _array(used)) is not None and not self.made(array):
            block = owner(array)
            self._constants[id(block)] = weakref.ref(block), isinstance(used, Tensor)

    def made(self, array: np.ndarray) -> bool:
        """Whether the memory of this array was allocated by an operation inside."""
        block = owner(array)
        return _known(self._made.get(id(block)), block) is not None

    def constants(self, results: list[Any]) -> list[Noted]:
        """What the constants hold that are alive: not what the function has made, or been given, or gives."""
        own = self._inputs | {id(owner(a)) for a in map(_array, results) if a is not None}
        noted = []
        for key, (block, counted) in self._constants.items():
            if key not in own and (array := block()) is not None:
                noted.append((block, version(array), None if counted else _sum(array)))
        return noted

    def training(self) -> list[tuple[Any, bool]]:
        """Each module that was called, and whether it was in training mode at its first call."""
        return list(self._modes.values())


def check_constants(noted: list[Noted], who: str) -> None:
    """Make sure that the constants hold what they held.

    Raises:
        InPlaceError: one of them was written to.
    """
    for block, count, total in noted:
        array = block()
        if array is not None and (version(array) != count or (total is not None and _sum(array) != total)):
            raise InPlaceError(
                f"{who}: a constant of shape {array.shape} that the function reads without being given it was written "
                "to since, so that it cannot run again. Give it to the function, or a copy?"
            )


@contextmanager
def trained_as(before: list[tuple[Any, bool]]) -> Iterator[None]:
    """Modules are in the given modes inside, and in those in which they are afterwards."""
    now = [(module, module.training) for module, _ in before]
    try:
        for module, training in before:
            object.__setattr__(module, "training", training)
        yield
    finally:
        for module, training in now:
            object.__setattr__(module, "training", training)


def _known(ref: weakref.ref[Any] | None, x: Any) -> Any:
    """x, if that is what the reference by its id meant: ids are given again."""
    return x if ref is not None and ref() is x else None


def _array(x: Any) -> np.ndarray | None:
    if isinstance(x, np.ndarray):
        return x
    return x._array if isinstance(x, Tensor) and not isinstance(x, StandIn) else None


def _sum(array: np.ndarray) -> int:
    """The CRC-32 of its bytes."""
    from zlib import crc32  # a library to load, for the few who ask

    return crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data) if array.dtype.kind != "O" else 0
