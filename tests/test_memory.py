"""Is what the backward pass keeps counted exactly: every buffer once, and nothing that is alive anyway?"""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import minitorch as mt
import transformer
from minitorch import nn
from minitorch.checkpoint import checkpoint
from minitorch.memory import Row, report, saved_by, saved_bytes


def leaf(*shape, dtype: type = np.float64):
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
    constant = mt.tensor(c)
    assert saved_bytes(x * constant) == 0
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
    assert saved_by(mt.Graph.of(z), key=lambda n: n.op or "") == {"exp": 80, "tanh": 80}


def test_a_tensor_without_a_graph_has_no_account():
    with pytest.raises(mt.GradientError, match="nothing was recorded"):
        saved_bytes(mt.tensor(1.0))


def test_the_copy_of_an_index_array_counts():
    w = mt.tensor(np.ones(1000), requires_grad=True)
    index = np.arange(1000)
    assert mt.memory.saved_bytes(w[index]) == index.nbytes


# -- and is that what is really held? ----------------------------------------------------------------------------------

ARRAYS = [tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)]
rng = np.random.default_rng(0)
X = mt.tensor(rng.standard_normal((64, 100)).astype(np.float32))
S = mt.tensor(rng.standard_normal((4, 32, 64)).astype(np.float32))  # sequences
CLASSES = np.arange(64) % 50
FIRST, SECOND, NORM = nn.Linear(100, 200), nn.Linear(200, 50), nn.LayerNorm(200)
WINDOWS = [mt.Parameter(rng.standard_normal(s).astype(np.float32)) for s in [(16, 32, 3), (8, 16, 3)]]
RNN, HEADS = transformer.RNN(64, 48), transformer.MultiHeadAttention(64, 4, causal=True)
BLOCK = transformer.EncoderBlock(64, transformer.MultiHeadAttention(64, 4))
W, U, B, TABLE = (
    mt.Parameter(rng.standard_normal(s).astype(np.float32)) for s in [(64, 64), (64, 64), (64,), (50, 64)]
)
TOKENS, ROW = rng.integers(0, 50, (4, 32)), rng.standard_normal(64).astype(np.float32)


def only(result):
    return result[0] if isinstance(result, tuple) else result


def by_hand():
    """A tanh RNN as a user writes it."""
    h = mt.tensor(np.zeros((4, 64), np.float32))
    for t in range(32):
        h = mt.tanh(S[:, t] @ W + h @ U + B)
    return mt.square(h).mean()


def attended(**options):
    return mt.square(mt.scaled_dot_product_attention(S @ W, S @ U, S * B, **options)).sum()


def written():
    h = S * B
    h += mt.exp(S @ W)
    h[:, 0] = S[:, 0] @ U
    return mt.square(h).sum()


def selected():
    return mt.square(mt.topk(S @ W, 5)[0]).sum() + (mt.sort(S @ U) * ROW).sum() + mt.take(TABLE, TOKENS, axis=0).sum()


def smoothed():
    loss = mt.cross_entropy(S @ W, TOKENS, weight=np.ones(64), label_smoothing=0.1)
    return loss + mt.kl_div(mt.log_softmax(S @ U), np.abs(ROW))


MODELS = {
    "an MLP with cross entropy": lambda: mt.cross_entropy(SECOND(mt.relu(FIRST(X))), CLASSES),
    "an RNN": lambda: mt.square(only(RNN(S))).mean(),
    "attention with four heads": lambda: mt.square(only(HEADS(S))).sum(),
    "a Transformer block": lambda: mt.square(only(BLOCK(S))).sum(),
    "a conv net": lambda: mt.square(mt.relu(mt.conv1d(mt.relu(mt.conv1d(S, WINDOWS[0])), WINDOWS[1], stride=2))).mean(),
    "layer norm, functional": lambda: mt.square(mt.layer_norm(FIRST(X))).sum(),
    "layer norm, a module": lambda: mt.square(NORM(FIRST(X))).sum(),
    "group norm": lambda: mt.square(mt.group_norm(mt.conv1d(S, WINDOWS[0]), 4)).sum(),
    "softmax": lambda: mt.square(mt.softmax(FIRST(X))).sum(),
    "log softmax": lambda: mt.square(mt.log_softmax(FIRST(X))).sum(),
    "dropout": lambda: mt.square(mt.dropout(mt.tanh(FIRST(X)))).sum(),
    "a constant that nobody else holds": lambda: mt.where(FIRST(X) > 0, mt.exp(FIRST(X)), 0.0).sum(),
    "views of a larger array": lambda: (FIRST(X)[:, :10] * FIRST(X)[:, 50:60]).sum(),
    "reductions": lambda: (mt.max(mt.tanh(FIRST(X)), axis=0) + mt.std(FIRST(X), axis=0)).sum(),
    "indices": lambda: mt.square(FIRST(X)[CLASSES, :] + FIRST(X)[::2].reshape(-1, 2)[:1, :1]).sum(),
    "einsum of three": lambda: mt.einsum("ij,jk,lk->il", FIRST(X), SECOND.weight.T, SECOND.weight.T * 2.0).sum(),
    "several kinds of loss": lambda: mt.binary_cross_entropy_with_logits(FIRST(X), X.numpy()[:, :1] > np.zeros(200)),
    "smoothed and weighted losses": smoothed,
    "an RNN written as a loop": by_hand,
    "an RNN over an array": lambda: mt.square(mt.tanh(S.numpy() @ W + mt.tanh(S.numpy()[::-1] @ U))).mean(),
    "attention in blocks": lambda: attended(method="chunked", causal=True),
    "attention in blocks, a mask": lambda: attended(method="chunked", mask=np.tri(32, dtype=bool)),
    "attention with an additive mask": lambda: attended(mask=np.tri(32, dtype=np.float32)),
    "attention with a softcap": lambda: attended(softcap=2.0),
    "a checkpoint": lambda: mt.square(checkpoint(lambda x: mt.tanh(mt.tanh(x @ W) @ U), S * B)).sum(),
    "a checkpoint with a constant": lambda: mt.square(checkpoint(lambda x, c: mt.tanh(x * c), S * B, ROW)).sum(),
    "checkpoints in a row": lambda: checkpoint(mt.tanh, checkpoint(mt.exp, S * B)).sum(),
    "an embedding and its loss": lambda: mt.cross_entropy(mt.embedding(TABLE, TOKENS) @ TABLE.T, TOKENS),
    "gather, sort and topk": selected,
    "in-place writes": written,
    "a gradient penalty": lambda: mt.square(mt.grad(mt.tanh(S @ W).sum(), W, create_graph=True)).sum(),
    "products and scans": lambda: (mt.prod(S @ W, axis=1) + mt.cumprod(S @ U, 1)[:, -1]).sum(),
}


def held():
    gc.collect(1)  # what was made here is young; the objects of all other tests are not looked through
    return sum(t.size for t in tracemalloc.take_snapshot().filter_traces(ARRAYS).traces)


@pytest.mark.parametrize("model", MODELS)
def test_the_report_is_what_is_really_held_after_the_forward_pass(model):
    MODELS[model]()  # what is made once, such as plans and tables, is no part of it
    tracemalloc.start()
    try:
        before = held()
        loss = MODELS[model]()
        found = held() - before
    finally:
        tracemalloc.stop()
    total = report(loss).total
    assert total > 10_000
    assert found - loss.numpy().nbytes == pytest.approx(total, rel=0.01)
    assert total == saved_bytes(loss) == sum(saved_by(loss).values())


def test_the_report_has_a_row_for_each_operation_of_each_module():
    class Net(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, x):
            return mt.softmax(self.second(mt.tanh(mt.tanh(self.first(x)))))

    x = mt.tensor(np.ones((5, 4), np.float32))
    found = report(Net()(x).sum())
    assert found.rows == (Row("Net", "tanh", 2, 2 * 5 * 3 * 4), Row("Net", "softmax", 1, 5 * 2 * 4))
    assert found.total == 160
    assert str(found).splitlines() == [
        "module  operation  buffers  bytes",
        "Net     tanh             2    120",
        "Net     softmax          1     40",
        "total                    3    160",
    ]


def test_a_constant_counts_once_its_tensor_is_gone_and_not_before():
    x, mask = leaf(10), mt.tensor(np.arange(20) % 3 == 0)
    part = mask[:10]
    y = mt.where(part, x, 0.0)
    assert report(y).total == 0
    del part
    assert report(y).total == 0  # the mask itself is alive, and the part is a view of it
    del mask
    assert report(y).total == 20
    assert report(mt.Graph.of(y)).total == 0  # a Graph holds no arrays, and cannot know


def test_a_leaf_counts_once_its_tensor_is_gone_and_not_before():
    x, w = leaf(10), leaf(10)
    seen = x[2:5]
    y = mt.square(x).sum() + (w[:3] * seen).sum()
    assert report(y).total == 0
    held_elsewhere = w.detach()
    del w, seen
    assert report(y).total == 0
    del held_elsewhere
    assert report(y).rows == (Row("", "multiply", 1, 80),)
    del x
    assert report(y).rows == (Row("", "square", 1, 80), Row("", "multiply", 1, 80))
    y.backward()
    assert report(y).rows == ()


def test_of_several_constants_in_one_call_those_that_are_gone_count():
    x, held_here = leaf(2, 3), mt.tensor(np.ones((3, 4)))
    y = mt.einsum("ij,jk,kl->il", x, held_here, mt.tensor(np.ones((4, 5))))
    assert report(y).total == 8 * 4 * 5
    del held_here
    assert report(y).total == 8 * (4 * 5 + 3 * 4)


def test_a_result_beside_a_constant_counts():
    x, constant = leaf(2, 3), mt.tensor(np.ones((3, 4)))
    y = mt.einsum("ij,jk,kl->il", x * 2.0, constant, mt.tanh(leaf(4, 5)))
    assert report(y).total == 8 * (2 * 3 + 4 * 5)


def test_what_was_freed_is_no_longer_reported():
    y = mt.where(leaf(10) > 0, mt.exp(leaf(10)), 0.0).sum()
    y.backward()
    assert report(y).rows == ()
