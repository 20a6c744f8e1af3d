"""How far has an equality been checked, and by what?

A verdict never says more than was done: what holds for all sizes, at some sizes, at random points or in floating point
are four different things, and only a witness refutes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from minitorch.errors import FormulaError

PROVED = "proved for all sizes"
PROVED_AT_SIZES = "proved at sizes"
PROBABLE = "probable"
TESTED = "tested"
REFUTED = "refuted"
UNDECIDED = "undecided"
KINDS = (PROVED, PROVED_AT_SIZES, PROBABLE, TESTED, REFUTED, UNDECIDED)


@dataclass(frozen=True)
class Verdict:
    """What is known about a claim.

    Attributes:
        kind: one of :data:`KINDS`.
        methods: everything that was done and agreed, in plain words.
        detail: where and with which sizes; for a refutation, the witness.

    Raises:
        FormulaError: an unknown kind; a proof for all sizes by fewer than two methods; a refutation without witness.

    Example:
        >>> print(Verdict("tested", ("float64",), "largest error 2e-16"))
        tested (float64): largest error 2e-16
    """

    kind: str
    methods: tuple[str, ...] = ()
    detail: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FormulaError(f"verdict: got kind {self.kind!r}, wanted one of {', '.join(KINDS)}. Use the constants.")
        if self.kind == PROVED and len(self.methods) < 2:
            raise FormulaError(
                f"verdict: {PROVED!r} needs two methods that share no code, got {self.methods}. Run another one."
            )
        if self.kind == REFUTED and not self.detail:
            raise FormulaError("verdict: a refutation needs its witness in detail. Name sizes and values.")

    @property
    def holds(self) -> bool:
        """Whether the claim was proved, for all sizes or for some."""
        return self.kind in (PROVED, PROVED_AT_SIZES)

    def with_method(self, method: str) -> Verdict:
        """The same verdict with one more method that agreed."""
        return replace(self, methods=(*self.methods, method))

    def __str__(self) -> str:
        methods = f" ({'; '.join(self.methods)})" if self.methods else ""
        return self.kind + methods + (f": {self.detail}" if self.detail else "")
