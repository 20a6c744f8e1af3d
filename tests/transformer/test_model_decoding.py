"""Do the models write, by their caches, what their logits over the whole text say?  And do they learn?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import minitorch as mt
from transformer import DecoderOnly, Transformer
from transformer.beam import beam_search
from transformer.decoding import greedy, sample
from transformer.model import continuing
from transformer.vocabulary import BOS, EOS, PAD

V = 5
SIZES = {"d": 8, "h": 2, "layers": 2, "d_ff": 8, "dropout": 0.3, "tied": False}  # untied tables repeat themselves less
POSITIONS = [{"position": p} for p in ("sinusoidal", "learned", "rotary", "alibi")]
OPTIONS = [*POSITIONS, {"kv_heads": 1, "norm": "post", "window": 2}]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def _spread(model):
    """The same model with larger weights, so that its guesses differ."""
    with mt.no_grad():
        for p in model.parameters():
            p *= 2.5
    return model


def _best(logits_of, length):
    """The likeliest token after the whole text so far, each time anew."""
    written: list[int] = []
    while len(written) < length and EOS not in written:
        written.append(int(logits_of(written).argmax()))
    return written


@every_option
def test_greedy_with_the_cache_equals_the_whole_model_at_every_step(options):
    varied = 0  # rows that are not one token again and again
    for seed in range(4):
        mt.seed(seed)
        model = _spread(Transformer(9, 9, **SIZES, **options))
        source, lengths = np.random.default_rng(seed).integers(3, 9, (4, 5)), np.array([5, 1, 3, 4])
        found = greedy(model, source, lengths, length=7)
        assert model.training
        model.eval()
        for b, k in enumerate(lengths):
            wanted = _best(lambda t, b=b, k=k, m=model, s=source: m(s[b : b + 1, :k], [[BOS, *t]]).numpy()[0, -1], 7)
            assert found[b, : len(wanted)].tolist() == wanted
            assert (found[b, len(wanted) :] == PAD).all()
            varied += len({*wanted}) > 1
    assert varied >= 3


@every_option
def test_texts_of_different_lengths_are_continued_as_each_alone(options):
    model = _spread(DecoderOnly(9, **SIZES, **options))
    prompt, lengths = np.random.default_rng(0).integers(3, 9, (3, 5)), np.array([5, 1, 3])
    found = greedy(model, **continuing(prompt, lengths), length=6)
    model.eval()
    for b, k in enumerate(lengths):
        wanted = _best(lambda t, b=b, k=k: model([[*prompt[b, :k], *t]]).numpy()[0, -1], 6)
        assert found[b, : len(wanted)].tolist() == wanted
    drawn = sample(model, **continuing(prompt, lengths), seed=1, length=6, top_k=1)
    assert np.array_equal(drawn, found)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_wide_beam_over_the_transformer_is_an_exhaustive_search(alpha):
    model = _spread(Transformer(9, V, **SIZES)).eval()
    source, lengths = np.array([[3, 4, 5], [6, 7, 0]]), np.array([3, 2])
    other = [v for v in range(V) if v != EOS]
    texts = [(*s, EOS) for k in range(3) for s in itertools.product(other, repeat=k)]
    texts += list(itertools.product(other, repeat=3))
    found = beam_search(model, source, lengths, beam=len(texts), alpha=alpha, length=3)
    for b, k in enumerate(lengths):
        score = {}
        for text in texts:
            logp = mt.log_softmax(model(source[b : b + 1, :k], [[BOS, *text[:-1]]]), axis=-1).numpy()[0]
            score[text] = sum(logp[t, v] for t, v in enumerate(text)) / ((5 + len(text)) / 6) ** alpha
        wanted = sorted(texts, key=lambda text: -score[text])
        assert [y.tokens for y in found[b]] == wanted
        np.testing.assert_allclose([y.score for y in found[b]], [score[text] for text in wanted], rtol=0, atol=1e-11)


def test_an_empty_text_cannot_be_continued():
    with pytest.raises(mt.ShapeError, match="row 1 is empty"):
        continuing([[3], [0]], [1, 0])


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_small_transformer_learns_to_write_texts_backwards(norm):
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 6, 32)
    source = np.where(np.arange(5) < lengths[:, None], rng.integers(3, 9, (32, 5)), PAD)
    target = np.zeros((32, 7), int)
    for b, k in enumerate(lengths):
        target[b, : k + 2] = [BOS, *source[b, :k][::-1], EOS]
    model = Transformer(9, 9, d=32, h=4, layers=1, d_ff=64, dropout=0.0, norm=norm)
    steps = mt.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(200):
        logits = model(source, target[:, :-1], lengths)  # (32, 6, 9)
        loss = mt.cross_entropy(logits.reshape(-1, 9), target[:, 1:].ravel(), ignore_index=PAD)
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert loss.item() < 0.05
    assert np.array_equal(greedy(model, source, lengths, length=6), target[:, 1:])
