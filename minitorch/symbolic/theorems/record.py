"""What is a theorem?  A claim that stands as text, and a proof that a machine carries out when it is asked for.

The claim does not come out of the proof: the proof derives one side from the engine's own formulas and compares it with
what is claimed.  So a claim with a wrong sign is refuted, as :func:`Theorem.claiming` lets one see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from minitorch.symbolic.derivation import Step, aligned
from minitorch.symbolic.printing import to_mathml
from minitorch.symbolic.verdict import Verdict


@dataclass(frozen=True)
class Proof:
    """What a proof has shown.

    Attributes:
        statement: the claims with both their sides; the ``proof`` of each is its verdict.
        steps: the equations and bounds that lead to them, each checked.
        verdict: what is known about all claims together.
    """

    statement: tuple[Step, ...]
    steps: tuple[Step, ...]
    verdict: Verdict


@dataclass(frozen=True)
class Theorem:
    """A theorem of the subject.

    Attributes:
        name: how it is asked for, such as ``softmax-shift``.
        title: the theorem in one line of words.
        claims: what stands on the right of each claim, in the formula language.
        prove: carries the proof out: from the claims to a :class:`Proof`.
        source: where it is printed.
        why: what a student gains from it.
        assumptions: what is presupposed, in words or formulas.
    """

    name: str
    title: str
    claims: tuple[str, ...]
    prove: Callable[..., Proof]
    source: str
    why: str
    assumptions: tuple[str, ...] = ()

    @cached_property
    def proof(self) -> Proof:
        """The proof, carried out when first asked for.

        Raises:
            FormulaError: a claim is no formula, or a step on the way does not follow.
        """
        return self.prove(*self.claims)

    @property
    def statement(self) -> tuple[Step, ...]:
        """The claims with both their sides, to be printed."""
        return self.proof.statement

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the proof: each with its rule, the reason and what checked it."""
        return self.proof.steps

    @property
    def verdict(self) -> Verdict:
        """How far the claims are known to be right, and by which methods."""
        return self.proof.verdict

    def claiming(self, *claims: str) -> Theorem:
        """The same theorem with other claims, to be proved anew: what a planted mistake is tried with."""
        return replace(self, claims=claims)

    def statement_text(self) -> str:
        """The claims as plain text, one a line."""
        return "\n".join(claim.text() for claim in self.statement)

    def statement_latex(self) -> str:
        """The claims as LaTeX, aligned."""
        return aligned(self.statement)

    def statement_mathml(self) -> str:
        """The claims as MathML."""
        return to_mathml(self.statement_latex())

    def text(self) -> str:
        """Everything as plain text: claims, reason, source, assumptions, steps and verdict."""
        lines = [f"{self.name}: {self.title}", *(f"  {claim.text()}" for claim in self.statement)]
        lines += [f"  Why: {self.why}", f"  Source: {self.source}."]
        lines += [f"  Assumed: {assumption}." for assumption in self.assumptions]
        for step in self.steps:
            lines += [f"    {step.text()}", f"        {step.rule}: {step.reason} Checked by: {step.proof}."]
        return "\n".join([*lines, f"  {self.verdict}"])

    def latex(self) -> str:
        """The steps of the proof as LaTeX, aligned, with their rules."""
        return aligned(self.steps, rules=True)

    def mathml(self) -> str:
        """The steps of the proof as MathML."""
        return to_mathml(aligned(self.steps))

    def __str__(self) -> str:
        return self.text()
