"""Does a checkpoint lower the memory that is really used, by as much as the graph says?"""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import minitorch as mt
from minitorch.checkpoint import checkpoint


def leaf(n):
    return mt.tensor(np.linspace(-1, 1, n), requires_grad=True)


def plainly(f, *args):
    return f(*args)


def chain(apply, parts=8, length=6, n=20_000):
    x = mt.tensor(np.linspace(-1, 1, n), requires_grad=True)

    def part(h):
        for _ in range(length):
            h = mt.tanh(h * 1.1)
        return h

    h = x * 1.0
    for _ in range(parts):
        h = apply(part, h)
    return h.sum(), x


def test_the_tape_keeps_the_inputs_of_each_part_and_nothing_else():
    one = 20_000 * 8
    assert mt.memory.saved_bytes(chain(plainly)[0]) == 8 * 6 * one
    assert mt.memory.saved_bytes(chain(checkpoint)[0]) == 8 * one


def test_the_measured_peak_falls_as_the_saved_bytes_predict():
    def measured(apply):
        chain(apply, n=10)
        gc.collect()
        tracemalloc.start()
        loss, _ = chain(apply)
        loss.backward()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    one_part = mt.memory.saved_bytes(chain(plainly, parts=1)[0])
    plain = mt.memory.saved_bytes(chain(plainly)[0])
    saving = plain - (mt.memory.saved_bytes(chain(checkpoint)[0]) + one_part)
    found = measured(plainly) - measured(checkpoint)
    assert found == pytest.approx(saving, rel=0.1)
    assert saving > 0.6 * plain


def test_dropping_the_result_frees_everything_with_the_garbage_collector_off():
    gc.collect()
    gc.disable()
    try:
        x = leaf(3)
        h = mt.exp(x)
        y = checkpoint(lambda h: mt.tanh(h), h)
        watched = weakref.ref(h), weakref.ref(y)
        del h, y
        assert [w() for w in watched] == [None, None]
    finally:
        gc.enable()


def test_after_the_backward_pass_the_inputs_are_freed_though_the_result_is_held():
    x = leaf(3)
    h = mt.exp(x)
    y = checkpoint(lambda h: mt.tanh(h), h).sum()
    watched = weakref.ref(h), weakref.ref(h.numpy().base)
    del h
    y.backward()
    gc.collect()
    assert [w() for w in watched] == [None, None]


def test_a_thousand_checkpointed_steps_leave_nothing_behind():
    x = leaf(100)

    def step():
        mt.grad(checkpoint(lambda h: mt.tanh(h), x).sum(), x)

    for _ in range(20):
        step()
    gc.collect()
    tracemalloc.start()
    for _ in range(300):
        step()
    gc.collect()
    left = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert left < 20_000
