"""Are the position vectors those of the paper?"""

from __future__ import annotations

import math

import numpy as np
import pytest

import minitorch as mt
from minitorch.symbolic.theorems.positions import sinusoidal as of_the_theorem
from transformer import sinusoidal


@pytest.mark.parametrize(("n", "d"), [(1, 2), (9, 6), (512, 7)])
def test_values_are_the_sines_and_cosines_of_section_3_5(n, d):
    PE = sinusoidal(n, d)
    assert PE.shape == (n, d)
    for pos in (0, n // 2, n - 1):
        for c in range(d):
            angle = pos / 10000 ** (c // 2 * 2 / d)
            assert PE[pos, c] == pytest.approx(math.cos(angle) if c % 2 else math.sin(angle), abs=1e-12)


@pytest.mark.parametrize("k", [1, 5, -3])
def test_a_shift_by_k_is_one_rotation_whatever_the_position(k):
    d, PE = 8, sinusoidal(20, 8)
    R = np.zeros((d, d))
    for c in range(0, d, 2):
        angle = k / 10000 ** (c / d)
        R[c : c + 2, c : c + 2] = [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    for pos in range(4, 14):
        np.testing.assert_allclose(R @ PE[pos], PE[pos + k], atol=1e-12)


def test_the_dtype_is_the_default_one():
    with mt.default_dtype(np.float32):
        assert sinusoidal(3, 4).dtype == np.float32
    assert sinusoidal(3, 4).dtype == np.float64


def test_the_position_vectors_are_those_of_the_theorem_that_they_rotate():
    n, d, step = 6, 8, 3
    w = 10000.0 ** (-np.arange(d // 2) / (d // 2))
    table = sinusoidal(n + step, d)
    for t in range(n):
        columns = of_the_theorem().evaluate({"w": w, "t": t, "k": step})
        for name, start, position in (("s", 0, t), ("c", 1, t), ("s'", 0, t + step), ("c'", 1, t + step)):
            np.testing.assert_allclose(columns[name], table[position, start::2], atol=1e-12)
