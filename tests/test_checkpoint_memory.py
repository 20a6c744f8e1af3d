"""Does a checkpoint lower the memory that is really used, by as much as the graph says?"""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import minitorch as mt
import transformer
from minitorch.checkpoint import checkpoint


def leaf(n):
    return mt.tensor(np.linspace(-1, 1, n), requires_grad=True)


def plainly(f, *args):
    return f(*args)


def chain(apply, parts=10, length=10, n=20_000):
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
    assert mt.memory.saved_bytes(chain(plainly)[0]) == 10 * 10 * one
    assert mt.memory.saved_bytes(chain(checkpoint)[0]) == 10 * one


def peak(run):
    """The most bytes of arrays at once in a forward and a backward pass."""
    run()  # what is made once, such as plans, is no part of it
    gc.collect()
    tracemalloc.start()
    try:
        loss = run()
        loss.backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_measured_peak_is_the_report_and_a_few_arrays_and_falls_as_it_predicts():
    plain, checkpointed = (mt.memory.report(chain(apply)[0]).total for apply in (plainly, checkpoint))
    one_part = mt.memory.report(chain(plainly, parts=1)[0]).total
    found = [peak(lambda apply=apply: chain(apply)[0]) for apply in (plainly, checkpoint)]
    one_array = 20_000 * 8
    for predicted, measured in zip((plain, checkpointed + one_part), found, strict=True):
        assert predicted <= measured <= predicted + 6 * one_array  # the leaf, its gradient, and what a rule works on
    saving = plain - (checkpointed + one_part)
    assert found[0] - found[1] == pytest.approx(saving, rel=0.05)
    assert saving > 0.6 * plain


def test_checkpointed_transformer_blocks_lower_the_peak_as_the_report_predicts():
    mt.seed(0)
    heads = [transformer.MultiHeadAttention(32, 4) for _ in range(6)]
    blocks = [transformer.EncoderBlock(32, h) for h in heads]
    x = mt.tensor(np.random.default_rng(0).standard_normal((8, 64, 32)).astype(np.float32), requires_grad=True)

    def loss(apply, count=6):
        h = x * 1.0
        for block in blocks[:count]:
            h = apply(block, h)
        return mt.square(h).mean()

    plain, checkpointed = (mt.memory.report(loss(apply)) for apply in (plainly, checkpoint))
    one_block = mt.memory.report(loss(plainly, 1)).total - mt.memory.report(loss(plainly, 0)).total
    assert {r.op for r in checkpointed.rows} == {"checkpoint", "square"}
    saving = plain.total - (checkpointed.total + one_block)
    assert peak(lambda: loss(plainly)) - peak(lambda: loss(checkpoint)) == pytest.approx(saving, rel=0.1)
    assert saving > 0.6 * plain.total


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
