"""Is what the backward pass keeps counted exactly: every buffer once, and nothing that is alive anyway?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.memory import saved_by, saved_bytes


def leaf(*shape, dtype=np.float64):
    return mt.tensor(np.ones(shape, dtype), requires_grad=True)


def test_an_operation_that_keeps_its_output_costs_its_output():
    assert saved_bytes(mt.exp(leaf(10))) == 80
    assert saved_bytes(mt.exp(leaf(10, dtype=np.float32))) == 40


def test_sums_and_movements_cost_nothing():
    x = leaf(4, 5)
    assert saved_bytes((x.T.reshape(20) + 1.0).sum()) == 0


def test_inputs_and_parameters_that_are_kept_are_alive_anyway():
    x, w = leaf(4, 3), mt.Parameter(np.ones((3, 2)))
    assert {s.name for n in mt.Graph.of(x @ w).nodes for s in n.saved} == {"a", "b"}
    assert saved_bytes(x @ w) == 0
    assert saved_bytes(x[::2] @ w[:, :1]) == 0  # views of them, too


def test_a_constant_tensor_is_the_callers_but_a_copied_array_is_the_graphs():
    x, c = leaf(10), np.ones(10)
    assert saved_bytes(x * mt.tensor(c)) == 0
    assert saved_bytes(x * c) == 80


def test_a_constant_that_had_to_be_converted_is_the_graphs():
    x = leaf(10, dtype=np.float32)
    assert saved_bytes(x * mt.tensor(np.arange(10))) == 40


def test_a_value_that_two_operations_keep_is_counted_once():
    x = leaf(10)
    y = mt.exp(x)
    assert saved_bytes(y * y) == 80  # exp keeps its output, the product keeps it twice


def test_views_of_one_buffer_are_one_buffer_of_its_whole_size():
    x = leaf(4, 5)
    y = mt.exp(x)
    z = y.T[:1] * y.reshape(5, 4)[:1, :1]
    assert saved_bytes(z) == 160
    assert len({s.buffer for n in mt.Graph.of(z).nodes for s in n.saved}) == 1


def test_a_view_that_is_kept_keeps_its_whole_buffer_alive():
    h = leaf(4, 5) + 1.0
    assert saved_bytes(h[:1, :1] * h[1:2, 1:2]) == 160


def test_only_the_operand_that_a_derivative_needs_is_kept():
    x, h = leaf(10), mt.exp(leaf(10)).detach()
    assert [s.name for s in mt.Graph.of(x * h).nodes[1].saved] == ["b"]


def test_a_small_example_adds_up():
    x, w = leaf(2, 3), leaf(3, 4)
    h = mt.tanh(x @ w)  # tanh: 2*4
    p = mt.softmax(h * 2.0)  # softmax: 2*4, and the number 2.0 is no array
    assert saved_bytes(p.max(axis=-1).sum()) == 8 * (8 + 8 + 2)  # max: its input (softmax's output) and its output


def test_after_backward_nothing_is_kept():
    y = mt.exp(leaf(10)).sum()
    y.backward()
    assert saved_bytes(y) == 0


def test_bytes_are_reported_by_scope_and_by_any_other_name():
    x = leaf(10)
    with mt.scope("first"):
        y = mt.exp(x)
    with mt.scope("second"):
        z = mt.tanh(y * y)
    assert saved_by(z) == {"first": 80, "second": 80}
    assert saved_by(mt.Graph.of(z), key=lambda n: n.op) == {"exp": 80, "tanh": 80}


def test_a_tensor_without_a_graph_has_no_account():
    with pytest.raises(mt.GradientError, match="nothing was recorded"):
        saved_bytes(mt.tensor(1.0))


def test_the_copy_of_an_index_array_counts():
    w = mt.tensor(np.ones(1000), requires_grad=True)
    index = np.arange(1000)
    assert mt.memory.saved_bytes(w[index]) == index.nbytes
