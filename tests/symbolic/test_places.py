"""Shifts, lookups, slices, concatenation, letters as numbers, maxima: the value, the gradient, what is printed."""

import numpy as np
import pytest

from minitorch import symbolic
from minitorch.errors import FormulaError
from minitorch.symbolic.derive import derive_gradients

CONVOLUTION = "x[n], w[m], t < n: y[t] = sum_k w[k] x[t - k]"
LOOKUP = "E[m,d], v[n]: y[i,e] = E[v[i],e]"
CROSS_ENTROPY = "x[n,c], y[n]: Z[i] = sum_k exp(x[i,k]); L[i] = log(Z[i]) - x[i,y[i]]"
PAIRS = "x[n,2*d], w[d], j < d: y[i,j] = x[i,2*j] cos(i w[j]) - x[i,2*j+1] sin(i w[j])"
JOINED = "x[n], z[m], t < n + m: y[t] = x[t + 0]**2 + z[t - n]**3"
LARGEST = "x[n,m]: y[i] = max_j x[i,j]**2"
LARGEST_OF_ALL = "x[n,m]: s = max_{i,j} x[i,j]"

rng = np.random.default_rng(0)
CASES = [
    (CONVOLUTION, {"x": rng.standard_normal(5), "w": rng.standard_normal(3)}, ["x", "w"]),
    (CONVOLUTION, {"x": rng.standard_normal(3), "w": rng.standard_normal(5)}, ["x", "w"]),
    (LOOKUP, {"E": rng.standard_normal((3, 2)), "v": np.array([2, 0, 2, 2])}, ["E"]),
    (CROSS_ENTROPY, {"x": rng.standard_normal((4, 3)), "y": np.array([2, 0, 0, 1])}, ["x"]),
    (PAIRS, {"x": rng.standard_normal((4, 6)), "w": rng.standard_normal(3)}, ["x", "w"]),
    (JOINED, {"x": rng.standard_normal(2), "z": rng.standard_normal(3)}, ["x", "z"]),
    (LARGEST, {"x": rng.standard_normal((4, 3))}, ["x"]),
    (LARGEST_OF_ALL, {"x": rng.standard_normal((4, 3))}, ["x"]),
]
every_case = pytest.mark.parametrize(("text", "arrays", "wrt"), CASES)


def convolved(x, w):
    return np.convolve(x, w)[: len(x)]


def turned(x, w):
    angle = np.arange(len(x))[:, None] * w
    return x[:, ::2] * np.cos(angle) - x[:, 1::2] * np.sin(angle)


NUMPY = {
    CONVOLUTION: convolved,
    LOOKUP: lambda E, v: E[v],
    CROSS_ENTROPY: lambda x, y: np.log(np.exp(x).sum(1)) - x[np.arange(len(x)), y],
    PAIRS: turned,
    JOINED: lambda x, z: np.concatenate([x**2, z**3]),
    LARGEST: lambda x: (x**2).max(axis=1),
    LARGEST_OF_ALL: lambda x: x.max(),
}


@every_case
def test_the_value_is_what_numpy_says(text, arrays, wrt):
    program = symbolic.parse(text)
    np.testing.assert_allclose(program.evaluate(arrays)[program.outputs[-1]], NUMPY[text](**arrays), atol=1e-13)


@every_case
def test_the_gradient_is_the_central_difference(text, arrays, wrt):
    program = symbolic.parse(text)
    output = program.outputs[-1]
    seed = np.random.default_rng(1).standard_normal(np.shape(NUMPY[text](**arrays)))
    derived = symbolic.gradients(program, arrays, output, seed, wrt)
    for name in wrt:
        for place in np.ndindex(arrays[name].shape):
            step = np.zeros(arrays[name].shape)
            step[place] = 1e-5
            up, down = (NUMPY[text](**{**arrays, name: arrays[name] + sign * step}) for sign in (1, -1))
            assert derived[name][place] == pytest.approx((seed * (up - down)).sum() / 2e-5, abs=1e-7)


@every_case
def test_the_gradient_is_proved_for_all_sizes(text, arrays, wrt):
    program = symbolic.parse(text)
    for derivation in derive_gradients(program, program.outputs[-1], wrt):
        assert derivation.verdict.kind == "proved for all sizes"
        assert not set("~#") & set(derivation.text() + derivation.latex())


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        (CONVOLUTION, "x", "∂L/∂x[t] = Σ_k G[k + t]*w[k]"),
        (CONVOLUTION, "w", "∂L/∂w[k] = Σ_t G[k + t]*x[t]"),
        (LOOKUP, "E", "∂L/∂E[k,e] = Σ_i G[i,e]*δ(k,v[i])"),
        (JOINED, "z", "∂L/∂z[k] = 3*G[n + k]*z[k]**2"),
        (LARGEST_OF_ALL, "x", "∂L/∂x[i,j] = G*[j = argmax_k (x[i,k])]*[i = argmax_k (max_p (x[k,p]))]"),
    ],
)
def test_a_place_is_shown_as_it_is_written(text, name, shown):
    program = symbolic.parse(text)
    (derivation,) = derive_gradients(program, program.outputs[-1], [name])
    assert derivation.steps[-1].text() == shown


@pytest.mark.parametrize("text", [CONVOLUTION, LOOKUP, PAIRS, CROSS_ENTROPY])
def test_what_is_shown_can_be_read_again(text):
    program = symbolic.parse(text)
    header = text.split(":")[0]
    again = symbolic.parse(f"{header}: " + "; ".join(str(program).replace("Σ", "sum").split("\n")))
    assert again.definitions == program.definitions


def test_an_entry_outside_the_array_counts_as_zero():
    program = symbolic.parse("x[n], t < n: y[t] = x[t - 1] + x[t + 1]")
    np.testing.assert_array_equal(program.evaluate({"x": [1.0, 2.0, 4.0]})["y"], [2.0, 5.0, 2.0])


def test_a_tie_shares_the_gradient_of_a_maximum():
    program = symbolic.parse("x[n]: y = max_k x[k]")
    assert list(symbolic.gradients(program, {"x": [1.0, 3.0, 3.0]}, "y", 1.0, ["x"])["x"]) == [0.0, 0.5, 0.5]


def test_a_wrong_shift_is_refuted():
    program = symbolic.parse(CONVOLUTION + "; z[t] = sum_k w[k] x[t + k]")
    verdict = symbolic.prove_equal(program.expression("y[t]"), program.expression("z[t]"), program.definitions)
    assert verdict.kind == "refuted"


def test_one_class_of_all_classes_is_chosen():
    program = symbolic.parse("x[n,c], y[n]: x0[i] = x[i,y[i]]; one[i] = sum_k delta(k, y[i]) x[i,k]**0")
    one, unit = program.expression("one[i]"), program.expression("1")
    assert symbolic.prove_equal(one, unit, program.definitions).kind == "proved for all sizes"


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("x[n]: y[t] = x[t - 1]", "declare t<n", "t] ="),
        ("x[n], v[n], E[m], F[k]: y[i] = E[v[i]] F[v[i]]", "this place runs over m", "v[i]]"),
        ("x[n/2]: y[i] = x[i]", "no size", "/2"),
        ("x[n]: y[i] = x[i] + x[q + 1]", "index q is neither", "q + 1"),
    ],
)
def test_an_error_points_at_the_place(text, message, place):
    with pytest.raises(FormulaError) as error:
        symbolic.parse(text)
    _, line, mark, *_ = str(error.value).split("\n")
    assert message in str(error.value)
    assert line[mark.index("^") :].startswith(place)
