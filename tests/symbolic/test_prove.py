"""Does a verdict say what was done, refute only with a witness, and notice a prover that is wrong?"""

import pytest

from minitorch import symbolic
from minitorch.errors import FormulaError
from minitorch.symbolic import normal
from minitorch.symbolic.calculus import hoist
from minitorch.symbolic.verdict import Verdict


def verdict(header: str, left: str, right: str, definitions: str = "unused = 0") -> Verdict:
    program = symbolic.parse(f"{header}: {definitions}")
    return symbolic.prove_equal(program.expression(left), program.expression(right), program.definitions)


IDENTITIES = [
    ("x[n], c", "exp(x[i] + c) / sum_k exp(x[k] + c)", "exp(x[i]) / sum_k exp(x[k])"),  # shift invariance
    ("x[n], y[n]", "(sum_i x[i]) (sum_i y[i])", "sum_{i,j} x[i] y[j]"),
    ("x[n]", "sum_{i,j} delta(i,j) x[j]", "sum_k x[k]"),
    ("x[n]", "sum_i (x[i] - sum_k x[k] / n)**2 / n", "sum_i x[i]**2 / n - (sum_i x[i] / n)**2"),
    ("A[n,m], B[m,n]", "sum_{i,j} A[i,j] B[j,i]", "sum_{k,l} B[k,l] A[l,k]"),  # trace(A B) = trace(B A)
    (
        "x[n], y[n]",
        "1 / (1 / (sum_i x[i]) + 1 / (sum_i y[i]))",
        "(sum_i x[i]) (sum_i y[i]) / (sum_i x[i] + sum_i y[i])",
    ),
    ("x[n]", "delta(i,j) x[j]**2", "delta(i,j) x[i] x[j]"),
]
FALSE = [
    ("A[n,n], x[n]", "sum_k A[i,k] x[k]", "sum_k A[k,i] x[k]"),  # a transpose
    ("A[n,n]", "sum_k A[k,k]", "sum_{i,k} A[i,k]"),  # a captured index
    ("x[n]", "(sum_i x[i])**2", "sum_i x[i]**2"),
    ("x[n]", "sum_i x[i] / x[i]", "1"),
    ("x[n]", "exp(sum_i x[i])", "sum_i exp(x[i])"),
    ("x[n], c", "exp(x[i] + c)", "exp(x[i]) + exp(c)"),
]


@pytest.mark.parametrize(("header", "left", "right"), IDENTITIES)
def test_identities_are_proved_by_two_methods_that_share_no_code(header, left, right):
    found = verdict(header, left, right)
    assert found.kind == "proved for all sizes"
    assert found.methods == ("normal form", "random field GF(2^61-1), 3 trials")


@pytest.mark.parametrize(("header", "left", "right"), FALSE)
def test_false_claims_are_refuted_with_a_witness(header, left, right):
    found = verdict(header, left, right)
    assert found.kind == "refuted"
    assert "n=2" in found.detail
    assert "against" in found.detail


def test_an_identity_that_the_field_cannot_know_is_tested_and_not_refuted():
    found = verdict("x", "sin(2 x)", "2 sin(x) cos(x)")
    assert found.kind == "tested"


def test_sigmoid_and_tanh_are_what_they_are_in_exponentials():
    assert verdict("x", "tanh(x)", "2 sigmoid(2 x) - 1").kind == "proved for all sizes"
    assert verdict("x", "sigmoid(-x)", "1 - sigmoid(x)").kind == "proved for all sizes"
    assert verdict("x", "tanh(x)", "2 sigmoid(x) - 1").kind == "refuted"


LOGARITHMS = [
    ("x", "log(exp(x) / (1 + exp(x)))", "x - log(1 + exp(x))"),
    ("x", "log(sigmoid(x))", "-log(1 + exp(-x))"),
    ("x", "log(3 exp(x) / 2)", "log(3) - log(2) + x"),
    ("x[n]", "log(sqrt(sum_k exp(x[k])))", "log(sum_k exp(x[k])) / 2"),
    ("x[n], m", "log(sum_k exp(x[k] - m))", "log(sum_k exp(x[k])) - m"),
    ("x[n]", "log(exp(x[i]) / sum_k exp(x[k]))", "x[i] - log(sum_k exp(x[k]))"),
]


@pytest.mark.parametrize(("header", "left", "right"), LOGARITHMS)
def test_the_logarithm_of_a_product_is_a_sum(header, left, right):
    assert verdict(header, left, right).kind == "proved for all sizes"


def test_the_logarithm_of_what_may_be_negative_is_left_alone():
    assert verdict("x", "log(x**2)", "2 log(x)").kind == "tested"
    assert verdict("x[n], m", "log(sum_k exp(x[k] - m))", "log(sum_k exp(x[k])) + m").kind == "refuted"


def test_the_exponential_of_a_logarithm_is_its_argument_in_the_field_too():
    assert verdict("x[n]", "exp(x[i] - lse)", "exp(x[i]) / sum_k exp(x[k])", "lse = log(sum_k exp(x[k]))").holds


def test_names_that_both_sides_read_need_not_be_substituted(monkeypatch):
    seen = []
    shown = normal.equal_by_normal_form
    monkeypatch.setattr(normal, "equal_by_normal_form", lambda a, b: seen.append((a, b)) or shown(a, b))
    assert verdict("x[n]", "2 u[i] - u[i]", "u[i]", "u[i] = exp(tanh(x[i]))").holds
    assert [str(side) for side in seen[0]] == ["u[i]", "u[i]"]
    assert len(seen) == 1


def test_definitions_are_taken_into_account():
    assert verdict("x[n]", "P[i] Z", "exp(x[i])", "Z = sum_k exp(x[k]); P[i] = exp(x[i]) / Z").holds


def test_exponentials_keep_their_law_through_definitions():
    assert verdict("x", "exp(u) / exp(x)", "exp(x)", "u = 2 x").holds


def test_a_root_is_taken_apart_only_past_factors_that_are_not_negative():
    program = symbolic.parse("x, y: unused = 0")
    sides = [
        program.expression(text) for text in ("sqrt(x y)", "sqrt(x) sqrt(y)", "sqrt(exp(x) y)", "exp(x / 2) sqrt(y)")
    ]
    assert not normal.equal_by_normal_form(sides[0], sides[1])
    assert normal.equal_by_normal_form(sides[2], sides[3])


def test_what_is_taken_out_of_a_sum_is_still_counted():
    program = symbolic.parse("x[n]: unused = 0")
    total = program.expression("sum_j x[i] x[j]**0")
    assert symbolic.prove_equal(hoist(total), program.expression("n x[i]")).holds


def test_a_normal_form_that_proves_everything_is_noticed_in_every_claim(monkeypatch):
    monkeypatch.setattr(normal, "equal_by_normal_form", lambda a, b: True)
    for header, left, right in FALSE:
        assert verdict(header, left, right).kind == "refuted"
    assert verdict("x", "sin(2 x)", "2 sin(x) cos(x)").kind == "undecided"


def test_a_normal_form_that_proves_nothing_lowers_the_verdict(monkeypatch):
    monkeypatch.setattr(normal, "equal_by_normal_form", lambda a, b: False)
    assert verdict(*IDENTITIES[1]).kind == "probable"


def test_a_verdict_claims_no_more_than_it_has():
    with pytest.raises(FormulaError, match="needs two methods"):
        Verdict("proved for all sizes", ("normal form",))
    with pytest.raises(FormulaError, match="witness"):
        Verdict("refuted")
    with pytest.raises(FormulaError, match="wanted one of"):
        Verdict("certain")
    assert Verdict("tested", ("a",)).with_method("b").methods == ("a", "b")
