"""What is the smallest input at which a claimed gradient is wrong?  Sizes first, then entries to 0 and 1."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.function import Gradients
from minitorch.symbolic.claims.subject import SMALL, Subject
from minitorch.symbolic.claims.worlds import Setting, Sizes, World, possible
from minitorch.symbolic.expression import size_of

_LARGEST = 3
_TRIES = 4
_MOST_CHOICES = 80


@dataclass(frozen=True)
class Counterexample:
    """Where a claimed gradient is wrong.

    Attributes:
        sizes, inputs: by name, as nested lists of numbers.
        claimed, right: the two gradients there.
    """

    sizes: dict[str, int]
    inputs: dict[str, Any]
    claimed: Any
    right: Any

    def __str__(self) -> str:
        inputs = ", ".join(f"{name} = {_shown(value)}" for name, value in self.inputs.items())
        return f"{inputs}: claimed {_shown(self.claimed)}, right {_shown(self.right)}"


def smallest(
    claim: Callable[[World], Gradients],
    name: str,
    subject: Subject,
    setting: Setting,
    limit: float,
    deadline: float,
    equal: bool = False,
) -> Counterexample | None:
    """The smallest world at which the gradient by an input is wrong; None if there is none of small whole numbers."""
    shrinker = _Shrinker(claim, name, subject, setting, limit, deadline)
    world = next((w for w in shrinker.candidates(equal) if shrinker.wrong(w)), None)
    return None if world is None else shrinker.shown(shrinker.simplified(world))


class _Shrinker:
    def __init__(self, claim, name: str, subject: Subject, setting: Setting, limit: float, deadline: float):
        self.claim, self.name, self.subject, self.setting = claim, name, subject, setting
        self.limit, self.deadline = limit, deadline

    def late(self) -> bool:
        return time.process_time() > self.deadline

    def candidates(self, equal: bool) -> Iterator[World]:
        """Worlds of small whole numbers, the smallest sizes first."""
        for sizes in self.sizes(equal):
            for attempt in range(_TRIES):
                if self.late():
                    return
                yield self.drawn(sizes, attempt)

    def sizes(self, equal: bool) -> list[Sizes]:
        symbols = self.subject.dimensions
        fixed = {s: self.setting.sizes[str(s)] for s in symbols if str(s) in self.setting.sizes}
        open_ones = [s for s in symbols if s not in fixed]
        choices = itertools.product(range(1, _LARGEST + 1), repeat=len(open_ones))
        if equal:
            choices = ((k,) * len(open_ones) for k in range(1, _LARGEST + 1))
        ordered = sorted(itertools.islice(choices, 5000), key=lambda c: (sum(c), max(c, default=0), c))
        made = ({**fixed, **dict(zip(open_ones, c, strict=True))} for c in ordered[:_MOST_CHOICES])
        return [s for s in made if possible(self.subject, s)]

    def drawn(self, sizes: Sizes, attempt: int) -> World:
        random = np.random.default_rng(attempt)
        arrays = {}
        for name in (*self.subject.program.inputs, self.subject.seed.name):
            shape = self.subject.shape(name, sizes)
            over = self.subject.entries[name].values
            if over is not None:
                arrays[name] = random.integers(0, size_of(over, sizes), shape)
            elif name in self.setting.given:
                arrays[name] = np.full(shape, float(self.setting.given[name]))
            elif name in self.setting.positive or name in SMALL or self.subject.entries[name].is_positive:
                arrays[name] = random.integers(1, 4, shape).astype(float)
            else:
                arrays[name] = random.integers(-1, 3, shape).astype(float)
            if name in self.setting.rows:
                arrays[name] = np.abs(arrays[name]) + 1
                arrays[name] = arrays[name] / arrays[name].sum(axis=-1, keepdims=True)
        return World(self.subject, sizes, arrays)

    def wrong(self, world: World) -> bool:
        try:
            claimed = self.claim(world).get(self.name)
        except FormulaError:
            return False
        if claimed is None or not world.finite:
            return False
        return world.error(self.name, claimed) > 100 * self.limit

    def simplified(self, world: World) -> World:
        """The world with as many entries 0, or else 1, as can be while the gradient stays wrong."""
        if self.claim(world)[self.name].shape != world.right(self.name).shape:
            return world  # any entries would do
        for name, array in list(world.inputs.items()):
            fixed = name in self.setting.given or name in self.setting.rows
            for place in itertools.product(*map(range, array.shape)) if not fixed else ():
                for value in (0, 1):
                    if self.late() or world.inputs[name][place] == value:
                        break
                    tried = np.array(world.inputs[name])
                    tried[place] = value
                    smaller = world.changed(name, tried)
                    if self.wrong(smaller):
                        world = smaller
                        break
        return world

    def shown(self, world: World) -> Counterexample:
        claimed = self.claim(world)[self.name]
        used = [n for n in world.inputs if n not in self.setting.given or self.subject.entries[n].indices == ()]
        return Counterexample(
            {str(s): n for s, n in world.sizes.items()},
            {n: _plain(world.inputs[n]) for n in used},
            _plain(claimed, world.scale(self.name)),
            _plain(world.right(self.name), world.scale(self.name)),
        )


def _plain(array: np.ndarray, scale: float = 1.0) -> Any:
    """Nested lists, with whole numbers as such, others to six digits, and what rounding has left of 0 as 0."""
    rounded = np.vectorize(lambda x: float(f"{x:.6g}"), otypes=[float])(array)
    return _whole(np.where(np.abs(rounded) < 1e-13 * scale, 0.0, rounded).tolist())


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if float(value).is_integer() else value


def _shown(value: Any) -> str:
    return str(value).replace(" ", "") if not isinstance(value, list) else str(value)
