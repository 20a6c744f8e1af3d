"""Which single change of the right gradient gives the claimed one?

Every change of every line, of the derived gradient, the textbook's and the one with every step written out, is tried
in one world; those that give what was claimed are tried in others.  A change in a line that several gradients read
explains them all at once: it is their root.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change, Scene
from minitorch.symbolic.claims.changes import changes_of_line
from minitorch.symbolic.claims.function import Gradients
from minitorch.symbolic.claims.subject import MASKS, Route, Subject
from minitorch.symbolic.claims.terms import Line, Node, Values
from minitorch.symbolic.claims.worlds import World
from minitorch.symbolic.reverse import gradient_name

_LAST_FIRST = -1


@dataclass(frozen=True, eq=False)
class Suspect:
    """A change that gives what was claimed.

    Attributes:
        route, position: where the line stands.
        change: what is changed in it.
        explains: the wrong gradients that it gives; breaks: the right ones that it would make wrong.
    """

    route: Route
    position: int
    change: Change
    explains: frozenset[str]
    breaks: frozenset[str]

    @property
    def line(self) -> Line:
        return self.route.lines[self.position]

    @property
    def rank(self) -> tuple[float, ...]:
        """The least is told: few right gradients broken, many explained, not far-fetched, late in the program."""
        return len(self.breaks) - len(self.explains), round(self.change.weight, 1), -self.position


@dataclass(frozen=True, eq=False)
class Evidence:
    """What was claimed, in every world."""

    subject: Subject
    worlds: Sequence[World]
    claimed: Sequence[Gradients]
    wrong: frozenset[str]
    right: frozenset[str]
    limit: float
    equal: bool = False  # all worlds have equal sizes
    factors: tuple[Node, ...] = ()


def search(evidence: Evidence, deadline: float) -> list[Suspect]:
    """The suspects that hold in every world, the best first."""
    found: list[Suspect] = []
    for route in evidence.subject.routes:
        trial = _Trial(evidence, route)
        for suspect in trial.suspects(deadline):
            if all(_holds(suspect, evidence, k) for k in range(1, len(evidence.worlds))):
                found.append(suspect)
    order = {id(route): k for k, route in enumerate(evidence.subject.routes)}
    return sorted(found, key=lambda s: (*s.rank[:2], order[id(s.route)], *s.rank[2:]))


class _Trial:
    """All changes of one route, in the first world."""

    def __init__(self, evidence: Evidence, route: Route):
        self.evidence, self.route = evidence, route
        self.world, self.claimed = evidence.worlds[0], evidence.claimed[0]
        self.values = self.world.values(route)
        self.goal = {gradient_name(n): n for n in (*evidence.wrong, *evidence.right)}
        self.needed = {goal: _ancestors(route, goal) for goal in self.goal}

    def suspects(self, deadline: float) -> Iterator[Suspect]:
        lines = self.route.lines
        with np.errstate(all="ignore"):
            for position in range(len(lines) - 1, _LAST_FIRST, -1):
                if any(lines[position].name in self.needed[gradient_name(n)] for n in self.evidence.wrong):
                    for change in changes_of_line(lines[position].value, scene_of(self.evidence, self.route, position)):
                        if time.perf_counter() > deadline:
                            return
                        suspect = self.tried(position, change)
                        if suspect is not None:
                            yield suspect

    def tried(self, position: int, change: Change) -> Suspect | None:
        line = self.route.lines[position]
        if not change.tree.free <= frozenset(line.indices):
            return None
        try:
            value = self.values.fresh({}, Line(line.target, change.tree))
        except ValueError:  # where all sizes are equal but 1, arrays of other dimensions may not fit
            return None
        before = self.values.arrays[line.name]
        if np.array_equal(value, before) or not np.isfinite(value).all():
            return None
        outcome = Outcome(self.route, self.values, position, value)
        explains = frozenset(n for n in self.evidence.wrong if self.matches(outcome, n))
        if not explains:
            return None
        breaks = frozenset(n for n in self.evidence.right if not self.unchanged(outcome, n))
        return Suspect(self.route, position, change, explains, breaks)

    def matches(self, outcome: Outcome, name: str) -> bool:
        goal = gradient_name(name)
        if self.route.lines[outcome.position].name not in self.needed[goal]:
            return False
        return _close(self.world, name, self.claimed[name], outcome.value(goal, self.needed[goal]), self.evidence.limit)

    def unchanged(self, outcome: Outcome, name: str) -> bool:
        goal = gradient_name(name)
        if self.route.lines[outcome.position].name not in self.needed[goal]:
            return True
        value = outcome.value(goal, self.needed[goal])
        return _close(self.world, name, value, self.world.right(name), self.evidence.limit)


class Outcome:
    """What the lines after a changed one become."""

    def __init__(self, route: Route, values: Values, position: int, value: np.ndarray):
        self.route, self.values, self.position = route, values, position
        self.changed = {route.lines[position].name: value}

    def value(self, goal: str, needed: frozenset[str]) -> np.ndarray:
        """The value of a gradient; computes the changed lines that it needs."""
        for later in self.route.readers[self.route.lines[self.position].name]:
            line = self.route.lines[later]
            if later > self.position and line.name in needed and line.name not in self.changed:
                self.changed[line.name] = self.values.fresh(self.changed, line)
        return self.changed[goal]


def _ancestors(route: Route, goal: str) -> frozenset[str]:
    """The lines that a gradient is computed from, itself included."""
    needed = {goal}
    for line in reversed(route.lines):
        if line.name in needed:
            needed |= line.value.names
    return frozenset(needed)


def scene_of(evidence: Evidence, route: Route, position: int) -> Scene:
    """What may stand in a line: the arrays from before it."""
    subject, line = evidence.subject, route.lines[position]
    before = {n: subject.entries[n] for n in (*subject.program.inputs, subject.seed.name)}
    before |= {other.name: other.target for other in route.lines[:position]}
    arrays = {n: e for n, e in before.items() if getattr(e, "values", None) is None}
    masks = frozenset(n for n in subject.program.inputs if n in MASKS and n not in subject.wrt)
    return Scene(
        route.frame,
        arrays,
        {other.name: other for other in route.forward},
        line.indices,
        line.indices,
        evidence.equal,
        subject.small,
        masks,
        subject.dimensions,
        evidence.factors,
    )


def _holds(suspect: Suspect, evidence: Evidence, k: int) -> bool:
    """Whether a suspect gives the claimed gradients in another world too."""
    world, claimed = evidence.worlds[k], evidence.claimed[k]
    values = _values(world, suspect.route)
    try:
        value = values.fresh({}, Line(suspect.line.target, suspect.change.tree))
        outcome = Outcome(suspect.route, values, suspect.position, value)
        return all(
            _close(world, n, claimed[n], outcome.value(goal, _ancestors(suspect.route, goal)), evidence.limit)
            for n, goal in ((n, gradient_name(n)) for n in suspect.explains)
        )
    except ValueError:
        return False


def _values(world: World, route: Route) -> Values:
    """The values of a route in a world, computed once."""
    known: dict[int, Values] = world.__dict__.setdefault("by_route", {})
    if id(route) not in known:
        known[id(route)] = world.values(route)
    return known[id(route)]


def _close(world: World, name: str, claimed: np.ndarray, value: np.ndarray, limit: float) -> bool:
    """Whether a claimed gradient is a value, up to rounding; where that is far larger than the right one, more is."""
    larger = max(1.0, float(np.abs(value).max(initial=0.0)) / world.scale(name)) if value.size else 1.0
    return world.error(name, claimed, value) <= 10 * limit * larger


def other_causes(best: Suspect, found: Sequence[Suspect]) -> tuple[Cause, ...]:
    """The causes that would explain as much and are hardly more far-fetched."""
    near = [s for s in found if s.explains >= best.explains and len(s.breaks) <= len(best.breaks)]
    causes = [c for s in near if s.change.weight <= best.change.weight + 0.6 for c in (s.change.cause, *s.change.also)]
    return tuple(dict.fromkeys(c for c in (*best.change.also, *causes) if c != best.change.cause))


def roots(found: Sequence[Suspect], wrong: frozenset[str]) -> Mapping[str, Suspect]:
    """For every wrong gradient that can be explained, the suspect that explains it; few suspects for many gradients."""
    left, chosen = set(wrong), {}
    while left:
        able = [s for s in found if s.explains & left]
        if not able:
            break
        best = min(able, key=lambda s: len(s.breaks) - len(s.explains & left))
        for name in sorted(best.explains & left):
            chosen[name] = best
        left -= best.explains
    return chosen
