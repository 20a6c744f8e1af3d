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
    remove = h.register_hook(lambda g: g * 10)
    h.sum().backward(retain_graph=True)
    assert x.grad.numpy().tolist() == [30.0, 30.0]
    x.grad = None
    remove()
    remove()  # a second time does nothing
    h.sum().backward()
    assert x.grad.numpy().tolist() == [3.0, 3.0]


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


def test_requires_grad_can_be_changed_on_a_leaf_only():
    x = mt.tensor([1.0]).requires_grad_()
    assert x.requires_grad
    assert not x.requires_grad_(False).requires_grad
    with pytest.raises(mt.DtypeError, match="int64"):
        mt.tensor([1]).requires_grad_()
    with pytest.raises(mt.GradientError, match="a result of multiply"):
        (mt.tensor([1.0], requires_grad=True) * 2).requires_grad_(False)
