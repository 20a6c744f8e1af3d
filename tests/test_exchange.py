"""Do arrays come in and go out without a copy where that is asked for, and never where a gradient would be lost?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt


def test_a_tensor_made_of_an_array_is_a_copy_and_from_numpy_shares():
    a = np.ones(3)
    copied, shared = mt.tensor(a), mt.from_numpy(a)
    a[0] = 10.0
    assert copied.tolist() == [1.0, 1.0, 1.0]
    assert shared.tolist() == [10.0, 1.0, 1.0]
    shared.copy_(np.full(3, 2.0))
    assert a.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("share", [mt.from_numpy, mt.from_dlpack])
def test_what_shares_memory_says_that_foreign_writes_are_not_seen_and_they_are_not(share):  # case 33
    assert "not seen by the tape" in " ".join(share.__doc__.split())
    a = np.array([1.0, 2.0])
    x = share(a).requires_grad_()
    y = (x * x).sum()
    a[0] = 5.0
    assert x.tolist() == [5.0, 2.0]
    assert mt.grad(y, x).tolist() == [10.0, 4.0]  # of the value that stands there now: no error, as it says


def test_an_array_of_a_tensor_is_read_only_and_shares_its_memory():
    x = mt.tensor([1.0, 2.0])
    view = np.asarray(x)
    assert np.shares_memory(view, x.numpy())
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 3.0


@pytest.mark.parametrize("ask", [np.asarray, np.array, lambda x: np.from_dlpack(x)])
def test_an_array_of_what_requires_a_gradient_is_refused_and_of_its_detached_values_given(ask):
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    for lost in (x, x * 2):
        with pytest.raises(mt.GradientError, match=r"of shape \(2,\) would lose its gradient. Use tensor.detach\(\)"):
            ask(lost)
    assert ask(x.detach()).tolist() == [1.0, 2.0]
    with mt.no_grad():  # nobody records here, so that nothing is lost
        assert ask(x).tolist() == [1.0, 2.0]


def test_dlpack_goes_both_ways_without_a_copy():
    a = np.arange(6.0).reshape(2, 3)
    x = mt.from_dlpack(a)
    assert np.shares_memory(a, x.numpy())
    assert np.shares_memory(np.from_dlpack(x), a)
    assert x.__dlpack_device__() == (1, 0)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: mt.from_numpy([1.0]), mt.DtypeError, "from_numpy: got a list, wanted an array"),
        (lambda: mt.from_numpy(np.array([1j])), mt.DtypeError, "complex128; tensors hold"),
        (lambda: mt.from_dlpack([1.0]), mt.DtypeError, "a list has no __dlpack__"),
        (lambda: mt.from_dlpack(Elsewhere()), mt.OperandError, "a Elsewhere cannot be shared: .*device"),
    ],
)
def test_what_cannot_be_shared_is_refused_with_the_reason(call, error, said):
    with pytest.raises(error, match=said):
        call()


class Elsewhere:
    """An array on another device."""

    def __dlpack__(self, **options):
        raise BufferError("on another device")

    def __dlpack_device__(self):
        return (1, 0)


@pytest.mark.torch
def test_pytorch_shares_memory_both_ways():
    torch = pytest.importorskip("torch")
    theirs = torch.arange(4.0)
    ours = mt.from_dlpack(theirs)
    theirs[0] = 7.0
    assert ours.tolist() == [7.0, 1.0, 2.0, 3.0]
    x = mt.tensor([1.0, 2.0])
    back = torch.from_dlpack(x)
    back[1] = 5.0
    assert x.tolist() == [1.0, 5.0]
    wanting = torch.ones(2, requires_grad=True)
    with pytest.raises(mt.OperandError, match="cannot be shared"):
        mt.from_dlpack(wanting)


# -- what begins without data ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda: mt.zeros((2, 3)), np.zeros((2, 3), np.float32)),
        (lambda: mt.ones(2, np.float64), np.ones(2)),
        (lambda: mt.full((1, 2), 7), np.full((1, 2), 7, np.float32)),
        (lambda: mt.arange(2, 8, 3), np.arange(2, 8, 3)),
        (lambda: mt.arange(0.5, 2), np.arange(0.5, 2).astype(np.float32)),
        (lambda: mt.linspace(0, 1, 3), np.linspace(0, 1, 3, dtype=np.float32)),
        (lambda: mt.eye(2, 3), np.eye(2, 3, dtype=np.float32)),
        (lambda: mt.zeros_like(mt.tensor(np.ones((2, 1)))), np.zeros((2, 1))),
        (lambda: mt.ones_like(np.arange(3)), np.ones(3, int)),
        (lambda: mt.full_like(mt.tensor([1.0]), 2, np.float64), np.full(1, 2.0)),
    ],
)
def test_a_new_tensor_is_numpys_array_in_the_default_dtype(ours, theirs):
    found = ours()
    assert found.dtype == theirs.dtype
    np.testing.assert_array_equal(found.numpy(), theirs)


def test_new_tensors_follow_the_default_dtype_and_may_require_a_gradient():
    with mt.default_dtype("float64"):
        assert {f(2).dtype for f in (mt.zeros, mt.ones, mt.rand, mt.randn, mt.eye)} == {np.dtype(np.float64)}
    assert mt.zeros(2, requires_grad=True).requires_grad
    with pytest.raises(mt.DtypeError, match="requires_grad=True of a int64 tensor"):
        mt.arange(3, requires_grad=True)


def test_random_tensors_come_from_the_one_generator():
    mt.seed(3)
    first = mt.rand(2), mt.randn(2)
    mt.seed(3)
    again = mt.rand(2), mt.randn(2)
    assert [t.tolist() for t in first] == [t.tolist() for t in again]
    assert all(0 <= v < 1 for v in first[0].tolist())


def test_sizes_that_are_not_in_one_tuple_are_refused_with_how_to_write_them():
    with pytest.raises(mt.ArgumentError, match=r"sizes go into one tuple: \(2, 3\)"):
        mt.zeros(2, 3)


def test_an_array_that_runs_backwards_in_memory_is_not_given_away():
    with pytest.raises(mt.OperandError, match=r"its steps in memory are .* PyTorch ends the process"):
        np.from_dlpack(mt.ones(3)[::-1])
    assert np.from_dlpack(mt.ones(3)[::-1] + 0).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("data", [lambda x: x, lambda x: x * 2, lambda x: [x, 1.0]])
def test_a_tensor_that_requires_a_gradient_is_not_copied_without_a_word(data):
    x = mt.tensor(1.0, requires_grad=True)
    with pytest.raises(mt.GradientError, match="a copy of the numbers would lose it"):
        mt.tensor(data(x))
    with mt.no_grad():
        assert mt.tensor(x).item() == 1.0


@pytest.mark.torch
def test_another_librarys_array_that_wants_its_gradient_is_refused_in_a_sentence():
    torch = pytest.importorskip("torch")
    theirs = torch.ones(2, requires_grad=True)
    for take in (mt.tensor, lambda a: mt.ones(2) + a):
        with pytest.raises(mt.OperandError, match=r"torch.Tensor cannot be read: .*detached"):
            take(theirs)
    assert mt.tensor(theirs.detach()).tolist() == [1.0, 1.0]
