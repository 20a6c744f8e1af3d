"""Is every rewriting on the way to code one that was shown to keep the values, and does it refuse what does not?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sympy import S

from minitorch.primitive import REGISTRY
from minitorch.symbolic import Verdict, parse, program_of, prove_equal
from minitorch.symbolic.code import forms, numpy_source, vanishing, with_gradients
from minitorch.symbolic.code.accurate import meant, stable
from minitorch.symbolic.code.line import lines_of
from minitorch.symbolic.code.sharing import shared, without_single_helpers
from minitorch.symbolic.expression import dimensions
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.sampling import draw_arrays
from tests.symbolic import test_places
from tests.symbolic.programs import ATTENTION, PROGRAMS, SOFTMAX
from tests.symbolic.test_code import CASES, written


def rewritten():
    """Every definition of the library and of the engine that has an accurate function, without and with it."""
    programs = [written(case)[0] for case in CASES]
    programs += [program_of(p, dict.fromkeys(p.inputs, 1)) for p in REGISTRY.values() if isinstance(p.formula, str)]
    pairs = {definition.value: stable(definition.value) for program in programs for definition in program.definitions}
    return [(before, after) for before, after in pairs.items() if before != after]


REWRITTEN = [
    "1 / (1 + exp(x))",
    "1 / (1 + exp(-x))**2",
    "exp(x) / (1 + exp(x))",
    "exp(-x) / (1 + exp(-x))**2",
    "exp(x) / (exp(x) + exp(y))",
    "log(1 + exp(-x))",
    "log(exp(x) + exp(y))",
    "log(sigmoid(x))",
    "log(1 + x**2)",
    "exp(x) - 1 + y",
    "3 exp(x) - 3 exp(-x)",
]


@pytest.mark.parametrize("text", REWRITTEN)
def test_a_textbook_form_is_rewritten_and_keeps_its_value(text):
    before = parse(f"x, y: z = {text}").definitions[0].value
    after = stable(before)
    assert after != before
    assert prove_equal(meant(after), before).kind in ("proved for all sizes", "tested"), after


def test_every_accurate_function_stands_for_what_it_replaced():
    pairs = rewritten()
    assert len(pairs) > 5
    for before, after in pairs:
        assert prove_equal(meant(after), before).kind in ("proved for all sizes", "tested"), after


SHARING = (
    "layer-norm",
    "group-norm",
    "gelu-tanh",
    "swiglu",
    "attention",
    "linear-attention",
    "lstm-cell",
    test_places.PAIRS,
)


@pytest.mark.parametrize("case", SHARING)
def test_lines_with_shared_values_are_the_same_program(case):
    both, outputs, _ = written(case)
    lines = lines_of(both, outputs)
    fewer = without_single_helpers(shared(lines, set(both.targets), Notation.of(both)))
    assert {line.name for line in lines} <= {line.name for line in fewer}
    draw, symbols = np.random.default_rng(0), frozenset().union(*(dimensions(e) for e in both.entries))
    arrays = draw_arrays(both.entries, {s: 2 + k for k, s in enumerate(sorted(symbols, key=str))}, draw)
    arrays = {name: np.abs(a) for name, a in arrays.items()}  # what has a logarithm
    rest = [line.definition for line in fewer]
    values = replace(both, definitions=tuple(rest)).evaluate(arrays)
    wanted = both.evaluate(arrays)
    for name in outputs:
        np.testing.assert_allclose(values[name], wanted[name], rtol=1e-12, atol=1e-12, err_msg=name)


SHIFTED = {
    "softmax": (SOFTMAX, ("S",)),
    "attention": (ATTENTION, ("O",)),
    "log-sum-exp": ("x[n]: l = log(sum_k exp(x[k]))", ("l",)),
    "a sum over the other axis too": (
        "A[n,m]: Z[i] = sum_k exp(A[i,k]); Y[j] = sum_h exp(A[h,j]); R[i,j] = exp(A[i,j])**2 / Z[i] / Y[j]",
        ("R",),
    ),
    "with weights": (
        "A[n,m], v[m]: Z[i] = sum_k exp(A[i,k]); N[i] = sum_k exp(A[i,k]) v[k]; y[i] = N[i] / Z[i]",
        ("y",),
    ),
}
NOT_SHIFTED = {
    "the normaliser is wanted": (SOFTMAX, ("Z", "S")),
    "a constant beside the sum": ("x[n]: Z = 1 + sum_k exp(x[k]); S[i] = exp(x[i]) / Z", ("S",)),
    "the square of the normaliser": ("x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z**2", ("S",)),
    "inside another function": ("x[n]: Z = sum_k exp(x[k]); S[i] = tanh(exp(x[i])) / Z", ("S",)),
}


@pytest.mark.parametrize(("text", "outputs"), SHIFTED.values(), ids=SHIFTED)
def test_exponentials_are_shifted_where_no_output_changes(text, outputs):
    source = numpy_source(parse(text), outputs=outputs)
    assert ".max(" in source
    assert "proved for all sizes" in source


@pytest.mark.parametrize(("text", "outputs"), NOT_SHIFTED.values(), ids=NOT_SHIFTED)
def test_exponentials_are_left_alone_where_an_output_would_change(text, outputs):
    assert ".max(" not in numpy_source(parse(text), outputs=outputs)


def test_a_given_normaliser_is_not_shifted():
    assert ".max(" not in numpy_source(parse(SOFTMAX), outputs=["S"], given=["Z"])


def test_nothing_is_shifted_that_the_prover_does_not_prove(monkeypatch):
    monkeypatch.setattr(forms, "prove_equal", lambda a, b: Verdict("undecided", (), "as a test"))
    assert ".max(" not in numpy_source(parse(SOFTMAX))


def test_what_is_shifted_is_compared_with_the_formula_for_an_unknown_constant(monkeypatch):
    asked = []
    monkeypatch.setattr(forms, "prove_equal", lambda a, b: asked.append((a, b)) or prove_equal(a, b))
    numpy_source(parse(SOFTMAX))
    assert [str(b) for _, b in asked] == ["exp(x_max)*sum_{#1}(exp(-x_max + x[#1]))", "exp(-x_max + x[i])/Z"]


def test_a_sum_that_is_always_0_is_left_out_and_no_other():
    program = parse("x[n]: m = mean_k x[k]; a = sum_k (x[k] - m); b = sum_k (x[k] - 2 m); y = a + b")
    lines = vanishing.without_vanishing(lines_of(program, ("y",)), program.definitions, Notation.of(program))
    values = {line.name: line.value for line in lines}
    assert values["a"] == S.Zero
    assert values["b"] != S.Zero


def test_layer_norm_backward_has_lost_its_zero():
    program, output, wrt = parse(PROGRAMS["layer normalisation"][0]), "y", ("x",)
    assert "without" not in numpy_source(with_gradients(program, output, wrt), outputs=["dx"])
