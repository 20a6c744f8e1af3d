"""What does a call keep, and which rules will it apply?  Read off the record, once for each set of wanted inputs.

A plan is the record's rules, resolved: names have become positions.  Recording and sweeping follow it without looking
anything up.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from minitorch.primitive import Primitive, Rule
from minitorch.record import Record

ALL = -1
"""In the place of a position: all the parts of a variadic input."""


class Group(NamedTuple):
    """What a rule has that is not a small function of one cotangent for one input."""

    needs: tuple[int, ...]  # its parameters after the cotangents, by their positions among what the call keeps
    static: tuple[str, ...]
    several: bool  # whether the result is a sequence
    targets: tuple[int, ...]  # for each part of the result, the position of its input, or -1 if that wants none
    add: Callable[..., None] | None  # adds the result into an array instead


class Application(NamedTuple):
    """One rule, as a call applies it: fn(g), fn(g, kept[first]) or fn(g, kept[first], kept[second]), unless it is a
    group."""

    fn: Callable[..., Any]
    first: int | None
    second: int | None
    target: int  # the position of the input whose cotangent it gives
    group: Group | None


class Plan(Record):
    """What a call keeps and applies when certain inputs want a gradient.

    What it keeps is a sequence: first values of inputs, then of outputs, then shapes of inputs.
    """

    primitive: Primitive[...]
    several: bool  # whether there is more than one output
    static: bool  # whether there are static arguments
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shapes: tuple[int, ...]
    names: tuple[str, ...]  # of the values that are kept, in their order
    constants: tuple[int, ...]  # the inputs that are kept and want no gradient
    take: (
        Callable[[tuple[Any, ...]], tuple[Any, ...]] | None
    )  # (*inputs, result) -> the values kept; None if it is more
    applications: tuple[Application, ...]


def plan(p: Primitive[...], wanted: int, count: int) -> Plan:
    """The plan for a call with `count` inputs, of which those in the bit set `wanted` want a gradient."""
    key = (wanted, count) if p.variadic else wanted
    found = p.plans.get(key)
    if found is None:
        found = p.plans[key] = _resolved(p, wanted, count)
    return found


def _resolved(p: Primitive[...], wanted: int, count: int) -> Plan:
    rules = [r for r in p.rules if any(wanted >> k & 1 for k in _positions(p, r, count))]
    names = dict.fromkeys(name for r in rules for name in r.needs)
    inputs, outputs = ([n for n in names if n in of] for of in (p.inputs, p.outputs))
    shapes = [n for n in names if n not in inputs and n not in outputs]
    kept = [*inputs, *outputs, *shapes]
    several = len(p.outputs) > 1
    places = tuple(_position(p, n) for n in inputs)
    return Plan(
        primitive=p,
        several=several,
        static=bool(p.static),
        inputs=places,
        outputs=tuple(map(p.outputs.index, outputs)),
        shapes=tuple(_position(p, n.removesuffix("_shape")) for n in shapes),
        names=(*inputs, *outputs),
        constants=tuple(k for k in places if not wanted >> k & 1) if not p.variadic else (),
        take=None if p.variadic or several else _taking((*places, *(-1 for _ in outputs))),
        applications=tuple(_application(p, r, wanted, count, kept) for r in rules),
    )


def _taking(places: tuple[int, ...]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A function that gives the values at these places."""
    if len(places) > 1:
        return operator.itemgetter(*places)
    return (lambda values: (values[places[0]],)) if places else lambda values: ()


def _application(p: Primitive[...], rule: Rule, wanted: int, count: int, kept: list[str]) -> Application:
    targets = tuple(k if wanted >> k & 1 else -1 for k in _positions(p, rule, count))
    needs = tuple(map(kept.index, rule.needs))
    several = p.variadic or len(rule.inputs) > 1
    group = None
    if several or rule.static or rule.add or len(p.outputs) > 1 or len(needs) > 2:
        group = Group(needs, rule.static, several, targets, rule.add)
    first, second = (*needs[:2], None, None)[:2]
    return Application(rule.fn, first, second, targets[0], group)


def _positions(p: Primitive[...], rule: Rule, count: int) -> list[int]:
    return list(range(count)) if p.variadic else [p.inputs.index(name) for name in rule.inputs]


def _position(p: Primitive[...], name: str) -> int:
    return ALL if p.variadic else p.inputs.index(name)
