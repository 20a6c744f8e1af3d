"""Is a derived gradient the textbook's, for all sizes, and does it run to what central differences give?"""

import numpy as np
import pytest

from minitorch import symbolic
from minitorch.errors import FormulaError
from minitorch.symbolic.expression import size_of
from minitorch.symbolic.reverse import gradient_name, seed_entry

from .programs import ATTENTION, PROGRAMS

CASES = [pytest.param(*case, id=name) for name, case in PROGRAMS.items()]


def backward(program, output, wrt):
    """The gradient program, and the arrays that a claim may name beside those of the forward program."""
    back = program.vjp(output, wrt)
    seed = seed_entry(program, output, "G")
    return back, {"G": symbolic.Array("G", seed.dimensions)}


@pytest.mark.parametrize(("text", "output", "claims"), CASES)
def test_the_derived_gradient_is_the_textbooks_for_all_sizes(text, output, claims):
    program = symbolic.parse(text)
    back, extra = backward(program, output, list(claims))
    for name, claim in claims.items():
        derived = back.definition(gradient_name(name))
        claimed = program.expression(claim, extra)
        verdict = symbolic.prove_equal(derived.value, claimed, (*program.definitions, *back.definitions))
        assert verdict.kind == "proved for all sizes", (name, str(verdict))


@pytest.mark.parametrize(("text", "output", "claims"), CASES)
@pytest.mark.parametrize("equal", [False, True], ids=["distinct sizes", "equal sizes"])
def test_the_gradient_program_agrees_with_central_differences(text, output, claims, equal):
    program, draw = symbolic.parse(text), np.random.default_rng(1)
    symbols = list(dict.fromkeys(s for sizes in program.inputs.values() for s in sizes))
    sizes = {symbol: 3 if equal else 2 + k for k, symbol in enumerate(symbols)}
    arrays = {n: np.abs(draw.normal(size=[size_of(s, sizes) for s in d])) + 0.1 for n, d in program.inputs.items()}
    seed = draw.normal(size=program.evaluate(arrays)[output].shape)
    gradients = symbolic.gradients(program, arrays, output, seed, list(claims))
    for name in claims:
        direction, step = draw.normal(size=arrays[name].shape), 1e-5
        ends = [program.evaluate({**arrays, name: arrays[name] + s * direction})[output] for s in (step, -step)]
        expected = (seed * (ends[0] - ends[1])).sum() / (2 * step)
        np.testing.assert_allclose((gradients[name] * direction).sum(), expected, rtol=1e-6, atol=1e-8)


def test_attention_reuses_saved_values_and_keeps_no_adjoint_that_is_used_once():
    back = symbolic.parse(ATTENTION).vjp("O", ["Q", "K", "V"])
    assert str(back).split("\n") == [
        "dP[i,j] = Σ_c G[i,c]*V[j,c]",
        "dA[i,j] = P[i,j]*(dP[i,j] - Σ_k P[i,k]*dP[i,k])",
        "dQ[i,e] = 1/sqrt(d_k)*Σ_j dA[i,j]*K[j,e]",
        "dK[j,e] = 1/sqrt(d_k)*Σ_i Q[i,e]*dA[i,j]",
        "dV[j,c] = Σ_i G[i,c]*P[i,j]",
    ]
    assert set(back.inputs) == {"G", "Q", "K", "V", "P"}


def test_only_the_adjoints_on_the_way_to_wrt_are_computed():
    back = symbolic.parse(ATTENTION).vjp("O", ["V"])
    assert [d.name for d in back.definitions] == ["dV"]


def test_gradients_by_a_defined_name_stop_there():
    back = symbolic.parse(ATTENTION).vjp("O", ["A"])
    assert [d.name for d in back.definitions][-1] == "dA"
    assert "dQ" not in str(back)


def test_a_layer_normalisation_gradient_is_accurate_far_from_zero():
    text, output, _ = PROGRAMS["layer normalisation"]
    program, draw = symbolic.parse(text), np.random.default_rng(0)
    arrays = {"x": draw.normal(size=(2, 8)), "gamma": draw.normal(size=8), "beta": np.zeros(8), "eps": 1e-5}
    seed = draw.normal(size=(2, 8))
    near = symbolic.gradients(program, arrays, output, seed, ["x"])["x"]
    far = symbolic.gradients(program, {**arrays, "x": arrays["x"] + 1e6}, output, seed, ["x"])["x"]
    np.testing.assert_allclose(far, near, atol=1e-8)


def test_reusing_a_saved_value_never_divides_by_what_may_be_zero():
    program = symbolic.parse("a, x[n]: y[i] = a tanh(x[i])")
    gradients = symbolic.gradients(program, {"a": 0.0, "x": np.ones(3)}, "y", np.ones(3), ["a", "x"])
    np.testing.assert_allclose(gradients["a"], 3 * np.tanh(1.0))
    np.testing.assert_array_equal(gradients["x"], np.zeros(3))


def test_a_saved_square_does_not_stand_for_its_base_whose_sign_it_has_lost():
    program = symbolic.parse("x[n]: y[i] = (x[i] - 1)**2")
    gradients = symbolic.gradients(program, {"x": np.array([0.0, 3.0])}, "y", np.ones(2), ["x"])
    np.testing.assert_allclose(gradients["x"], [-2.0, 4.0])


def test_names_that_make_no_sense_are_refused():
    program = symbolic.parse("x[n], u[n], dx[n]: y[i] = x[i] dx[i]; z[i] = u[i]")
    with pytest.raises(FormulaError, match="dx is already a name"):
        program.vjp("y", ["x"])
    program = symbolic.parse("x[n], u[n]: y[i] = x[i]; z[i] = u[i]")
    with pytest.raises(FormulaError, match="y does not depend on u"):
        program.vjp("y", ["u"])
    with pytest.raises(FormulaError, match="wanted a defined name: y, z"):
        program.vjp("x", ["u"])
    with pytest.raises(FormulaError, match="v holds indices over m"):
        symbolic.parse("E[m], v[n]: y[i] = E[v[i]]").vjp("y", ["v"])
