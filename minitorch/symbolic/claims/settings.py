"""What is fixed while a claim is examined?  Settings that it has built in, and inputs that it does not take.

A function of attention without a mask is right where the mask is 0; one of LayerNorm without a weight where that is 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.examine import Claim, Record
from minitorch.symbolic.claims.subject import MASKS, TARGETS, Subject
from minitorch.symbolic.claims.terms import Node
from minitorch.symbolic.claims.worlds import EPSILON, Setting, find_positive
from minitorch.symbolic.expression import names


def settings_for(
    claim: Claim,
    given: Mapping[str, float],
    sizes: Mapping[str, int],
    rounding: Any,
    drawn: Collection[str] = (),
) -> list[Setting]:
    """The settings to examine a claim in, the plainest first; inputs in ``drawn`` are not fixed, even if not taken.

    Raises:
        FormulaError: ``given`` or ``sizes`` has a name that is no input or dimension.
    """
    subject = claim.subject
    _check_known(subject, given, sizes)
    fixed = dict(given)
    for name in subject.program.inputs:
        if name not in claim.wanted and name not in fixed and (name in subject.small or name in subject.values):
            fixed[name] = subject.values.get(name, EPSILON)
    base = Setting(fixed, dict(sizes), rounding=rounding)
    base = replace(base, positive=find_positive(subject, base))
    # A function that leaves out a mask it was asked about has forgotten it: that it is right at 0 says nothing.
    left = [n for n in _not_taken(claim) if n not in fixed and n not in MASKS and n not in drawn]
    absent = {n: _neutral(subject, n) for n in left}
    settings = [replace(base, given={**fixed, **absent})]
    rows = frozenset(n for n in subject.program.inputs if n in TARGETS and subject.entries[n].indices)
    if rows:
        settings += [replace(setting, rows=rows) for setting in settings]
    return settings


def _check_known(subject: Subject, given: Mapping[str, float], sizes: Mapping[str, int]) -> None:
    for words, known, what in (
        (given, list(subject.program.inputs), "inputs"),
        (sizes, list(map(str, subject.dimensions)), "dimensions"),
    ):
        for word in words:
            if word not in known:
                raise FormulaError(
                    f"check_vjp: {word!r} is none of the {what} of {subject.name}: {', '.join(known)}. Check the name."
                )


def _not_taken(claim: Claim) -> list[str]:
    """The inputs that reach a function neither themselves nor in a saved value."""
    subject = claim.subject
    reached = set(claim.wanted)
    for definition in subject.program.definitions:
        if definition.name in claim.wanted:
            reached |= _sources(subject, definition.name)
    numbers = (n for n in subject.program.inputs if subject.entries[n].values is None)
    return [n for n in numbers if n not in reached]


def _sources(subject: Subject, name: str) -> set[str]:
    """The inputs that a saved value is computed from."""
    found = {name}
    for definition in reversed(subject.program.definitions):
        if definition.name in found:
            found |= names(definition.value)
    return found


def _neutral(subject: Subject, name: str) -> float:
    """The number that does nothing where an input stands: 0 in a sum, 1 in a product."""
    for line in subject.derived.forward:
        for node in line.value.walk():
            if any(part.kind == "read" and part.word.name == name for part in node.parts):
                return 0.0 if _in_sum(node) else 1.0
    return 1.0


def _in_sum(node: Node) -> bool:
    return node.kind == "add"


def notes_on(record: Record, subject: Subject, wanted: frozenset[str]) -> tuple[str, ...]:
    """What was assumed, in sentences."""
    notes = []
    fixed = {n: v for n, v in record.setting.given.items() if n not in wanted}
    if fixed:
        said = ", ".join(f"{n} = {v:g}" for n, v in fixed.items())
        notes.append(f"examined at {said}, which the claim does not take")
    if record.setting.rows:
        rows = ", ".join(sorted(record.setting.rows))
        notes.append(f"examined where each row of {rows} adds up to 1; it is not right elsewhere")
    missing = [n for n in subject.wrt if n not in record.names]
    if missing:
        notes.append(f"not claimed, so not examined: {', '.join(f'd{n}' for n in missing)}")
    if record.raised and not record.all_right:
        notes.append(f"examined at equal sizes only; at others {record.raised.removeprefix('check_vjp: ')}")
    return tuple(notes)
