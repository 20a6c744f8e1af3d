"""Does the check of derivatives notice a wrong one, and say where?"""

from __future__ import annotations

import re

import numpy as np
import pytest

import minitorch as mt
from minitorch.check import GradcheckError, numeric_gradient
from minitorch.primitive import REGISTRY, primitive
from tests.said import said


@pytest.fixture
def planted():
    """An operation with a rule of the test's choice; forgotten afterwards."""

    def plant(rule_a, rule_b=lambda g, a: g * a):
        return primitive(vjp={"a": rule_a, "b": rule_b}, name="test_planted")(lambda a, b: a * b)

    yield plant
    REGISTRY.pop("test_planted", None)


A, B = np.array([1.0, 2.0]), np.array([3.0, 5.0])


def test_a_right_rule_passes(planted):
    op = planted(lambda g, b: g * b)
    assert mt.gradcheck(op, A, B) < 1e-9
    assert mt.gradcheck(op, A, B, order=2) < 1e-9


def test_a_wrong_sign_is_caught_with_input_entry_and_both_values(planted):
    op = planted(lambda g, b: -g * b)
    with pytest.raises(GradcheckError) as caught:
        mt.gradcheck(lambda a, b: op(a, b).sum() * 1.0, A, B)
    text = said(caught.value)
    assert "gradcheck, order 1: input 0, entry (1,)" in text
    analytic, numeric = (float(re.findall(rf"{word} (\S+?)[,;]", text)[0]) for word in ("analytic", "numeric"))
    assert analytic == pytest.approx(-numeric)
    assert abs(numeric) == pytest.approx(5 * abs(np.random.default_rng(0).standard_normal()))
    assert "2 of 2 entries are off" in text


def test_a_wrong_rule_of_the_second_input_is_named(planted):
    op = planted(lambda g, b: g * b, lambda g, a: g * a * np.array([1.0, 1.001]))
    with pytest.raises(GradcheckError, match=r"input 1, entry \(1,\).*1 of 2 entries are off"):
        mt.gradcheck(op, A, B)


def test_a_rule_that_hides_a_dependence_passes_order_1_and_fails_order_2(planted):
    def constant(g, b):  # the right value, no second derivative
        return g * (b.detach() if isinstance(b, mt.Tensor) else b)

    op = planted(constant)
    assert mt.gradcheck(op, A, B) < 1e-9
    with pytest.raises(GradcheckError, match=r"gradcheck, order 2: input [01], entry"):
        mt.gradcheck(op, A, B, order=2)


def test_an_error_of_one_part_in_a_million_is_caught(planted):
    op = planted(lambda g, b: g * b * (1 + 1e-6))
    with pytest.raises(GradcheckError, match="input 0"):
        mt.gradcheck(op, A, B)


def test_a_gradient_of_nan_is_caught(planted):
    op = planted(lambda g, b: g * b * np.nan)
    with pytest.raises(GradcheckError, match="analytic nan"):
        mt.gradcheck(op, A, B)


def test_a_missing_dependence_is_caught():
    with pytest.raises(GradcheckError, match=r"input 0.*analytic 0, numeric"):
        mt.gradcheck(lambda a, b: a.detach() * b, A, B)


def test_integers_are_passed_on_and_several_outputs_are_checked():
    assert mt.gradcheck(lambda x, i: (x[i], mt.exp(x)), A, np.array([0, 0])) < 1e-9


def test_float32_inputs_are_checked_in_float64():
    assert mt.gradcheck(lambda x: mt.exp(x) * 0.1, A.astype(np.float32)) < 1e-9


def test_inputs_are_left_as_they_were():
    x = mt.tensor(A, requires_grad=True)
    mt.gradcheck(mt.exp, x)
    assert x.grad is None
    assert x.numpy().tolist() == [1.0, 2.0]


def test_the_numeric_gradient_converges_with_the_sixth_power_of_the_step():
    errors = [abs(numeric_gradient(lambda x: float(np.exp(x[0])), [np.zeros(1)], 0, h)[0] - 1) for h in (0.8, 0.4)]
    assert errors[0] / errors[1] == pytest.approx(64, rel=0.05)


@pytest.mark.parametrize("order", [1, 2])
def test_smooth_functions_are_differenced_to_one_part_in_a_hundred_billion(order):
    x = np.array([[0.3, -0.5, 1.5], [2.0, -3.0, 0.7]])
    for f in (mt.exp, mt.reciprocal, mt.tanh, lambda x: mt.softmax(x * 2.0), lambda x: mt.log(x * x + 0.1)):
        assert mt.gradcheck(f, x, order=order, rtol=1e-9, atol=1e-9) < 1e-11


def test_a_kink_within_the_step_is_named_as_such():
    with pytest.raises(GradcheckError, match="a kink or a pole within h"):
        mt.gradcheck(mt.absolute, np.array([1e-4, 1.0]))


def test_an_offset_that_drowns_the_differences_is_no_wrong_rule():
    assert mt.gradcheck(lambda x: mt.tanh(x) + 1e7, A, rtol=1e-9, atol=1e-9) < 1e-5


def test_trees_of_tensors_go_in_and_out():
    def f(p, scale):
        return {"a": p["w"] * scale, "b": (mt.tanh(p["b"]),)}

    assert mt.gradcheck(f, {"w": np.ones(2), "b": np.zeros(3)}, 2.0) < 1e-9


@pytest.mark.parametrize(
    ("function", "x", "message"),
    [
        (lambda a: a * 2, mt.tensor([1, 2]), "gradcheck: none of the inputs is a floating array"),
        (lambda a: np.ones(2), np.ones(2), "gradcheck: the function gives a ndarray; it takes one that gives a Tensor"),
        (lambda a: None, np.ones(2), "gradcheck: the function gives a NoneType; it takes one that gives a Tensor"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_a_sentence(function, x, message):
    with pytest.raises(mt.ArgumentError, match=message):
        mt.gradcheck(function, x)
