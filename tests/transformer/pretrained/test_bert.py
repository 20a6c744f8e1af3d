"""Does a BERT encoder from a folder compute what its weights say, whatever the padding?"""

from __future__ import annotations

import json

import numpy as np
import pytest

import minitorch as mt
from tests.transformer.pretrained import formats
from transformer import pretrained

pytest.importorskip("safetensors")


@pytest.fixture
def weights(rng):
    return formats.bert_weights(rng)


@pytest.fixture
def folder(tmp_path, weights):
    return formats.folder(tmp_path / "model", formats.BERT, weights)


def test_the_states_are_those_of_the_equations(folder, weights, rng):
    encoder = pretrained.minilm(folder, np.float64)
    ids = rng.integers(0, 11, (3, 7))
    got = encoder.bert(ids).numpy()
    for row, states in zip(ids, got, strict=True):
        np.testing.assert_allclose(states, formats.bert_states(weights, row), rtol=0, atol=1e-12)


def test_padding_changes_nothing_and_a_sentence_is_a_mean_of_length_1(folder, weights, rng):
    encoder = pretrained.minilm(folder, np.float64)
    ids = rng.integers(0, 11, (2, 7))
    mask = np.arange(7) < np.array([[7], [4]])
    got = encoder(ids, mask).numpy()
    for row, real, vector in zip(ids, mask, got, strict=True):
        mean = formats.bert_states(weights, row[real]).mean(0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(encoder(ids, mask.astype(int)).numpy(), got)
    ids[1, 4:] = 0
    np.testing.assert_array_equal(encoder(ids, mask).numpy(), got)


def test_a_folder_may_have_the_pooler_and_the_numbers_of_positions(folder, weights, rng):
    ids = rng.integers(0, 11, (1, 4))
    before = pretrained.minilm(folder, np.float64)(ids).numpy()
    extra = {"embeddings.position_ids": np.arange(9)[None], "pooler.dense.weight": np.ones((8, 8))}
    mt.save(weights | extra, folder / "model.safetensors")
    np.testing.assert_array_equal(pretrained.minilm(folder, np.float64)(ids).numpy(), before)


def test_the_dtype_is_the_one_asked_for_and_the_config_builds_it_again(folder):
    encoder = pretrained.minilm(folder)
    assert {p.dtype for p in encoder.parameters()} == {np.dtype(np.float32)}
    assert encoder([[1, 2]]).dtype == np.float32
    again = pretrained.Bert(**json.loads(json.dumps(encoder.bert.config)))
    assert {k: v.shape for k, v in again.state_dict().items()} == {
        k: v.shape for k, v in encoder.bert.state_dict().items()
    }


def test_all_that_does_not_fit_is_listed_at_once(folder, weights):
    weights["classifier.weight"] = np.ones((2, 8))
    weights["encoder.layer.1.output.dense.weight"] = np.ones((12, 8))
    weights["embeddings.LayerNorm.bias"] = np.arange(8)
    del weights["encoder.layer.0.attention.self.query.bias"], weights["embeddings.word_embeddings.weight"]
    mt.save(weights, folder / "model.safetensors")
    with pytest.raises(mt.StateError, match="nothing was loaded") as caught:
        pretrained.minilm(folder)
    for line in (
        "missing: embeddings.word_embeddings.weight, encoder.layer.0.attention.self.query.bias",
        "unexpected: classifier.weight",
        "encoder.layer.1.output.dense.weight: shape (12, 8) in the file, (8, 12) in the model",
        "embeddings.LayerNorm.bias: dtype int64 in the file, wanted floats",
    ):
        assert line in str(caught.value)


def test_a_config_of_another_model_is_refused(folder):
    wrong = {"hidden_act": "relu", "position_embedding_type": "relative_key"}
    (folder / "config.json").write_text(json.dumps(formats.BERT | wrong))
    with pytest.raises(mt.StateError, match="hidden_act: 'relu', wanted 'gelu'\n  position_embedding_type"):
        pretrained.minilm(folder)


@pytest.mark.parametrize(
    ("tokens", "mask", "said"),
    [
        (np.zeros((1, 10), int), None, "n = 1 ... 9"),
        (np.zeros(3, int), None, "takes (batch, n)"),
        (np.zeros((2, 3), int), np.ones((2, 4)), "mask of shape (2, 4) for tokens of shape (2, 3)"),
    ],
)
def test_tokens_of_other_shapes_are_refused(folder, tokens, mask, said):
    with pytest.raises(mt.ShapeError) as caught:
        pretrained.minilm(folder)(tokens, mask)
    assert said in str(caught.value)


def test_text_needs_a_list_and_a_tokenizer(folder):
    encoder = pretrained.minilm(folder)
    with pytest.raises(mt.OperandError, match="takes a list"):
        encoder.embed("one sentence")
    with pytest.raises(FileNotFoundError, match=r"no tokenizer\.json"):
        encoder.embed(["one sentence"])


def test_text_is_cut_by_the_tokenizer_beside_the_weights(folder, weights):
    tokenizers = pytest.importorskip("tokenizers")
    cut = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[PAD]": 0, "a": 1, "b": 2, "?": 3}, unk_token="?"))
    cut.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    cut.enable_padding(length=9)  # as MiniLM's own file has it: all to one length
    cut.save(str(folder / "tokenizer.json"))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')
    encoder = pretrained.minilm(folder, np.float64)
    ids, mask = encoder.tokenize(["b a", "a b c b a"])
    assert ids.tolist() == [[2, 1, 0, 0], [1, 2, 3, 2]]
    assert mask.tolist() == [[True, True, False, False], [True] * 4]
    mean = formats.bert_states(weights, np.array([2, 1])).mean(0)
    np.testing.assert_allclose(encoder.embed(["b a", "a b c b a"])[0], mean / np.linalg.norm(mean), atol=1e-12)
