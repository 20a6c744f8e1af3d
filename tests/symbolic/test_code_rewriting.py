"""Is every rewriting on the way to code one that was shown to keep the values, and does it refuse what does not?"""

from __future__ import annotations

import pytest
from sympy import S

from minitorch.primitive import REGISTRY
from minitorch.symbolic import Verdict, parse, program_of, prove_equal
from minitorch.symbolic.code import forms, gradient_names, numpy_source, vanishing, with_gradients
from minitorch.symbolic.code.accurate import meant, stable
from minitorch.symbolic.code.line import lines_of
from minitorch.symbolic.code.sharing import shared, without_single_helpers
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import inline
from tests.symbolic.programs import ATTENTION, PROGRAMS, SOFTMAX
from tests.symbolic.test_code import CASES, SMOOTH


def programs():
    for program, output, wrt in CASES.values():
        yield with_gradients(program, output, wrt)
    for name in dict.fromkeys(e.name for e in SMOOTH):
        p = REGISTRY[name]
        example = next(e for e in SMOOTH if e.name == name)
        ranks = {n: len(getattr(x, "shape", ())) for n, x in zip(p.inputs, example.inputs, strict=True)}
        program = program_of(p, ranks, example.static)
        yield with_gradients(program, p.outputs[0], [n for n in p.inputs if n in p.differentiable])


def test_every_accurate_function_stands_for_what_it_replaced():
    replaced = 0
    for program in programs():
        for definition in program.definitions:
            written = stable(definition.value)
            if written != definition.value:
                replaced += 1
                verdict = prove_equal(meant(written), definition.value)
                assert verdict.kind in ("proved for all sizes", "probable", "tested"), f"{definition}: {verdict}"
    assert replaced > 5


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_lines_with_shared_values_are_the_same_program(case):
    program, output, wrt = case
    both = with_gradients(program, output, wrt)
    outputs = (output, *gradient_names(wrt))
    lines = lines_of(both, outputs)
    fewer = without_single_helpers(shared(lines, set(both.targets), Notation.of(both)))
    for name in outputs:
        before = next(line.definition for line in lines if line.name == name)
        after = next(line.definition for line in fewer if line.name == name)
        a, b = inline(before.value, [x.definition for x in lines]), inline(after.value, [x.definition for x in fewer])
        assert prove_equal(a, b).kind in ("proved for all sizes", "probable", "tested"), name


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
