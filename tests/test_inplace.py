"""Do in-place writes show the new value everywhere, carry the right derivative, or refuse?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.versions import version


def leaf(*values: float) -> mt.Tensor:
    return mt.tensor(np.array(values), requires_grad=True)


def written(x: mt.Tensor) -> mt.Tensor:
    """Every kind of write, one after the other."""
    h = x * x
    h += x
    h -= 2.0
    h *= h
    h /= x
    h **= 2
    h[1:3] = h[:2] * 3
    h[[0, 0]] = x[2:]  # written twice: the last value stays
    return h


@pytest.mark.parametrize("order", [1, 2])
def test_every_in_place_operation_is_differentiable(order):
    assert mt.gradcheck(written, np.array([0.7, 1.3, 1.9, 0.4]), order=order, h=1e-4, rtol=1e-6) < 1e-6


def test_a_write_changes_the_tensor_itself_and_what_views_show():
    h = leaf(1.0, 2.0, 3.0) * 1.0
    same, view, memory = h, h.detach(), h.numpy()
    h += 10
    assert same is h
    assert view.numpy().tolist() == memory.tolist() == [11.0, 12.0, 13.0]


def test_a_value_that_was_kept_and_then_written_to_raises_at_backward_and_names_operation_and_shape():
    y = mt.exp(leaf(1.0, 2.0))  # exp keeps its result
    z = y.sum()
    y += 1
    with pytest.raises(mt.InPlaceError, match=r"exp: its out of shape \(2,\) was kept .* and written to since"):
        z.backward()


def test_nothing_is_raised_where_nothing_was_kept():
    x = leaf(1.0, 2.0)
    y = x * 2.0  # keeps no tensor
    z = y.sum()
    y += 1
    z.backward()
    assert x.grad.numpy().tolist() == [2.0, 2.0]


def test_a_write_before_the_value_was_kept_is_fine():
    x = leaf(1.0, 2.0)
    y = x + 0
    y += 1
    mt.exp(y).sum().backward()
    assert np.allclose(x.grad.numpy(), np.exp([2.0, 3.0]))


def test_an_optimizer_step_on_a_retained_graph_raises_only_if_the_parameter_itself_was_kept():
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    kept, free = (w * x).sum(), (w + x).sum()
    kept.backward(retain_graph=True)
    with mt.no_grad():
        w -= 0.1
    free.backward()
    with pytest.raises(mt.InPlaceError):
        kept.backward()


def test_a_leaf_that_requires_a_gradient_is_written_to_only_under_no_grad():
    x = leaf(1.0, 2.0)
    with pytest.raises(mt.InPlaceError, match="a leaf of shape"):
        x += 1
    with pytest.raises(mt.InPlaceError, match="a leaf of shape"):
        x[0] = 5.0
    assert x.numpy().tolist() == [1.0, 2.0]
    with mt.no_grad():
        x += 1
        x[0] = 5.0
    assert x.numpy().tolist() == [5.0, 3.0]
    assert x.is_leaf
    assert x.requires_grad


def test_a_plain_buffer_takes_on_the_derivatives_of_what_is_written_into_it():
    x, buffer = leaf(1.0, 2.0), mt.tensor(np.zeros(3))
    buffer[1:] = x * 3
    assert not buffer.is_leaf
    (buffer * buffer).sum().backward()
    assert x.grad.numpy().tolist() == [18.0, 36.0]


def through_views(x: mt.Tensor, w: mt.Tensor) -> mt.Tensor:
    """Writes through views of several depths, and uses of views that are older than a write."""
    base = x * 1.0
    rows, old = base[1:], base[:, 0]
    entry = rows[0][1:]
    rows *= w
    entry += base[0, 1:] * 0.5
    base[:, 1] *= 2.0
    base[0] -= rows[1]
    rows[1, 1:] = entry
    return base * mt.sin(base) + (old * mt.exp(entry).sum())[:, None]


@pytest.mark.parametrize("order", [1, 2])
def test_writes_through_views_carry_their_derivatives_to_the_base_and_to_older_views(order):
    draw = np.random.default_rng(0).standard_normal
    assert mt.gradcheck(through_views, draw((3, 3)), draw(3), order=order, h=1e-4, rtol=1e-6) < 1e-6


def test_one_entry_is_a_view_too():
    z, w = mt.tensor(np.zeros(3)), leaf(5.0)
    entry, corner = z[0], mt.tensor(np.ones((2, 2)))[1, 1]
    entry += w[0] * 2
    assert (entry.shape, corner.shape) == ((), ())
    assert z.tolist() == [10.0, 0.0, 0.0]
    (z[0] * 3).backward()
    assert w.grad.tolist() == [6.0]


def test_a_write_through_a_view_reaches_the_base_also_under_no_grad():
    base = leaf(1.0, 2.0, 3.0) * 1.0
    view = base[1:]
    with mt.no_grad():
        view += 1
    assert base.numpy().tolist() == [1.0, 3.0, 4.0]


def test_a_write_through_a_view_counts_for_its_base_and_a_write_to_the_base_for_its_views():  # case 34
    base = mt.tensor(np.zeros(4))
    view = base[1:].reshape(3, 1)
    before = version(base.numpy()), version(view.numpy())
    view += 1
    base[0] = 5.0
    assert base.tolist() == [5.0, 1.0, 1.0, 1.0]
    assert version(base.numpy()) == version(view.numpy()) == before[0] + 2


def test_a_write_through_a_view_of_what_was_kept_raises_at_the_backward_pass():  # cases 32, 34
    y = mt.exp(leaf(1.0, 2.0, 3.0))
    z = y.sum()
    with mt.no_grad():
        view = y[1:]
        view *= 2.0
    with pytest.raises(mt.InPlaceError, match=r"exp: its out of shape \(3,\)"):
        z.backward()


def test_a_write_to_the_base_of_a_view_that_was_kept_raises_at_the_backward_pass():  # cases 32, 34
    base, w = mt.tensor(np.ones(3)), leaf(1.0, 1.0)
    z = (base[1:] * w).sum()
    base += 1.0
    with pytest.raises(mt.InPlaceError, match=r"multiply: its a of shape \(2,\)"):
        z.backward()


def test_a_view_that_was_taken_before_its_base_was_written_to_has_the_derivative_of_what_it_shows():
    w, base = leaf(5.0, 6.0), mt.tensor(np.zeros(3))
    view = base[:2]
    base[0:2] = w * 2
    (view.sum() + base.sum()).backward()
    assert w.grad.numpy().tolist() == [4.0, 4.0]


def test_a_scalar_view_that_is_differentiated_itself_is_taken_again_first():
    w, base = leaf(5.0), mt.tensor(np.zeros((2, 1)))
    view = base[0]
    base += w
    view.backward()
    assert w.grad.numpy().tolist() == [1.0]


def test_a_write_through_a_view_of_a_leaf_is_refused():
    x = leaf(1.0, 2.0)
    with pytest.raises(mt.InPlaceError, match=r"^\+=: a leaf of shape \(2,\) that requires a gradient"):
        x[1:].__iadd__(1.0)
    assert x.numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("take", [lambda x: x.reshape(-1), lambda x: x.T, lambda x: mt.flip(x)])
def test_a_write_through_a_view_of_another_kind_is_refused_while_a_tape_records(take):
    base = mt.tensor(np.ones((2, 2)))
    view = take(base)
    with pytest.raises(mt.InPlaceError, match=r"^\*=: x of shape .* is a view"):
        view *= leaf(2.0)
    view *= 3.0
    assert base.numpy().tolist() == [[3.0, 3.0], [3.0, 3.0]]
    base *= leaf(2.0)
    with pytest.raises(mt.InPlaceError, match="taken before its base was written to"):
        view.sum()


def test_a_view_that_was_taken_under_no_grad_is_not_written_to_while_a_tape_records():
    base = leaf(1.0, 2.0) * 1.0
    with mt.no_grad():
        view = base[1:]
    with pytest.raises(mt.InPlaceError, match="a view that was taken under no_grad"):
        view += 1.0


def test_a_result_that_shares_its_memory_with_nobody_may_be_written_to():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    results = [
        mt.einsum("ij,jk->ik", x.reshape(2, 2), x.reshape(2, 2)),
        mt.roll(x, 1),
        mt.tile(x, 2),
        (x * 2).reshape(2, 2),
    ]
    for y in results:
        y += 1.0
        y.sum().backward()


@pytest.mark.parametrize(("x", "y"), [(np.array([True, False]), 1), (np.array([1], np.uint8), np.array([300]))])
def test_a_write_that_integers_cannot_hold_is_refused(x, y):
    x = mt.tensor(x)
    with pytest.raises(mt.DtypeError, match=r"^\+=: the result is int64, x is (bool|uint8) and cannot hold it"):
        x += y


def test_a_transposed_parameter_stays_usable_after_a_step():
    w = mt.tensor(np.eye(2), requires_grad=True)
    t = w.T
    with mt.no_grad():
        w *= 2.0
    (t @ np.ones(2)).sum().backward()
    assert w.grad.numpy().tolist() == [[1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("write", "kind", "said"),
    [
        (lambda: leaf(1.0).detach().__iadd__(np.ones((2, 1))), mt.ShapeError, "x cannot grow"),
        (lambda: mt.tensor([1, 2]).__iadd__(0.5), mt.DtypeError, "x is int64 and cannot hold it"),
        (lambda: mt.broadcast_to(mt.tensor([1.0]), (3,)).__iadd__(1), mt.InPlaceError, "repeats entries"),
        (lambda: mt.tensor([1.0, 2.0]).__setitem__(5, 1.0), mt.ShapeError, "index 5 is out of bounds"),
    ],
)
def test_a_write_that_does_not_fit_is_refused(write, kind, said):
    with pytest.raises(kind, match=said):
        write()


def test_a_write_keeps_the_dtype():
    x = mt.tensor([1.0, 2.0])
    x += np.array([0.5, 0.5])
    assert x.dtype == np.float32
    assert x.copy_(np.arange(2)).numpy().tolist() == [0.0, 1.0]
    assert x.zero_().numpy().tolist() == [0.0, 0.0]


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 3), (1, 1), (3,), ()])
def test_a_value_with_leading_axes_of_size_1_gets_its_gradient(shape):
    for write in (lambda z, v: z.__setitem__(0, v), lambda z, v: z.__setitem__([1, 1], v)):
        z, v = mt.zeros((2, 3)), mt.tensor(np.ones(shape), requires_grad=True)
        write(z, v)
        z.sum().backward()
        assert v.grad.shape == shape
        assert v.grad.numpy().sum() == 3
    z, v = mt.zeros(3), mt.tensor(np.ones((1, 3)), requires_grad=True)
    z.copy_(v).sum().backward()
    assert v.grad.tolist() == [[1.0, 1.0, 1.0]]
