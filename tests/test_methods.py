"""Is a method of a Tensor the operation of its name?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.entrywise import Entrywise
from minitorch.methods import Methods

X = np.array([[0.5, -1.5], [2.0, 0.25]])
ARGUMENTS = {
    "reshape": (-1,),
    "swapaxes": (0, 1),
    "repeat": (2,),
    "take": ([0, 3],),
    "pow": (2,),
    "masked_fill": (X > 0, 1.0),
    "expand_dims": (1,),
    "topk": (1,),
    "dot": (X,),
    "astype": (np.float32,),
    "broadcast_to": ((3, 2, 2),),
    "to": (np.float32,),
    "moveaxis": (0, 1),
    "tile": (2,),
    "roll": (1,),
    "split": (2,),
    "unsqueeze": (0,),
    "gather": (1, np.array([[0], [1]])),
    "scatter_add": (1, np.array([[0], [1]]), X[:, :1]),
    "take_along_axis": (np.array([[0], [1]]), 1),
}
OTHER = {
    "trace": "matrix_trace",
    "to": "astype",
    "clone": "positive",
    "copy": "positive",
    "permute": "transpose",
    "unsqueeze": "expand_dims",
}
ELSEWHERE = ("T", "mT", "flatten", "ravel", "half", "float", "double")
NAMES = [n for n in {**vars(Methods), **vars(Entrywise)} if not n.startswith("_") and n not in ELSEWHERE]
POSITIVE = ("log", "log2", "log10", "sqrt", "rsqrt", "log1p")


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_the_operation_of_its_name(name):
    x = mt.tensor(np.abs(X) if name in POSITIVE else X / 4 if name.startswith("arc") else X, requires_grad=True)
    args = ARGUMENTS.get(name, ())
    found = getattr(x, name)(*args)
    wanted = getattr(mt, OTHER.get(name, name))(x, *args)
    for a, b in zip(*((v if isinstance(v, tuple | list) else (v,)) for v in (found, wanted)), strict=True):
        assert isinstance(a, mt.Tensor)
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert a.requires_grad == b.requires_grad


def test_a_dtype_can_be_asked_for_by_name_and_the_gradient_comes_back_in_its_own():
    x = mt.tensor(X, requires_grad=True)
    for method, dtype in (("half", np.float16), ("float", np.float32), ("double", np.float64)):
        y = getattr(x, method)()
        assert y.dtype == dtype
        assert mt.grad(y.sum(), x).dtype == np.float64
    assert float(x[0, 0]) == 0.5


def test_a_clone_has_memory_of_its_own_and_passes_the_gradient_on():
    x = mt.tensor(X, requires_grad=True)
    y = x.clone()
    assert not np.shares_memory(x.numpy(), y.numpy())
    np.testing.assert_array_equal(mt.grad((y * y).sum(), x).numpy(), 2 * X)


def test_the_last_two_axes_are_exchanged_and_values_come_as_lists():
    x = mt.tensor(np.arange(6.0).reshape(1, 2, 3))
    assert x.mT.shape == (1, 3, 2)
    assert x.mT.tolist() == [[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]]


def test_flatten_and_ravel_put_all_entries_on_one_axis_even_none():
    assert mt.tensor(X).flatten().numpy().tolist() == mt.tensor(X).ravel().numpy().tolist() == [0.5, -1.5, 2.0, 0.25]
    assert mt.tensor(np.ones((0, 3))).flatten().shape == (0,)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std", "norm", "logsumexp", "any", "all"])
def test_a_reduction_takes_axis_and_keepdims(name):
    found = getattr(mt.tensor(X), name)(axis=-1, keepdims=True)
    np.testing.assert_array_equal(found.numpy(), getattr(mt, name)(X, axis=1, keepdims=True))
    assert found.shape == (2, 1)


def test_conditions_combine_with_and_or_and_not():
    x = mt.tensor([-1.0, 0.5, 2.0])
    assert ((x > 0) & (x < 1)).numpy().tolist() == [False, True, False]
    assert ((x < 0) | (x > 1)).numpy().tolist() == [True, False, True]
    assert (~(x > 0)).numpy().tolist() == [True, False, False]
    assert (np.array([True, True, False]) & (x > 0)).numpy().tolist() == [False, True, False]
    assert (True ^ (x > 0)).numpy().tolist() == [True, False, False]
    assert (6 & mt.tensor([3, 4])).numpy().tolist() == [2, 4]


def test_numpys_trace_is_the_sum_of_the_diagonal():
    x = mt.tensor(X, requires_grad=True)
    assert np.trace(x).item() == x.trace().item() == 0.75
    assert mt.grad(np.trace(x), x).numpy().tolist() == [[1.0, 0.0], [0.0, 1.0]]


V, M = mt.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True), mt.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
I = np.int64


@pytest.mark.parametrize(
    ("call", "same"),
    [
        (lambda: mt.tile(V, I(2)), lambda: mt.tile(V, 2)),
        (lambda: mt.tile(V, [2, 1]), lambda: mt.tile(V, (2, 1))),
        (lambda: mt.tile(V, mt.tensor(2)), lambda: mt.tile(V, 2)),
        (lambda: mt.roll(V, [1], axis=0), lambda: mt.roll(V, 1, axis=0)),
        (lambda: mt.roll(M, np.array([1, 1]), axis=(0, 1)), lambda: mt.roll(M, (1, 1), axis=(0, 1))),
        (lambda: mt.repeat(V, [2]), lambda: mt.repeat(V, 2)),
        (lambda: mt.repeat(V, mt.tensor([1, 0, 2, 1])), lambda: mt.repeat(V, [1, 0, 2, 1])),
        (lambda: mt.split(V, I(2))[1], lambda: mt.split(V, 2)[1]),
        (lambda: mt.split(V, mt.tensor([1, 3]))[1], lambda: mt.split(V, [1, 3])[1]),
        (lambda: mt.moveaxis(M, [0], [1]), lambda: mt.moveaxis(M, 0, 1)),
        (lambda: V.reshape(np.array([2, 2])), lambda: V.reshape(2, 2)),
        (lambda: V.reshape(mt.tensor([2, 2])), lambda: V.reshape(2, 2)),
        (lambda: V[mt.tensor(1) :], lambda: V[1:]),
        (lambda: V.clip(mt.tensor(2.0)), lambda: V.clip(2.0)),
        (lambda: mt.sum(M, axis=mt.tensor(1)), lambda: mt.sum(M, axis=1)),
        (lambda: mt.rotary(M, positions=I(3)), lambda: mt.rotary(M, positions=3)),
        (lambda: mt.tensordot(M, M, np.array([[0], [0]])), lambda: mt.tensordot(M, M, ((0,), (0,)))),
        (lambda: mt.cumprod(M[0, 0], axis=0), lambda: mt.cumprod(M[0, :1], axis=0)),
        (lambda: mt.concatenate([M, V], axis=None), lambda: mt.concatenate([M.flatten(), V])),
        (
            lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=(1,), stride=(2,), dilation=[1]),
            lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=1, stride=2),
        ),
        (lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=I(1)), lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=1)),
        (lambda: mt.linspace(mt.tensor(0.0), 1, 3) * V[:3], lambda: mt.linspace(0.0, 1, 3) * V[:3]),
    ],
)
def test_options_are_taken_as_numpy_integers_lists_and_tensors_too(call, same):
    found, wanted = call(), same()
    assert found.tolist() == wanted.tolist()
    gs, ws = (mt.grad((y * y).sum(), [V, M], allow_unused=True) for y in (found, wanted))
    for g, w in zip(gs, ws, strict=True):
        assert (g is None) == (w is None)
        assert g is None or g.tolist() == w.tolist()
