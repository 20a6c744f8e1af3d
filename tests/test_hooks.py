"""Do hooks see gradients, replace them, and leave when asked?"""

import numpy as np
import pytest

import minitorch as mt


def test_a_hook_on_a_leaf_sees_the_whole_gradient_once():
    x, seen = mt.tensor([1.0, 2.0], requires_grad=True), []
    x.register_hook(lambda g: seen.append(g.numpy().tolist()))
    (x * x + x).sum().backward()
    assert seen == [[3.0, 5.0]]
    assert x.grad.numpy().tolist() == [3.0, 5.0]


def test_a_hook_on_a_result_may_replace_its_gradient_and_be_removed():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    h = x * 3
    handle = h.register_hook(lambda g: g * 10)
    h.sum().backward(retain_graph=True)
    assert x.grad.numpy().tolist() == [30.0, 30.0]
    x.grad = None
    handle.remove()
    handle.remove()  # a second time does nothing
    h.sum().backward()
    assert x.grad.numpy().tolist() == [3.0, 3.0]


def test_a_hook_leaves_by_its_handle_called_or_removed_or_at_the_end_of_a_block_and_no_other_leaves_with_it():
    x = mt.tensor([1.0], requires_grad=True)
    ten = lambda g: g * 10
    first, second = x.register_hook(ten), x.register_hook(ten)

    def gradient():
        x.grad = None
        (x * 1).sum().backward()
        return x.grad.item()

    assert gradient() == 100.0
    first()
    first.remove()
    assert gradient() == 10.0
    with x.register_hook(lambda g: g + 1):
        assert gradient() == 11.0
    second.remove()
    assert gradient() == 1.0
    once = x.register_hook(lambda g: once.remove())
    x.register_hook(lambda g: g * 2)
    assert [gradient(), gradient()] == [2.0, 2.0]


def scale(g):
    g *= 10


@pytest.mark.parametrize("create_graph", [False, True])
def test_what_a_hook_writes_into_its_gradient_counts_and_reaches_no_other_gradient(create_graph):
    a, b = (mt.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    a.register_hook(scale)
    y = a + b
    y.register_hook(scale)
    (a + y + b).sum().backward(create_graph=create_graph)
    assert a.grad.numpy().tolist() == [110.0, 110.0]
    assert b.grad.numpy().tolist() == [11.0, 11.0]


def test_a_hook_that_keeps_its_gradient_is_not_shown_later_ones_in_it():
    x, kept = mt.tensor([1.0], requires_grad=True), []
    x.register_hook(kept.append)
    for _ in range(2):
        (x * 3).sum().backward()
    assert x.grad.item() == 6.0
    assert [g.item() for g in kept] == [3.0, 3.0]


def test_a_written_gradient_is_differentiated_with_the_rest():
    x = mt.tensor(2.0, requires_grad=True)
    y = x * x
    handle = y.register_hook(scale)
    first = mt.grad(y * y, x, create_graph=True)  # 10 * 2y * 2x = 40 x^3
    assert first.item() == 40 * 2**3
    handle.remove()
    assert mt.grad(first, x).item() == 120 * 2**2


def test_a_hook_is_differentiated_with_the_rest():
    x = mt.tensor(2.0, requires_grad=True)
    y = x * x
    remove = y.register_hook(lambda g: g * g * 3)
    first = mt.grad(y * y, x, create_graph=True)  # 3 (2y)^2 * 2x = 24 x^5
    assert first.item() == 24 * 2**5
    remove()  # the second sweep would pass y, and its hook, again
    assert mt.grad(first, x).item() == 120 * 2**4


def test_a_hook_cannot_change_the_shape_or_wait_where_no_gradient_comes():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(mt.GradientError, match=r"a hook returned shape \(\) for a gradient of shape \(2,\)"):
        x.sum().backward()
    with pytest.raises(mt.GradientError, match="never runs"):
        mt.tensor(np.ones(2)).register_hook(print)
    y = mt.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(mt.ArgumentError, match="register_hook: got 3, a int; it takes a function"):
        y.register_hook(3)
    y.register_hook(lambda g: 3.0)
    with pytest.raises(mt.GradientError, match=r"a hook returned a float for a gradient of shape \(2,\)"):
        y.sum().backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_what_a_hook_returns_is_rounded_to_the_gradients_dtype_also_an_array(create_graph):
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: np.array([0.1, 0.2]))
    x.register_hook(lambda g: mt.tensor(g.numpy().astype(np.float64)))
    y.sum().backward(create_graph=create_graph)
    np.testing.assert_array_equal(x.grad.numpy(), 2 * np.array([0.1, 0.2], np.float32))


def test_requires_grad_can_be_changed_on_a_leaf_only():
    x = mt.tensor([1.0]).requires_grad_()
    assert x.requires_grad
    assert not x.requires_grad_(False).requires_grad
    with pytest.raises(mt.DtypeError, match="int64"):
        mt.tensor([1]).requires_grad_()
    with pytest.raises(mt.GradientError, match="a result of multiply"):
        (mt.tensor([1.0], requires_grad=True) * 2).requires_grad_(False)
