"""What does a call keep, and which rules will it apply?  Read off the record, once for each set of wanted inputs.

A plan is the record's rules, resolved: names have become positions.  Recording and sweeping follow it without looking
anything up.
"""

from __future__ import annotations

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


Application = tuple[Callable[..., Any], int | None, int | None, int, Group | None]
"""One rule, as a call applies it: fn(g), fn(g, kept[first]) or fn(g, kept[first], kept[second]), unless it is a group.

    (fn, first, second, target: the position of the input whose cotangent it gives, group)

A plain tuple, which Python takes apart four times faster than a named one.
"""


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
    whole: bool  # whether these are the inputs, all of them and no more
    constants: tuple[int, ...]  # the inputs that are kept and want no gradient
    take: Callable[[tuple[Any, ...], Any], tuple[Any, ...]] | None  # (inputs, result) -> the values; None if it is more
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
    inputs, outputs = ([n for n in of if n in names] for of in (p.inputs, p.outputs))
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
        whole=len(places) == len(p.inputs) and not outputs,
        constants=tuple(k for k in places if not wanted >> k & 1) if not p.variadic else (),
        take=None if p.variadic or several else _taking(places, bool(outputs)),
        applications=tuple(_application(p, r, wanted, count, kept) for r in rules),
    )


def _taking(places: tuple[int, ...], result: bool) -> Callable[[tuple[Any, ...], Any], tuple[Any, ...]]:
    """A function that gives the inputs at these places, and the result if that is kept too."""
    if not places:
        return lambda arrays, out: (out,)
    if len(places) == 1 and not result:
        return lambda arrays, out: (arrays[places[0]],)
    return lambda arrays, out: (*[arrays[k] for k in places], out) if result else tuple([arrays[k] for k in places])


def _application(p: Primitive[...], rule: Rule, wanted: int, count: int, kept: list[str]) -> Application:
    targets = tuple(k if wanted >> k & 1 else -1 for k in _positions(p, rule, count))
    needs = tuple(map(kept.index, rule.needs))
    several = p.variadic or len(rule.inputs) > 1
    group = None
    if several or rule.static or rule.add or len(p.outputs) > 1 or len(needs) > 2:
        group = Group(needs, rule.static, several, targets, rule.add)
    first, second = (*needs[:2], None, None)[:2]
    return rule.fn, first, second, targets[0], group


def _positions(p: Primitive[...], rule: Rule, count: int) -> list[int]:
    return list(range(count)) if p.variadic else [p.inputs.index(name) for name in rule.inputs]


def _position(p: Primitive[...], name: str) -> int:
    return ALL if p.variadic else p.inputs.index(name)
