"""Does reading n parts of an array cost n parts in the backward pass, not n arrays?  And are the sums right?"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import minitorch as mt


def leaf(*shape):
    return mt.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)


def test_reading_a_sequence_step_by_step_makes_one_array_of_zeros(monkeypatch):
    zeros, made = np.zeros, []
    monkeypatch.setattr(np, "zeros", lambda shape, *a, **k: made.append(shape) or zeros(shape, *a, **k))
    x = leaf(64, 3)
    total = sum((x[t] * (t + 1.0) for t in range(64)), start=mt.tensor(np.ones(3)))
    total.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.arange(1.0, 65)[:, None] * np.ones(3))
    assert made.count((64, 3)) == 1


def test_the_peak_does_not_grow_with_the_number_of_reads():
    x = leaf(100_000)

    def peak(reads):
        loss = sum((x[:1] for _ in range(reads)), start=mt.tensor(np.zeros(1))).sum()
        tracemalloc.start()
        loss.backward()
        x.grad = None
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(20) < peak(1) + 100_000


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "index", [(slice(None), 1), ([0, 0, 1],), (0, 1), (..., None), (np.array([[True, False], [True, True]]),)], ids=str
)
def test_what_arrived_before_and_after_a_read_is_kept(index, dtype):
    x = mt.tensor(np.arange(4.0).reshape(2, 2), requires_grad=True, dtype=dtype)
    early, late = (x * 3.0).sum(), (x * x).sum()
    (early + x[index].sum() * 5.0 + late + x[index].sum()).backward()
    counts = np.zeros((2, 2))
    np.add.at(counts, index, 1)
    np.testing.assert_allclose(x.grad.numpy(), 3 + 2 * x.numpy() + 6 * counts)
    assert x.grad.dtype == dtype


def test_two_tensors_whose_cotangent_is_one_array_do_not_add_into_each_other():
    a, b = leaf(3), leaf(3)
    read = a[0:2].sum()  # its rule runs after that of a + b, which hands one array to both
    (((a + b) * np.ones(3)).sum() + read).backward()
    np.testing.assert_array_equal(a.grad.numpy(), [2.0, 2.0, 1.0])
    np.testing.assert_array_equal(b.grad.numpy(), [1.0, 1.0, 1.0])


def test_rows_of_a_table_that_is_read_at_every_step_add_up():
    table = leaf(5, 2)
    loss = sum((mt.embedding(table, np.array([t % 3, 4])).sum() for t in range(6)), start=mt.tensor(np.zeros(())))
    loss.backward()
    np.testing.assert_array_equal(table.grad.numpy(), np.array([2, 2, 2, 0, 6])[:, None] * np.ones(2))


def test_a_function_that_adds_is_refused_without_a_rule_or_with_other_arguments():
    with pytest.raises(mt.RegistrationError, match=r"`add` for \['y'\], which has no rule of its own"):

        @mt.primitive(vjp={"x": lambda g: g}, add={"y": lambda total, g: None})
        def test_no_rule(x):
            return x

    with pytest.raises(mt.RegistrationError, match="takes other arguments than an array and those of its rule"):

        @mt.primitive(vjp={"x": lambda g: g}, add={"x": lambda total, g, x: None})
        def test_other_arguments(x):
            return x
