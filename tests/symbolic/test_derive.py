"""Is every step of a derivation checked, a wrong one refused, and the result proved?"""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from minitorch import symbolic
from minitorch.errors import FormulaError
from minitorch.symbolic import derive
from minitorch.symbolic.program import Definition
from minitorch.symbolic.reverse import seed_entry

from .programs import ATTENTION, PROGRAMS, SOFTMAX


@pytest.fixture(scope="module")
def attention() -> list[symbolic.Derivation]:
    return symbolic.derive_gradients(
        symbolic.parse(ATTENTION), "O", ("Q", "K", "V"), op="attention", sizes={"n": 2, "m": 2, "d_k": 2, "d_v": 2}
    )


def test_the_softmax_jacobian_is_derived_and_proved():
    derivation = symbolic.derive_softmax_jacobian()
    assert derivation.result == (r"\frac{\partial S_{i}}{\partial x_{j}} = S_{i} \, \left(\delta_{i j} - S_{j}\right)")
    assert derivation.verdict.kind == "proved for all sizes"
    assert [step.rule for step in derivation.steps] == [
        "definition",
        "substitute the definitions",
        "differentiate",
        "contract deltas",
        "reuse saved values",
        "collect",
    ]


def test_the_gradient_of_logsumexp_is_softmax():
    program = symbolic.parse("x[n]: Z = sum_i exp(x[i]); y = log(Z)")
    derivation = symbolic.derive_jacobian(program, "y", "x")
    assert derivation.steps[-1].text() == "∂y/∂x[i] = exp(x[i])/Z"
    assert derivation.verdict.holds


def test_attention_is_proved_by_three_methods(attention):
    assert [(d.op, d.input) for d in attention] == [("attention", "Q"), ("attention", "K"), ("attention", "V")]
    for derivation in attention:
        assert derivation.verdict.kind == "proved for all sizes"
        assert derivation.verdict.methods == (
            "normal form",
            "random field GF(2^61-1), 3 trials",
            "sympy.diff at n=2, d_k=2, m=2, d_v=2",
        )


def test_attentions_results_are_the_textbooks(attention):
    assert [d.steps[-1].text() for d in attention] == [
        "∂L/∂Q[i,e] = 1/sqrt(d_k)*Σ_j dA[i,j]*K[j,e]",
        "∂L/∂K[j,e] = 1/sqrt(d_k)*Σ_i dA[i,j]*Q[i,e]",
        "∂L/∂V[j,c] = Σ_i G[i,c]*P[i,j]",
    ]
    texts = [step.text() for step in attention[0].steps]
    assert "∂L/∂A[i,j] = P[i,j]*(dP[i,j] - Σ_k dP[i,k]*P[i,k])" in texts


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_is_derived_and_its_result_confirmed(name):
    text, output, claims = PROGRAMS[name]
    for derivation in symbolic.derive_gradients(symbolic.parse(text), output, list(claims), op=name):
        assert derivation.verdict.kind == "proved for all sizes", str(derivation)
        assert any(method.startswith("sympy.diff") for method in derivation.verdict.methods), str(derivation)
        assert all(step.proof for step in derivation.steps)


def test_a_wrong_step_is_refused_with_sizes_and_indices():
    program = symbolic.parse(SOFTMAX)
    work = symbolic.Deriving(symbolic.Notation.of(program), program.definitions)
    definition = program.definition("S")
    work.given(definition.target, definition.value, "definition", "what S is.")
    with pytest.raises(FormulaError) as caught:
        work.follow(program.expression("exp(x[i]) / Z**2"), "guess", "none.")
    lines = str(caught.value).split("\n")
    assert lines[:3] == [
        "derivation: step 2 (guess) does not follow.",
        "  before: exp(x[i])/Z",
        "  after:  exp(x[i])/Z**2",
    ]
    assert re.fullmatch(
        r"  the values differ at n=2, entry \(i=0\): 0\.\d+ against 0\.\d+, seed 0\. Correct the step\.", lines[3]
    )
    assert len(work.steps) == 1


WRONG = {
    "without the -S S^T term": ("A", "P[i,j] dP[i,j]"),
    "without 1/sqrt(d_k)": ("Q", "sum_j dA[i,j] K[j,e]"),
    "with a sum of the wrong product": ("A", "P[i,j] (dP[i,j] - P[i,j] sum_k dP[i,k])"),
}


def test_a_sum_over_the_wrong_axis_does_not_even_parse_where_dimensions_differ():
    program = symbolic.parse(ATTENTION)
    with pytest.raises(FormulaError, match="index k runs over m, but axis 0 of P has dimension n"):
        program.expression("P[i,j] sum_k P[k,j]")


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_attention_gradient_is_refuted(mistake):
    name, claim = WRONG[mistake]
    program = symbolic.parse(ATTENTION)
    back = program.vjp("O", ["Q", "K", "V"])
    extra = {n: back.array(n) for n in ("dP", "dA")}
    claimed = program.expression(claim, extra)
    wrong = [Definition(d.target, claimed) if d.name == f"d{name}" else d for d in back.definitions]
    sizes = {s: 2 for sizes in program.inputs.values() for s in sizes}
    verdict = derive.gradient_verdict(program, wrong, seed_entry(program, "O", "G"), "O", name, sizes)
    assert verdict.kind == "refuted"
    assert "entry" in verdict.detail


def test_a_transposed_matrix_is_refuted_where_all_sizes_are_equal():
    program = symbolic.parse("A[n,n], x[n]: y[i] = sum_k A[i,k] x[k]")
    back = program.vjp("y", ["x"])
    extra = {"G": back.array("G")}
    index = back.definition("dx").indices[0].name
    other = "j" if index != "j" else "i"
    wrong = Definition(
        back.definition("dx").target, program.expression(f"sum_{other} A[{index},{other}] G[{other}]", extra)
    )
    sizes = dict.fromkeys(program.inputs["x"], 2)
    assert derive.gradient_verdict(program, [wrong], seed_entry(program, "y", "G"), "y", "x", sizes).kind == "refuted"


def test_sympys_derivative_alone_refutes_when_the_others_are_fooled(monkeypatch):
    program = symbolic.parse("x[n]: y[i] = x[i]**2")
    wrong = [Definition(program.vjp("y", ["x"]).definition("dx").target, program.expression(
        "3 x[i] G[i]", {"G": symbolic.Array("G", program.inputs["x"])}))]  # fmt: skip
    fooled = symbolic.Verdict("proved for all sizes", ("one", "two"))
    monkeypatch.setattr(derive, "prove_equal", lambda *_, **__: fooled)
    sizes = dict.fromkeys(program.inputs["x"], 2)
    verdict = derive.gradient_verdict(program, wrong, seed_entry(program, "y", "G"), "y", "x", sizes)
    assert verdict.kind == "refuted"
    assert "sympy.diff" in verdict.detail


def test_latex_has_letters_only_and_mathml_is_well_formed(attention):
    for derivation in attention:
        assert not re.search(r"[#~]", derivation.latex() + derivation.text())
        assert derivation.latex().count("{") == derivation.latex().count("}")
        for mathml in (derivation.mathml(), *(step.mathml() for step in derivation.steps)):
            assert ElementTree.fromstring(mathml).tag.endswith("math")


def test_by_default_every_dimension_is_compared_at_two_since_at_one_a_forgotten_delta_is_invisible():
    program = symbolic.parse(ATTENTION)
    assert set(derive.chosen_sizes(program, None).values()) == {2}
    assert len(derive.chosen_sizes(program, None)) == 4
