"""Does an error say what was got, what was wanted, and which line of the user's led to it?"""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import minitorch as mt
from minitorch.primitive import COMPOSITES, REGISTRY, composite, primitive
from tests.said import said


def t(*shape):
    return mt.tensor(np.ones(shape), requires_grad=True)


SHAPE_ERRORS = {
    "matmul": (
        lambda: t(2, 3) @ t(4, 2),
        "matmul: inner sizes differ: (2, 3) @ (4, 2); axis -1 of the left is 3, axis -2 of the right is 4",
    ),
    "matmul of a vector": (
        lambda: t(2, 3) @ t(2),
        "matmul: inner sizes differ: (2, 3) @ (2,); axis -1 of the left is 3, axis -1 of the right is 2",
    ),
    "matmul of a scalar": (lambda: t() @ t(2), "matmul: a scalar has no axis to contract: () @ (2,). Use *"),
    "matmul of batches": (
        lambda: t(2, 3, 4) @ t(5, 4, 3),
        "matmul: batch axes do not broadcast: (2, 3, 4) @ (5, 4, 3); before the last two axes, axis -1 is 2 in the "
        "first and 5 in the second",
    ),
    "add": (
        lambda: t(2, 3) + t(2, 4),
        "add: shapes (2, 3) and (2, 4) do not broadcast: axis -1 is 3 in the first and 4 in the second",
    ),
    "where": (
        lambda: mt.where(np.ones(2, bool), t(3), t(3)),
        "where: shapes (2,) and (3,) and (3,) do not broadcast: axis -1 is 2 in the first and 3 in the second",
    ),
    "reshape": (lambda: t(2, 3).reshape(4), "reshape: 6 entries in (2, 3) do not fill (4,)"),
    "sum": (lambda: t(2, 3).sum(2), "sum: axis 2 of shape (2, 3), which has axes 0 ... 1"),
    "mean": (lambda: t(2, 3).mean((0, -3)), "mean: axis -3 of shape (2, 3)"),
    "max of nothing": (
        lambda: t(0, 3).max(0),
        "max: axis 0 of shape (0, 3) is empty, and nothing has no largest entry",
    ),
    "getitem": (lambda: t(2, 3)[5], "getitem((2, 3), index=5): index 5 is out of bounds for axis 0 with size 2"),
    "softmax": (
        lambda: mt.softmax(t(2), axis=1),
        "softmax: axis 1 of shape (2,), which has axes 0 ... 0. Count from the end with -1?",
    ),
    "concatenate": (
        lambda: mt.concatenate([t(2, 3), t(2, 4)]),
        "concatenate: axis 1 is 3 in part 0 (2, 3) and 4 in part 1 (2, 4); only axis 0 may differ",
    ),
    "concatenate of ranks": (
        lambda: mt.concatenate([t(2), t(2, 4)]),
        "concatenate: part 0 has shape (2,) and part 1 has (2, 4): different numbers of axes. Use expand_dims?",
    ),
    "concatenate of nothing": (lambda: mt.concatenate([]), "concatenate: nothing to join"),
    "stack": (lambda: mt.stack([t(2), t(3)]), "stack: part 0 has shape (2,) and part 1 has (3,); all must be equal"),
    "squeeze": (lambda: mt.squeeze(t(2, 3), axis=0), "squeeze((2, 3), axis=0): cannot select an axis to squeeze out"),
    "broadcast_to": (lambda: mt.broadcast_to(t(2), (3,)), "broadcast_to((2,), shape=(3,))"),
    "embedding": (
        lambda: mt.embedding(t(4, 2), np.array([1, 4])),
        "embedding: an index is outside 0 ... 3, the rows of the table (4, 2)",
    ),
    "embedding, negative": (lambda: mt.embedding(t(4, 2), np.array([-1])), "embedding: an index is outside 0 ... 3"),
    "cross_entropy": (
        lambda: mt.cross_entropy(t(2, 3), [0]),
        "cross_entropy: logits (2, 3) need targets (2,), one class per row, but got (1,)",
    ),
    "cross_entropy, class": (
        lambda: mt.cross_entropy(t(2, 3), [0, 3]),
        "cross_entropy: target 3 is outside 0 ... 2, the classes of logits (2, 3)",
    ),
}


@pytest.mark.parametrize("case", SHAPE_ERRORS)
def test_a_shape_error_names_the_operation_the_shapes_and_the_users_line(case):
    function, wanted = SHAPE_ERRORS[case]
    with pytest.raises(mt.ShapeError, match=re.escape(wanted.split(":")[0])) as caught:
        function()
    assert said(caught.value).startswith(wanted)
    lines = inspect.getsourcelines(function)
    at = re.search(r"\n  at (.*):(\d+): .*$", str(caught.value))
    assert at[1] == __file__
    assert lines[1] <= int(at[2]) < lines[1] + len(lines[0])


def test_the_users_line_is_found_through_layers_of_the_library():
    layer = mt.nn.Linear(3, 2)
    with pytest.raises(mt.ShapeError, match=r"linear: x \(.*\) does not end with axis -1 of weight") as caught:
        layer(t(1, 4))  # this very line
    assert str(caught.value).endswith("layer(t(1, 4))  # this very line")


def test_the_same_error_comes_from_plain_arrays():
    with pytest.raises(mt.ShapeError, match=r"add: shapes \(2,\) and \(3,\) do not broadcast"):
        mt.add(np.ones(2), np.ones(3))


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (mt.ShapeError, ValueError),
        (mt.DtypeError, TypeError),
        (mt.GradientError, RuntimeError),
        (mt.GraphFreedError, mt.GradientError),
        (mt.RegistrationError, TypeError),
        (mt.FormulaError, ValueError),
    ],
)
def test_every_error_is_also_the_builtin_that_users_expect(error, builtin):
    assert issubclass(error, builtin)
    assert issubclass(error, mt.MinitorchError)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: mt.embedding(t(4, 2), np.array([0.5])), "embedding: indices are float64"),
        (lambda: mt.cross_entropy(t(1, 2), [0.5]), "cross_entropy: targets are float64"),
    ],
)
def test_what_is_counted_in_integers_takes_no_floats(call, wanted):
    with pytest.raises(mt.DtypeError, match=re.escape(wanted) + ".*integers") as caught:
        call()
    assert str(caught.value).startswith(f"{said(caught.value)}\n  at {__file__}:")


def test_an_unknown_reduction_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="reduction is 'average'; it can be 'mean', 'sum' or 'none'"):
        mt.cross_entropy(t(1, 2), [0], reduction="average")


# -- registration ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vjp", "wanted"),
    [
        ({"a": lambda g: g}, r"test_bad: no rule for \['b'\]; give one, or None"),
        (
            {"a": None, "b": None, "c": None},
            r"test_bad: a rule for \['c'\], but its inputs are \['a', 'b'\]",
        ),
        ({"a": lambda g, q: g, "b": None}, r"rule for \('a',\) asks for \['q'\]; it can have \['a', 'b', 'out', 'a_sh"),
        ({"a": lambda: 0, "b": None}, r"the rule for \('a',\) takes \[\]; it must start with one cotangent per output"),
        ({"a": lambda g, *, n: g, "b": None}, r"the rule for \('a',\) reads \['n'\]; its static arguments are \['k'\]"),
    ],
)
def test_a_record_that_contradicts_itself_fails_at_registration(vjp, wanted):
    with pytest.raises(mt.RegistrationError, match=wanted):
        primitive(vjp=vjp, name="test_bad")(lambda a, b, *, k=0: a)
    assert "test_bad" not in REGISTRY


def test_any_number_of_inputs_cannot_stand_beside_others():
    with pytest.raises(mt.RegistrationError, match=r"test_bad: \*parts stands beside \['a'\]; make it the only input"):
        primitive(vjp={"a": None, "parts": None}, name="test_bad")(lambda a, *parts: a)


def test_a_name_can_be_registered_once():
    before = REGISTRY["add"]
    with pytest.raises(mt.RegistrationError, match="primitive 'add' is registered twice"):
        primitive(vjp={"x": None}, name="add")(lambda x: x)
    assert REGISTRY["add"] is before


def test_a_composite_can_be_registered_once():
    try:

        @composite(formula="out[i] = x[i]")
        def test_identity(x):
            return x

        with pytest.raises(mt.RegistrationError, match="composite 'test_identity' is registered twice"):
            composite(formula="out[i] = x[i]")(test_identity.function)
    finally:
        COMPOSITES.pop("test_identity", None)


def test_rules_of_inputs_that_share_work_return_one_gradient_each():
    @primitive(vjp={("a", "b"): lambda g, a, b: (g * b, g * a)}, name="test_shared")
    def product(a, b):
        return a * b

    try:
        a, b = t(2), mt.tensor(np.array([3.0, 5.0]), requires_grad=True)
        product(a, b).sum().backward()
        assert (a.grad.numpy().tolist(), b.grad.numpy().tolist()) == ([3.0, 5.0], [1.0, 1.0])
        alone = mt.grad(product(a, b.detach()).sum(), a)
        assert alone.numpy().tolist() == [3.0, 5.0]
    finally:
        del REGISTRY["test_shared"]


NOT_SHAPES = {
    "a value": (
        lambda: mt.tensor([1, 2]) ** -1,
        mt.OperandError,
        "power((2,), ()): Integers to negative integer powers",
    ),
    "a type": (lambda: t(2, 3).sum(axis=[0, 1]), mt.DtypeError, "sum((2, 3), axis=[0, 1]): "),
    "an argument too many": (
        lambda: mt.tanh(t(2), 2),
        mt.ArgumentError,
        "tanh(x): too many positional arguments",
    ),
    "ragged rows": (lambda: mt.tensor([[1, 2], [3]]), mt.ShapeError, "list cannot become one array"),
    "tensors in a list": (
        lambda: mt.tensor([mt.tensor(1.0, requires_grad=True)]),
        mt.GradientError,
        "a tensor of a list that requires a gradient; a copy of the numbers would lose it",
    ),
}


@pytest.mark.parametrize("case", NOT_SHAPES)
def test_what_is_no_shape_has_an_error_of_its_own_that_names_the_operation(case):
    function, kind, wanted = NOT_SHAPES[case]
    with pytest.raises(kind) as caught:
        function()
    assert said(caught.value).startswith(wanted)
    assert "test_errors.py" in str(caught.value).removeprefix(said(caught.value))


X23, X24 = mt.ones((2, 3)), mt.ones((2, 4))


@pytest.mark.parametrize(
    ("call", "kind", "wanted"),
    [
        (lambda: mt.var(X23, axis=5), mt.ShapeError, "var: axis 5 of shape (2, 3)"),
        (lambda: mt.std(X23, axis=5), mt.ShapeError, "std: axis 5 of shape (2, 3)"),
        (lambda: mt.mse_loss(X23, X24), mt.ShapeError, "mse_loss: shapes (2, 3) and (2, 4) do not broadcast"),
        (lambda: mt.huber_loss(X23, X24), mt.ShapeError, "huber_loss: shapes (2, 3) and (2, 4) do not broadcast"),
        (lambda: mt.kl_div(X23, X24), mt.ShapeError, "kl_div: shapes (2, 3) and (2, 4) do not broadcast"),
        (
            lambda: mt.binary_cross_entropy_with_logits(X23, X24),
            mt.ShapeError,
            "binary_cross_entropy_with_logits: shapes (2, 3) and (2, 4) do not broadcast",
        ),
        (lambda: mt.tensordot(X23, X24, 1), mt.ShapeError, "tensordot: axis 1 of the left (2, 3) is 3, axis 0 of the"),
        (lambda: mt.einsum("ij,jk", X23, X24), mt.ShapeError, "einsum: 'j' is 3 in operand 0 (2, 3) and 2 in operand"),
        (lambda: mt.dot(X23, X24), mt.ShapeError, "dot: inner sizes differ: (2, 3) @ (2, 4)"),
        (lambda: mt.sort(X23, axis=5), mt.ShapeError, "sort: axis 5 of shape (2, 3)"),
        (lambda: mt.masked_fill(X23, [True, False], 0.0), mt.ShapeError, "masked_fill: shapes (2,) and () and (2, 3)"),
        (
            lambda: mt.gather(X23, 1, [[5], [0]]),
            mt.ShapeError,
            "gather((2, 3), index=(array of shape (2, 1), array of shape (2, 1))): index 5 is out of bounds",
        ),
        (lambda: mt.layer_norm(X23, eps=-1.0), mt.OperandError, "layer_norm: eps is -1.0; a variance plus"),
        (lambda: mt.rms_norm(X23, eps=-1.0), mt.OperandError, "rms_norm: eps is -1.0; a variance plus"),
        (lambda: mt.glu(X23, axis=7), mt.ShapeError, "glu: axis 7 of shape (2, 3)"),
        (lambda: mt.safe_where(X23 > 0, mt.exp, X23, X24), mt.ShapeError, "safe_where: shapes (2, 3) and (2, 3) and"),
        (lambda: mt.gather(X23, [[0]], 0), mt.ShapeError, "gather: axis [0] is no integer"),
        (lambda: mt.concatenate(5), mt.ArgumentError, "concatenate: it takes a sequence of arrays, not a int"),
        (lambda: mt.einsum(X23, X23), mt.ArgumentError, "einsum: the subscripts are a Tensor; text such as"),
        (lambda: np.einsum(X23, [0]), mt.ArgumentError, "einsum: the subscripts are a Tensor; text such as"),
        (lambda: mt.dropout(X23, "a"), mt.OperandError, "dropout: p is 'a'; it is a probability"),
        (lambda: mt.dropout(X23, 2.0), mt.OperandError, "dropout: p is 2.0; it is a probability"),
        (lambda: mt.softmax(mt.tensor(1.0)), mt.ShapeError, "softmax: axis -1 of shape (), which has no axes"),
        (lambda: mt.sum(None), mt.DtypeError, "sum: an operand is a NoneType"),
        (
            lambda: mt.sum(X23, foo=1),
            mt.ArgumentError,
            "sum(x, axis=None, keepdims=False): got foo=, which it does not take",
        ),
        (
            lambda: mt.norm(X23, "nuc"),
            mt.OperandError,
            "norm: ord is 'nuc'; over 2 axes it can be 1, -1, inf, -inf or 'fro'",
        ),
        (
            lambda: mt.embedding(X23, [0], padding_idx=9),
            mt.ShapeError,
            "embedding: padding_idx 9 is no row of the table",
        ),
        (lambda: mt.embedding(X23, [0], padding_idx=-3), mt.ShapeError, "embedding: padding_idx -3 is no row of the"),
        (lambda: mt.conv1d(X23, mt.ones((2, 2, 1)), stride=(1, 2)), mt.ArgumentError, "conv1d: stride is (1, 2); one"),
    ],
)
def test_a_refusal_names_what_was_called_and_says_what_it_takes(call, kind, wanted):
    with pytest.raises(kind) as caught:
        call()
    assert said(caught.value).startswith(wanted)
    assert "test_errors.py" in str(caught.value).removeprefix(said(caught.value))


LEAF = mt.tensor(1.0, requires_grad=True)


@pytest.mark.parametrize(
    ("call", "option"),
    [
        (lambda: mt.leaky_relu(X23, LEAF), "leaky_relu: negative_slope"),
        (lambda: mt.tile(X23, LEAF), "tile: reps"),
        (lambda: mt.sum(X23, axis=(LEAF,)), "sum: axis"),
        (lambda: mt.linspace(LEAF, 1, 3), "linspace: an argument"),
        (lambda: mt.full(2, LEAF), "full: an argument"),
    ],
)
def test_an_option_that_requires_a_gradient_is_refused_by_name(call, option):
    with pytest.raises(mt.ArgumentError) as caught:
        call()
    assert str(caught.value).startswith(f"{option} is a Tensor of shape () that requires a gradient")
