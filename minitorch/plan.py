"""What does a call keep, and which rules will it apply?  Read off the record, once for each set of wanted inputs.

A plan is the record's rules, resolved: names have become positions.  Recording and sweeping follow it without looking
anything up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from minitorch.primitive import Primitive, Rule

Source = Literal["input", "inputs", "output", "shape", "shapes"]


@dataclass(frozen=True, slots=True)
class Application:
    """One rule, as a call applies it."""

    fn: Callable[..., Any]
    needs: tuple[tuple[Source, str, int], ...]  # where each parameter after the cotangents comes from
    static: tuple[str, ...]
    targets: tuple[int, ...]  # for each part of the result, the position of its input, or -1 if that wants none
    several: bool  # whether the result is a sequence


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call saves and applies when certain inputs want a gradient."""

    inputs: tuple[tuple[str, int], ...]  # to be saved: name, position (-1: all parts of a variadic input)
    outputs: tuple[tuple[str, int], ...]
    applications: tuple[Application, ...]


def plan(p: Primitive[...], wanted: int, count: int) -> Plan:
    """The plan for a call with `count` inputs, of which those in the bit set `wanted` want a gradient."""
    found = p.plans.get((wanted, count))
    if found is None:
        found = p.plans[wanted, count] = _resolved(p, wanted, count)
    return found


def _resolved(p: Primitive[...], wanted: int, count: int) -> Plan:
    rules = [r for r in p.rules if any(wanted >> k & 1 for k in _positions(p, r, count))]
    names = dict.fromkeys(name for r in rules for name in r.keeps)
    inputs = tuple((n, -1 if p.variadic else p.inputs.index(n)) for n in names if n in p.inputs)
    outputs = tuple((n, p.outputs.index(n)) for n in names if n in p.outputs)
    return Plan(inputs, outputs, tuple(_application(p, r, wanted, count) for r in rules))


def _positions(p: Primitive[...], rule: Rule, count: int) -> list[int]:
    return list(range(count)) if p.variadic else [p.inputs.index(name) for name in rule.inputs]


def _application(p: Primitive[...], rule: Rule, wanted: int, count: int) -> Application:
    targets = tuple(k if wanted >> k & 1 else -1 for k in _positions(p, rule, count))
    needs = tuple(_need(p, name) for name in rule.needs)
    return Application(rule.fn, needs, rule.static, targets, p.variadic or len(rule.inputs) > 1)


def _need(p: Primitive[...], name: str) -> tuple[Source, str, int]:
    if name in p.outputs:
        return "output", name, p.outputs.index(name)
    if name in p.inputs:
        return ("inputs", name, -1) if p.variadic else ("input", name, p.inputs.index(name))
    name = name.removesuffix("_shape")
    return ("shapes", name, -1) if p.variadic else ("shape", name, p.inputs.index(name))
