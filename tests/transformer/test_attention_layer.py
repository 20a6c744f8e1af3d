"""Does multi-head attention read a memory, masks, groups, windows and caches as their definitions say?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from tests.transformer import loops
from transformer import MultiHeadAttention
from transformer.mask import real_tokens

close = {"rtol": 0, "atol": 1e-12}


def _by_heads(layer, x, y, sees, extra=None):
    """One sentence (n, d) that reads a memory (m, d), head by head."""
    W_q, W_k, W_v, W_o = (w.weight.numpy().T for w in (layer.W_q, layer.W_k, layer.W_v, layer.W_o))
    d_k, out = layer.d_k, []
    for i in range(layer.h):
        j = i // (layer.h // layer.kv_heads)
        q, kv = slice(i * d_k, (i + 1) * d_k), slice(j * d_k, (j + 1) * d_k)
        more = 0.0 if extra is None else extra[i]
        out.append(loops.attention(x @ W_q[:, q], y @ W_k[:, kv], y @ W_v[:, kv], sees, more))
    return np.hstack(out) @ W_o


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("method", ["dense", "chunked"])
def test_cross_attention_reads_the_real_tokens_of_the_memory_with_grouped_heads(rng, kv_heads, method):
    layer = MultiHeadAttention(8, 4, kv_heads=kv_heads, d_k=3, method=method)
    x, y, lengths = rng.standard_normal((2, 3, 8)), rng.standard_normal((2, 5, 8)), np.array([5, 2])
    real = real_tokens(lengths, 5)
    got = layer(mt.tensor(x), memory=mt.tensor(y), real=real).numpy()
    for s in range(2):
        wanted = _by_heads(layer, x[s], y[s], np.broadcast_to(real[s], (3, 5)))
        np.testing.assert_allclose(got[s], wanted, **close)
    kept = layer.keys_values(mt.tensor(y))
    assert np.array_equal(layer(mt.tensor(x), memory=kept, real=real).numpy(), got)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [1, 2, 3, 9])
@pytest.mark.parametrize("method", ["dense", "chunked"])
def test_a_window_shows_the_nearest_keys_alone(rng, causal, window, method):
    layer = MultiHeadAttention(4, 2, causal=causal, window=window, method=method)
    x = rng.standard_normal((6, 4))
    sees = np.zeros((6, 6), bool)
    for i in range(6):
        first = i - window + 1 if causal else i - window // 2
        sees[i, [j for j in range(first, first + window) if 0 <= j < 6]] = True
    got = layer(mt.tensor(x[None])).numpy()[0]
    np.testing.assert_allclose(got, _by_heads(layer, x, x, sees), **close)


@pytest.mark.parametrize("causal", [False, True])
def test_alibi_adds_a_falling_line_for_each_head_and_hides_padding(rng, causal):
    layer = MultiHeadAttention(4, 2, causal=causal, position="alibi")
    x = rng.standard_normal((2, 5, 4))
    real = real_tokens([3, 0], 5)
    got = layer(mt.tensor(x), real=real).numpy()
    i, j = np.indices((5, 5))
    extra = [-s * np.abs(i - j) for s in (1 / 16, 1 / 256)]
    for s in range(2):
        sees = np.broadcast_to(real[s], (5, 5)) & (np.tri(5, dtype=bool) if causal else True)
        np.testing.assert_allclose(got[s], _by_heads(layer, x[s], x[s], sees, extra), **close)
    assert not got[1].any()


def test_rotary_scores_depend_on_the_distance_alone(rng):
    for interleaved in (False, True):
        layer = MultiHeadAttention(8, 2, position="rotary", interleaved=interleaved)
        token, weights = rng.standard_normal((1, 1, 8)), []
        layer(mt.tensor(np.repeat(token, 4, axis=1)), attention=weights)
        P = np.log(weights[0][0, 0])
        relative = P - np.diag(P)[:, None]
        np.testing.assert_allclose(relative[0, 1], relative[1, 2], **close)
        np.testing.assert_allclose(relative[0, 2], relative[1, 3], **close)
        assert abs(relative[0, 1]) > 1e-6


def test_weights_on_request_are_those_that_were_used(rng):
    layer = MultiHeadAttention(8, 4, kv_heads=2, causal=True)
    x, weights = rng.standard_normal((2, 5, 8)), []
    got = layer(mt.tensor(x), attention=weights).numpy()
    (P,) = weights
    assert P.shape == (2, 4, 5, 5)
    np.testing.assert_allclose(P.sum(-1), 1, **close)
    V = (x @ layer.W_v.weight.numpy().T).reshape(2, 5, 2, 2).swapaxes(1, 2).repeat(2, axis=1)
    O = (P @ V).swapaxes(1, 2).reshape(2, 5, 8)
    np.testing.assert_allclose(got, O @ layer.W_o.weight.numpy().T, **close)
    assert np.array_equal(got, layer(mt.tensor(x)).numpy())


def test_weights_of_chunked_attention_are_refused_in_a_sentence(rng):
    layer = MultiHeadAttention(4, method="chunked")
    with pytest.raises(mt.ArgumentError, match="keeps no weights"):
        layer(mt.tensor(rng.standard_normal((1, 2, 4))), attention=[])


@pytest.mark.parametrize("position", [None, "rotary", "alibi"])
def test_padding_and_what_stands_in_it_change_nothing(rng, position):
    layer = MultiHeadAttention(8, 2, position=position)
    x, real = rng.standard_normal((2, 5, 8)), real_tokens([3, 5], 5)
    other = x.copy()
    other[0, 3:] = 100
    a, b = (layer(mt.tensor(v), real=real).numpy() for v in (x, other))
    np.testing.assert_array_equal(a[0, :3], b[0, :3])
    np.testing.assert_allclose(a[0, :3], layer(mt.tensor(x[:1, :3])).numpy()[0], **close)


def test_a_row_that_sees_nothing_reads_zeros_and_has_finite_gradients(rng):
    for position in (None, "alibi"):
        layer = MultiHeadAttention(4, 2, position=position)
        x = mt.tensor(rng.standard_normal((1, 3, 4)), requires_grad=True)
        y = layer(x, real=np.zeros((1, 3), bool))
        assert not y.numpy().any()
        y.sum().backward()
        assert x.grad is not None
        assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("slopes", [None, (1 / 16, 1 / 256)])
def test_numbers_in_a_mask_are_added_to_the_scores(rng, slopes):
    layer = MultiHeadAttention(4, 2, position="alibi" if slopes else None)
    x, extra, real = rng.standard_normal((1, 4, 4)), rng.standard_normal((4, 4)), real_tokens([3], 4)
    got = layer(mt.tensor(x), extra, real=real).numpy()[0]
    i, j = np.indices((4, 4))
    added = [extra - s * np.abs(i - j) for s in slopes or (0, 0)]
    wanted = _by_heads(layer, x[0], x[0], np.broadcast_to(real[0], (4, 4)), added)
    np.testing.assert_allclose(got, wanted, **close)


@pytest.mark.parametrize("position", [None, "rotary", "alibi"])
@pytest.mark.parametrize("window", [None, 2])
@pytest.mark.parametrize("parts", [[5], [1, 1, 1, 1, 1], [3, 2], [1, 4]])
def test_a_cache_changes_nothing(rng, position, window, parts):
    layer = MultiHeadAttention(8, 4, kv_heads=2, causal=True, position=position, window=window)
    x, cache = rng.standard_normal((2, 5, 8)), {}
    whole = layer(mt.tensor(x)).numpy()
    pieces = [layer(mt.tensor(p), cache=cache).numpy() for p in np.split(x, np.cumsum(parts)[:-1], axis=1)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, **close)


@pytest.mark.parametrize("position", [None, "rotary", "alibi"])
@pytest.mark.parametrize("window", [None, 2])
def test_rows_of_different_lengths_continue_at_their_own_positions(rng, position, window):
    layer = MultiHeadAttention(8, 2, causal=True, position=position, window=window)
    x, lengths, cache = rng.standard_normal((3, 6, 8)), np.array([4, 2, 0]), {}
    layer(mt.tensor(x[:, :4]), cache=cache, real=real_tokens(lengths, 4))
    new = np.stack([x[s, k : k + 2] for s, k in enumerate(lengths)])
    got = layer(mt.tensor(new), cache=cache).numpy()
    for s, k in enumerate(lengths):
        np.testing.assert_allclose(got[s], layer(mt.tensor(x[s : s + 1, : k + 2])).numpy()[0, k:], **close)


def test_dropout_leaves_out_weights_in_training_and_keeps_their_mean(rng):
    layer = MultiHeadAttention(4, 4, kv_heads=2, dropout=0.5)
    x = mt.tensor(rng.standard_normal((1, 3, 4)))
    mean = np.mean([layer(x).numpy() for _ in range(4000)], axis=0)
    assert not np.array_equal(layer(x).numpy(), layer(x).numpy())
    layer.eval()
    np.testing.assert_allclose(mean, layer(x).numpy(), atol=0.05)


@pytest.mark.parametrize("position", [None, "rotary", "alibi"])
def test_gradients_equal_central_differences(rng, position):
    layer = MultiHeadAttention(4, 2, kv_heads=1, bias=True, causal=True, window=2, position=position)
    real = real_tokens([3, 2], 3)
    mt.gradcheck(lambda x: layer(x, real=real), rng.standard_normal((2, 3, 4)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kv_heads": 3}, r"kv_heads=3 does not divide the 4 query heads.*1, 2, 4"),
        ({"window": 0}, r"window=0; a position sees at least 1 key"),
        ({"d_k": 0}, r"d_k=0; the width of a head"),
        ({"d_k": 3, "position": "rotary"}, r"odd width 3"),
        ({"position": "learned"}, r"position is 'learned'; it can be 'rotary', 'alibi' or None"),
        ({"method": "fast"}, r"method is 'fast'; it can be 'dense' or 'chunked'"),
        ({"dropout": 2}, r"dropout=2 is no probability"),
        ({"dropout": 0.1, "method": "chunked"}, r"does not keep"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_a_sentence(options, said):
    with pytest.raises(ValueError, match=said):
        MultiHeadAttention(8, 4, **options)


def test_an_order_between_a_text_and_its_memory_is_refused(rng):
    x = mt.tensor(rng.standard_normal((1, 2, 4)))
    with pytest.raises(mt.ArgumentError, match="no order between queries"):
        MultiHeadAttention(4, causal=True)(x, memory=x)
    with pytest.raises(mt.ShapeError, match=r"memory: x of shape \(1, 2, 3\); axis -1 is 3, it takes width 4"):
        MultiHeadAttention(4)(x, memory=x[..., :3])
