"""Is the polynomial exact, and refused where there is none?"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from transformer.complexity import Polynomial, exact_polynomial


def test_integer_coefficients_are_found_exactly_however_large():
    p = lambda n: 4 * 10**18 * n * n + 3 * n - 7
    assert exact_polynomial({n: p(n) for n in (3, 4, 6, 8, 11)}).coefficients == (-7, 3, 4 * 10**18)


def test_random_polynomials_come_back(rng: np.random.Generator):
    for _ in range(20):
        c = [Fraction(int(v), 6) for v in rng.integers(-50, 50, 4)]
        counts = {int(n): sum(ck * int(n) ** k for k, ck in enumerate(c)) for n in rng.permutation(30)[:6]}
        assert list(exact_polynomial(counts, 3).coefficients) == c


@pytest.mark.parametrize("grows", [lambda n: n**3, lambda n: 2**n, lambda n: n // 2])
def test_counts_that_are_no_such_polynomial_are_refused_with_the_lengths_at_which(grows):
    with pytest.raises(ValueError, match=r"no polynomial of degree 2 .* n = \[.*8"):
        exact_polynomial({n: grows(n) for n in (1, 2, 3, 5, 8)})


def test_too_few_lengths_cannot_confirm():
    with pytest.raises(ValueError, match="3 lengths cannot confirm a polynomial of degree 2; give 4"):
        exact_polynomial({1: 1, 2: 2, 3: 3})


def test_the_square_takes_over_where_both_terms_are_equal():
    p = Polynomial((Fraction(0), Fraction(512), Fraction(4)))
    n = p.takes_over()
    assert n is not None
    assert 4 * n**2 == 512 * n
    assert p.last_doubling(2) == pytest.approx(1.0, abs=0.02)
    assert p.last_doubling(1 << 20) == pytest.approx(2.0, abs=0.001)
    assert Polynomial((Fraction(0), Fraction(128), Fraction(0))).takes_over() is None


@pytest.mark.parametrize(
    ("coefficients", "said"),
    [((0, 512, 4), "4 n² + 512 n"),
     ((0, 1, 1), "n² + n"), ((5, 0, 0), "5"), ((0, 0, 0), "0"), ((-1, -1, 2), "2 n² − n − 1"),
     ((Fraction(1, 2), Fraction(3, 2)), "3/2 n + 1/2"), ((1, -2), "−2 n + 1"), ((0, -1), "−n")],
)  # fmt: skip
def test_it_reads_as_one_would_write_it(coefficients, said):
    assert str(Polynomial(tuple(map(Fraction, coefficients)))) == said
