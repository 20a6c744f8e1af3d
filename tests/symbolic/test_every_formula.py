"""Is the gradient that is derived from an operation's formula the one that its rule computes?

Nothing is shared: the formula is text, the rule is code, and they meet only here.
"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.primitive import REGISTRY
from minitorch.symbolic import program_of
from minitorch.symbolic.derive import gradients
from minitorch.testing.formulas import no_formula
from tests.primitive_examples import EXAMPLES


def is_plain(example) -> bool:
    """Every axis is told by a letter of its own: no broadcasting, nothing empty, no axis of size 1."""
    return not any(n < 2 for x in example.inputs for n in np.shape(x)) and no_formula(example) is None


SMOOTH = [e for e in EXAMPLES if REGISTRY[e.name].differentiable and is_plain(e)]


@pytest.mark.parametrize("example", SMOOTH, ids=str)
def test_the_gradient_derived_from_its_formula_is_that_of_its_rule(example):
    p = REGISTRY[example.name]
    arrays = {
        name: np.asarray(x, float if name in p.differentiable else None)
        for name, x in zip(p.inputs, example.inputs, strict=True)
    }
    program = program_of(p, {name: np.ndim(a) for name, a in arrays.items()}, example.static)
    output = p.outputs[0]
    tensors = {n: mt.tensor(a, requires_grad=True) if n in p.differentiable else a for n, a in arrays.items()}
    value = p(*tensors.values(), **example.static)
    value = value[0] if len(p.outputs) > 1 else value
    g = np.random.default_rng(0).standard_normal(value.shape)
    wrt = [name for name in p.inputs if name in p.differentiable]
    try:
        with np.errstate(invalid="ignore"):  # the logarithm of a negative base that nobody differentiates by
            derived = gradients(program, arrays, output, g, wrt)
            engine = mt.grad(value, [tensors[name] for name in wrt], g)
    except mt.FormulaError as error:
        if "no array tells the size" in str(error):
            pytest.skip("a gradient in which the summed axis does not occur")
        raise
    for name, found in zip(wrt, engine, strict=True):
        np.testing.assert_allclose(found.numpy(), np.broadcast_to(derived[name], found.shape), rtol=1e-12, atol=1e-12)
