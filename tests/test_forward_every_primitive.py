"""Is the derivative of every operation along a direction right?  Compared with central differences."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.forward import jvp
from minitorch.primitive import REGISTRY
from minitorch.transforms import grad
from tests.primitive_examples import EXAMPLES

PRIMITIVES = {name: p for name, p in REGISTRY.items() if p.forward.__module__.startswith("minitorch.")}
SMOOTH = [e for e in EXAMPLES if e.name in PRIMITIVES and PRIMITIVES[e.name].differentiable]
every_smooth = pytest.mark.parametrize("example", SMOOTH, ids=str)


def on_varied(example):
    """The primitive as a function of its floating arrays alone; only floating outputs, as a tuple."""

    def function(*arrays):
        args = list(example.inputs)
        for k, a in zip(example.varied, arrays, strict=True):
            args[k] = a
        out = PRIMITIVES[example.name](*args, **example.static)
        return tuple(o for o in (out if isinstance(out, tuple) else (out,)) if o.dtype.kind == "f")

    return function


def arrays_of(example, dtype=np.float64):
    return [mt.tensor(example.inputs[k], dtype=dtype) for k in example.varied]


def directions(example, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [mt.tensor(rng.standard_normal(np.shape(example.inputs[k])), dtype=dtype) for k in example.varied]


def difference(f, xs, ts, h=2e-3):
    """Central differences of f along ts, Richardson-extrapolated, per output."""

    def along(step):
        sides = [f(*(x + s * step * t for x, t in zip(xs, ts, strict=True))) for s in (1, -1)]
        return [(a.numpy() - b.numpy()) / (2 * step) for a, b in zip(*sides, strict=True)]

    return [(4 * fine - coarse) / 3 for fine, coarse in zip(along(h / 2), along(h), strict=True)]


def assert_close(found, expected, rtol=1e-12):
    scale = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * scale)


@every_smooth
def test_jvp_of_every_primitive_is_the_central_difference_along_a_random_direction(example):
    f, xs, ts = on_varied(example), arrays_of(example), directions(example, 1)
    values, tangents = jvp(f, xs, ts)
    for value, plain in zip(values, f(*xs), strict=True):
        np.testing.assert_array_equal(value.numpy(), plain.numpy())
    for t, value, expected in zip(tangents, values, difference(f, xs, ts), strict=True):
        assert (t.shape, t.dtype) == (value.shape, value.dtype)
        assert_close(t.numpy(), expected, 1e-7)


@every_smooth
def test_jvp_of_every_primitive_is_linear_in_the_direction(example):
    f, xs = on_varied(example), arrays_of(example)
    a, b = directions(example, 2), directions(example, 3)
    both = jvp(f, xs, [s + 2 * t for s, t in zip(a, b, strict=True)])[1]
    for whole, one, other in zip(both, jvp(f, xs, a)[1], jvp(f, xs, b)[1], strict=True):
        assert_close(whole.numpy(), one.numpy() + 2 * other.numpy())


@every_smooth
def test_jvp_of_every_primitive_by_one_argument_leaves_the_others_constant(example):
    f, xs, ts = on_varied(example), arrays_of(example), directions(example, 4)
    whole = jvp(f, xs, ts)[1]
    parts = [jvp(f, xs, [t if i == k else None for i, t in enumerate(ts)])[1] for k in range(len(ts))]
    for k, t in enumerate(whole):
        assert_close(t.numpy(), sum(p[k].numpy() for p in parts))


@every_smooth
def test_jvp_of_every_primitive_stays_in_float32(example):
    if example.name == "astype":
        pytest.skip("it changes the dtype on purpose")
    exact = jvp(on_varied(example), arrays_of(example), directions(example, 5))[1]
    rounded = jvp(on_varied(example), arrays_of(example, np.float32), directions(example, 5, np.float32))[1]
    for wide, narrow in zip(exact, rounded, strict=True):
        assert narrow.dtype == np.float32
        assert_close(narrow.numpy(), wide.numpy(), 1e-5)


@every_smooth
def test_forward_over_reverse_equals_reverse_over_forward_for_every_primitive(example):
    f, xs, ts = on_varied(example), arrays_of(example), directions(example, 6)
    weights = [np.random.default_rng(7).standard_normal(o.shape) for o in f(*xs)]
    numbers = tuple(range(len(xs)))

    def scalar(*args):
        return sum(((o * w).sum() for o, w in zip(f(*args), weights, strict=True)), start=mt.tensor(np.float64(0)))

    forward_over_reverse = jvp(grad(scalar, numbers), xs, ts)[1]
    reverse_over_forward = grad(lambda *args: jvp(scalar, args, ts)[1], numbers)(*xs)
    for a, b in zip(forward_over_reverse, reverse_over_forward, strict=True):
        assert_close(a.numpy(), b.numpy(), 1e-10)


@every_smooth
def test_forward_over_forward_of_every_primitive_is_the_difference_of_its_jvp(example):
    f, xs, ts, us = on_varied(example), arrays_of(example), directions(example, 8), directions(example, 9)
    inner = lambda *args: jvp(f, args, ts)[1]
    for t, expected in zip(jvp(inner, xs, us)[1], difference(inner, xs, us), strict=True):
        assert_close(t.numpy(), expected, 1e-7)
