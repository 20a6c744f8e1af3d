"""How is a mistake told?  In words, with the term concerned, and the line as it was claimed beside the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr

from minitorch.symbolic.calculus import readable
from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change
from minitorch.symbolic.claims.extras import OVER, TIMES
from minitorch.symbolic.claims.fit import Coefficient
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.claims.suspects import Suspect
from minitorch.symbolic.claims.terms import Line, Node, expression_of
from minitorch.symbolic.expression import Entry
from minitorch.symbolic.normal import normal_form
from minitorch.symbolic.program import Definition

_LONGEST = 240  # characters of a difference that is still worth reading

_ABSENT = {
    Cause.MISSING_TERM: "{line} lacks the term {before}.",
    Cause.MISSING_FACTOR: "{line} lacks the factor {before}.",
    Cause.SCALED: "{line} lacks the factor {before}.",
    Cause.SUM_FOR_MEAN: "{line} lacks the factor {before}: a sum stands where a mean should be.",
    Cause.EPSILON: "{line} leaves out {before}, which keeps it finite.",
    Cause.DROPPED_MASK: "{line} leaves out the mask {before}.",
    Cause.WRONG_DERIVATIVE: "{line} leaves out {before}, a part of a function's derivative.",
}
_EXCHANGED = {
    Cause.READ_TRANSPOSED: "In {line}, {before} is read as {after}: transposed.",
    Cause.WRONG_AXIS: "In {line}, {after} stands where {before} should: along the wrong axis.",
    Cause.NOT_SUMMED: "In {line}, {after} stands where {before} should: the sum is left out.",
    Cause.SUMMED: "In {line}, {after} stands where {before} should: it is summed over an axis that should be kept.",
    Cause.MEAN_FOR_SUM: "In {line}, {after} stands where {before} should: a mean for a sum.",
    Cause.BEFORE_AFTER: "In {line}, {after} stands where {before} should: one is a step before the other.",
    Cause.WRONG_POWER: "In {line}, {after} stands where {before} should: another power.",
    Cause.WRONG_DERIVATIVE: "In {line}, {after} stands where {before} should: the derivative of another function.",
    Cause.EPSILON: "In {line}, {after} stands where {before} should: the small number is in another place.",
}


@dataclass(frozen=True)
class Telling:
    """What is said about a mistake: see `minitorch.symbolic.claims.diagnosis.Finding`."""

    cause: Cause
    sentence: str
    line: str = ""
    term: str = ""
    factor: str = ""
    claimed: str = ""
    right: str = ""
    difference: str = ""
    also: tuple[Cause, ...] = ()


def tell_suspect(suspect: Suspect, subject: Subject, also: tuple[Cause, ...]) -> Telling:
    """A single change of a line, told."""
    change, line = suspect.change, suspect.line
    cause = Cause.MISSING_PATH if _is_path(suspect, subject) else change.cause
    also = tuple(c for c in dict.fromkeys((change.cause, *also)) if c != cause)
    before, after = (_text(part, subject, line) for part in (change.before, change.after))
    factor = (
        after if change.note == TIMES else f"1/({before})" if change.after is None and cause == Cause.SCALED else ""
    )
    return Telling(
        cause,
        _sentence(cause, change, line, before, after),
        line.name,
        before or after,
        factor,
        _equation(line.target, change.tree, subject),
        _equation(line.target, line.value, subject),
        _difference(change.tree, line, subject),
        also,
    )


def _sentence(cause: Cause, change: Change, line: Line, before: str, after: str) -> str:
    whole = change.before is line.value
    if cause == Cause.WRONG_SIGN:
        return f"{line.name} has the wrong sign." if whole else f"In {line.name} the sign of {before} is wrong."
    if change.note == OVER:
        return f"{line.name if whole else f'In {line.name} the term {before}'} lacks the factor {after}."
    if change.note == TIMES:
        what = line.name if whole else f"In {line.name} the term {before}"
        more = "is multiplied by {after}" if cause == Cause.SCALED else "has the factor {after} once too often"
        return f"{what} {more.format(after=after)}."
    if cause == Cause.EXTRA_TERM:
        return f"{line.name} has the term {after} too many."
    if cause == Cause.SHIFTED:
        return f"In {line.name} an index is shifted or runs backwards."
    if cause == Cause.MISSING_PATH:
        return f"{line.name} lacks the term {before}: one of the ways in which the output depends on {line.name[1:]}."
    known = _ABSENT if change.after is None else _EXCHANGED
    pattern = known.get(cause, "In {line}, {after} stands where {before} should.")
    return pattern.format(line=line.name, before=before, after=after)


def _is_path(suspect: Suspect, subject: Subject) -> bool:
    """Whether what is left out is all that comes back through one reader of the array."""
    value, change = suspect.line.value, suspect.change
    if change.cause != Cause.MISSING_TERM or value.kind != "add" or change.before not in value.parts:
        return False
    adjoint = next((a for a in subject.adjoints if a.target.name == suspect.line.name), None)
    return adjoint is not None and len(adjoint.contributions) == len(value.parts)


def _text(node: Node | None, subject: Subject, line: Line) -> str:
    return "" if node is None else subject.notation.text(expression_of(node), line.indices)


def _equation(target: Entry, value: Node, subject: Subject) -> str:
    return subject.notation.equation(Definition(target, expression_of(value)))


def _difference(tree: Node, line: Line, subject: Subject) -> str:
    return shown_difference(expression_of(tree), expression_of(line.value), line.target, subject)


def shown_difference(claimed: Expr, right: Expr, target: Entry, subject: Subject) -> str:
    """Claimed minus right, simplified as far as the normal form does; empty if it is too long to read."""
    forms = [readable(claimed - right), readable(normal_form(claimed - right))]
    difference = min(forms, key=lambda e: len(str(e)))
    text = subject.notation.text(difference, target.indices)
    return text if len(text) <= _LONGEST else ""


def tell_ratio(name: str, found: Coefficient) -> Telling:
    """A whole gradient that is a multiple of the right one."""
    if found.factor == -1:
        return Telling(Cause.WRONG_SIGN, f"d{name} has the wrong sign.", f"d{name}", factor="-1")
    factor = _factor(found)
    if found.factor == 0:
        return Telling(Cause.MISSING_TERM, f"d{name} is 0: all of it is missing.", f"d{name}", factor="0")
    return Telling(Cause.SCALED, f"d{name} is multiplied by {factor}.", f"d{name}", factor=factor)


def tell_fit(name: str, found: Sequence[Coefficient], subject: Subject) -> Telling:
    """Right terms with wrong coefficients."""
    target = subject.entries[f"d{name}"]
    said, causes = [], []
    for c in (c for c in found if c.factor != 1):
        term = subject.notation.text(c.term, target.indices)
        if c.factor == 0:
            causes.append(Cause.MISSING_TERM)
            said.append(f"the term {term} is missing")
        elif c.factor == -1:
            causes.append(Cause.WRONG_SIGN)
            said.append(f"the term {term} has the wrong sign")
        else:
            causes.append(Cause.SCALED)
            said.append(f"the term {term} is multiplied by {_factor(c)}")
    right = Definition(target, sum((c.term for c in found), start=0 * found[0].term))
    terms = [c.term * (c.factor if c.factor is not None else 0) for c in found]
    known = all(c.factor is not None for c in found)
    claimed = Definition(target, sum(terms, start=0 * found[0].term))
    return Telling(
        causes[0],
        f"In d{name}, {'; '.join(said)}.",
        f"d{name}",
        subject.notation.text(next(c.term for c in found if c.factor != 1), target.indices),
        "; ".join(_factor(c) for c in found if c.factor != 1),
        subject.notation.equation(claimed) if known else "",
        subject.notation.equation(right),
        shown_difference(claimed.value, right.value, target, subject) if known else "",
        tuple(dict.fromkeys(c for c in causes if c != causes[0])),
    )


def tell_extra(name: str, found: Coefficient, subject: Subject) -> Telling:
    """The right gradient and a multiple of an array."""
    array = subject.notation.text(found.term)
    factor = _factor(found)
    term = array if factor == "1" else f"-{array}" if factor == "-1" else f"{factor}*{array}"
    return Telling(
        Cause.EXTRA_TERM, f"d{name} has the term {term} too many.", f"d{name}", array, factor, difference=term
    )


def _factor(found: Coefficient) -> str:
    return str(found.factor) if found.factor is not None else f"{found.numbers[0]:.4g} (at the first sizes tried)"
