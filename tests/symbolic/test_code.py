"""Does the generated NumPy function compute what its formula says, and can it be read as Python?"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

import minitorch as mt
from minitorch.errors import FormulaError
from minitorch.primitive import REGISTRY
from minitorch.symbolic import parse, program_of
from minitorch.symbolic.code import gradient_names, kept, numpy_function, numpy_source, with_gradients
from minitorch.symbolic.expression import size_of
from minitorch.symbolic.library import LIBRARY
from minitorch.symbolic.sizes import infer_sizes
from tests.symbolic import test_places
from tests.symbolic.programs import ATTENTION, PROGRAMS, SOFTMAX
from tests.symbolic.test_every_formula import SMOOTH

TOLERANCE = 1e-12  # relative to the largest entry
SIZES = {"distinct": lambda k: k + 2, "equal": lambda k: 3, "one": lambda k: 1}
CONVOLUTION = "x[b,n,c], w[q,c,o], t < n: y[p,t,a] = sum_{k,f} w[k,f,a] x[p,t - k,f]"
CASES = {
    **{name: (parse(text), output, tuple(claims)) for name, (text, output, claims) in PROGRAMS.items()},
    **{name: (known.program, known.differentiated, known.wrt) for name, known in LIBRARY.items()},
    **{text: (parse(text), parse(text).outputs[-1], tuple(wrt)) for text, _, wrt in test_places.CASES},
    "channels": (parse(CONVOLUTION), "y", ("x", "w")),
}


@cache
def written(case):
    """The program with gradients of a case, its outputs and its source."""
    program, output, wrt = CASES[case]
    both, names = with_gradients(program, output, wrt), (output, *gradient_names(wrt))
    return both, names, numpy_source(both, "f", names, title=case)


@cache
def compiled(case):
    space = {}
    exec(compile(written(case)[2], case, "exec"), space)
    return space["f"]


def random_arrays(program, size, seed=0):
    rng = np.random.default_rng(seed)
    symbols = sorted({s for e in program.targets.values() for d in e.dimensions for s in d.free_symbols}, key=str)
    sizes = {symbol: size(k) for k, symbol in enumerate(symbols)}
    arrays = {}
    for entry in program.entries:
        shape = [size_of(d, sizes) for d in entry.dimensions]
        indices = entry.values is not None
        arrays[entry.name] = (
            rng.integers(0, size_of(entry.values, sizes), shape) if indices else rng.uniform(0.1, 1, shape)
        )
    return arrays, sizes


def close(found, wanted, name=""):
    wanted = np.asarray(wanted)
    assert np.shape(found) == wanted.shape, name
    scale = max(1.0, float(np.nan_to_num(np.abs(wanted)).max(initial=0)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE * scale, err_msg=name)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("case", CASES)
def test_value_and_gradients_are_those_of_the_formula(case, size):
    program, output, wrt = CASES[case]
    arrays, sizes = random_arrays(program, size)
    both, _, _ = written(case)
    shape = [size_of(d, sizes) for d in program.targets[output].dimensions]
    seed = np.random.default_rng(1).standard_normal(shape)
    function, values = compiled(case), {**arrays, "G": seed}
    found = function(**{name: values[name] for name in inspect.signature(function).parameters})
    wanted = both.evaluate(values)
    close(found[0], wanted[output], output)
    for name, gradient in zip(wrt, found[1:], strict=True):
        close(gradient, wanted[f"d{name}"], name)


def value_size(name, program, arrays):
    """The size of a dimension that no argument of a gradient tells: that of the sum's own input."""
    sizes = infer_sizes(program.entries, arrays)
    return next(number for size, number in sizes.items() if str(size) == name)


# One example of each operation and its settings, the one with the most axes.
LARGEST = {(e.name, str(e.static)): e for e in sorted(SMOOTH, key=lambda e: max(map(np.ndim, e.inputs)))}


@pytest.mark.parametrize("example", LARGEST.values(), ids=str)
def test_the_generated_gradient_is_that_of_the_engine(example):
    p = REGISTRY[example.name]
    arrays = {name: np.asarray(x, float) for name, x in zip(p.inputs, example.inputs, strict=True)}
    program, output = program_of(p, {name: a.ndim for name, a in arrays.items()}, example.static), p.outputs[0]
    arrays = {name: a.astype(int) if program.targets[name].values else a for name, a in arrays.items()}
    tensors = {name: mt.tensor(a, requires_grad=name in p.differentiable) for name, a in arrays.items()}
    value = p(*tensors.values(), **example.static)
    value = value[0] if len(p.outputs) > 1 else value
    seed = np.random.default_rng(0).standard_normal(value.shape)
    wrt = [name for name in p.inputs if name in p.differentiable]
    function = numpy_function(with_gradients(program, output, wrt), p.name, (output, *gradient_names(wrt)))
    values = {**arrays, "G": seed}
    with np.errstate(invalid="ignore"):
        parameters = list(inspect.signature(function).parameters)
        sizes = [value_size(name, program, arrays) for name in parameters if name not in values]
        found = function(*[values[name] for name in parameters if name in values], *sizes)
        engine = mt.grad(value, [tensors[name] for name in wrt], seed)
    close(found[0], value.numpy(), output)
    for name, gradient, wanted in zip(wrt, found[1:], engine, strict=True):
        close(gradient, wanted.numpy(), name)


def test_attention_reads_as_one_writes_it_by_hand():
    program = parse(ATTENTION)
    wrt = ("Q", "K", "V")
    assert kept(program, "O", wrt) == ("Q", "K", "V", "P")
    text = numpy_source(with_gradients(program, "O", wrt), "attention", ("O", "dQ", "dK", "dV"))
    code = [line.split("  #")[0].strip() for line in text.splitlines() if " = " in line and "# " not in line[:7]]
    assert code == [
        "d_k = Q.shape[1]",
        "A = Q @ K.T / math.sqrt(d_k)",
        "E = np.exp(A - A.max(axis=1, keepdims=True))",
        "Z = E.sum(axis=1, keepdims=True)",
        "P = E / Z",
        "O = P @ V",
        "dP = G @ V.T",
        "dA = P * (dP - (P * dP).sum(axis=1, keepdims=True))",
        "dQ = dA @ K / math.sqrt(d_k)",
        "dK = dA.T @ Q / math.sqrt(d_k)",
        "dV = P.T @ G",
    ]


def test_saved_values_are_passed_in_and_not_computed_again():
    both = with_gradients(parse(ATTENTION), "O", ("Q", "K", "V"))
    backward = numpy_function(both, "attention_backward", ("dQ", "dK", "dV"), given=("P",))
    assert list(inspect.signature(backward).parameters) == ["Q", "K", "V", "G", "P"]
    source = inspect.getsource(backward)
    assert "np.exp" not in source
    assert "O = " not in source


def test_what_is_needed_twice_is_computed_once_whatever_its_letters():
    text = numpy_source(parse("x[n,d]: v[i] = mean_k (x[i,k] - x[i,k]**3)**2; y[i,j] = x[i,j] - x[i,j]**3 + v[i]"))
    assert text.count("x**3") == 1


def test_the_comment_shows_the_equation_and_the_shape():
    lines = numpy_source(parse(SOFTMAX), "softmax").splitlines()
    assert "    # S[i] = E[i]/Z" in lines
    assert "    S = E / Z  # (n,)" in lines


def test_names_that_mean_something_in_python_are_changed():
    inputs = "lambda[n], np[n], x'[n], sum[n], _erf[n], f[n]"
    program = parse(f"{inputs}: math[i] = lambda[i] np[i] + tanh(x'[i]) sum[i] / n + erf(_erf[i]) f[i]")
    arrays, _ = random_arrays(program, lambda k: 4)
    function = numpy_function(program, "f")
    assert list(inspect.signature(function).parameters) == ["lambda_", "np_", "x_prime", "sum_", "_erf_2", "f_2"]
    close(function(*arrays.values()), program.evaluate(arrays)["math"])


def test_a_name_with_a_line_break_stays_in_its_comment():
    from minitorch.symbolic import Array, Definition, Index, Program, dimension

    n = dimension("n")
    i = Index("i", n)
    x, y = Array('x\n"""\nraise SystemExit', (n,))[i], Array("y", (n,))[i]
    program = Program((x,), (Definition(y, 2 * x),), (i,))
    function = numpy_function(program, "f")
    np.testing.assert_array_equal(function(np.ones(2)), [2, 2])


@pytest.mark.parametrize("name", ["not an identifier", "lambda", "np", ""])
def test_a_function_name_that_is_none_is_refused(name):
    with pytest.raises(FormulaError, match="wanted a Python identifier"):
        numpy_source(parse(SOFTMAX), name)


def test_a_size_that_no_array_tells_is_an_argument():
    function = numpy_function(parse("x[n], i < n, s < r: y = sum_{i,s} x[i - s]"))
    assert function(np.array([1.0, 10.0, 100.0]), 2) == 111 + 11
    assert list(inspect.signature(function).parameters) == ["x", "r"]


def test_a_size_is_solved_for_where_an_axis_is_a_multiple_of_it():
    function = numpy_function(parse("x[2*d+1], j < d: y[j] = x[2*j+1] / d"))
    np.testing.assert_array_equal(function(np.arange(7.0)), [1 / 3, 1, 5 / 3])


def test_an_unknown_output_is_refused():
    with pytest.raises(FormulaError, match="wanted a defined name"):
        numpy_source(parse(SOFTMAX), outputs=["x"])


def test_an_output_that_is_given_is_refused():
    with pytest.raises(FormulaError, match="given and wanted"):
        numpy_source(parse(SOFTMAX), outputs=["S"], given=["S"])


def test_single_precision_stays_single():
    function = numpy_function(with_gradients(parse(ATTENTION), "O", ("Q",)), "f", ("O", "dQ"))
    rng = np.random.default_rng(0)
    Q, K, V, G = (rng.standard_normal(s).astype("float32") for s in [(3, 4), (5, 4), (5, 2), (3, 2)])
    assert {a.dtype for a in function(Q, K, V, G)} == {np.dtype("float32")}


def test_an_output_is_never_an_input_itself():
    x = np.ones(3)
    assert numpy_function(parse("x[n]: y[i] = x[i]"))(x) is not x


def test_every_source_is_python_that_ruff_has_nothing_against(tmp_path):
    for k, case in enumerate(CASES):
        ast.parse(written(case)[2])
        (tmp_path / f"case_{k}.py").write_text(written(case)[2], encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
