"""Is a Tensor a value: copied in, read-only out, with the dtype and the operators that its user expects?"""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import minitorch as mt

# -- copies ------------------------------------------------------------------------------------------------------------


def test_a_tensor_is_a_copy_of_its_source():
    source = np.array([2.0])
    x = mt.tensor(source, requires_grad=True)
    y = x * x
    source[0] = 10.0
    y.sum().backward()
    assert (x.numpy()[0], x.grad.numpy()[0]) == (2.0, 4.0)


class Foreign(np.ndarray):
    """Any subclass of ndarray: a memory map, a matrix."""


@pytest.mark.parametrize("as_type", [np.ndarray, Foreign])
def test_a_constant_that_is_written_to_after_the_forward_pass_does_not_change_the_gradient(as_type):
    x, c = mt.tensor([1.0, 1.0], requires_grad=True), np.array([2.0, 3.0]).view(as_type)
    y = (x * c).sum()
    c[:] = 99.0
    y.backward()
    assert x.grad.numpy().tolist() == [2.0, 3.0]


@pytest.mark.parametrize("wrap", [lambda i: i, lambda i: (slice(None), i), lambda i: mt.tensor(i)])
@pytest.mark.parametrize("make", [np.array, list])
def test_an_index_that_is_written_to_after_the_forward_pass_does_not_change_the_gradient(make, wrap):
    x, index = mt.tensor(np.ones((3, 3)), requires_grad=True), make([0, 1])
    y = x[wrap(index)].sum()
    index[0] = 2
    g = mt.grad(y, x).numpy()
    y = mt.tensor(np.ones((3, 3)), requires_grad=True)
    np.testing.assert_array_equal(g, mt.grad(y[wrap(make([0, 1]))].sum(), y).numpy())


def test_numpy_is_a_read_only_view():
    x = mt.tensor([1.0, 2.0])
    for view in (x.numpy(), np.asarray(x)):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 5.0
        assert np.shares_memory(view, x.numpy())


def test_np_array_of_a_tensor_is_a_writable_copy():
    x = mt.tensor([1.0, 2.0])
    array = np.array(x)
    array[0] = 5.0
    assert x.numpy()[0] == 1.0
    assert np.asarray(x, np.float64).dtype == np.float64


def test_detach_shares_the_values_and_stops_gradients():
    x = mt.tensor([2.0], requires_grad=True)
    d = (x * x).detach()
    assert not d.requires_grad
    (x * d).sum().backward()
    assert x.grad.item() == 4.0
    assert np.shares_memory(x.detach().numpy(), x.numpy())


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_a_copy_takes_the_values_and_requires_grad_but_not_the_graph(again):
    x = mt.Parameter(np.array([1.0, 2.0]), name="w")
    other = again(x)
    assert (type(other), other.name, other.requires_grad, other.grad) == (mt.Parameter, "w", True, None)
    y = again(mt.exp(x))
    assert y.is_leaf
    assert y.requires_grad
    np.testing.assert_array_equal(y.numpy(), np.exp(x.numpy()))
    assert not np.shares_memory(other.numpy(), x.numpy())


def test_a_chain_of_100_000_operations_can_be_copied_and_pickled():
    y = mt.tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = -y
    assert copy.deepcopy(y).item() == pickle.loads(pickle.dumps(y)).item() == 1.0


def test_a_subclass_is_recorded_like_a_tensor():
    class Weight(mt.Parameter):
        pass

    w = Weight([3.0])
    (w * w + mt.sum(w)).sum().backward()
    assert w.grad.item() == 7.0


# -- as a container and a truth value ----------------------------------------------------------------------------------


def test_equality_is_entry_by_entry_and_has_no_gradient():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    assert (x == [1.0, 3.0]).numpy().tolist() == [True, False]
    assert (x != x).numpy().tolist() == [False, False]
    assert not (x == x).requires_grad


@pytest.mark.parametrize(
    ("compare", "wanted"),
    [
        (lambda a, b: a < b, [True, False, False]),
        (lambda a, b: a <= b, [True, True, False]),
        (lambda a, b: a > b, [False, False, True]),
        (lambda a, b: a >= b, [False, True, True]),
    ],
)
def test_order_is_entry_by_entry_on_either_side_of_an_array(compare, wanted):
    a, b = [1.0, 2.0, 3.0], np.array([2.0, 2.0, 2.0])
    assert compare(mt.tensor(a), b).numpy().tolist() == wanted
    assert compare(np.array(a), mt.tensor(b)).numpy().tolist() == wanted


def test_the_hash_is_that_of_the_identity():
    x, y = mt.tensor(1.0), mt.tensor(1.0)
    assert len({x, y, x}) == 2


def test_only_one_entry_has_a_truth_value():
    assert bool(mt.tensor([1.0]))
    assert not bool(mt.tensor(0.0))
    for x in (mt.tensor([1.0, 2.0]), mt.tensor(np.ones(0))):
        with pytest.raises(mt.ShapeError, match=rf"the truth of a tensor of shape \({x.size},\) is ambiguous"):
            bool(x)


def test_item_float_and_int_need_one_entry():
    assert (mt.tensor([[2.5]]).item(), float(mt.tensor(2.5)), int(mt.tensor(2.5))) == (2.5, 2.5, 2)
    with pytest.raises(mt.ShapeError, match=r"item\(\) of shape \(2,\), which has 2 entries"):
        mt.tensor([1.0, 2.0]).item()


def test_len_iteration_and_in_go_over_the_first_axis():
    x = mt.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert len(x) == 2
    assert [row.shape for row in x] == [(2,), (2,)]
    assert 3.0 in x
    assert 5.0 not in x
    first, _ = x
    first.sum().backward()
    assert x.grad.numpy().tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_a_scalar_has_no_length_and_cannot_be_iterated():
    for ask in (len, list):
        with pytest.raises(TypeError, match="without axes"):
            ask(mt.tensor(1.0))


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (mt.tensor([1.0]), "Tensor([1.], dtype=float32)"),
        (mt.tensor(np.array(2.0)), "Tensor(2.)"),
        (mt.tensor([1, 2]), "Tensor([1, 2])"),
        (mt.tensor([1.0], requires_grad=True), "Tensor([1.], dtype=float32, requires_grad=True)"),
        (mt.tensor([1.0], requires_grad=True) * 2, "Tensor([2.], dtype=float32, op=multiply)"),
    ],
)
def test_repr_shows_values_dtype_and_origin(x, shown):
    assert repr(x) == shown


# -- arrays on the left, and NumPy's own functions ---------------------------------------------------------------------


@pytest.mark.parametrize("left", [np.array([[1.0, 2.0]]), [[1.0, 2.0]]])
def test_an_array_on_the_left_asks_the_tensor(left):
    x = mt.tensor(np.array([[3.0], [4.0]]), requires_grad=True)
    y = left @ x
    assert isinstance(y, mt.Tensor)
    y.sum().backward()
    assert x.grad.numpy().tolist() == [[1.0], [2.0]]


def test_numbers_on_the_left_of_every_operator():
    x = mt.tensor(np.array([2.0]), requires_grad=True)
    for y, value, slope in [
        (3 + x, 5, 1),
        (3 - x, 1, -1),
        (3 * x, 6, 3),
        (3 / x, 1.5, -0.75),
        (3**x, 9, 9 * np.log(3)),
        (np.float64(3) * x, 6, 3),
        (np.array([3.0]) - x, 1, -1),
        (-x, -2, -1),
        (abs(-x), 2, 1),
    ]:
        assert y.item() == pytest.approx(value)
        assert mt.grad(y, x).item() == pytest.approx(slope)


def test_an_unknown_keyword_is_refused():
    with pytest.raises(TypeError, match="got out=, which it does not take"):
        mt.add(mt.tensor(1.0), 2.0, out=np.zeros(()))


def test_inputs_may_be_given_by_keyword_and_static_arguments_by_position():
    x = mt.tensor(np.ones((2, 3)))
    assert mt.sum(x, 0).shape == mt.sum(x=x, axis=0).shape == (3,)
    assert mt.sum(x, -1, True).shape == (2, 1)
    assert mt.add(a=x, b=1.0).shape == (2, 3)


def test_methods_and_functions_are_the_same_operations():
    x = mt.tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True)
    for y, op in [
        (x.sum(0), "sum"),
        (x.mean(-1, keepdims=True), "mean"),
        (x.max(), "max"),
        (x.exp(), "exp"),
        (x.log(), "log"),
        (x.sqrt(), "sqrt"),
        (x.tanh(), "tanh"),
        (x.reshape(3, 2), "reshape"),
        (x.reshape((3, 2)), "reshape"),
        (x.transpose(1, 0), "transpose"),
        (x.T, "transpose"),
        (x.swapaxes(0, 1), "swapaxes"),
    ]:
        assert y._origin.primitive.name == op
    assert x.T.shape == x.transpose().shape == x.transpose((1, 0)).shape == x.reshape(3, 2).shape == (3, 2)


def test_what_is_no_data_equals_no_tensor():
    x = mt.tensor([1.0, 2.0])
    assert (x == None) is False  # noqa: E711 (the operator is what is asked)
    assert (x != "a") is True
    assert x not in [None, "a"]
    assert (x == [1.0, 5.0]).tolist() == [True, False]
    with pytest.raises(mt.ShapeError, match=r"equal: shapes \(2,\) and \(3,\) do not broadcast"):
        x.__contains__(np.ones(3))


def test_a_tensor_that_may_only_be_read_says_so_when_it_is_written_to():
    array = np.ones(2)
    array.flags.writeable = False
    with pytest.raises(mt.InPlaceError, match=r"x of shape .* is in memory that may only be read"):
        mt.from_numpy(array).zero_()


def test_sizes_of_random_numbers_come_one_by_one_or_in_a_tuple_and_are_not_negative():
    assert mt.rand(2, 3).shape == mt.rand((2, 3)).shape == mt.randn([2, 3]).shape == (2, 3)
    with pytest.raises(mt.ShapeError, match=r"full\(-1, 0.*negative"):
        mt.zeros(-1)


def test_a_result_retains_its_gradient_if_it_is_asked_to():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    y.retain_grad()
    x.retain_grad()
    z = y * y
    z.sum().backward(retain_graph=True)
    assert y.grad.tolist() == [6.0, 12.0]
    assert x.grad.tolist() == [18.0, 36.0]
    assert z.grad is None
    z.sum().backward()
    assert y.grad.tolist() == [12.0, 24.0]
    with pytest.raises(mt.GradientError, match=r"retain_grad\(\) of a tensor of shape \(1,\) that does not require"):
        mt.tensor([1.0]).retain_grad()


def test_of_several_results_one_retains_its_gradient_and_it_is_not_kept_alive_by_that():
    x = mt.tensor([3.0, 1.0, 2.0], requires_grad=True)
    first, rest = mt.split(x * 1.0, [1])
    for part in (first, rest):
        part.retain_grad()
    y = (first * 5.0).sum() + (rest * rest).sum()
    del first
    y.backward()
    assert rest.grad.tolist() == [2.0, 4.0]


def test_requires_grad_can_be_assigned_and_data_is_the_memory_without_a_tape():
    x = mt.tensor([1.0, 2.0])
    x.requires_grad = True
    assert x.requires_grad
    x.data -= 0.5
    x.data = x.data * 2
    assert x.tolist() == [1.0, 3.0]
    assert x.is_leaf
    assert x.requires_grad
    with pytest.raises(mt.ShapeError, match=r"data of shape \(3,\) for a tensor of shape \(2,\)"):
        x.data = np.ones(3)
    with pytest.raises(mt.DtypeError, match="floating-point"):
        mt.tensor([1]).requires_grad = True


def test_a_number_without_axes_is_formatted_and_counts_as_one():
    assert f"{mt.tensor(1.5):.2f}" == "1.50"
    assert f"{mt.tensor([1.0])}" == str(mt.tensor([1.0]))
    assert [*range(mt.tensor(2))] == [0, 1]
    assert [5, 6, 7][mt.tensor(1)] == 6
    with pytest.raises(mt.ShapeError, match=r"the format '\.2f' of a tensor of shape \(1,\)"):
        f"{mt.tensor([1.0]):.2f}"
    with pytest.raises(mt.DtypeError, match="a float32 tensor of shape"):
        range(mt.tensor(2.0))


def test_pytorchs_in_place_methods_and_views():
    x = mt.tensor(np.arange(4.0))
    x.add_(1.0, alpha=2).mul_(2.0).sub_(1.0).div_(3.0).clamp_(1.5, 2.9)
    np.testing.assert_allclose(x.numpy(), [1.5, 5 / 3, 7 / 3, 2.9])
    assert x.fill_(7.0).tolist() == [7.0] * 4
    x.view(2, 2)[0] = 1.0
    assert x.tolist() == [1.0, 1.0, 7.0, 7.0]
    with pytest.raises(mt.ShapeError, match=r"view: the entries of \(2, 2\) do not lie in memory as \(4,\)"):
        x.view(2, 2).T.view(-1)
    assert (x.dim(), x.numel(), x.element_size(), x.is_contiguous()) == (1, 4, 8, True)
    x %= 2.0
    x //= 1.0
    assert x.tolist() == [1.0] * 4
