"""What does a run leave behind?  One Call for each application of a primitive to a Tensor that requires a gradient.

A Call keeps its parents (structure) and only those values that the rules of its differentiable inputs ask for
(`plan.py`).  It never holds its own output Tensors, so there are no reference cycles: dropping the last output frees
the graph at once.  Freeing the kept values leaves the structure, which can still be drawn.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minitorch import modes
from minitorch.errors import GraphFreedError, InPlaceError
from minitorch.plan import ALL, Plan
from minitorch.primitive import Primitive
from minitorch.shapes import Shape
from minitorch.tensor import Tensor, made
from minitorch.versions import DERIVED, rebased, version


class Part(NamedTuple):
    """One of several results of a call; where there is one result, the call itself stands for it."""

    call: Call
    index: int

    @property
    def shape(self) -> Shape:
        """Of this result."""
        return self.call.shape[self.index]

    @property
    def dtype(self) -> np.dtype:
        """Of this result."""
        return self.call.dtype[self.index]


class Extra:
    """What few calls have."""

    __slots__ = ("hooks", "line", "retained", "versions")

    def __init__(self) -> None:
        self.line: str | None = None  # the user's, in anomaly mode
        self.retained: dict[int, weakref.ref[Tensor]] = {}  # by result: see Tensor.retain_grad
        self.versions: list[int] | None = None  # of the kept values, if any memory had been written to before
        self.hooks: dict[int, dict[int, Callable[[Any], Any]]] = {}  # by result: see Tensor.register_hook


class Call:
    """One application of a primitive; as an origin it stands for its only result."""

    __slots__ = (
        *("__weakref__", "borrowed", "dtype", "extra", "kept", "number", "parents", "plan", "shape", "state", "static"),
    )

    plan: Plan
    number: int
    static: dict[str, Any]
    parents: list[Call | Part | Tensor | None]  # what each input came from: a result, a leaf, or None for a constant
    shape: Any  # of the result; of several results, a tuple of them
    dtype: Any
    kept: tuple[Any, ...] | None  # what the rules need, in the plan's order; None once freed
    borrowed: tuple[int, ...]  # the inputs that are kept and alive anyway: constants that the caller holds
    state: modes.State  # what held: module path, time step
    extra: Extra | None

    index = 0  # like a Part, it stands for its first result

    @property
    def call(self) -> Call:
        """Itself, as for a Part the call that it belongs to."""
        return self

    @property
    def primitive(self) -> Primitive[...]:
        """What was applied."""
        return self.plan.primitive

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Of all results."""
        return self.shape if self.plan.several else (self.shape,)

    @property
    def dtypes(self) -> tuple[np.dtype, ...]:
        """Of all results."""
        return self.dtype if self.plan.several else (self.dtype,)

    @property
    def saved(self) -> dict[str, Any] | None:
        """The kept values by name; None once freed."""
        return None if self.kept is None else dict(zip(self.plan.names, self.kept, strict=False))  # shapes come last

    def values(self) -> dict[str, Any]:
        """The kept values by name, after making sure that they are as they were: see `check_kept`."""
        self.check_kept()
        return self.saved or {}

    def input_name(self, k: int) -> str:
        """The name of input k; the parts of a variadic input are numbered."""
        p = self.plan.primitive
        return f"{p.inputs[0]}[{k}]" if p.variadic else p.inputs[k]

    def with_extra(self) -> Extra:
        """The rarely used part, made when it is first needed."""
        self.extra = self.extra or Extra()
        return self.extra

    def check_kept(self) -> None:
        """Make sure that the kept values are there, as they were.

        Raises:
            GraphFreedError: they were freed.
            InPlaceError: one of them was written to since.
        """
        name = self.primitive.name
        if self.kept is None:
            raise GraphFreedError(
                f"{name}: its saved values were freed by an earlier backward pass. "
                "Call the earlier one with retain_graph=True?"
            )
        extra = self.extra or Extra()
        before = extra.versions or [0] * len(self.kept)
        for what, value, then in zip(self.plan.names, self.kept, before, strict=False):
            if version(value) != then:
                raise InPlaceError(
                    f"{name}: its {what} of {_said(value)} was kept for the backward pass and written to "
                    f"since{f' (recorded {extra.line})' if extra.line else ''}. Write to a copy?"
                )

    def keep_instead(self, k: int, value: Any) -> None:
        """Keep another array, with the same entries, in the place of value k."""
        kept = list(self.kept or ())
        kept[k] = value
        self.kept = tuple(kept)
        if self.extra and self.extra.versions:
            self.extra.versions[k] = version(value)

    def tied_kept(self) -> list[Any]:
        """What is kept, as what it was: Tensors that came from this call, or from where its inputs came from."""
        chosen = self.plan
        kept: list[Any] = list(self.kept or ())
        for i, k in enumerate(chosen.inputs):
            kept[i] = tuple(map(_tied, kept[i], self.parents)) if k == ALL else _tied(kept[i], self.parents[k])
        for i, k in enumerate(chosen.outputs, len(chosen.inputs)):
            kept[i] = result(kept[i], Part(self, k) if chosen.several else self)
        return kept


def _tied(value: Any, parent: Call | Part | Tensor | None) -> Any:
    return value if parent is None else parent if isinstance(parent, Tensor) else result(value, parent)


def result(array: np.ndarray, origin: Call | Part) -> Tensor:
    """A Tensor that came from `origin`; integers have no derivative, and no origin."""
    t = made(array, origin if array.dtype.kind == "f" else None)
    if DERIVED:
        t._rebased = rebased(array)
    return t


def _said(value: Any) -> str:
    parts = value if type(value) is tuple else (value,)
    return f"shape{'s' * (len(parts) > 1)} {' and '.join(str(np.shape(v)) for v in parts)}"
