"""Which claimed gradients are right, and what is wrong with the others?  Tried in several worlds, then explained."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.function import Gradients, Raised
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.claims.worlds import (
    Setting,
    World,
    as_sizes,
    draw,
    possible,
    size_choices,
    tolerance,
)

_SMALL_SCALE = 0.05  # of inputs, at which a forgotten epsilon shows


class Claim(Protocol):
    """What is claimed: in a world, it gives gradients by input."""

    title: str
    subject: Subject

    @property
    def wanted(self) -> frozenset[str]: ...
    @property
    def words(self) -> frozenset[str]: ...
    def __call__(self, world: World) -> Gradients: ...


@dataclass(frozen=True, eq=False)
class Record:
    """What a claim gave in some worlds.

    Attributes:
        setting: what was fixed.
        worlds, claimed: the worlds, and what was claimed in each.
        equal: whether the claim works only where all sizes are equal; ``raised`` says what it raises elsewhere.
    """

    setting: Setting
    worlds: tuple[World, ...]
    claimed: tuple[Gradients, ...]
    equal: bool = False
    raised: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs whose gradients were claimed, in the order of wrt."""
        return tuple(n for n in self.worlds[0].subject.wrt if any(n in c for c in self.claimed))

    @property
    def limit(self) -> float:
        """The tolerance for the coarsest precision that was found."""
        return max((tolerance(a.dtype) for c in self.claimed for a in c.values()), default=1e-9)

    def without_ones(self) -> Record:
        """The same without the worlds in which every size is 1, where much is 0 or has no value."""
        keep = [k for k, w in enumerate(self.worlds) if max(w.sizes.values(), default=2) > 1]
        if not keep or len(keep) == len(self.worlds):
            return self
        return replace(self, worlds=tuple(self.worlds[k] for k in keep), claimed=tuple(self.claimed[k] for k in keep))

    def of(self, name: str) -> list[np.ndarray]:
        return [c[name] for c in self.claimed]

    def is_right(self, name: str) -> bool:
        return self.error(name) <= self.limit

    def error(self, name: str) -> float:
        """The largest error of a gradient in all worlds."""
        return max(w.error(name, c[name]) for w, c in zip(self.worlds, self.claimed, strict=True))

    @property
    def count(self) -> int:
        """How many gradients are right."""
        return sum(map(self.is_right, self.names))

    @property
    def all_right(self) -> bool:
        return self.count == len(self.names)

    def sizes_shown(self) -> str:
        """All sizes that were tried."""
        return "; ".join(dict.fromkeys(as_sizes(w.sizes) for w in self.worlds))


def recorded(claim: Claim, setting: Setting) -> Record:
    """What a claim gives at distinct, exchanged, equal and smallest sizes; at equal ones only, if it raises elsewhere.

    Raises:
        FormulaError: it raises at all sizes, gives different gradients when called again, or no gradient at all.
    """
    try:
        return _deterministic(claim, _tried(claim, setting, equal=False))
    except Raised as error:
        if len(claim.subject.dimensions) < 2:
            raise
        try:
            record = _tried(claim, setting, equal=True)
        except Raised:
            raise error from None
        return replace(_deterministic(claim, record), raised=str(error))


def _tried(claim: Claim, setting: Setting, equal: bool) -> Record:
    worlds, claimed = [], []
    for world, needed in _worlds(claim.subject, setting, equal):
        try:
            given = claim(world)
        except Raised:
            if needed:
                raise
            continue
        worlds.append(world)
        claimed.append(given)
    names = set().union(*claimed) if claimed else set()
    if not names:
        raise FormulaError(f"check_vjp: {claim.title} gave no gradient; wanted {', '.join(claim.subject.wrt)}.")
    for given in claimed:
        if set(given) != names:
            raise FormulaError(f"check_vjp: {claim.title} gave {', '.join(given)} once and {', '.join(names)} before.")
    return Record(setting, tuple(worlds), tuple(claimed), equal)


def _worlds(subject: Subject, setting: Setting, equal: bool) -> Iterator[tuple[World, bool]]:
    """The worlds, and whether a claim has to work there; a claim that raises where a size is 1 is let off."""
    choices = [s for s in size_choices(subject, setting, equal) if possible(subject, s)]
    for k, sizes in enumerate(choices):
        world = draw(subject, sizes, setting, seed=k + 1)
        if world.finite:
            yield world, k < 2
    if np.dtype(setting.rounding) != np.float16 and choices:
        yield draw(subject, choices[0], setting, seed=99, scale=_SMALL_SCALE), False


def _deterministic(claim: Claim, record: Record) -> Record:
    again = claim(record.worlds[0])
    for name, before in record.claimed[0].items():
        if before.shape != again[name].shape or not np.array_equal(before, again[name], equal_nan=True):
            largest = np.abs(before - again[name]).max() if before.shape == again[name].shape else np.inf
            if not largest <= record.limit * max(1.0, float(np.abs(before).max())):
                raise FormulaError(
                    f"check_vjp: {claim.title} gives another d{name} when it is called again with the same arrays. "
                    "Fix its random numbers, or hand in what it draws."
                )
    return record


def best_records(claim: Claim, settings: Sequence[Setting]) -> list[Record]:
    """The record under the first setting in which everything is right; else those with most gradients right."""
    records = []
    for setting in settings:
        record = recorded(claim, setting)
        if record.all_right:
            return [record]
        records.append(record)
    most = max(record.count for record in records)
    return [record for record in records if record.count == most]


def clock(seconds: float) -> Callable[[float], float]:
    """The moment at which a part of the time is up, in time of the processor: a busy machine finds the same."""
    start = time.process_time()
    return lambda part: start + part * seconds
