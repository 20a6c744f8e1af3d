"""Which entries does an index mean?  Reading and writing with every kind of index, as NumPy does."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

import minitorch as mt
from tests.property.reference import close, positions, pulled, put_back
from tests.property.strategies import arrays, indices, one_axis, seeds, shapes, signed


@given(st.data(), arrays())
def test_getitem_reads_what_numpy_reads_and_adds_the_cotangent_there(data, x):
    index = data.draw(indices(x.shape))
    try:
        expected = x[index]
    except IndexError:
        assume(False)
        return
    value, (found,), g = pulled(lambda t: t[index], x)
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(mt.getitem(x, index), expected)
    close(found, put_back(positions(x.shape)[index], g, x.shape))


@given(st.data(), arrays(), seeds, st.booleans())
def test_setitem_writes_what_numpy_writes_and_each_entry_gets_the_cotangent_of_what_stayed(data, x, seed, narrow):
    index = data.draw(indices(x.shape))
    try:
        shape = x[index].shape
    except IndexError:
        assume(False)
        return
    shape = tuple(1 if narrow and k % 2 else n for k, n in enumerate(shape))
    shape = shape if not narrow else shape[data.draw(st.integers(0, len(shape))) :]
    v = signed(seed, shape)
    expected, source = x.copy(), positions(x.shape)
    expected[index] = v
    source[index] = positions(v.shape) + x.size  # which entry of x, or of v after it, stands there now

    def write(a, b):
        t = a * 1.0
        t[index] = b
        return t

    value, found, g = pulled(write, x, v)
    np.testing.assert_array_equal(value, expected)
    wanted = put_back(source, g, (x.size + v.size,))
    close(found[0], wanted[: x.size].reshape(x.shape))
    close(found[1], wanted[x.size :].reshape(v.shape))


@given(st.data(), arrays(shapes(min_dims=1, max_dims=3, min_side=1)), seeds, shapes(max_dims=2, max_side=3))
def test_take_reads_what_numpy_reads_along_any_axis(data, x, seed, shape):
    axis = data.draw(st.none() | one_axis(x.ndim))
    n = x.size if axis is None else x.shape[axis]
    index = np.random.default_rng(seed).integers(-n, n, shape)
    value, (found,), g = pulled(lambda t: mt.take(t, index, axis=axis), x)
    np.testing.assert_array_equal(value, np.take(x, index, axis))
    close(found, put_back(np.take(positions(x.shape), index, axis), g, x.shape))


@given(st.data(), arrays(shapes(min_dims=1, max_dims=3, min_side=1)), seeds, st.integers(0, 4))
def test_take_along_axis_gather_and_scatter_add_agree_with_numpy(data, x, seed, count):
    axis = data.draw(one_axis(x.ndim))
    a = axis % x.ndim
    rng = np.random.default_rng(seed)
    index = rng.integers(0, x.shape[axis], (*x.shape[:a], count, *x.shape[a + 1 :]))
    expected = np.take_along_axis(x, index, axis)
    for f in (lambda t: mt.take_along_axis(t, index, axis=axis), lambda t: mt.gather(t, axis, index)):
        value, (found,), g = pulled(f, x)
        np.testing.assert_array_equal(value, expected)
        close(found, put_back(np.take_along_axis(positions(x.shape), index, axis), g, x.shape))
    where = np.take_along_axis(positions(x.shape), index, axis)
    v = signed(seed, index.shape)
    value, (by_x, by_v), g = pulled(lambda t, u: mt.scatter_add(t, axis, index, u), x, v)
    close(value, x + put_back(where, v, x.shape))
    close(by_x, g)
    close(by_v, g.ravel()[where])


@given(st.data(), arrays(shapes(max_dims=2)))
def test_a_loop_of_writes_is_the_array_that_numpy_has_in_the_end(data, x):
    t, expected = mt.tensor(x, requires_grad=True) * 1.0, x.copy()
    for k in range(3):
        index = data.draw(indices(x.shape))
        try:
            part = expected[index]
        except IndexError:
            continue
        t[index] = t[index] * float(k + 2)
        expected[index] = part * (k + 2)
    np.testing.assert_array_equal(t.numpy(), expected)
