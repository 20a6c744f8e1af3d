"""What does attention keep, and how much memory does it use at its peak?"""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import minitorch as mt
from minitorch.ops import attention_chunked
from tests import attention_reference as reference

rng = np.random.default_rng(7)


def leaves(*shapes):
    return [mt.tensor(rng.standard_normal(s).astype(np.float32), requires_grad=True) for s in shapes]


def peak(f):
    f()
    gc.collect()
    tracemalloc.start()
    f()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def passes(QKV, **options):
    return lambda: mt.grad(mt.scaled_dot_product_attention(*QKV, **options).sum(), QKV)


@pytest.mark.parametrize("causal", [False, True])
def test_chunked_needs_less_than_a_quarter_of_the_memory_of_dense_at_2048_positions(causal):
    QKV = leaves(*[(2048, 64)] * 3)
    dense, chunked = (peak(passes(QKV, causal=causal, method=m)) for m in ("dense", "chunked"))
    assert dense > 2 * 2048 * 2048 * 4
    assert chunked < dense / 4


@pytest.mark.parametrize("causal", [False, True])
def test_one_block_at_a_time_is_alive(causal):
    QKV = leaves(*[(2, 2048, 64)] * 3)  # a quarter of the 8192 positions for which 30 MB are promised
    O_and_gradients = 4 * QKV[0].numpy().nbytes
    assert peak(passes(QKV, causal=causal, method="chunked")) - O_and_gradients < 30e6 / 4


def test_the_memory_of_chunked_grows_with_n_and_that_of_dense_with_its_square():
    def growth(method):
        return peak(passes(leaves(*[(2048, 16)] * 3), method=method)) / peak(
            passes(leaves(*[(1024, 16)] * 3), method=method)
        )

    assert growth("dense") > 3.5
    assert growth("chunked") < 2.2


def test_dense_keeps_the_weights_and_chunked_the_output_and_one_number_a_row():
    QKV = leaves(*[(2, 64, 8)] * 3)
    kept = {m: mt.memory.saved_bytes(mt.scaled_dot_product_attention(*QKV, method=m)) for m in ("dense", "chunked")}
    assert kept == {"dense": 4 * 2 * 64 * 64, "chunked": 4 * (2 * 64 * 8 + 2 * 64)}


@pytest.mark.parametrize("causal", [False, True])
def test_chunked_equals_dense_where_it_takes_several_blocks_of_its_own(causal):
    Q, K, V = (x.numpy().astype(float) for x in leaves((700, 8), (1100, 8), (1100, 4)))
    seen = np.tri(700, 1100, 400, dtype=bool) if causal else True
    g = rng.standard_normal((700, 4))
    QKV = [mt.tensor(x, requires_grad=True) for x in (Q, K, V)]
    O = mt.scaled_dot_product_attention(*QKV, causal=causal, method="chunked")
    np.testing.assert_allclose(O.numpy(), reference.attention(Q, K, V, seen), rtol=1e-11, atol=1e-13)
    for ours, theirs in zip(mt.grad(O, QKV, g), reference.attention(Q, K, V, seen, g=g), strict=False):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-9, atol=1e-12)


def test_causal_blocks_end_at_the_last_key_that_one_of_their_queries_sees(monkeypatch):
    asked = []
    monkeypatch.setattr(attention_chunked, "_ROWS", 2)
    monkeypatch.setattr(attention_chunked, "_ENTRIES", 1)
    whole = attention_chunked.scores
    monkeypatch.setattr(attention_chunked, "scores", lambda Q, K, *more: asked.append(K.shape[0]) or whole(Q, K, *more))
    QKV = leaves((5, 3), (7, 3), (7, 2))
    O = mt.scaled_dot_product_attention(*QKV, causal=True, method="chunked")
    assert asked == [4, 6, 7]
    mt.grad(O.sum(), QKV)
    assert asked == [4, 6, 7] * 2


@pytest.mark.parametrize("method", ["dense", "chunked"])
@pytest.mark.parametrize("heads", [1, 2])
def test_grouped_queries_copy_no_key(heads, method):
    QKV = leaves((16, 1, 64), (heads, 4096, 64), (heads, 4096, 64))
    copied = 16 * 4096 * 64 * 4
    assert peak(passes(QKV, method=method)) < copied


def test_attention_is_dense_unless_it_is_asked_for_by_name():  # decision: attention
    QKV = [mt.tensor(np.ones((2, 64, 8), np.float32), requires_grad=True) for _ in range(3)]
    by_default = mt.Graph.of(mt.scaled_dot_product_attention(*QKV))
    dense = mt.Graph.of(mt.scaled_dot_product_attention(*QKV, method="dense"))
    assert by_default == dense
    assert mt.memory.saved_bytes(by_default) >= 4 * 2 * 64 * 64  # the probabilities
