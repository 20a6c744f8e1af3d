"""What is wrong with a gradient?  The first that holds: its shape, a swap, one change, a factor, its terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.examine import Claim, Record
from minitorch.symbolic.claims.fit import Coefficient, extra_array, fitted, ratio
from minitorch.symbolic.claims.repeats import overwritten
from minitorch.symbolic.claims.sentences import Telling, tell_extra, tell_fit, tell_ratio, tell_suspect
from minitorch.symbolic.claims.shapes import shape_fault, swapped_with
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.claims.suspects import Evidence, other_causes, roots_of
from minitorch.symbolic.claims.terms import Node, tree_of

_ENOUGH = 3  # worlds in which a suspect has to hold


def explain(record: Record, subject: Subject, claim: Claim, deadline: float) -> dict[str, Telling]:
    """What is told about every wrong gradient."""
    larger = record.without_ones()
    wrong = [n for n in record.names if not record.is_right(n)]
    told = {n: t for n in wrong if larger.is_right(n) and (t := _at_first_sight(record, n)) is not None}
    told |= {n: t for n in wrong if n not in told and (t := _at_first_sight(larger, n)) is not None}
    record = larger
    left = [n for n in wrong if n not in told]
    if left:
        told |= _by_suspects(record, subject, left, claim, deadline)
    for name in wrong:
        if name not in told:
            told[name] = overwritten(record, subject, claim, name) or _by_fit(record, subject, name)
    return told


def _at_first_sight(record: Record, name: str) -> Telling | None:
    """What needs no search: not finite, the gradient of another input, the wrong shape, the transpose."""
    worlds, claimed = record.worlds, record.of(name)
    fault = shape_fault(worlds, claimed, name, record.limit)
    if fault is None and all(not array.any() for array in claimed):
        return Telling(Cause.MISSING_TERM, f"d{name} is 0: all of it is missing.", factor="0")
    for world, array in zip(worlds, claimed, strict=True):
        if not np.isfinite(array).all():
            what = "NaN" if np.isnan(array).any() else "infinite"
            sizes = ", ".join(f"{d}={n}" for d, n in world.sizes.items())
            return Telling(Cause.NOT_FINITE, f"d{name} is {what} at {sizes}, where the right gradient is finite.")
    other = swapped_with(worlds, claimed, name, record.limit)
    if other is not None:
        return Telling(Cause.SWAPPED, f"d{name} is the gradient by {other}.", also=(fault.cause,) if fault else ())
    return Telling(fault.cause, fault.sentence) if fault else None


def _by_suspects(
    record: Record, subject: Subject, left: Sequence[str], claim: Claim, deadline: float
) -> dict[str, Telling]:
    scales = {n: r for n in left if (r := ratio(record.worlds, record.of(n), n, record.limit)) is not None}
    evidence = Evidence(
        subject,
        record.worlds[:_ENOUGH],
        record.claimed[:_ENOUGH],
        frozenset(left),
        frozenset(n for n in record.names if record.is_right(n)),
        record.limit,
        claim.wanted,
        claim.words,
        record.equal,
        _factors(scales.values()),
    )
    found, chosen = roots_of(evidence, deadline)
    told = {n: tell_suspect(s, subject, other_causes(s, found)) for n, s in chosen.items()}
    return {n: tell_ratio(n, r) for n, r in scales.items() if n not in told} | told


def _factors(scales) -> tuple[Node, ...]:
    """The measured scales, to be tried in earlier lines too."""
    named: Sequence[Coefficient] = list(scales)
    return tuple(tree_of(f) for f in dict.fromkeys(c.factor for c in named) if f not in (None, 0, 1, -1))


def _by_fit(record: Record, subject: Subject, name: str) -> Telling:
    worlds, claimed = record.worlds, record.of(name)
    extra = extra_array(worlds, claimed, name, record.limit)
    if extra is not None:
        return tell_extra(name, extra[1], subject)
    found = fitted(worlds, claimed, name, record.limit)
    if found is not None and any(c.factor != 1 for c in found):
        return tell_fit(name, found, subject)
    error = f"{record.error(name):.1e}"
    return Telling(
        Cause.UNEXPLAINED,
        f"No single change of the right d{name} gives the claimed one; it is off by {error} of its largest entry.",
    )
