"""Does reverse mode add up what arrives, over any graph, and nothing else?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.primitive import REGISTRY, primitive


def leaf(*values, dtype=np.float64, name=None):
    return mt.tensor(np.array(values if len(values) > 1 else values[0], dtype), requires_grad=True, name=name)


# -- accumulation ------------------------------------------------------------------------------------------------------


def test_every_use_of_a_value_counts():
    x = leaf(3.0)
    (x * x * x).backward()
    assert x.grad.item() == 27.0


def test_a_doubling_of_a_doubling_has_derivative_four():
    a = leaf(1.0)
    b = a + a
    (b + b).backward()
    assert a.grad.item() == 4.0


def test_two_graphs_on_one_leaf_accumulate():
    x = leaf(2.0)
    (x * x).backward()
    assert x.grad.item() == 4.0
    (x * x).backward()
    assert x.grad.item() == 8.0


def test_backward_twice_raises_and_names_retain_graph():
    x = leaf(3.0)
    y = x * x * x
    y.backward()
    with pytest.raises(mt.GraphFreedError, match=r"multiply: its saved values were freed.*retain_graph=True"):
        y.backward()
    assert x.grad.item() == 27.0


def test_backward_twice_raises_also_where_nothing_was_saved():
    x = leaf(3.0)
    y = x + x
    y.backward()
    with pytest.raises(mt.GraphFreedError, match="retain_graph=True"):
        y.backward()


def test_with_retain_graph_the_second_pass_doubles_exactly():
    x = leaf(3.0)
    y = x * x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 54.0


def test_a_pass_that_meets_a_freed_part_changes_no_gradient_and_frees_nothing():
    x, a = leaf(2.0), leaf(3.0)
    shared = mt.exp(x)
    shared.backward()
    before = x.grad.item()
    y = shared * a
    for _ in range(2):  # the second time as the first: what was not freed has stayed
        with pytest.raises(mt.GraphFreedError, match="exp: its saved values were freed"):
            y.backward()
    assert a.grad is None
    assert x.grad.item() == before
    assert y._origin.saved is not None


def test_grad_leaves_dot_grad_alone():
    x = leaf(2.0)
    mt.grad(x * x, x)
    assert x.grad is None


def test_a_gradient_keeps_the_dtype_of_its_leaf_through_promotion():
    x, y = leaf(1.0, 2.0, dtype=np.float32), leaf(1.0, 2.0)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_a_cotangent_is_undone_to_the_dtype_of_an_intermediate_result_too():
    x = leaf(1.0, 2.0, dtype=np.float32)
    h = x * 2
    g = mt.grad((h * np.array([1.0, 3.0])).sum(), h)
    assert g.dtype == np.float32


@pytest.mark.parametrize("shapes", [((1,), (1, 2)), ((3, 1), (1, 4)), ((), (2, 3)), ((2, 3), ()), ((1, 1), (3,))])
def test_broadcasting_is_undone_for_both_operands(shapes):
    a, b = (mt.tensor(np.ones(s), requires_grad=True) for s in shapes)
    out = a * b
    out.sum().backward()
    for x in (a, b):
        assert x.grad.shape == x.shape
        assert (x.grad.numpy() == out.size / x.size).all()


# -- large graphs ------------------------------------------------------------------------------------------------------


def test_a_chain_of_100_000_operations_needs_no_recursion():
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    assert x.grad.item() == 1.0
    assert len(mt.Graph.of(y)) == 100_001
    del y


def test_64_diamonds_take_one_rule_application_for_each_input():
    calls = []

    @primitive(vjp={"a": lambda g: calls.append(1) or g, "b": lambda g: g}, name="test_counted_add")
    def counted(a, b):
        return a + b

    try:
        x = leaf(1.0)
        y = x
        for _ in range(64):
            y = counted(y, y)
        y.backward()
    finally:
        del REGISTRY["test_counted_add"]
    assert len(calls) == 64
    assert x.grad.item() == 2.0**64


def test_a_matrix_that_serves_a_whole_batch_has_its_gradient_contracted_at_once():
    x, w = np.ones((50, 2, 3)), mt.tensor(np.ones((3, 4)), requires_grad=True)
    g = mt.grad((mt.tensor(x) @ w * mt.exp(w.sum())).sum(), w, create_graph=True)
    assert (50, 3, 4) not in [shape for n in mt.Graph.of(g).nodes for shape in n.shapes]


# -- what is asked for -------------------------------------------------------------------------------------------------


def test_an_unused_input_has_no_gradient():
    x, unused = leaf(1.0), leaf(1.0)
    (x * 2).backward()
    assert unused.grad is None


def test_grad_of_an_unused_input_raises_and_names_it():
    x, unused = leaf(1.0), leaf(1.0, 2.0, name="bias")
    with pytest.raises(mt.GradientError, match=r"not depend on input 1 \(bias\) of shape \(2,\).*allow_unused=True"):
        mt.grad(x * 2, [x, unused])
    found = mt.grad(x * 2, [x, unused], allow_unused=True)
    assert found[0].item() == 2.0
    assert found[1] is None


def test_grad_of_a_constant_raises_and_says_how_to_make_an_input():
    with pytest.raises(mt.GradientError, match=r"input 0 of shape \(\) does not require a gradient.*requires_grad"):
        mt.grad(leaf(1.0) * 2, mt.tensor(1.0))


def test_backward_of_a_constant_raises():
    with pytest.raises(mt.GradientError, match=r"tensor of shape \(2,\) that does not require a gradient"):
        mt.tensor([1.0, 2.0]).backward()


def test_backward_of_more_than_a_scalar_raises_and_names_the_shape():
    with pytest.raises(mt.ShapeError, match=r"backward of shape \(2,\) needs a cotangent of that shape"):
        (leaf(1.0, 2.0) * 2).backward()


def test_a_cotangent_of_another_shape_is_refused():
    with pytest.raises(mt.ShapeError, match=r"the cotangent has shape \(1,\), but what is differentiated has \(2,\)"):
        (leaf(1.0, 2.0) * 2).backward([1.0])


def test_backward_of_a_leaf_is_the_cotangent():
    x = leaf(1.0, 2.0)
    x.backward([3.0, 4.0])
    assert x.grad.numpy().tolist() == [3.0, 4.0]


def test_gradients_with_respect_to_intermediate_results_leaves_and_the_output_itself():
    x = leaf(3.0)
    h = x * x
    y = h * h
    dy, dh, dx = mt.grad(y, [y, h, x])
    assert (dy.item(), dh.item(), dx.item()) == (1.0, 18.0, 108.0)


def test_the_second_output_of_an_operation_has_a_gradient_of_its_own():
    x = leaf(1.0, 2.0, 3.0)
    _, lse = REGISTRY["log_softmax"](x)
    e = np.exp([1.0, 2.0, 3.0])
    np.testing.assert_allclose(mt.grad(lse, x).numpy(), e / e.sum(), rtol=1e-12)


def test_both_outputs_of_an_operation_are_intermediate_results_that_can_be_asked_for():
    x = leaf(1.0, 2.0, 3.0)
    out, lse = REGISTRY["log_softmax"](x)
    g_out, g_lse = mt.grad((out * 2).sum() + lse * 5, [out, lse])
    assert (g_out.numpy().tolist(), g_lse.item()) == ([2.0, 2.0, 2.0], 5.0)


def test_vjp_gives_zeros_for_an_argument_that_is_not_used():
    _, pull = mt.vjp(lambda a, b: a * 2, [1.0], [1.0, 1.0])
    assert [g.numpy().tolist() for g in pull([1.0])] == [[2.0], [0.0, 0.0]]


def test_vjp_can_be_pulled_many_times():
    _, pull = mt.vjp(lambda a: a * a, [3.0])
    assert [pull([c])[0].item() for c in (1.0, 2.0)] == [6.0, 12.0]


def test_vjp_tells_its_arguments_apart_even_when_they_are_the_same_tensor():
    x = leaf(2.0)
    _, pull = mt.vjp(lambda a, b: a * b * b, x, x)
    assert [g.item() for g in pull(1.0)] == [4.0, 8.0]


def test_vjp_takes_what_the_function_closes_over_as_a_constant():
    x = leaf(3.0)
    _, pull = mt.vjp(lambda a: a * x, x)
    assert pull(1.0)[0].item() == 3.0


# -- sharing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_do_not_share_the_memory_of_the_cotangent(create_graph):
    a, seed = leaf(1.0, 2.0), np.array([1.0, 1.0])
    g = mt.grad(a + 0.0, a, seed, create_graph=create_graph)
    seed[:] = 7.0
    assert g.numpy().tolist() == [1.0, 1.0]


def test_gradients_do_not_share_memory_with_each_other():
    a, b = leaf(1.0, 2.0), leaf(1.0, 2.0)
    seed = mt.tensor(np.array([1.0, 1.0]))
    (a + b).backward(seed)
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())
    assert not np.shares_memory(a.grad.numpy(), seed.numpy())
    first, second = mt.grad(a + b, [a, b], seed)
    assert not np.shares_memory(first.numpy(), second.numpy())


def test_two_leaves_never_share_a_gradient_also_when_it_is_recorded():
    a, b = (mt.tensor(np.ones(2), requires_grad=True) for _ in range(2))
    (a + b).sum().backward(create_graph=True)
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())


# -- only some inputs ------------------------------------------------------------------------------------------------


def test_backward_with_inputs_adds_to_their_grad_alone():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = a * b
    (h * h).sum().backward(inputs=[a, h], retain_graph=True)
    assert a.grad.numpy().tolist() == [18.0, 64.0]
    assert h.grad.numpy().tolist() == [6.0, 16.0]
    assert b.grad is None
    (h * h).sum().backward(inputs=a)
    assert a.grad.numpy().tolist() == [36.0, 128.0]


def test_backward_with_an_input_that_the_result_does_not_depend_on_leaves_its_grad_as_it_is():
    a, b = leaf(1.0), leaf(2.0)
    (a * a).sum().backward(inputs=[a, b])
    assert a.grad.item() == 2.0
    assert b.grad is None


def test_backward_with_an_input_that_requires_no_gradient_names_it():
    a, constant = leaf(1.0), mt.tensor([1.0], name="constant")
    with pytest.raises(mt.GradientError) as caught:
        (a * a).sum().backward(inputs=[a, constant])
    assert str(caught.value).startswith("input 1 (constant) of shape (1,) does not require a gradient.")
    assert a.grad is None


@pytest.mark.parametrize("create_graph", [False, True])
def test_nothing_is_computed_that_does_not_lead_to_a_wanted_input(create_graph):
    calls = []
    rules = {"x": lambda g, w: calls.append("x") or g * w, "w": lambda g, x: calls.append("w") or g * x}
    watched = primitive(vjp=rules, name="watched_product")(lambda x, w: x * w)
    del REGISTRY["watched_product"]
    x, w, unrelated = leaf(2.0), leaf(3.0), leaf(4.0)
    y = (watched(x, w) * mt.exp(unrelated)).sum()
    mt.grad(y, x, create_graph=create_graph, retain_graph=True)
    assert calls == ["x"]
    y.backward()
    assert calls == ["x", "x", "w"]


def test_of_several_results_and_wanted_intermediate_ones_only_what_is_needed_is_passed():
    x = leaf(3.0, 1.0, 2.0)
    first, second = mt.split(x * 2.0, [1])
    y = (first * 5.0).sum() + (second * second).sum()
    g_first, g_second = mt.grad(y, [first, second], retain_graph=True)
    assert g_first.numpy().tolist() == [5.0]
    assert g_second.numpy().tolist() == [4.0, 8.0]
    assert mt.grad(y, x).numpy().tolist() == [10.0, 8.0, 16.0]


def test_a_part_that_was_freed_does_not_matter_where_no_wanted_input_stands_behind_it():
    a, b = leaf(1.0), leaf(2.0)
    freed = mt.exp(b)
    y = (a * a * freed).sum()
    freed.sum().backward()
    assert mt.grad(y, a, retain_graph=True).numpy() == pytest.approx(2 * np.exp(2.0))
    with pytest.raises(mt.GraphFreedError):
        y.backward()


@pytest.mark.parametrize("uses", [1, 2, 5])
def test_gradients_that_are_handed_out_are_arrays_of_their_own(uses):
    x, y, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), np.array([1.0, 1.0])
    z = sum([x + y for _ in range(uses)], x * 1.0)
    z.backward(seed, retain_graph=True)
    mt.grad(z, [x, x, y], seed)
    seed[:] = 7.0
    assert x.grad.numpy().tolist() == [uses + 1.0] * 2
    assert y.grad.numpy().tolist() == [uses + 0.0] * 2
    with mt.no_grad():
        x.grad += 1.0
    assert y.grad.numpy().tolist() == [uses + 0.0] * 2
