"""How does a count grow with the length n?  Counts are integers, so their polynomial is found exactly, not fitted.

A log-log slope over small n misleads: 512 n + 4 n^2 looks linear up to n = 100.  The exact terms say where the square
takes over (Vaswani et al. 2017, Table 1, is about such terms).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in n with exact coefficients; `coefficients[k]` belongs to n^k."""

    coefficients: tuple[Fraction, ...]

    def __call__(self, n: int) -> Fraction:
        """The value at n."""
        return sum((c * n**k for k, c in enumerate(self.coefficients)), Fraction(0))

    @property
    def degree(self) -> int:
        """The largest power with a non-zero coefficient."""
        return max((k for k, c in enumerate(self.coefficients) if c), default=0)

    def takes_over(self) -> Fraction | None:
        """The n at which the leading term equals all others together, for degree 2 over a linear term; None otherwise.

        >>> Polynomial((Fraction(0), Fraction(512), Fraction(4))).takes_over()
        Fraction(128, 1)
        """
        if self.degree != 2 or self.coefficients[0]:
            return None
        return self.coefficients[1] / self.coefficients[2]

    def last_doubling(self, n: int) -> float:
        """The exponent that the step from n/2 to n shows: log2 of the ratio of the values."""
        return math.log2(self(n) / self(n // 2))

    def __str__(self) -> str:
        powers = ("", "n", "n²", "n³")
        text = ""
        for k, c in reversed(list(enumerate(self.coefficients))):
            if c:
                size = "" if abs(c) == 1 and k else str(abs(c))
                sign = ("− " if c < 0 else "+ ") if text else ("−" if c < 0 else "")
                text += f" {sign}{size}{' ' if size and k else ''}{powers[k]}"
        return text.strip() or "0"


def exact_polynomial(counts: Mapping[int, int | Fraction], degree: int = 2) -> Polynomial:
    """The polynomial of at most the given degree through all counts, by Newton's divided differences.

    Args:
        counts: n -> count, for at least degree + 2 lengths, so that the last ones check what the first ones say.

    Raises:
        ValueError: too few lengths, or no polynomial of this degree passes through all of them.

    >>> str(exact_polynomial({1: 6, 2: 14, 3: 24, 4: 36}))
    'n² + 5 n'
    """
    if len(counts) < degree + 2:
        raise ValueError(f"{len(counts)} lengths cannot confirm a polynomial of degree {degree}; give {degree + 2}")
    xs = sorted(counts)[: degree + 1]
    table = [Fraction(counts[x]) for x in xs]
    for level in range(1, len(xs)):
        for i in range(len(xs) - 1, level - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (xs[i] - xs[i - level])
    coefficients = [Fraction(0)] * (degree + 1)
    for x, c in zip(reversed(xs), reversed(table), strict=True):  # Horner: p <- p * (n - x) + c
        shifted = [Fraction(0), *coefficients[:-1]]
        coefficients = [s - x * p for s, p in zip(shifted, coefficients, strict=True)]
        coefficients[0] += c
    polynomial = Polynomial(tuple(coefficients))
    if wrong := [n for n, count in counts.items() if polynomial(n) != count]:
        raise ValueError(f"no polynomial of degree {degree} passes through the counts at n = {wrong}")
    return polynomial
