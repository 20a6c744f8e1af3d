"""At which arrays is a claim examined?  At distinct sizes, exchanged, all equal and 1, with the right gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
from sympy import Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.subject import SMALL, Route, Subject
from minitorch.symbolic.claims.terms import Magnitudes, Values
from minitorch.symbolic.expression import size_of
from minitorch.symbolic.reverse import gradient_name

Sizes = dict[Symbol, int]
_FIRST = (3, 4, 5, 2, 6, 7, 8, 9)  # of the dimensions, in the order of appearance
EPSILON = 1e-5  # for a setting that neither the claim nor the library gives


@dataclass(frozen=True)
class Setting:
    """What is fixed in every world.

    Attributes:
        given: inputs that have one number in every entry.
        sizes: dimensions that have one size.
        positive: inputs that are drawn positive, so that the formula is finite.
        rows: inputs whose rows add up to 1, such as probabilities.
        rounding: the precision that inputs are rounded to.
    """

    given: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    positive: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()
    rounding: Any = np.float64


@dataclass(frozen=True, eq=False)
class World:
    """One choice of sizes and inputs, and everything that follows from it."""

    subject: Subject
    sizes: Sizes
    inputs: Mapping[str, np.ndarray]  # and the incoming gradient

    @cached_property
    def derived(self) -> Values:
        """The values of the derived program's lines."""
        return self.values(self.subject.derived)

    @cached_property
    def by_route(self) -> dict[int, Values]:
        return {}

    def values(self, route: Route) -> Values:
        """The values of the lines of a route, part by part; computed once."""
        if id(route) not in self.by_route:
            values = Values(route.frame, self.inputs, self.sizes)
            with np.errstate(all="ignore"):
                values.run(route.lines)
            self.by_route[id(route)] = values
        return self.by_route[id(route)]

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """Every array that has a name: inputs, saved values, the incoming gradient, and all gradients."""
        found = [self.values(route).arrays for route in self.subject.routes]
        return {name: array for arrays in reversed(found) for name, array in arrays.items()} | self.derived.arrays

    def right(self, name: str) -> np.ndarray:
        """The right gradient by an input."""
        return self.derived.arrays[gradient_name(name)]

    @cached_property
    def magnitudes(self) -> dict[str, np.ndarray]:
        route = self.subject.derived
        magnitudes = Magnitudes(self.derived)
        with np.errstate(all="ignore"):
            magnitudes.run(route.backward)
        return magnitudes.arrays

    def scale(self, name: str) -> float:
        """The size of the largest terms of a gradient, which may cancel in the gradient itself."""
        if name not in self.scales:
            self.scales[name] = max(float(np.abs(self.magnitudes[gradient_name(name)]).max(initial=0.0)), 1e-30)
        return self.scales[name]

    @cached_property
    def scales(self) -> dict[str, float]:
        return {}

    def error(self, name: str, claimed: np.ndarray, value: np.ndarray | None = None) -> float:
        """How far a claimed gradient is from the right one, or from another value, as a part of its largest terms."""
        value = self.right(name) if value is None else value
        if claimed.shape != value.shape:
            return float("inf")
        with np.errstate(all="ignore"):
            largest = float(np.abs(claimed - value).max(initial=0.0))
        return largest / self.scale(name) if np.isfinite(largest) else float("inf")

    def array(self, name: str) -> np.ndarray:
        """An input, a saved value, the incoming gradient, or an adjoint."""
        found = self.derived.arrays.get(name)
        return self.arrays[name] if found is None else found

    @property
    def finite(self) -> bool:
        """Whether every value and every gradient is finite."""
        return all(bool(np.isfinite(a).all()) for a in self.derived.arrays.values())

    def changed(self, name: str, array: np.ndarray) -> World:
        """The world with another input."""
        return World(self.subject, self.sizes, {**self.inputs, name: array})


def draw(subject: Subject, sizes: Sizes, setting: Setting, seed: int, scale: float = 1.0) -> World:
    """A world of random numbers."""
    random = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    for name in (*subject.program.inputs, subject.seed.name):
        shape = subject.shape(name, sizes)
        over = subject.entries[name].values
        if over is not None:
            arrays[name] = random.integers(0, size_of(over, sizes), shape)
            continue
        arrays[name] = _numbers(subject, name, shape, setting, random, scale)
    return World(subject, sizes, arrays)


def _numbers(
    subject: Subject, name: str, shape: tuple[int, ...], setting: Setting, random: np.random.Generator, scale: float
) -> np.ndarray:
    if name in setting.given:
        return np.full(shape, float(setting.given[name]))
    values = scale * random.standard_normal(shape)
    if name in setting.positive or name in SMALL or subject.entries[name].is_positive:
        values = np.abs(values) + 0.1
    if name in setting.rows:
        values = np.abs(values) + 0.1
        values = values / values.sum(axis=-1, keepdims=True)
    return values.astype(setting.rounding).astype(np.float64)


def size_choices(subject: Subject, setting: Setting, equal_only: bool = False) -> Iterator[Sizes]:
    """Sizes all distinct, exchanged, all equal, and all 1."""
    symbols = subject.dimensions
    count = len(symbols)
    first = [_FIRST[k % len(_FIRST)] for k in range(count)]
    choices = [first, [first[(k + 1) % count] for k in range(count)], first[::-1], [n + 2 for n in first]]
    if equal_only or count < 2:
        choices = [[n] * count for n in ((3, 4, 2, 5) if equal_only else [*first[:1], 4, 6, 5])]
    choices += [[3] * count, [1] * count]
    for choice in choices:
        sizes = dict(zip(symbols, choice, strict=True))
        yield {s: setting.sizes.get(str(s), n) for s, n in sizes.items()}


def possible(subject: Subject, sizes: Sizes) -> bool:
    """Whether every array has a shape at these sizes: n - k + 1 is none where k is larger than n."""
    shapes = (subject.shape(name, sizes) for name in subject.entries)
    return all(n > 0 for shape in shapes for n in shape)


def find_positive(subject: Subject, setting: Setting) -> frozenset[str]:
    """The fewest inputs that have to be positive for everything to be finite.

    Raises:
        FormulaError: no choice makes the formula finite.
    """
    sizes = next(s for s in size_choices(subject, setting) if possible(subject, s))
    inputs = [n for n in subject.program.inputs if n not in setting.given]
    base = frozenset(subject.positive)
    for more in (frozenset(), *(frozenset([n]) for n in inputs), frozenset(inputs)):
        tried = Setting(setting.given, setting.sizes, base | more, setting.rows)
        if all(draw(subject, sizes, tried, seed).finite for seed in (1, 2)):
            return base | more
    raise FormulaError(
        f"check_vjp: {subject.name} is not finite at random inputs, positive or not. Fix some of them with given=."
    )


TOLERANCE = {np.dtype(np.float16): 3e-2, np.dtype(np.float32): 2e-4, np.dtype(np.float64): 1e-9}


def tolerance(dtype: Any) -> float:
    """How far a gradient in a precision may be off; bfloat16 comes back as float32 and is as coarse as float16."""
    return TOLERANCE.get(np.dtype(dtype), 1e-9)


def as_sizes(sizes: Mapping[Symbol, int]) -> str:
    """Sizes as text: n=2, d_k=1."""
    return ", ".join(f"{symbol}={size}" for symbol, size in cast("dict[Symbol, int]", sizes).items())
