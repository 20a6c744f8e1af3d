"""What was found out about a claimed gradient?  One finding for every input, and a report that one can act on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.shrink import Counterexample
from minitorch.symbolic.verdict import Verdict


@dataclass(frozen=True)
class Finding:
    """What was found out about the gradient by one input.

    Attributes:
        input: the input's name.
        ok: whether its gradient is right.
        verdict: how far that is known: proved, tested, or refuted with a witness.
        cause: the mistake; None if there is none.  ``also``: other names for the same mistake.
        sentence: the mistake in words, with the term concerned in index notation.
        line: the name of the definition in which it was made, which other gradients may inherit.
        term: the part concerned, as it should be.
        factor: by what a term is multiplied that should not be, as a function of the sizes.
        claimed, right: that definition, as it was claimed (as far as the values show it) and as it should be.
        difference: claimed minus right, in index notation.
        counterexample: the smallest input of whole numbers at which the gradient is wrong.
    """

    input: str
    ok: bool
    verdict: Verdict
    cause: Cause | None = None
    also: tuple[Cause, ...] = ()
    sentence: str = ""
    line: str = ""
    term: str = ""
    factor: str = ""
    claimed: str = ""
    right: str = ""
    difference: str = ""
    counterexample: Counterexample | None = None

    @property
    def mistake(self) -> tuple[Any, ...]:
        """What findings with one root have in common."""
        return (self.line, self.sentence, self.claimed) if self.line else (self.input, self.sentence, self.claimed)

    def to_json(self) -> dict[str, Any]:
        """Plain data with stable keys."""
        return {
            **{key: getattr(self, key) for key in ("input", "ok")},
            "cause": self.cause.value if self.cause else None,
            "also": [cause.value for cause in self.also],
            **{key: getattr(self, key) for key in ("sentence", "line", "term", "factor", "claimed", "right")},
            "difference": self.difference,
            "counterexample": asdict(self.counterexample) if self.counterexample else None,
            "verdict": str(self.verdict),
        }


@dataclass(frozen=True)
class Diagnosis:
    """What was found out about a claimed backward pass; ``print`` it.

    Attributes:
        op: the operation.
        claim: the function's name, or "formulas".
        inputs: a finding for every gradient that was claimed.
        notes: what was assumed.
        seconds: how long it took.
    """

    op: str
    claim: str
    inputs: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every claimed gradient is right."""
        return all(finding.ok for finding in self.inputs)

    def to_json(self) -> dict[str, Any]:
        """Plain data with stable keys: op, claim, ok, inputs, notes, seconds."""
        inputs = [finding.to_json() for finding in self.inputs]
        return {
            "op": self.op,
            "claim": self.claim,
            "ok": self.ok,
            "inputs": inputs,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        return "\n".join([self._title(), *self._table(), *self._mistakes(), *(f"  note: {n}" for n in self.notes)])

    def _title(self) -> str:
        wrong = sum(not finding.ok for finding in self.inputs)
        said = "all gradients right" if not wrong else f"{wrong} of {len(self.inputs)} gradients wrong"
        return f"{self.claim} as the backward pass of {self.op}: {said}"

    def _table(self) -> list[str]:
        width = max(len(f.input) for f in self.inputs) + 1
        rows = []
        for finding in self.inputs:
            said = _short(finding.verdict) if finding.ok else (finding.cause.value if finding.cause else "")
            rows.append(f"  d{finding.input:<{width}} {'ok   ' if finding.ok else 'WRONG'} {said}")
        return rows

    def _mistakes(self) -> list[str]:
        groups: dict[Any, list[Finding]] = {}
        for finding in self.inputs:
            if not finding.ok:
                groups.setdefault(finding.mistake, []).append(finding)
        return [line for group in groups.values() for line in ("", *_told(group))]


def _told(group: list[Finding]) -> list[str]:
    """One mistake, told once for all gradients that inherit it."""
    first = group[0]
    heirs = [f"d{f.input}" for f in group if f"d{f.input}" != first.line]
    inherited = f" {_listed(heirs)} inherit{'s' * (len(heirs) == 1)} it." if first.line and heirs else ""
    lines = [f"  {first.sentence}{inherited}"]
    rows = [("claimed", first.claimed), ("right", first.right), ("claimed - right", first.difference)]
    rows = [(title, text) for title, text in rows if text]
    width = max((len(title) for title, _ in rows), default=0)
    lines += [f"    {title:<{width}}  {text}" for title, text in rows]
    example = next((f for f in group if f.counterexample), None)
    if example is not None and example.counterexample is not None:
        lines += _smallest(example.input, example.counterexample)
    return lines


def _smallest(name: str, example: Counterexample) -> list[str]:
    sizes = ", ".join(f"{d}={n}" for d, n in example.sizes.items())
    inputs = [f"{n} = {_number(value)}" for n, value in example.inputs.items()]
    return [
        f"    smallest counterexample{f', at {sizes}' if sizes else ''}:",
        f"      {'   '.join(inputs)}",
        f"      d{name}: claimed {_number(example.claimed)}, right {_number(example.right)}",
    ]


def _short(verdict: Verdict) -> str:
    """A verdict in one line: the first sizes, and how many others."""
    first, *others = str(verdict).split("; ") if verdict.detail else [str(verdict)]
    return f"{first} and {len(others)} other sizes" if others else first


def _number(value: Any) -> str:
    return str(value)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
