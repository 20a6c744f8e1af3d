"""Does bad input to check_vjp get a sentence that says what and where?"""

from __future__ import annotations

import numpy as np
import pytest

from minitorch.errors import FormulaError
from minitorch.symbolic.claims import Cause, check_vjp
from minitorch.symbolic.claims.binding import bind
from minitorch.symbolic.claims.subject import subject_of


def right(S, G):
    return S * (G - (S * G).sum())


def raises(S, G):
    return S @ np.ones((7, 7))


def writes(S, G):
    S *= G - (S * G).sum()
    return S


def wrong_count(S, G):
    return S, G


def unknown_key(S, G):
    return {"q": S}


def nothing(S, G):
    S * G


def drawn(S, G):
    return np.random.default_rng().random(S.shape)


def unknown_parameter(S, foo, G):
    return S * foo


def text(S, G):
    return "S"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raises, r"raises raised ValueError: matmul.*\n  called with sizes n_k=3"),
        (writes, r"writes to its input S.*S = S.copy\(\)"),
        (wrong_count, r"returned 2 gradients, wanted 1 in this order: dx"),
        (unknown_key, r"returned 'q', wanted gradients by name: dx"),
        (nothing, r"returned None, wanted the gradients of x"),
        (drawn, r"gives another dx when it is called again"),
        (unknown_parameter, r"'foo'.*is no name of softmax.*inputs x; saved values Z, S; the incoming gradient G"),
        (text, r"the gradient of x is a str"),
        (3, r"a claim of type int"),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_a_function_that_cannot_be_judged_is_answered_with_a_sentence(function, said):
    with pytest.raises(FormulaError, match=said):
        check_vjp(function, "softmax")


def test_the_line_that_raised_is_quoted():
    with pytest.raises(FormulaError) as caught:
        check_vjp(raises, "softmax")
    assert "test_claims_input.py:19: return S @ np.ones((7, 7))" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wrt": ["q"]}, "wrt has 'q', wanted inputs of softmax: x"),
        ({"given": {"eps": 1.0}}, "'eps' is none of the inputs of softmax: x"),
        ({"sizes": {"q": 1}}, "'q' is none of the dimensions of softmax"),
        ({"arrays": "jax"}, "got arrays='jax', wanted numpy, torch, minitorch"),
        ({"dtype": "int8"}, "got dtype='int8', wanted float64"),
        ({"batch": 9}, "got batch=9, wanted"),
        ({"output": "T"}, "got 'T', wanted a defined name"),
    ],
    ids=str,
)
def test_a_wrong_option_is_answered_with_those_there_are(options, said):
    with pytest.raises(FormulaError, match=said):
        check_vjp(right, "softmax", **options)


def test_an_operation_that_is_none_is_answered():
    with pytest.raises(FormulaError, match=r"wanted one of: .*attention.*softmax"):
        check_vjp(right, "sofmax")
    with pytest.raises(FormulaError, match="got an operation of type int"):
        check_vjp(right, 5)


def test_a_gradient_that_is_nan_is_wrong_and_said_so():
    (finding,) = check_vjp(lambda S, G: S * np.nan, "softmax").inputs
    assert finding.cause == Cause.NOT_FINITE
    assert "is NaN at" in finding.sentence


def test_a_function_that_works_at_equal_sizes_only_is_said_to():
    def backward(Q, K, V, P, G):
        _ = Q @ K  # works where m = d_k, and n is any
        dA = P * (G @ V.T - ((G @ V.T) * P).sum(axis=1, keepdims=True))
        return dA @ K / np.sqrt(Q.shape[1]), dA.T @ Q / np.sqrt(Q.shape[1]), P.T @ G

    diagnosis = check_vjp(backward, "attention")
    assert {f.cause for f in diagnosis.inputs} == {Cause.SQUARE_ONLY}
    assert "transposed product is likely" in diagnosis.inputs[0].sentence


def bound(function, op="attention"):
    binding = bind(function, subject_of(op, None, None))
    return [*binding.places, *binding.names.values()]


def test_parameters_are_found_by_name_case_and_usual_other_names():
    assert bound(lambda q, k, v, do: 0) == ["Q", "K", "V", "G"]
    assert bound(lambda dout, Q, d_k, *, O: 0) == ["G", "Q", "d_k", "O"]
    assert bound(lambda query, key, value, probs, grad_out: 0) == ["Q", "K", "V", "P", "G"]
    assert bound(lambda x, gamma, beta, g: 0, "layer-norm") == ["x", "weight", "bias", "G"]
    assert bound(lambda x, g, dy: 0, "rms-norm") == ["x", "weight", "G"]
    assert bound(lambda c_prev, c_next, i, f, o, g, dh_next: 0, "lstm-cell") == ["c", "c'", "i", "f", "o", "g", "G"]


def test_parameters_without_known_names_are_found_by_place():
    assert bound(lambda a, b, c, d: 0) == ["Q", "K", "V", "G"]


def test_a_default_is_kept_where_its_name_means_nothing():
    assert bound(lambda S, G, axis=-1, keep=True: 0, "softmax") == ["S", "G"]


def test_none_stands_for_a_gradient_that_is_not_claimed():
    diagnosis = check_vjp(lambda P, G: (None, None, P.T @ G), "attention")
    assert [f.input for f in diagnosis.inputs] == ["V"]
    assert "not claimed, so not examined: dQ, dK" in str(diagnosis)


def test_what_a_claim_has_built_in_is_noted():
    def backward(x, weight, dy):
        r = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + 0.1)
        g = dy * weight
        return r * (g - x * r * r * (g * x).mean(axis=1, keepdims=True)), (dy * x * r).sum(axis=0)

    assert not check_vjp(backward, "rms-norm").ok
    diagnosis = check_vjp(backward, "rms-norm", given={"eps": 0.1})
    assert diagnosis.ok
    assert "examined at eps = 0.1" in str(diagnosis)
