"""Are claimed formulas proved or refuted, and does an error point at the character?"""

from __future__ import annotations

import pytest

from minitorch.errors import FormulaError
from minitorch.symbolic.claims import Cause, check_vjp
from minitorch.symbolic.claims.formulas import FormulaClaim
from minitorch.symbolic.claims.subject import subject_of
from minitorch.symbolic.library import LIBRARY

QUICK = sorted(set(LIBRARY) - {"multi-head-attention", "cross-attention", "gru-cell", "lstm-cell", "lstm-cell-memory"})


@pytest.mark.parametrize("op", QUICK)
def test_the_textbook_s_formulas_are_proved_right(op):
    diagnosis = check_vjp(LIBRARY[op].closed, op)
    assert diagnosis.ok, diagnosis
    assert {f.verdict.kind for f in diagnosis.inputs} <= {"proved for all sizes", "probable", "tested"}


def test_a_right_formula_is_proved_for_all_sizes():
    (finding,) = check_vjp("dx[i] = S[i] (G[i] - sum_j G[j] S[j])", "softmax").inputs
    assert finding.verdict.holds
    assert len(finding.verdict.methods) == 2


@pytest.mark.parametrize("seed", ["dO", "G", "grad_output", "dout"])
def test_the_incoming_gradient_and_derived_adjoints_go_by_their_usual_names(seed):
    text = f"dV[j,c] = sum_i P[i,j] {seed}[i,c]; dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(d_k)"
    assert check_vjp(text, "attention").ok


def test_lines_may_define_what_later_ones_use():
    text = """
        D[i]    = sum_c G[i,c] O[i,c]              # rowsum(dO * O)
        dA[i,j] = P[i,j] (sum_c G[i,c] V[j,c]
                          - D[i])
        dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(d_k)
        dK[j,e] = sum_i dA[i,j] Q[i,e]
    """
    first, second = check_vjp(text, "attention").inputs
    assert first.verdict.holds
    assert (second.cause, second.line) == (Cause.SCALED, "dK")
    assert second.difference == "(1 - 1/sqrt(d_k))*Σ_i Q[i,e]*dA[i,j]"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("dx[i] = S[i] G[i]", Cause.MISSING_TERM),
        ("dx[i] = S[i] (G[i] + sum_j G[j] S[j])", Cause.WRONG_SIGN),
        ("dx[i] = G[i] - sum_j G[j] S[j]", Cause.MISSING_FACTOR),
        ("dx[i] = S[i] (G[i] - mean_j G[j] S[j])", Cause.MEAN_FOR_SUM),
        ("dx[i] = S[i] (G[i] - sum_j G[j] x[j])", Cause.WRONG_ARRAY),
        ("dx[i] = 2 S[i] (G[i] - sum_j G[j] S[j])", Cause.SCALED),
        ("dx[i] = S[i] (G[i] - G[i] S[i])", Cause.NOT_SUMMED),
        ("dx[i] = S[i]**2 (G[i] - sum_j G[j] S[j])", Cause.WRONG_POWER),
        ("dx[i] = S[i] (G[i] - sum_j G[j] S[j]) + x[i] / 100", Cause.EXTRA_TERM),
    ],
)
def test_the_mistake_in_a_formula_is_named(text, cause):
    (finding,) = check_vjp(text, "softmax").inputs
    assert (finding.ok, finding.cause) == (False, cause), finding
    assert finding.verdict.kind == "refuted"


def test_a_transposed_formula_is_said_with_its_dimensions():
    (finding,) = check_vjp("dV[c,j] = sum_i P[i,j] G[i,c]", "attention").inputs
    assert finding.cause == Cause.TRANSPOSED_RESULT
    assert "dV has shape (d_v, m) = (2, 5), wanted (m, d_v) = (5, 2)" in finding.sentence


@pytest.mark.parametrize(
    ("text", "said", "under"),
    [
        ("dQ[i,e] = sum_j dA[i,j] K[j,x]", "index x is neither on the left nor summed", "x"),
        ("dQ[i,e] = sum_j dA[i,j] W[j,e]", "W is not an input or defined name", "W"),
        ("dQ[i,e] = sum_j dA[i,j] K[i,e]", "index i runs over n", "i"),
        ("dQ[i,e] = ", "wanted a value", ""),
    ],
)
def test_an_error_in_a_formula_points_at_the_character(text, said, under):
    with pytest.raises(FormulaError) as caught:
        check_vjp(text, "attention")
    *_, message, line, caret = str(caught.value).splitlines()
    assert said in message
    assert line.strip() == text.strip()
    assert line[len(caret) - 1 :].startswith(under)


def test_a_text_that_defines_no_gradient_says_which_there_are():
    with pytest.raises(FormulaError, match="the text defines dS, wanted one of dQ, dK, dV"):
        check_vjp("dS = 3", "attention")


def test_formulas_are_evaluated_in_the_names_of_the_program():
    text = "c = sum_j G[j] S[j]; dx[i] = S[i] (G[i] - c)"
    claim = FormulaClaim(text, subject_of("softmax", None, None))
    assert list(claim.claims) == ["x"]
    assert claim.verdict("x").holds


def test_a_plain_d_is_the_width_of_the_keys():
    assert check_vjp("dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(d)", "attention", wrt=["Q"]).ok
    with pytest.raises(FormulaError, match="s is not an input"):
        check_vjp("dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(s)", "attention", wrt=["Q"])
