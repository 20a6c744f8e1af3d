"""Which single change of the right gradient gives the claimed one?

Every change of every line, of the derived gradient, the textbook's and the one with every step written out, is tried
in one world; those that give what was claimed are tried in others.  A change in a line that several gradients read
explains them all at once: it is their root.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change, Scene
from minitorch.symbolic.claims.changes import changes_of_line
from minitorch.symbolic.claims.function import Gradients
from minitorch.symbolic.claims.subject import MASKS, TARGETS, Route, Subject
from minitorch.symbolic.claims.terms import Line, Node, Values
from minitorch.symbolic.claims.worlds import World
from minitorch.symbolic.reverse import gradient_name

_HARDLY_MORE = 0.6  # by which another explanation may be more far-fetched and is still named


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
    handed: frozenset[str] = frozenset()  # what the claim was given, and so does not compute
    words: frozenset[str] = frozenset()  # the names that it uses itself
    equal: bool = False  # all worlds have equal sizes
    factors: tuple[Node, ...] = ()


def search(evidence: Evidence, deadline: float) -> list[Suspect]:
    """The suspects that hold in every world, the best first; what is far-fetched is tried last, if it has to be."""
    routes = sorted(evidence.subject.routes, key=lambda route: -_familiar(route, evidence.words))
    trials = [_Trial(evidence, route) for route in routes]
    candidates = [(change.weight, k, p, change) for k, trial in enumerate(trials) for p, change in trial.changes()]
    candidates.sort(key=lambda c: c[:2])
    found: list[Suspect] = []
    enough = float("inf")
    with np.errstate(all="ignore"):
        for weight, k, position, change in candidates:
            if weight > enough or time.process_time() > deadline:
                break
            suspect = trials[k].tried(position, change)
            if suspect is not None and all(_holds(suspect, evidence, w) for w in range(1, len(evidence.worlds))):
                found.append(suspect)
                if suspect.explains == evidence.wrong and not suspect.breaks:
                    enough = min(enough, weight + _HARDLY_MORE)
    order = {id(route): k for k, route in enumerate(routes)}
    return sorted(found, key=lambda s: (*s.rank[:2], order[id(s.route)], *s.rank[2:]))


def _familiar(route: Route, words: frozenset[str]) -> int:
    """How many of a route's names the claim uses too; those of gradients count twice."""
    return sum(1 + d.name.startswith("d") for d in route.backward if d.name in words)


class _Trial:
    """All changes of one route, in the first world."""

    def __init__(self, evidence: Evidence, route: Route):
        self.evidence, self.route = evidence, route
        self.world, self.claimed = evidence.worlds[0], evidence.claimed[0]
        self.values = self.world.values(route)
        self.goal = {gradient_name(n): n for n in (*evidence.wrong, *evidence.right)}
        self.needed = {goal: _ancestors(route, goal, evidence.handed) for goal in self.goal}
        self.wrong = sorted(evidence.wrong, key=lambda n: (len(self.needed[gradient_name(n)]), n))

    def changes(self) -> Iterator[tuple[int, Change]]:
        """Every change of a line that a wrong gradient is computed from, the last lines first."""
        for position in range(len(self.route.lines) - 1, -1, -1):
            name = self.route.lines[position].name
            if any(name in self.needed[gradient_name(n)] for n in self.evidence.wrong):
                for change in _changes(self.evidence, self.route, position):
                    yield position, change

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
        reached = [n for n in self.wrong if line.name in self.needed[gradient_name(n)]]
        if not reached or not self.matches(outcome, reached[0]):
            return None  # what is wrong in a line is wrong in all that reads it; the rest is searched one by one
        explains = frozenset(n for n in reached if self.matches(outcome, n))
        breaks = frozenset(n for n in self.evidence.right if not self.unchanged(outcome, n))
        return Suspect(self.route, position, change, explains, breaks)

    def matches(self, outcome: Outcome, name: str) -> bool:
        goal = gradient_name(name)
        return _close(self.world, name, self.claimed[name], outcome.value(goal, self.needed[goal]), self.evidence.limit)

    def unchanged(self, outcome: Outcome, name: str) -> bool:
        goal = gradient_name(name)
        if self.route.lines[outcome.position].name not in self.needed[goal]:
            return True
        value = outcome.value(goal, self.needed[goal])
        return _close(self.world, name, value, self.world.right(name), self.evidence.limit)


def _changes(evidence: Evidence, route: Route, position: int) -> Sequence[Change]:
    """The changes of a line; remembered, unless scales were measured for this claim."""
    key = position, evidence.equal
    if evidence.factors or key not in route.changes:
        made = list(changes_of_line(route.lines[position].value, scene_of(evidence, route, position)))
        if evidence.factors:
            return made
        route.changes[key] = made
    return route.changes[key]


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


def _ancestors(route: Route, goal: str, handed: frozenset[str]) -> frozenset[str]:
    """The lines that a gradient is computed from, itself included; what was handed in is not computed."""
    needed = {goal}
    for line in reversed(route.lines):
        if line.name in needed:
            needed |= line.value.names - handed
    return frozenset(needed)


def scene_of(evidence: Evidence, route: Route, position: int) -> Scene:
    """What may stand in a line: the arrays from before it."""
    subject, line = evidence.subject, route.lines[position]
    before = {n: subject.entries[n] for n in (*subject.program.inputs, subject.seed.name)}
    before |= {other.name: other.target for other in route.lines[:position]}
    arrays = {n: e for n, e in before.items() if e.values is None}
    masks = frozenset(n for n in subject.program.inputs if n in MASKS)
    return Scene(
        route.frame,
        arrays,
        {other.name: other for other in route.forward},
        line.value,
        line.indices,
        line.indices,
        evidence.equal,
        subject.small,
        masks,
        frozenset(subject.program.inputs) & TARGETS,
        subject.dimensions,
        evidence.factors,
    )


def _holds(suspect: Suspect, evidence: Evidence, k: int) -> bool:
    """Whether a suspect gives the claimed gradients in another world too."""
    world, claimed = evidence.worlds[k], evidence.claimed[k]
    values = world.values(suspect.route)
    try:
        value = values.fresh({}, Line(suspect.line.target, suspect.change.tree))
        outcome = Outcome(suspect.route, values, suspect.position, value)
        return all(
            _close(
                world,
                n,
                claimed[n],
                outcome.value(goal, _ancestors(suspect.route, goal, evidence.handed)),
                evidence.limit,
            )
            for n, goal in ((n, gradient_name(n)) for n in suspect.explains)
        )
    except ValueError:
        return False


def _close(world: World, name: str, claimed: np.ndarray, value: np.ndarray, limit: float) -> bool:
    """Whether a claimed gradient is a value, up to rounding: a part of its largest terms, or of itself."""
    if claimed.shape != value.shape:
        return False
    largest = max(world.scale(name), float(np.abs(value).max(initial=0.0)))
    return bool(np.abs(claimed - value).max(initial=0.0) <= 10 * limit * largest)


def other_causes(best: Suspect, found: Sequence[Suspect]) -> tuple[Cause, ...]:
    """The causes that would explain as much and are hardly more far-fetched."""
    near = [s for s in found if s.explains >= best.explains and len(s.breaks) <= len(best.breaks)]
    causes = [
        c
        for s in near
        if s.change.weight <= best.change.weight + _HARDLY_MORE
        for c in (s.change.cause, *s.change.also)
    ]
    return tuple(dict.fromkeys(c for c in (*best.change.also, *causes) if c != best.change.cause))


def roots_of(evidence: Evidence, deadline: float) -> tuple[list[Suspect], dict[str, Suspect]]:
    """The suspects, and the one that explains each wrong gradient: all of them together, then those left one by one."""
    found = search(evidence, deadline)
    chosen = _roots(found, evidence.wrong)
    for name in sorted(evidence.wrong - set(chosen)):
        alone = replace(evidence, wrong=frozenset([name]))
        more = search(alone, deadline)
        chosen |= _roots(more, alone.wrong)
        found += more
    for name in sorted(evidence.wrong - set(chosen)):
        used = next((s for s in dict.fromkeys(chosen.values()) if _holds_directly(s, evidence, name)), None)
        if used is not None:
            chosen[name] = used
    return found, chosen


def _holds_directly(suspect: Suspect, evidence: Evidence, name: str) -> bool:
    """Whether a changed line explains a gradient that reads it, if what else is computed from it stays right."""
    line = next(line for line in suspect.route.lines if line.name == gradient_name(name))
    for world, claimed in zip(evidence.worlds, evidence.claimed, strict=True):
        values = world.values(suspect.route)
        changed = {suspect.line.name: values.fresh({}, Line(suspect.line.target, suspect.change.tree))}
        if not _close(world, name, claimed[name], values.fresh(changed, line), evidence.limit):
            return False
    return True


def _roots(found: Sequence[Suspect], wrong: frozenset[str]) -> dict[str, Suspect]:
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
