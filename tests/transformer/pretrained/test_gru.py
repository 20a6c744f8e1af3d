"""Does the GRU from an npz file compute what its weights say, for words of different lengths, and stop in time?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from tests.transformer.pretrained import formats
from transformer import pretrained
from transformer.pretrained.gru import BOS, EOS, PHONEMES


@pytest.fixture
def weights(rng):
    return formats.g2p_weights(rng)


@pytest.fixture
def file(tmp_path, weights):
    np.savez(tmp_path / "w.npz", **weights)
    return tmp_path / "w.npz"


def greedy(w, word, count):
    """Logits of each step, one word at a time."""
    h = np.zeros(6)
    for letter in [*("abcdefghijklmnopqrstuvwxyz".find(c) + 3 if c.isalpha() else 1 for c in word), 2]:
        h = formats.gru(w, "enc", w["enc_emb"][letter], h)
    token, rows = BOS, []
    for _ in range(count):
        h = formats.gru(w, "dec", w["dec_emb"][token], h)
        rows.append(w["fc_w"] @ h + w["fc_b"])
        token = int(rows[-1].argmax())
    return np.array(rows)


def test_logits_and_phonemes_are_those_of_the_equations(file, weights):
    model = pretrained.g2p_en(file, np.float64)
    words = ["ab", "longer", "it's", ""]
    want = [greedy(weights, word, 20) for word in words]
    targets = np.stack([[BOS, *rows[:-1].argmax(-1)] for rows in want])
    got = model(model.spell(words)[0], targets, model.spell(words)[1]).numpy()
    np.testing.assert_allclose(got, np.stack(want), rtol=0, atol=1e-12)
    for rows, spoken in zip(want, model.pronounce(words), strict=True):
        best = rows.argmax(-1).tolist()
        assert spoken == [PHONEMES[i] for i in best[: best.index(EOS) if EOS in best else 20]]


def test_a_word_ends_at_the_end_symbol(tmp_path, weights):
    weights["fc_b"][EOS] = 100
    np.savez(tmp_path / "w.npz", **weights)
    assert pretrained.g2p_en(tmp_path / "w.npz").pronounce(["a", "b"]) == [[], []]


def test_capitals_are_small_letters_and_a_text_is_no_list(file):
    model = pretrained.g2p_en(file)
    assert model.pronounce(["Word"]) == model.pronounce(["word"])
    assert model.pronounce([]) == []
    with pytest.raises(mt.OperandError, match="takes a list of words"):
        model.pronounce("word")


def test_all_that_does_not_fit_is_listed_at_once(tmp_path, weights):
    weights["enc_w_hh"] = weights["enc_w_hh"][:-1]
    weights["more"] = weights.pop("fc_b")
    np.savez(tmp_path / "w.npz", **weights)
    with pytest.raises(mt.StateError, match="nothing was loaded") as caught:
        pretrained.g2p_en(tmp_path / "w.npz")
    for line in ("missing: fc_b", "unexpected: more", "enc_w_hh: shape (17, 6) in the file, (18, 6) in the model"):
        assert line in str(caught.value)
