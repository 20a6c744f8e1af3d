"""Do the ways of choosing tokens choose as their definitions say, for any model with `start` and `step`?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from transformer.beam import beam_search, length_penalty
from transformer.decoding import greedy, likely, sample
from transformer.vocabulary import EOS, PAD

V = 5


class Recurrent(nn.Module):
    """A decoder whose state is the tokens' running sum of embeddings, from the mean of the source."""

    def __init__(self, scale: float = 3.0):
        self.embedding, self.out = nn.Embedding(V, 4), nn.Linear(4, V, bias=False)
        self.mix, self.drop, self.scale = nn.Linear(4, 4), nn.Dropout(0.5), scale
        self.seen: list[bool] = []

    def start(self, source, source_lengths=None):
        real = np.arange(source.shape[1]) < (source.shape[1] if source_lengths is None else source_lengths[:, None])
        return {"h": [mt.sum(self.embedding(source) * real[..., None], axis=1)], "none": None}

    def step(self, tokens, state):
        self.seen.append(self.training)
        h = mt.tanh(2 * self.mix(state["h"][0]) + self.embedding(tokens))
        return self.scale * self.out(self.drop(h)), {"h": [h], "none": None}


@pytest.fixture
def model():
    mt.seed(2)
    return Recurrent()


def _log_p(model, source, sentence):
    """log p of one sentence, step by step."""
    with mt.no_grad():
        model.eval()
        state, last, total = model.start(source), 1, 0.0
        for token in sentence:
            logits, state = model.step(np.array([last]), state)
            total += mt.log_softmax(logits, axis=-1).numpy()[0, token]
            last = token
    return total


SOURCE = np.array([[3, 4, 2], [4, 2, 0], [3, 3, 1], [2, 2, 0]])


def test_greedy_writes_the_likeliest_token_until_the_end_and_pads_behind_it():
    ended_early = 0
    for seed in range(10):
        mt.seed(seed)
        model = Recurrent()
        y = greedy(model, SOURCE, length=6)
        for b, row in enumerate(y):
            wanted: list[int] = []
            while len(wanted) < 6 and EOS not in wanted:
                scores = [_log_p(model, SOURCE[b : b + 1], [*wanted, v]) for v in range(V)]
                wanted.append(int(np.argmax(scores)))
            assert row[: len(wanted)].tolist() == wanted
            assert (row[len(wanted) :] == PAD).all()
            ended_early += len(wanted) < y.shape[1]
    assert ended_early > 3


def test_rows_do_not_disturb_one_another(model):
    lengths = np.array([3, 2, 3, 2])
    together = greedy(model, SOURCE, lengths, length=6)
    assert len(np.unique(together)) > 2
    searched = beam_search(model, SOURCE, lengths, beam=3, length=6)
    for b in range(4):
        alone = greedy(model, SOURCE[b : b + 1, : lengths[b]], length=6)[0]
        assert together[b, : len(alone)].tolist() == alone.tolist()
        (found,) = beam_search(model, SOURCE[b : b + 1, : lengths[b]], beam=3, length=6)
        assert [y.tokens for y in found] == [y.tokens for y in searched[b]]
        np.testing.assert_allclose([y.score for y in found], [y.score for y in searched[b]], rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_greedy_decoding(seed, alpha):
    mt.seed(seed)
    model = Recurrent()
    y = greedy(model, SOURCE, length=6)
    for row, found in zip(y, beam_search(model, SOURCE, beam=1, alpha=alpha, length=6), strict=True):
        assert len(found) == 1
        assert row[: len(found[0].tokens)].tolist() == list(found[0].tokens)
        assert (row[len(found[0].tokens) :] == PAD).all()


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_a_wide_beam_finds_all_that_an_exhaustive_search_finds_in_its_order(model, alpha):
    other = [v for v in range(V) if v != EOS]
    sentences = [(*s, EOS) for k in range(3) for s in itertools.product(other, repeat=k)]
    sentences += list(itertools.product(other, repeat=3))  # no end within the length
    for b in range(2):
        source = SOURCE[b : b + 1]
        p = {s: _log_p(model, source, s) for s in sentences}
        assert np.exp(list(p.values())).sum() == pytest.approx(1)
        wanted = sorted(((v / length_penalty(len(s), alpha), s) for s, v in p.items()), reverse=True)
        (found,) = beam_search(model, source, beam=len(sentences), alpha=alpha, length=3)
        assert [y.tokens for y in found] == [s for _, s in wanted]
        np.testing.assert_allclose([y.score for y in found], [v for v, _ in wanted], rtol=1e-12)
        np.testing.assert_allclose([y.log_probability for y in found], [p[s] for _, s in wanted], rtol=1e-12)


def test_a_wider_beam_finds_what_greedy_misses():
    better = 0
    for seed in range(20):
        mt.seed(seed)
        model = Recurrent()
        one, five = (beam_search(model, SOURCE, beam=k, alpha=0, length=4) for k in (1, 5))
        assert {len(found) for found in five} == {5}
        better += sum(a[0].log_probability < b[0].log_probability - 1e-9 for a, b in zip(one, five, strict=True))
    assert better >= 5


def test_the_length_penalty_is_that_of_the_paper_and_prefers_longer_sentences(model):
    (y, *_), *_ = beam_search(model, SOURCE, beam=3, alpha=0.6, length=6)
    assert y.score == pytest.approx(y.log_probability / ((5 + len(y.tokens)) / 6) ** 0.6)
    mean = np.zeros(2)
    for seed in range(10):
        mt.seed(seed)
        model = Recurrent()
        for k, alpha in enumerate((0, 20)):
            found = beam_search(model, SOURCE, beam=60, alpha=alpha, length=3)
            mean[k] += np.mean([len(row[0].tokens) for row in found]) / 10
    assert mean[0] < mean[1]


def test_samples_have_the_models_frequencies_and_a_seed_repeats_them(model):
    source = np.repeat(SOURCE[:1], 20_000, axis=0)
    y = sample(model, source, seed=5, length=1, temperature=2.0)[:, 0]
    p = np.exp([_log_p(model, SOURCE[:1], [v]) / 2 for v in range(V)])
    np.testing.assert_allclose(np.bincount(y, minlength=V) / len(y), p / p.sum(), atol=0.012)
    draws = [sample(model, SOURCE, seed=s, length=6, temperature=2.0) for s in (1, 1, 2)]
    assert np.array_equal(draws[0], draws[1])
    assert draws[0].shape != draws[2].shape or not np.array_equal(draws[0], draws[2])


def test_sampling_from_one_token_or_from_a_cold_model_is_greedy(model):
    y = greedy(model, SOURCE, length=6)
    for options in ({"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-6}):
        assert np.array_equal(sample(model, SOURCE, seed=0, length=6, **options), y)


def test_top_k_and_top_p_keep_the_likeliest_and_sum_to_one():
    p = np.array([[0.1, 0.4, 0.3, 0.2], [0.25, 0.25, 0.25, 0.25]])
    np.testing.assert_allclose(likely(np.log(p)), p)
    np.testing.assert_allclose(likely(np.log(p), 2), [[0, 4 / 7, 3 / 7, 0], [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(likely(np.log(p), None, 0.69), [[0, 4 / 7, 3 / 7, 0], [1 / 3, 1 / 3, 1 / 3, 0]])
    np.testing.assert_allclose(likely(np.log(p), 3, 0.5), [[0, 4 / 7, 3 / 7, 0], [0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(likely(np.log(p), 99, 1.0), p)


def test_decoding_records_nothing_drops_nothing_and_leaves_each_module_as_it_was(model):
    model.mix.eval()
    greedy(model, SOURCE, length=2)
    beam_search(model, SOURCE, length=2)
    assert not any(model.seen)
    assert (model.training, model.drop.training, model.mix.training) == (True, True, False)
    with pytest.raises(mt.OperandError):
        greedy(Recurrent(np.nan), SOURCE)


def test_the_first_token_can_be_another_for_each_row(model):
    firsts = np.array([1, 3, 4, 2])
    y = greedy(model, SOURCE, length=4, first=firsts)
    for b, first in enumerate(firsts):
        alone = greedy(model, SOURCE[b : b + 1], length=4, first=int(first))[0]
        assert y[b, : len(alone)].tolist() == alone.tolist()
    assert not np.array_equal(y, greedy(model, SOURCE, length=4)[:, : y.shape[1]])


def test_an_empty_batch_gives_an_empty_result(model):
    assert greedy(model, SOURCE[:0]).shape == (0, 0)
    assert beam_search(model, SOURCE[:0]) == []


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda m: greedy(m, SOURCE, length=0), "length=0; at least 1 token"),
        (lambda m: sample(m, SOURCE, seed=0, temperature=0), "temperature=0; it is a number above 0. Use greedy"),
        (lambda m: sample(m, SOURCE, seed=0, top_k=0), "top_k=0; at least 1 token"),
        (lambda m: sample(m, SOURCE, seed=0, top_p=1.5), "top_p=1.5 is no probability"),
        (lambda m: beam_search(m, SOURCE, beam=0), "beam=0, alpha=0.6; a beam is at least 1"),
        (lambda m: beam_search(m, SOURCE, alpha=-1), "beam=4, alpha=-1; a beam is at least 1, alpha at least 0"),
        (lambda m: greedy(Recurrent(np.nan), SOURCE), "the logits of row 0 are NaN at step 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(model, run, said):
    with pytest.raises(mt.OperandError, match=said):
        run(model)
