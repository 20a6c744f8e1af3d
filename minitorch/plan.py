"""What does a call keep, and which rules will it apply?  Read off the record, once for each set of wanted inputs.

A plan is the record's rules, resolved: names have become positions.  Recording and sweeping follow it without looking
anything up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from minitorch.primitive import Primitive, Rule

ALL = -1
"""In the place of a position: all the parts of a variadic input."""


class Application(NamedTuple):
    """One rule, as a call applies it."""

    fn: Callable[..., Any]
    needs: tuple[int, ...]  # its parameters after the cotangents, by their positions among what the call keeps
    static: tuple[str, ...]
    several: bool  # whether the result is a sequence
    targets: tuple[int, ...]  # for each part of the result, the position of its input, or -1 if that wants none
    add: Callable[..., None] | None  # adds the result into an array instead


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call keeps and applies when certain inputs want a gradient.

    What it keeps is a list: first values of inputs, then of outputs, then shapes of inputs.
    """

    primitive: Primitive[...]
    several: bool  # whether there is more than one output
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    shapes: tuple[int, ...]
    names: tuple[str, ...]  # of the values that are kept, in their order
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
    return Plan(
        primitive=p,
        several=len(p.outputs) > 1,
        inputs=tuple(_position(p, n) for n in inputs),
        outputs=tuple(map(p.outputs.index, outputs)),
        shapes=tuple(_position(p, n.removesuffix("_shape")) for n in shapes),
        names=(*inputs, *outputs),
        applications=tuple(_application(p, r, wanted, count, kept) for r in rules),
    )


def _application(p: Primitive[...], rule: Rule, wanted: int, count: int, kept: list[str]) -> Application:
    targets = tuple(k if wanted >> k & 1 else -1 for k in _positions(p, rule, count))
    several = p.variadic or len(rule.inputs) > 1
    return Application(rule.fn, tuple(map(kept.index, rule.needs)), rule.static, several, targets, rule.add)


def _positions(p: Primitive[...], rule: Rule, count: int) -> list[int]:
    return list(range(count)) if p.variadic else [p.inputs.index(name) for name in rule.inputs]


def _position(p: Primitive[...], name: str) -> int:
    return ALL if p.variadic else p.inputs.index(name)
