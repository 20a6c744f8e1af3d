"""Does a call that does not fit say what to write instead?  PyTorch's words, and axes where a flag stands."""

from __future__ import annotations

import inspect
import pickle

import numpy as np
import pytest

import minitorch as mt


def x():
    return mt.tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)


def said(call):
    with pytest.raises(mt.ArgumentError) as caught:
        call()
    return str(caught.value).partition("\n  at ")[0]


MISREAD = {
    "a method, an axis": (lambda: x().sum(dim=1), "sum: got dim=, which is called axis here. Write axis=1?"),
    "an operation, an axis": (
        lambda: mt.softmax(x(), dim=-1),
        "softmax: got dim=, which is called axis here. Write axis=-1?",
    ),
    "a function, an axis": (
        lambda: mt.cat([x()], dim=1),
        "concatenate: got dim=, which is called axis here. Write axis=1?",
    ),
    "a function's method": (lambda: x().topk(1, dim=0), "topk: got dim=, which is called axis here. Write axis=0?"),
    "keepdim": (
        lambda: x().sum(axis=1, keepdim=True),
        "sum: got keepdim=, which is called keepdims here. Write keepdims=True?",
    ),
    "unbiased": (lambda: x().var(unbiased=True), "var: got unbiased=, which is called ddof here. Write ddof=1?"),
    "the first operand": (lambda: mt.add(input=x(), other=1), "add: got input=, which is called a here. Write a=...?"),
    "the second operand": (lambda: x().add(other=1), "add: got other=, which is called b here. Write b=1?"),
    "on plain arrays": (lambda: mt.sum(np.ones(3), dim=0), "sum: got dim=, which is called axis here. Write axis=0?"),
    "on what jvp passes": (
        lambda: mt.jvp(lambda t: t.sum(dim=0), (x(),), (x(),)),
        "sum: got dim=, which is called axis here. Write axis=0?",
    ),
    "given by position": (
        lambda: x().reshape(shape=(6, 4)),
        "reshape: got shape=, which is given by position. Write reshape((6, 4))?",
    ),
    "nothing of that kind": (
        lambda: mt.zeros(3, device="cpu"),
        "zeros(shape, dtype=None, *, requires_grad=False): got device=, which it does not take.",
    ),
    "several axes": (
        lambda: x().flip(0, 1),
        "flip(x, axis=None): too many positional arguments. Several go into one tuple: axis=(0, 1)?",
    ),
    "several axes and a flag": (
        lambda: x().sum(0, 1),
        "sum: got keepdims=1; it is True or False. Several go into one tuple: axis=(0, 1)?",
    ),
    "of a function": (
        lambda: x().norm(2, 0, 1),
        "norm: got keepdims=1; it is True or False. Several go into one tuple: axis=(0, 1)?",
    ),
    "several sizes": (
        lambda: mt.reshape(x(), 6, 4),
        "reshape(x, shape): too many positional arguments. Several go into one tuple: shape=(6, 4)?",
    ),
    "another flag": (lambda: x().argsort(0, 1), "argsort: got descending=1; it is True or False."),
    "one missing": (lambda: x().topk(), "topk(x, k, axis=-1, largest=True): missing a required argument: 'k'."),
    "one missing in a composite": (
        lambda: mt.scaled_dot_product_attention(x(), x()),
        "scaled_dot_product_attention(Q, K, V, mask=None, *, causal=False, scale=None, softcap=None, past=None, "
        "method='dense'): missing a required argument: 'V'.",
    ),
}


@pytest.mark.parametrize("case", MISREAD)
def test_a_call_that_does_not_fit_says_what_to_write(case):
    call, wanted = MISREAD[case]
    assert said(call) == wanted


def test_flags_are_taken_by_position_and_of_numpys_kind():
    assert x().sum(1, True).shape == (2, 1, 4)
    assert x().norm(2, 1, np.True_).shape == (2, 1, 4)
    assert x().argsort(0, True).shape == (2, 3, 4)


def test_a_type_error_from_inside_a_function_is_passed_on_as_it_is():
    def broken(t):
        return t + len(3)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match=r"has no len\(\)") as caught:
        mt.safe_where(np.array([True]), broken, mt.tensor([1.0]), 0.0)
    assert not isinstance(caught.value, mt.ArgumentError)


def test_pytorchs_transpose_of_two_axes_is_refused_with_the_name_that_it_has_here():
    with pytest.raises(mt.ShapeError) as caught:
        x().transpose(0, 1)
    wanted = (
        "transpose: axes (0, 1) of (2, 3, 4); all 3 axes are given, each once. To exchange two, use swapaxes(0, 1)?"
    )
    assert str(caught.value).startswith(wanted)
    with pytest.raises(mt.ShapeError, match=r"^transpose: axes"):
        x().transpose(0, 1, 7)


def test_a_users_own_operation_explains_its_arguments_too():
    @mt.primitive(vjp={"x": lambda g: g}, name="test_misread_own")
    def own(x, axis=0, exact=False):
        return np.array(x)

    assert said(lambda: own(x(), dim=1)) == "test_misread_own: got dim=, which is called axis here. Write axis=1?"
    assert said(lambda: own(x(), 0, 1)) == "test_misread_own: got exact=1; it is True or False."


def test_help_of_an_operation_shows_its_own_words_and_arguments():
    assert str(mt.softmax.__doc__).startswith("exp(x) over its sum")
    assert str(inspect.signature(mt.softmax)) == "(x: 'Array', axis: 'Axis' = -1)"
    assert str(mt.scaled_dot_product_attention.__doc__).startswith("softmax(scale Q K^T + M) V")
    assert mt.Tensor.sum.__doc__ == mt.sum.__doc__ == "The sum over `axis`."
    assert str(mt.Primitive.__doc__).startswith("One operation.")


def test_an_alias_is_what_it_stands_for_and_can_be_pickled():
    assert mt.cat is mt.concatenate
    assert mt.sub is mt.subtract
    assert pickle.loads(pickle.dumps(mt.cat)) is mt.concatenate
