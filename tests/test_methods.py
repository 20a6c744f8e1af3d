"""Is a method of a Tensor the operation of its name?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
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
}
OTHER = {"trace": "matrix_trace"}
NAMES = [n for n in vars(Methods) if not n.startswith("_") and n not in ("T", "flatten", "ravel")]


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_the_operation_of_its_name(name):
    x = mt.tensor(np.abs(X) if name in ("log", "sqrt", "rsqrt", "log1p") else X, requires_grad=True)
    args = ARGUMENTS.get(name, ())
    found = getattr(x, name)(*args)
    wanted = getattr(mt, OTHER.get(name, name))(x, *args)
    for a, b in zip(*((v if isinstance(v, tuple) else (v,)) for v in (found, wanted)), strict=True):
        assert isinstance(a, mt.Tensor)
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert a.requires_grad == b.requires_grad


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
