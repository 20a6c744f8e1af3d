"""Can the methods of the theorems' proofs be trusted?  Each is tried where it must say no."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy

from minitorch.errors import FormulaError
from minitorch.symbolic import parse, prove_equal
from minitorch.symbolic.entrywise import Expansion
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import dimension
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition
from minitorch.symbolic.theorems.checks import bound, equal_entries, together, visibly_nonnegative
from minitorch.symbolic.theorems.expectation import mean, mean_by_entries, variance
from minitorch.symbolic.theorems.induction import by_induction
from minitorch.symbolic.theorems.measured import NARROW, WIDE, average_norm
from minitorch.symbolic.theorems.programs import in_blocks, inline_once, over, summing_to_one, with_one
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.sensitivity import squared_norm
from minitorch.symbolic.theorems.trigonometry import added, equal_angles
from minitorch.symbolic.verdict import PROBABLE, PROVED, REFUTED, TESTED, UNDECIDED, Verdict

SURE = Verdict(PROVED, ("normal form", "random field"))

# -- averages ----------------------------------------------------------------------------------------------------------

MOMENTS = parse("q[d], k[d], w[d]: z = sum_e q[e] k[e]")
POLYNOMIALS = [
    "sum_e q[e]",
    "sum_{e,f} w[e] w[f] q[e] q[f]",
    "(sum_e q[e]**2)**2",
    "(sum_e q[e])**3",
    "(sum_e q[e])**4 (sum_f k[f] w[f])**2",
    "(sum_e q[e] k[e])**4",
    "sum_e q[e]**3 k[e] + 7",
]


@pytest.mark.parametrize("text", POLYNOMIALS)
def test_an_average_by_deltas_is_that_of_every_entry_s_moments(text):
    expression, random = MOMENTS.expression(text), {"q", "k"}
    (d,) = MOMENTS.array("q").dimensions
    for size in (1, 2, 3):
        by_deltas = Expansion({d: size}).value(mean(expression, random), {})
        assert sympy.expand(by_deltas - mean_by_entries(expression, random, {d: size})) == 0


@pytest.mark.parametrize("text", POLYNOMIALS)
def test_an_average_is_the_sum_over_all_outcomes_of_a_law(text):
    """A coin with the faces 2 and -1/2, as unfair as it must be: mean 0, variance 1, skewness 3/2, kurtosis 13/4."""
    faces, chances, size = np.array([2.0, -0.5]), np.array([0.2, 0.8]), 2
    expression, w = MOMENTS.expression(text), np.array([0.3, -1.1])
    total = 0.0
    for outcome in itertools.product(range(2), repeat=2 * size):
        arrays = {"q": faces[list(outcome[:size])], "k": faces[list(outcome[size:])], "w": w}
        total += chances[list(outcome)].prod() * float(evaluate(expression, arrays))
    law = {f"{moment}_{name}": value for name in "qk" for moment, value in (("gamma", 1.5), ("kappa", 0.25))}
    (d,) = MOMENTS.array("q").dimensions
    assert float(evaluate(mean(expression, {"q", "k"}), law | {"w": w}, sizes={d: size})) == pytest.approx(total)


def test_the_variance_of_a_product_of_vectors_is_their_width_whatever_the_law():
    assert variance(MOMENTS.expression("z"), {"q", "k"}) == 0  # z is a name: nothing random is seen in it
    assert str(variance(MOMENTS.inline(MOMENTS.expression("z")), {"q", "k"})) == "d"


@pytest.mark.parametrize("text", ["exp(q[e])", "1 / q[e]", "q[e] (sum_f q[f])**4"])
def test_an_average_that_is_not_known_is_refused(text):
    with pytest.raises(FormulaError, match="mean: "):
        mean(parse(f"q[d]: unused[e] = {text}").definitions[0].value, {"q"})


# -- bounds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("x[i]**2", True),
        ("x[i]**4 + 3", True),
        ("exp(x[i]) (1 - delta(i,j))", True),
        ("abs(x[i])", True),
        ("sum_i (x[i] - 1)**2", True),
        ("x[i]", False),
        ("x[i]**3", False),
        ("x[i]**2 - 1", False),
        ("delta(i,j) - 1", False),
        ("-x[i]**2", False),
        ("sum_i x[i]", False),
    ],
)
def test_only_what_cannot_be_negative_counts_as_a_certificate(text, visible):
    program = parse("x[n]: y[i,j] = x[i] x[j]")
    assert visibly_nonnegative(program.expression(text)) is visible


def test_a_bound_needs_a_certificate_that_is_the_difference_and_not_negative():
    program = parse("x, y: unused = 0")
    read = program.expression
    good = bound(read("2 x y"), read("x**2 + y**2"), read("(x - y)**2"))
    assert good.kind == PROVED
    assert bound(read("2 x y"), read("x**2 + y**2"), read("x**2 + y**2 - 2 x y")).kind == UNDECIDED
    assert bound(read("2 x y"), read("x**2 + y**2"), read("(x + y)**2")).kind == UNDECIDED
    false = bound(read("3 x y"), read("x**2 + y**2"), read("(x - y)**2"))
    assert false.kind == REFUTED
    assert "seed" in false.detail


# -- induction, and several claims -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [UNDECIDED, TESTED, PROBABLE, REFUTED])
@pytest.mark.parametrize("place", [0, 1])
def test_an_induction_is_no_better_than_its_base_and_its_step(kind, place):
    weak = Verdict(kind, (), "here it fails")
    cases = [SURE, SURE]
    cases[place] = weak
    verdict = by_induction("k", *cases)
    assert verdict.kind == kind
    assert verdict.detail.startswith(("base k = 1: ", "step k to k + 1: ")[place])
    assert "here it fails" in verdict.detail
    assert by_induction("k", SURE, SURE).kind == PROVED


def test_several_claims_are_known_as_far_as_the_weakest_and_methods_say_whose_they_are():
    tested = Verdict(TESTED, ("float64",), "at n=2")
    both = together([SURE, tested])
    assert str(both) == "tested (normal form (claim 1); random field (claim 1); float64 (claim 2)): at n=2"
    assert together([SURE, Verdict(REFUTED, (), "at n=2"), tested]).kind == REFUTED


def test_a_step_that_does_not_follow_is_refused_and_a_false_claim_is_stated_as_refuted():
    program = parse("x[n]: y[i] = x[i]**2")
    work = Proving(Notation.of(program), program.definitions)
    work.given(program.targets["y"], program.definitions[0].value, "definition", "what y is.")
    with pytest.raises(FormulaError, match=r"step 2 \(add\) does not follow"):
        work.follow(program.expression("x[i]**3"), "add", "wrong.")
    assert work.claim(program.expression("x[i]**3")).kind == REFUTED
    assert work.proof().verdict.kind == REFUTED
    assert len(work.proof().steps) == 1


# -- changed programs --------------------------------------------------------------------------------------------------


def test_a_sum_in_blocks_is_the_sum_over_the_blocks_behind_each_other():
    program = parse("x[n], w[d]: y[a] = w[a] log(sum_i exp(x[i]) sum_j x[j]**2 exp(x[i] x[j])) / sum_k exp(x[k])")
    (n,) = program.array("x").dimensions
    (y,) = program.definitions
    cut = in_blocks(y.value, n, [dimension("n_1"), dimension("n_2")])
    rng = np.random.default_rng(0)
    first, second, w = rng.random(2), rng.random(3), rng.random(4)
    values = evaluate(cut, {"x_1": first, "x_2": second, "w": w}, y.indices)
    whole = program.evaluate({"x": np.concatenate([first, second]), "w": w})["y"]
    np.testing.assert_allclose(values, whole, rtol=1e-14)


def test_a_dimension_of_size_one_needs_no_index():
    program = parse("x[h,n], W[h,n]: y[a,i] = x[a,i] W[a,i]; z[i] = sum_a y[a,i]")
    (h, _) = program.array("x").dimensions
    assert str(with_one(program, h)) == "y[i] = W[i]*x[i]\nz[i] = y[i]"


def test_dimensions_are_renamed_everywhere():
    program = parse("x[n]: z = n sum_i x[i]")
    m = parse("x[m]: z = 0").array("x").dimensions[0]
    assert over(program, {program.array("x").dimensions[0]: m}).inputs == {"x": (m,)}


def test_an_input_may_be_replaced_by_something_that_mentions_it():
    program = parse("x[n]: y[i] = x[i]**2")
    x = program.targets["x"]
    assert str(inline_once(program.definitions[0].value, [Definition(x, x + 1)])) == "(x[i] + 1)**2"


def test_what_sums_to_one_by_construction_does():
    program = parse("y[n]: s = sum_i y[i]")
    (y,) = program.entries
    verdict = prove_equal(program.expression("s"), sympy.S.One, (summing_to_one(y), *program.definitions))
    assert verdict.kind == PROVED


# -- angles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "holds"),
    [
        ("sin(a + b)", "sin(a) cos(b) + cos(a) sin(b)", True),
        ("cos(a - b)", "cos(a) cos(b) + sin(a) sin(b)", True),
        ("sin(a)**4", "(1 - cos(a)**2)**2", True),
        ("cos(a) cos(b)", "(cos(a - b) + cos(a + b)) / 2", True),
        ("sin(a + b)", "sin(a) cos(b) - cos(a) sin(b)", False),
        ("cos(a)**2", "1 + sin(a)**2", False),
    ],
)
def test_equations_of_angles_are_proved_in_two_ways_or_refuted(left, right, holds):
    program = parse("a, b: unused = 0")
    verdict = equal_angles(program.expression(left), program.expression(right))
    assert verdict.kind == (PROVED if holds else REFUTED)


def test_either_way_alone_does_not_prove_an_equation_of_angles(monkeypatch):
    program = parse("a, b: unused = 0")
    left, right = program.expression("sin(a + b)"), program.expression("sin(a) cos(b) + cos(a) sin(b)")
    monkeypatch.setattr("minitorch.symbolic.theorems.trigonometry._by_exponentials", lambda *_: False)
    assert equal_angles(left, right).kind == TESTED
    assert added(left - right) == 0


def test_entries_that_differ_in_one_place_are_not_equal():
    program = parse("x[n]: y[i] = x[i]")
    (n,) = program.array("x").dimensions
    x = program.expression
    assert equal_entries(x("x[i] delta(i,j)"), x("x[j] delta(i,j)"), {n: 2})
    assert not equal_entries(x("x[i] delta(i,j)"), x("x[i]"), {n: 2})


# -- the experiment ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 5))
def test_what_was_measured_does_not_hang_on_the_seed(seed):
    ratio = {p: average_norm(p, WIDE, seed) / average_norm(p, NARROW, seed) for p in (0.0, 0.5)}
    assert ratio[0.0] < 1 / 3
    assert 4 / 5 < ratio[0.5] < 6 / 5


def test_the_norm_at_weights_that_are_nearly_one_hot_is_small_and_not_the_root_of_a_rounding_error():
    p = np.array([1 - 2e-17, 1e-17, 1e-17])
    assert 0 < float(evaluate(squared_norm(), {"S": p})) < 1e-32
