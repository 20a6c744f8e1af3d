"""Does the examination of a user's operation find each kind of mistake, by the check that is made for it?"""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
from minitorch.primitive import REGISTRY
from minitorch.testing import CHECKS, ExaminationError, examine

A, B = np.array([[0.5, -1.2, 0.8]]), np.array([[1.5, 0.4, -0.7], [0.9, -1.1, 0.6]])
MASK = np.array([1.0, 0.0, 1.0])


def register(forward, name="planted", **record):
    return mt.primitive(name=name, **record)(forward)


@pytest.fixture(autouse=True)
def forgotten():
    yield
    for name in [n for n in REGISTRY if n.startswith(("planted", "softsign"))]:
        REGISTRY.pop(name)


def product(rule_a=lambda g, b: g * b, rule_b=lambda g, a: g * a, forward=lambda a, b: a * b, **record):
    return register(forward, vjp={"a": rule_a, "b": rule_b}, **record)


def of_one(rule, forward=lambda x: x**3, **record):
    return register(forward, vjp={"x": rule}, **record)


def failures(operation, *inputs, **static):
    """The failed checks and what they say."""
    with pytest.raises(ExaminationError) as caught:
        examine(operation, *inputs, **static)
    assert isinstance(caught.value, AssertionError)
    assert isinstance(caught.value, mt.MinitorchError)
    for o in caught.value.report.failed:
        assert o.check in str(caught.value)
        assert str(o.failure) in str(caught.value)
    return {o.check: str(o.failure) for o in caught.value.report.failed}


def with_hidden_second_derivative():
    slope = register(lambda x: 3 * x * x, name="planted_slope", vjp={"x": lambda g, x: g * (5 * x)})
    return of_one(lambda g, x: g * slope(x))


def doubled_in_place(x):
    x *= 2
    return x


MISTAKES = {
    "a wrong sign": (
        lambda: product(lambda g, b: -(g * b)),
        (A, B),
        {"first derivative": r"input 0 \(a\) of shape \(1, 3\), entry \(0, \d\): analytic .*, numeric .*; 3 of 3"},
    ),
    "a dropped term": (
        lambda: of_one(lambda g, x: g * (3 * x * x), lambda x: x**3 + 0.01 * x**2),
        (A,),
        {"first derivative": r"3 of 3 entries are off", "forward mode": "the tangent of output 0, entry"},
    ),
    "an error in one entry": (
        lambda: product(rule_b=lambda g, a: g * a * np.array([1.0, 1.0, 1 + 1e-8])),
        (A, B),
        {"first derivative": r"input 1 \(b\) of shape \(2, 3\), entry \(\d, 2\).*; [12] of 6 entries"},
    ),
    "a shape that does not sum to the input's": (
        lambda: of_one(lambda g, x: (g * (3 * x * x)).sum(), name="planted"),
        (A,),
        {"rules": r"the rule of input 0 \(x\) of shape \(1, 3\) gives shape \(\)", "first derivative": "ShapeError"},
    ),
    "a cotangent that is broadcast, so that it is summed twice": (
        lambda: of_one(lambda g, x: g * (3 * x * x) * np.ones((2, 1), g.dtype)),
        (A,),
        {"first derivative": "3 of 3"},
    ),
    "an axis summed by the rule": (
        lambda: product(lambda g, b: (g * b).sum(axis=0, keepdims=True) / 2),
        (A, B),
        {"first derivative": r"input 0"},
    ),
    "a lost sum over what was broadcast": (
        lambda: product(lambda g, b, a_shape: (g * b)[tuple(slice(0, n) for n in a_shape)]),
        (B, B),
        {"broadcasting": r"input 0 \(a\) of shape \(2, 3\) with size 1 along axis 0: the gradient of input 0"},
    ),
    "a value kept for nothing": (
        lambda: of_one(lambda g, x: g * 2.0, lambda x: 2.0 * x),
        (A,),
        {"needed values": r"the rule of x keeps x of shape \(1, 3\), but its values make no difference"},
    ),
    "a value kept for its shape": (
        lambda: of_one(lambda g, x: mt.broadcast_to(g, x.shape), lambda x: np.asarray(np.sum(x))),
        (A,),
        {"needed values": "ask for x_shape"},
    ),
    "the output's name for the input's": (
        lambda: of_one(lambda g, out: g * (3 * out * out)),
        (A,),
        {"first derivative": "3 of 3"},
    ),
    "a rule that is not linear": (
        lambda: of_one(lambda g, x: g * g * (3 * x * x)),
        (A,),
        {"linearity": r"the gradient by g \+ 2h: input 0"},
    ),
    "an offset in a rule": (
        lambda: of_one(lambda g, x: g * (3 * x * x) + 1e-6),
        (A,),
        {"linearity": ""},
    ),
    "a rule that leaves the tape": (
        lambda: product(lambda g, b: g * np.asarray(b)),
        (A, B),
        {"second derivative": "would lose its gradient", "forward over reverse": "would lose its gradient"},
    ),
    "a rule that takes an input for a constant": (
        lambda: product(lambda g, b: g * getattr(b, "detach", lambda: b)()),
        (A, B),
        {"second derivative": "analytic -?0, numeric", "forward over reverse": "the tangent of the gradient"},
    ),
    "a rule that wants an array": (
        lambda: of_one(lambda g, x: g * (3 * x.numpy() ** 2)),
        (A,),
        {"first derivative": "AttributeError", "rules": "AttributeError"},
    ),
    "a wrong second derivative": (with_hidden_second_derivative, (A,), {"second derivative": "3 of 3"}),
    "a wrong formula": (
        lambda: of_one(lambda g, x: g * (3 * x * x), formula="out[...] = x[...]**2"),
        (A,),
        {"formula": "out by the formula, entry"},
    ),
    "a formula of something else, derived": (
        lambda: of_one(lambda g, x: g * (2 * x), lambda x: x**2, formula="out[...] = x[...]**2 * x[...]"),
        (B,),
        {"formula": "", "formula's gradient": "the gradient of the rule and of the formula"},
    ),
    "float64 in the forward function": (
        lambda: of_one(lambda g: g * MASK, lambda x: x * MASK),
        (A,),
        {"float32": "of float32 inputs it gives float64"},
    ),
    "float64 in a rule": (
        lambda: of_one(lambda g: g * MASK, lambda x: x * MASK.astype(x.dtype)),
        (A,),
        {"rules": r"the rule of input 0 \(x\) of shape \(1, 3\) gives float64 from float32"},
    ),
    "a rule that is inexact in float32": (
        lambda: of_one(lambda g, x: g * (3 * ((x + 1000.0) - 1000.0) * x)),
        (A,),
        {"float32": "the gradient in float32: input 0"},
    ),
    "an input that is written to": (
        lambda: of_one(lambda g: g * 2.0, doubled_in_place),
        (A,),
        {"plain arrays": r"it writes to its input 0 \(x\)"},
    ),
    "an assumption about the layout": (
        lambda: of_one(lambda g: g, lambda x: x.ravel(order="K").reshape(x.shape)),
        (B,),
        {"layouts": "output 0 of transposed inputs"},
    ),
    "a list in the place of an array": (
        lambda: of_one(lambda g: g, lambda x: x.tolist()),
        (A,),
        {"plain arrays": "wanted an array"},
    ),
    "an assumption about the size": (
        lambda: of_one(lambda g, x: g * (x / x.max() * x.max()) * 2.0, lambda x: x * x),
        (A,),
        {"size zero": ""},
    ),
    "an error of another kind than the library's": (
        lambda: product(forward=lambda a, b: a * b if a.shape[-1] == b.shape[-1] else {}["no such shape"]),
        (A, B),
        {"error text": r"raises KeyError, no ShapeError"},
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_by_its_check(mistake):
    make, inputs, expected = MISTAKES[mistake]
    found = failures(make(), *inputs)
    for check, said in expected.items():
        assert check in found, found
        if said:
            assert re.search(said, found[check]), found[check]


def test_what_is_right_passes_every_check_that_can_be_made_of_it():
    op = product(formula="out[...] = a[...] * b[...]")
    report = examine(op, A, B)
    assert not report.failed
    assert {o.check for o in report.not_made} == {"NumPy's namesake", "formula's gradient"}
    assert [o.check for o in report.outcomes] == list(CHECKS)
    assert max(o.worst or 0.0 for o in report.outcomes if o.check != "float32") < 1e-11


def test_the_report_says_what_was_examined_and_why_something_was_not():
    text = str(examine(of_one(lambda g, x: g * (3 * x * x)), A))
    assert "planted: 17 passed, 0 failed, 5 could not be made" in text
    assert "broadcasting            not made: it has one input" in text
    assert "formula                 not made: its record has no formula" in text
    assert text.count("passed, worst error") >= 9


def test_each_failure_is_listed_and_those_that_passed_are_in_the_report():
    op = product(lambda g, b: -(g * b), lambda g, a: g * np.asarray(a))
    with pytest.raises(ExaminationError, match="planted fails 5 checks") as caught:
        examine(op, A, B)
    assert {o.check for o in caught.value.report.passed} >= {"linearity", "float32", "kept values"}


def test_without_inputs_random_ones_of_three_shapes_are_drawn():
    report = examine(of_one(lambda g, x: g / x, np.log))
    assert list(dict.fromkeys(o.case for o in report.outcomes)) == ["planted(2,3)", "planted(3,)", "planted()"]


def test_shapes_are_drawn_one_for_each_input():
    report = examine(mt.matmul, shapes=[(2, 3), (3, 4)])
    assert {o.case for o in report.outcomes} == {"matmul(2,3),(3,4)"}


def test_a_drawn_shape_that_is_refused_is_listed():
    report = examine(of_one(lambda g: g.T, lambda x: x.T if x.ndim == 2 else {}[x.ndim]))
    assert [o.not_made for o in report.outcomes if o.check == "all"] == ["refused: KeyError: 1", "refused: KeyError: 0"]


def test_an_operation_that_refuses_all_that_is_drawn_is_an_error_that_says_what_it_said():
    with pytest.raises(mt.ArgumentError, match=r"inner sizes differ: \(2, 3\) @ \(2, 3\)"):
        examine(mt.matmul, shapes=[(2, 3), (2, 3)])


def test_a_function_without_a_record_is_examined_as_far_as_it_goes():
    report = examine(lambda x, y: mt.tanh(x * y), A, B)
    assert not report.failed
    assert "kept values" in {o.check for o in report.not_made}
    assert "second derivative" in {o.check for o in report.passed}
    cut = lambda x: mt.tanh(x.detach() if isinstance(x, mt.Tensor) else x) + x
    assert "analytic" in failures(cut, A)["first derivative"]


def test_a_composite_is_compared_with_its_formula():
    report = examine(mt.layer_norm, shapes=[(2, 3), (3,), (3,)])
    assert {"formula", "formula's gradient"} <= {o.check for o in report.passed}


@pytest.mark.parametrize(
    ("operation", "inputs", "said"),
    [
        (lambda: mt.square, (np.array([1, 2]),), r"square of int64 \(2,\): no differentiable input was given"),
        (lambda: mt.multiply, (MASK > 0, np.array(3)), r"multiply of bool \(3,\), int64 \(\): no differentiable input"),
        (lambda: mt.embedding, (np.ones((2, 2), int), np.array([1])), "embedding of int64 .*: no differentiable input"),
        (lambda: lambda x: x * 2, (np.array([1]),), r"<lambda> of int64 \(1,\): no differentiable input"),
    ],
)
def test_inputs_of_which_none_can_be_differentiated_are_refused_and_not_passed(operation, inputs, said):
    with pytest.raises(mt.ArgumentError, match=f"examine: {said}.*Give a floating array"):
        examine(operation(), *inputs)


def test_an_operation_that_is_declared_without_a_derivative_is_examined_of_integers():
    assert examine(mt.argmax, np.array([1, 3, 2])).passed
    assert examine(mt.logical_and, MASK > 0, MASK < 1).passed


def test_static_arguments_integers_and_floats_of_any_precision_are_taken():
    assert not examine(mt.sum, A.astype(np.float32), axis=1, keepdims=True).failed
    assert not examine(mt.take, A, np.array([2, 0, 2]), axis=1).failed
    assert not examine(mt.exp, 2.0).failed  # numbers alone become arrays


def test_an_input_whose_rule_is_none_is_not_differentiated():
    op = register(lambda x, w: x * w, vjp={"x": lambda g, w: g * w, "w": None})
    assert not examine(op, A, B).failed


def test_importing_the_engine_does_not_load_the_examination():
    code = "import sys, minitorch; print('minitorch.testing' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert said.strip() == "False"


def test_the_example_in_the_documentation_runs_as_it_is_printed():
    path = Path(__file__).resolve().parent.parent / "docs" / "engine.md"
    found = doctest.testfile(str(path), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8")
    assert found.attempted > 5
    assert not found.failed


# What only a fault of the engine can break: each is broken here for one test.


def right():
    return of_one(lambda g, x: g * (3 * x * x))


def test_a_write_that_nobody_counts_is_found(monkeypatch):
    monkeypatch.setattr("minitorch.inplace.note_write", lambda *args, **more: None)
    assert (
        "a write to input 0 (x) of shape (1, 3), which was kept, goes unnoticed"
        in failures(right(), A)["in-place writes"]
    )


def test_a_write_that_is_counted_for_something_else_is_found(monkeypatch):
    others = []
    monkeypatch.setattr("minitorch.testing.keeping.owner", lambda array: others.append(object()) or others[-1])
    assert "not kept, makes the backward pass raise" in failures(right(), A)["in-place writes"]


def test_a_tape_that_keeps_more_than_the_rules_name_is_found(monkeypatch):
    monkeypatch.setattr("minitorch.tape.Call.values", lambda call: {**call.saved, "more": np.ones(3)})
    assert "name ['x'], kept are ['more', 'x']" in failures(right(), A)["kept values"]


def test_a_tape_that_keeps_copies_is_found(monkeypatch):
    monkeypatch.setattr("minitorch.tape.Call.values", lambda call: {n: v.copy() for n, v in call.saved.items()})
    assert failures(right(), A)["kept values"] == "x is kept as a copy, wanted by reference"


def test_a_call_that_is_recorded_under_no_grad_is_found():
    def stubborn(x):
        with mt.enable_grad():
            return x * 2.0

    assert failures(stubborn, A) == {"no tape": "under no_grad, a call was recorded"}


def test_a_namesake_in_numpy_that_leaves_the_tape_is_found(monkeypatch):
    monkeypatch.setattr(np, "planted", lambda x: mt.tensor(x.numpy() ** 3), raising=False)
    assert failures(right(), A) == {"NumPy's namesake": "np.planted of Tensors is not on the tape"}


def test_a_forward_mode_that_is_not_linear_is_found(monkeypatch):
    def lopsided(f, xs, ts):
        return None, [t + 1.0 for t in mt.jvp(f, xs, ts)[1]]

    monkeypatch.setattr("minitorch.testing.derivatives.jvp", lopsided)
    assert "the tangent of output 0, entry" in failures(right(), A)["forward mode is linear"]


def scaled_in_place(g):
    g *= 3
    return g


def test_a_rule_that_writes_into_its_cotangent_is_found():
    found = failures(of_one(scaled_in_place, lambda x: x * 3), A)
    assert found["rules write nothing"] == "the rule of x writes to its cotangent 0. Write to a new array?"


def test_a_rule_that_writes_into_what_the_tape_keeps_is_found():
    def squares_in_place(g, x):
        x *= x
        return 3 * g * x

    assert failures(of_one(squares_in_place), A)["rules write nothing"].startswith("the rule of x writes to its x.")


def test_a_forward_function_with_other_values_in_float32_is_found():
    def coarse(x):
        return x**3 + (0.1 if x.dtype == np.float32 else 0)

    assert failures(of_one(lambda g, x: 3 * g * x * x, coarse), A)["float32"].startswith("output 0 in float32, entry")
