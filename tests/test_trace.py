"""Does a trace see what travels every edge, and leave nothing behind, whatever happens on the way?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.primitive import REGISTRY, primitive


def leaf(*values):
    return mt.tensor(np.array(values if len(values) > 1 else values[0], np.float64), requires_grad=True)


def two_ways():
    """y = 2 x + 3 x, and the ids of the edges that bring x into each product."""
    x = leaf(1.0, 1.0)
    y = (x * 2.0 + x * 3.0).sum()
    graph = mt.Graph.of(y)
    first, second = (e.id for e in graph.out_of[0])
    return x, y, first, second


def test_a_trace_gives_the_norm_of_the_gradient_by_edge():
    _, y, first, second = two_ways()
    run = mt.trace_gradients(y)
    assert set(run.norms) == {e.id for e in run.graph.edges}
    assert run.norms[first] == pytest.approx(2 * 2**0.5)
    assert run.norms[second] == pytest.approx(3 * 2**0.5)


def test_zeros_on_an_edge_cut_it():
    x = leaf(1.0, 1.0)
    h = x * 1.0
    y = (h * 2.0 + h * 3.0).sum()
    graph = mt.Graph.of(y)
    first, second = (e.id for e in graph.out_of[1])
    (into_h,) = (e.id for e in graph.into[1])
    whole = mt.trace_gradients(y).norms[into_h]
    assert whole == pytest.approx(5 * 2**0.5)
    for cut, rest in ((first, 3.0), (second, 2.0)):
        run = mt.trace_gradients(y, on_edge=lambda e, g, cut=cut: np.zeros_like(g) if e == cut else None)
        assert run.norms[into_h] == pytest.approx(rest * 2**0.5)


def test_what_travels_on_instead_must_have_the_shape_of_the_edge():
    _, y, first, _ = two_ways()
    with pytest.raises(mt.ShapeError, match=rf"on_edge returned shape \(\) for edge {first}, which carries \(2,\)"):
        mt.trace_gradients(y, on_edge=lambda e, g: 0.0 if e == first else None)


def test_a_trace_accumulates_and_frees_nothing():
    x, y, _, _ = two_ways()
    mt.trace_gradients(y)
    assert x.grad is None
    y.backward()
    assert x.grad.numpy().tolist() == [5.0, 5.0]


def test_an_exception_in_the_middle_of_a_trace_leaves_no_state_behind():
    x, y, first, _ = two_ways()
    before = mt.modes.current()

    def fail(edge, g):
        if edge == first:
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        mt.trace_gradients(y, on_edge=fail)
    assert mt.modes.current() == before
    assert x.grad is None
    y.backward()
    assert x.grad.numpy().tolist() == [5.0, 5.0]


def test_an_exception_in_a_rule_leaves_modes_and_gradients_as_they_were():
    def broken(g):
        raise ZeroDivisionError("in the rule")

    @primitive(vjp={"x": broken}, name="test_broken")
    def op(x):
        return x

    try:
        a, x = leaf(1.0), leaf(2.0)
        with pytest.raises(ZeroDivisionError, match="in the rule"):
            (op(x) * a).backward()
    finally:
        del REGISTRY["test_broken"]
    assert a.grad is None
    assert mt.modes.current() == mt.modes.State()


@pytest.mark.parametrize("scale", [1e-300, 5e-324, 1.0, 1e300])
def test_the_norm_neither_underflows_nor_overflows(scale):
    g = np.array([3.0, 0.0, 4.0]) * scale
    assert mt.reverse.norm(g) == pytest.approx(5 * scale)
    assert mt.reverse.norm(np.array([[0.0, 0.0], g[::2]]), axis=1) == pytest.approx([0.0, 5 * scale])


def test_the_norm_of_nothing_is_zero_and_of_nan_is_nan():
    assert mt.reverse.norm(np.zeros((0, 3))) == 0.0
    assert np.isnan(mt.reverse.norm(np.array([1.0, np.nan])))
    assert mt.reverse.norm(np.array([1.0, -np.inf])) == np.inf
