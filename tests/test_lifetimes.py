"""When does memory go?  At once, with the garbage collector off: there are no reference cycles."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import minitorch as mt


@pytest.fixture(autouse=True)
def _without_the_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def live_tensors() -> int:
    return sum(isinstance(o, mt.Tensor) for o in gc.get_objects())


def test_dropping_the_output_frees_the_graph_at_once():
    x = mt.tensor(np.ones(3), requires_grad=True)
    y = mt.tanh(mt.softmax(mt.exp(x) * x)).sum()
    calls = [weakref.ref(c) for c in mt.graph.sources(y._origin) if not isinstance(c, mt.Tensor)]
    arrays = [weakref.ref(y._origin.parents[0].saved["out"])]
    assert all(r() is not None for r in calls + arrays)
    del y
    assert all(r() is None for r in calls + arrays)


def test_dropping_a_captured_graph_or_a_derivative_leaves_nothing_either():
    x = mt.tensor(np.ones(3), requires_grad=True)
    y = (mt.exp(x) * x).sum()
    call = weakref.ref(y._origin)
    captured, g = mt.Graph.of(y), mt.grad(y, x, create_graph=True)
    del y, g
    assert call() is None
    assert len(captured) == 4


def test_backward_frees_the_saved_values_but_not_the_structure():
    x = mt.tensor(np.ones(3), requires_grad=True)
    y = mt.exp(x).sum()
    value = weakref.ref(y._origin.parents[0].saved["out"])
    y.backward()
    assert value() is None
    assert [n.op for n in mt.Graph.of(y).nodes] == [None, "exp", "sum"]


def test_the_number_of_live_tensors_is_flat_over_1000_training_steps():
    x, w = np.ones((2, 3), np.float32), mt.Parameter(np.ones((3, 1), np.float32))
    counts = []
    for _ in range(1000):
        loss = mt.tanh(x @ w).sum()
        loss.backward()
        w = mt.Parameter(w.numpy() - 0.01 * w.grad.numpy())
        counts.append(None)
        if len(counts) in (10, 1000):
            counts[-1] = live_tensors()
    assert counts[9] == counts[999] > 0
