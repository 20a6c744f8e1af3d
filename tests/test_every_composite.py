"""Does every function with a formula compute what its formula says, values and gradients?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
import transformer  # noqa: F401  (registers its composites)
from minitorch.primitive import COMPOSITES
from minitorch.symbolic import engine_agrees, inputs_of, program_of

OURS = [c for c in COMPOSITES.values() if c.function.__module__.split(".")[0] in ("minitorch", "transformer")]
every = pytest.mark.parametrize("composite", OURS, ids=lambda c: c.name)


def test_attention_is_among_them():
    assert "scaled_dot_product_attention" in [c.name for c in OURS]


@every
def test_its_formula_gives_the_values_of_the_function(composite):
    program = program_of(composite)
    arrays = inputs_of(composite, program)
    value = composite(*(mt.tensor(a) if isinstance(a, np.ndarray) else a for a in arrays.values()))
    np.testing.assert_allclose(value.numpy(), program.evaluate(arrays)[program.outputs[-1]], rtol=1e-13, atol=1e-14)


@every
def test_its_derived_gradients_are_those_of_the_engine(composite):
    program = program_of(composite)
    wrt = [name for name, a in inputs_of(composite, program).items() if isinstance(a, np.ndarray)]
    assert "largest error" in engine_agrees(program, composite, wrt)


@every
def test_its_derivatives_of_both_orders_are_those_of_central_differences(composite):
    arrays = [a for a in inputs_of(composite, program_of(composite)).values() if isinstance(a, np.ndarray)]
    assert mt.gradcheck(composite, *arrays) < 1e-8
    assert mt.gradcheck(composite, *arrays, order=2) < 1e-8
