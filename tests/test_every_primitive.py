"""Is every operation right?  Generated from the registry: whoever adds an operation adds a row of examples."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import minitorch as mt
from minitorch.primitive import REGISTRY
from minitorch.symbolic import program_of
from tests.primitive_examples import EXAMPLES, TABLE, Example

PRIMITIVES = {name: p for name, p in REGISTRY.items() if p.forward.__module__.startswith("minitorch.")}
SMOOTH = [e for e in EXAMPLES if PRIMITIVES[e.name].differentiable]
WITH_FORMULA = [e for e in EXAMPLES if PRIMITIVES[e.name].formula is not None and not e.static.get("keepdims")]
every = pytest.mark.parametrize("example", EXAMPLES, ids=str)
every_smooth = pytest.mark.parametrize("example", SMOOTH, ids=str)


def tensors(example: Example, wanted=None, dtype=None):
    """The inputs, as Tensors where they are floating (where none is, all); those in `wanted` require a gradient."""
    wanted = example.varied if wanted is None else wanted
    other = (lambda x: x) if example.varied else mt.tensor
    return [
        mt.tensor(x, requires_grad=k in wanted, dtype=dtype) if k in example.varied else other(x)
        for k, x in enumerate(example.inputs)
    ]


def outputs(result):
    return result if isinstance(result, tuple) else (result,)


def call(example: Example, args):
    return outputs(PRIMITIVES[example.name](*args, **example.static))


def on_varied(example: Example):
    """The primitive as a function of its floating arrays alone."""

    def function(*arrays):
        args = list(example.inputs)
        for k, a in zip(example.varied, arrays, strict=True):
            args[k] = a
        return call(example, args)

    return function


def cotangents(example: Example, seed: int):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(np.shape(o)) for o in call(example, example.inputs)]


def pull(example: Example, args, gs):
    """The gradients of <outputs, gs> by the floating inputs, all rules of the primitive involved."""
    total = 0.0
    for out, g in zip(call(example, args), gs, strict=True):
        total = total + (out * g.astype(out.dtype)).sum()
    return mt.grad(total, [args[k] for k in example.varied], allow_unused=True)


def test_every_primitive_has_an_example():
    assert sorted(PRIMITIVES) == sorted(TABLE)


def test_every_differentiable_input_of_every_primitive_is_differentiated_in_some_example():
    for name, p in PRIMITIVES.items():
        last = len(p.inputs) - 1
        seen = {p.inputs[min(k, last)] for e in EXAMPLES if e.name == name for k in e.varied}
        assert p.differentiable <= seen


@every_smooth
@pytest.mark.parametrize("order", [1, 2])
def test_its_derivatives_are_those_of_central_differences(example, order):
    arrays = [example.inputs[k] for k in example.varied]
    assert mt.gradcheck(on_varied(example), *arrays, order=order, rtol=1e-7, atol=1e-7, h=2e-3) < 1e-7


@every_smooth
def test_its_rules_are_linear_in_the_cotangent(example):
    g, h = cotangents(example, 1), cotangents(example, 2)
    both = pull(example, tensors(example), [a + 2 * b for a, b in zip(g, h, strict=True)])
    one, other = pull(example, tensors(example), g), pull(example, tensors(example), h)
    for k in range(len(both)):
        np.testing.assert_allclose(both[k].numpy(), one[k].numpy() + 2 * other[k].numpy(), rtol=1e-12, atol=1e-12)


@every_smooth
def test_a_gradient_has_the_shape_and_dtype_of_its_leaf_and_float32_agrees_with_float64(example):
    gs = cotangents(example, 3)
    exact = pull(example, tensors(example), gs)
    rounded = pull(example, tensors(example, dtype=np.float32), gs)
    for k, wide, narrow in zip(example.varied, exact, rounded, strict=True):
        assert wide.shape == narrow.shape == example.inputs[k].shape
        assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)
        scale = np.abs(wide.numpy()).max(initial=1.0)
        np.testing.assert_allclose(narrow.numpy(), wide.numpy(), rtol=0, atol=1e-5 * scale)


@every_smooth
def test_float32_in_gives_float32_out(example):
    if example.name == "astype":
        pytest.skip("it changes the dtype on purpose")
    assert {o.dtype for o in call(example, tensors(example, dtype=np.float32))} == {np.dtype(np.float32)}


@every
def test_on_plain_arrays_it_gives_plain_arrays_of_the_same_values(example):
    plain = call(example, example.inputs)
    for array, tensor in zip(plain, call(example, tensors(example)), strict=True):
        assert isinstance(array, np.ndarray | np.generic)
        np.testing.assert_array_equal(array, tensor.numpy())
        assert np.asarray(array).dtype == tensor.dtype


@every
def test_under_no_grad_it_records_nothing(example):
    with mt.no_grad():
        outs = call(example, tensors(example))
    assert not any(o.requires_grad for o in outs)
    assert all(o._origin is None for o in outs)


@every
def test_it_keeps_what_the_parameters_of_its_rules_name_and_nothing_for_other_inputs(example):
    p = PRIMITIVES[example.name]
    last = len(p.inputs) - 1
    for count in range(len(example.varied) + 1):
        for wanted in combinations(example.varied, count):
            args = tensors(example, wanted)
            outs = call(example, args)
            names = {p.inputs[min(k, last)] for k in wanted} & p.differentiable
            if not names:
                assert all(o._origin is None for o in outs)
                continue
            saved = outs[0]._origin.saved
            assert set(saved) == {n for r in p.rules if names & set(r.inputs) for n in r.keeps}
            for name, value in saved.items():
                if name in p.outputs:
                    assert value is outs[p.outputs.index(name)]._array
                elif p.variadic:
                    assert all(v is a._array for v, a in zip(value, args, strict=True))
                elif isinstance(arg := args[p.inputs.index(name)], mt.Tensor):
                    assert value is arg._array  # by reference: keeping costs nothing


@every_smooth
@pytest.mark.parametrize("layout", ["transposed", "strided", "reversed", "broadcast"])
def test_the_layout_of_its_inputs_in_memory_changes_nothing(example, layout):
    args = tensors(example)
    laid = [_laid_out(a, layout) if k in example.varied else a for k, a in enumerate(args)]
    args = [_row_major(b) if k in example.varied else b for k, b in enumerate(laid)]
    gs = cotangents(example, 4)
    for view, plain in zip(call(example, laid), call(example, args), strict=True):
        np.testing.assert_allclose(view.numpy(), plain.numpy(), rtol=1e-13, atol=1e-14)
    for view, plain in zip(pull(example, laid, gs), pull(example, args, gs), strict=True):
        np.testing.assert_allclose(view.numpy(), plain.numpy(), rtol=1e-12, atol=1e-13)


def _row_major(x: mt.Tensor) -> mt.Tensor:
    return mt.tensor(np.array(x.numpy(), order="C"), requires_grad=True)


def _laid_out(x: mt.Tensor, layout: str) -> mt.Tensor:
    """A view that requires a gradient: the values of x in another layout, or rows that share their memory."""
    if layout == "transposed":
        return mt.tensor(np.array(x.numpy().T, order="C"), requires_grad=True).T
    if not x.ndim:
        return x
    if layout == "reversed":
        return mt.tensor(x.numpy()[::-1].copy(), requires_grad=True)[::-1]
    if layout == "strided":
        return mt.tensor(np.repeat(x.numpy(), 2, axis=0), requires_grad=True)[::2]
    return mt.broadcast_to(x[:1], x.shape) if x.shape[0] else x


@pytest.mark.parametrize("example", WITH_FORMULA, ids=str)
def test_its_formula_gives_the_values_of_its_forward_function(example):
    p = PRIMITIVES[example.name]
    arrays = dict(zip(p.inputs, (np.asarray(x, float) for x in example.inputs), strict=True))
    ranks = {name: a.ndim for name, a in arrays.items()}
    values = program_of(p, ranks, example.static).evaluate(arrays)
    for name, out in zip(p.outputs, call(example, arrays.values()), strict=True):
        assert values[name].shape == np.shape(out)
        np.testing.assert_allclose(values[name], out, rtol=1e-13, atol=1e-14)
