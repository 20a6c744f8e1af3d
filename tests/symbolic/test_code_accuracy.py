"""Is the generated code accurate where the textbook form is not: far from 0, and where an exponential overflows?

The exact values come from the formula written out entry by entry, in 40 digits; no generated code is involved.
"""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
import sympy

from minitorch.primitive import COMPOSITES, REGISTRY
from minitorch.symbolic import parse, program_of
from minitorch.symbolic.code import gradient_names, numpy_function, with_gradients
from minitorch.symbolic.entrywise import Expansion, scalar
from tests.symbolic.programs import ATTENTION, PROGRAMS, SOFTMAX

DIGITS = 40
LAYER_NORM = program_of(COMPOSITES["layer_norm"])
LSE = "x[n,m]: l[i] = log(sum_k exp(x[i,k]))"
LOG_SOFTMAX = "x[n,m]: lse[i] = log(sum_k exp(x[i,k])); y[i,j] = x[i,j] - lse[i]"


def exact(program, output, wrt, arrays, seed):
    """The output and the gradients of sum(seed * output), each as an array of 40-digit numbers rounded to float64."""
    sizes = {}
    for name, dims in program.inputs.items():
        sizes |= dict(zip(dims, np.shape(arrays[name]), strict=True))
    world = Expansion(sizes, program.definitions)
    point = {
        scalar(program.targets[name], place): sympy.Rational(float(np.asarray(arrays[name])[place]))
        for name in program.inputs
        for place in itertools.product(*map(range, np.shape(arrays[name])))
    }

    def number(e):
        return float(sympy.N(e.xreplace(point), DIGITS))

    target = program.targets[output]
    entries = {place: world.entry(target, place) for place in np.ndindex(np.shape(seed))}
    values = np.array([number(e) for e in entries.values()]).reshape(np.shape(seed))
    loss = sum(sympy.Rational(float(np.asarray(seed)[place])) * e for place, e in entries.items())
    gradients = []
    for name in wrt:
        gradient = np.empty(np.shape(arrays[name]))
        for place in np.ndindex(gradient.shape):
            gradient[place] = number(sympy.diff(loss, scalar(program.targets[name], place)))
        gradients.append(gradient)
    return [values, *gradients]


def generated(program, output, wrt, arrays, seed):
    function = numpy_function(with_gradients(program, output, wrt), "f", (output, *gradient_names(wrt)))
    values = {**arrays, "G": seed}
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        return function(*[values[name] for name in inspect.signature(function).parameters])


def error(found, wanted):
    """Normwise, relative."""
    return float(np.linalg.norm(np.subtract(found, wanted)) / max(np.linalg.norm(wanted), 1e-300))


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("text", [LAYER_NORM, PROGRAMS["layer normalisation"][0]], ids=["the engine's", "in steps"])
def test_layer_norm_at_offset_1e6_is_exact_to_1e9(text):
    program = parse(text) if isinstance(text, str) else text
    x = normal(2, 4) + 1e6
    others = [name for name in program.inputs if name != "x"]
    arrays = {"x": x, **{n: np.float64(1e-5) if n == "eps" else normal(4, seed=k) for k, n in enumerate(others)}}
    output, wrt = program.outputs[-1], [n for n in program.inputs if n != "eps"]
    seed = normal(2, 4, seed=9)
    wanted = exact(program, output, wrt, arrays, seed)
    for name, a, b in zip([output, *wrt], generated(program, output, wrt, arrays, seed), wanted, strict=True):
        assert error(a, b) < 1e-9, name


@pytest.mark.parametrize("offset", [0.0, 1e6, -1e6])
@pytest.mark.parametrize("text", [SOFTMAX, LSE, LOG_SOFTMAX, PROGRAMS["softmax in one line"][0]])
def test_a_softmax_of_logits_of_1e6_is_right(text, offset):
    program = parse(text)
    (name, dims), output = next(iter(program.inputs.items())), program.outputs[-1]
    arrays = {name: 3 * normal(*(2 + k for k in range(len(dims)))) + offset}
    seed = normal(*(np.shape(arrays[name])[: len(program.targets[output].indices)]), seed=1)
    wanted = exact(program, output, [name], arrays, seed)
    for a, b in zip(generated(program, output, [name], arrays, seed), wanted, strict=True):
        assert error(a, b) < 1e-14


def test_cross_entropy_of_logits_of_1e6_is_right():
    program = parse(PROGRAMS["cross entropy with soft targets"][0])
    arrays = {"x": normal(2, 3) + 1e6, "t": np.array([[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]])}
    seed = np.array([1.0, 2.0])
    wanted = exact(program, "l", ["x"], arrays, seed)
    value, gradient = generated(program, "l", ["x"], arrays, seed)
    assert error(gradient, wanted[1]) < 1e-14
    assert error(value, wanted[0]) < 1e-9  # the formula itself takes the difference of two numbers of 1e6


def test_attention_with_scores_of_1e6_is_finite_and_right():
    program = parse(ATTENTION)
    arrays = {"Q": 1e3 * normal(2, 2), "K": 1e3 * normal(2, 2, seed=1), "V": normal(2, 2, seed=2)}
    arrays["K"][1] = arrays["K"][0] + 1e-3  # two scores of 1e6 that differ by about 1
    seed, wrt = normal(2, 2, seed=3), ["Q", "K", "V"]
    wanted = exact(program, "O", wrt, arrays, seed)
    for name, a, b in zip(["O", *wrt], generated(program, "O", wrt, arrays, seed), wanted, strict=True):
        assert np.isfinite(a).all()
        assert error(a, b) < 1e-8, name  # the scores are rounded to 1e6 * 2**-53


@pytest.mark.parametrize("name", ["softplus", "log_sigmoid", "logaddexp", "sigmoid", "silu", "logistic_loss", "expm1"])
def test_functions_of_exponentials_are_right_in_both_tails(name):
    record = REGISTRY[name]
    program = program_of(record)
    x = np.array([-700.0, -40.0, -1e-9, 0.0, 1e-9, 3.0, 40.0, 700.0])
    arrays = dict(zip(program.inputs, (x, x[::-1].copy()), strict=False))
    wrt, seed = [n for n in program.inputs if n != "target"], np.ones(8)
    wanted = exact(program, "out", wrt, arrays, seed)
    for a, b in zip(generated(program, "out", wrt, arrays, seed), wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-16)
