"""Does a Llama model from a folder or a GGUF file compute what its weights say, with and without a cache?"""

from __future__ import annotations

import json

import numpy as np
import pytest

import minitorch as mt
from tests.transformer.pretrained import formats
from transformer import pretrained

pytest.importorskip("safetensors")
SIZES = formats.LLAMA


@pytest.fixture
def weights(rng):
    return formats.llama_weights(rng)


@pytest.fixture
def folder(tmp_path, weights):
    return formats.folder(tmp_path / "model", SIZES, weights)


def write_gguf(path, weights, kind="F32", without=(), more=None, architecture="llama"):
    """As llama.cpp's converter writes it: its names, and the rows of W_q and W_k in pairs of neighbours."""
    package = pytest.importorskip("gguf")
    names = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    parts = (
        "input_layernorm:attn_norm post_attention_layernorm:ffn_norm self_attn.q_proj:attn_q self_attn.k_proj:attn_k"
    )
    parts += " self_attn.v_proj:attn_v self_attn.o_proj:attn_output mlp.gate_proj:ffn_gate mlp.up_proj:ffn_up"
    for i in range(SIZES["num_hidden_layers"]):
        for theirs, name in (part.split(":") for part in (parts + " mlp.down_proj:ffn_down").split()):
            names[f"model.layers.{i}.{theirs}"] = f"blk.{i}.{name}"
    writer = package.GGUFWriter(path, architecture)
    writer.add_embedding_length(SIZES["hidden_size"])
    writer.add_block_count(SIZES["num_hidden_layers"])
    writer.add_feed_forward_length(SIZES["intermediate_size"])
    writer.add_head_count(SIZES["num_attention_heads"])
    writer.add_head_count_kv(SIZES["num_key_value_heads"])
    writer.add_key_length(SIZES["head_dim"])
    writer.add_context_length(SIZES["max_position_embeddings"])
    writer.add_rope_freq_base(SIZES["rope_theta"])
    writer.add_layer_norm_rms_eps(SIZES["rms_norm_eps"])
    for name, value in (more or {}).items():
        writer.add_string(name, value)
    for theirs, name in names.items():
        w = weights[f"{theirs}.weight"]
        if name.endswith(("attn_q", "attn_k")):
            h = SIZES["num_attention_heads"] if name.endswith("q") else SIZES["num_key_value_heads"]
            w = w.reshape(h, 2, -1, w.shape[-1]).swapaxes(1, 2).reshape(w.shape)
        if name in without:
            continue
        to = package.GGMLQuantizationType[kind if w.ndim == 2 else "F32"]
        writer.add_tensor(f"{name}.weight", package.quantize(w.astype(np.float32), to), raw_dtype=to)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_the_logits_of_a_folder_are_those_of_the_equations(folder, weights, rng):
    model = pretrained.llama(folder, np.float64)
    ids = rng.integers(0, 13, (2, 9))
    for row, logits in zip(ids, model(ids).numpy(), strict=True):
        np.testing.assert_allclose(logits, formats.llama_logits(weights, row), rtol=0, atol=1e-11)


def test_the_logits_of_a_gguf_file_are_those_of_the_equations(tmp_path, weights, rng):
    ids = rng.integers(0, 13, (1, 9))
    weights = {name: w.astype(np.float32).astype(float) for name, w in weights.items()}
    model = pretrained.llama(write_gguf(tmp_path / "m.gguf", weights), np.float64)
    want = formats.llama_logits(weights, ids[0])
    np.testing.assert_allclose(model(ids).numpy()[0], want, rtol=0, atol=1e-6)  # the file has eps in float32
    half = pretrained.llama(write_gguf(tmp_path / "h.gguf", weights, "F16"), np.float64)
    rounded = {n: w.astype(np.float16).astype(float) if w.ndim == 2 else w for n, w in weights.items()}
    np.testing.assert_allclose(half(ids).numpy()[0], formats.llama_logits(rounded, ids[0]), rtol=0, atol=1e-6)


def test_quantised_blocks_are_turned_back(tmp_path, rng, monkeypatch):
    package = pytest.importorskip("gguf")
    monkeypatch.setitem(SIZES, "hidden_size", 32)  # a block is 32 numbers of a row
    monkeypatch.setitem(SIZES, "intermediate_size", 64)
    monkeypatch.setitem(SIZES, "head_dim", 8)
    weights = formats.llama_weights(rng)
    model = pretrained.llama(write_gguf(tmp_path / "m.gguf", weights, "Q8_0"), np.float64)
    there = package.GGMLQuantizationType.Q8_0
    back = lambda w: package.dequantize(package.quantize(w.astype(np.float32), there), there).astype(float)
    rounded = {n: back(w) if w.ndim == 2 else w.astype(np.float32).astype(float) for n, w in weights.items()}
    ids = rng.integers(0, 13, (1, 9))
    np.testing.assert_allclose(model(ids).numpy()[0], formats.llama_logits(rounded, ids[0]), rtol=0, atol=1e-5)
    assert np.abs(model(ids).numpy()[0] - formats.llama_logits(weights, ids[0])).max() > 1e-3


@pytest.mark.parametrize("cuts", [[1] * 9, [4, 5], [3, 1, 5], [9]])
def test_with_a_cache_the_logits_are_the_same(folder, rng, cuts):
    model = pretrained.llama(folder, np.float64)
    ids, cache, parts = rng.integers(0, 13, (2, 9)), [], []
    for part in np.split(ids, np.cumsum(cuts)[:-1], axis=1):
        parts.append(model(part, cache).numpy())
    np.testing.assert_allclose(np.concatenate(parts, 1), model(ids).numpy(), rtol=0, atol=1e-12)
    assert [k.shape for k, _ in cache] == [(2, 2, 9, 4)] * 3


def test_a_future_token_changes_no_past_logit(folder, rng):
    model = pretrained.llama(folder, np.float64)
    ids = rng.integers(0, 13, (1, 9))
    before = model(ids).numpy()
    ids[0, 6] = (ids[0, 6] + 1) % 13
    after = model(ids).numpy()
    np.testing.assert_array_equal(after[:, :6], before[:, :6])
    assert (np.abs(after[:, 6:] - before[:, 6:]).max(-1) > 1e-6).all()


def test_the_most_probable_tokens_follow_until_the_end(folder, weights):
    model = pretrained.llama(folder, np.float64)
    ids = [3, 1]
    for _ in range(8):
        ids.append(int(formats.llama_logits(weights, np.array(ids))[-1].argmax()))
    assert model.complete([3, 1], 8) == ids
    end = ids.index(ids[4], 2)
    assert model.complete(np.array([3, 1]), 8, end=ids[4]) == ids[: end + 1]
    assert model.complete([3, 1], 0) == [3, 1]


def test_tied_logits_are_products_with_the_embeddings(tmp_path, weights, rng):
    ids = rng.integers(0, 13, (1, 5))
    own = weights.pop("lm_head.weight")
    weights = {name: w.astype(np.float32).astype(float) for name, w in weights.items()}
    tied = weights | {"lm_head.weight": weights["model.embed_tokens.weight"]}
    settings = SIZES | {"tie_word_embeddings": True}
    for held in (weights, weights | {"lm_head.weight": own}):  # a file may have a second copy, which is not read
        folder = formats.folder(tmp_path / "model", settings, held)
        got = pretrained.llama(folder, np.float64)(ids).numpy()[0]
        np.testing.assert_allclose(got, formats.llama_logits(tied, ids[0]), rtol=0, atol=1e-11)
    got = pretrained.llama(write_gguf(tmp_path / "m.gguf", tied, without={"output"}), np.float64)(ids).numpy()[0]
    np.testing.assert_allclose(got, formats.llama_logits(tied, ids[0]), rtol=0, atol=1e-6)


def test_a_model_in_parts_is_the_same(folder, weights, rng):
    ids = rng.integers(0, 13, (1, 5))
    want = pretrained.llama(folder, np.float64)(ids).numpy()
    (folder / "model.safetensors").unlink()
    placed = {name: f"part-{i % 2}.safetensors" for i, name in enumerate(weights)}
    for part in set(placed.values()):
        mt.save({name: w for name, w in weights.items() if placed[name] == part}, folder / part)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    np.testing.assert_array_equal(pretrained.llama(folder, np.float64)(ids).numpy(), want)
    (folder / "part-1.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no part-1\.safetensors"):
        pretrained.llama(folder)
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../a.safetensors"}}')
    with pytest.raises(mt.StateError, match="no weight_map"):
        pretrained.llama(folder)


def test_newer_settings_of_the_angles_are_read(folder, rng):
    ids = rng.integers(0, 13, (1, 5))
    want = pretrained.llama(folder, np.float64)(ids).numpy()
    settings = {k: v for k, v in SIZES.items() if k != "rope_theta"}
    for rope in ({"rope_theta": 50.0, "rope_type": "default"}, {"rope_theta": 50.0}):
        (folder / "config.json").write_text(json.dumps(settings | {"rope_parameters": rope}))
        np.testing.assert_array_equal(pretrained.llama(folder, np.float64)(ids).numpy(), want)
    (folder / "config.json").write_text(json.dumps(settings | {"rope_parameters": rope | {"rope_type": "yarn"}}))
    with pytest.raises(mt.StateError, match=r"rope_scaling: .*'yarn'.*, wanted None"):
        pretrained.llama(folder)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"model_type": "qwen2", "attention_bias": True},
            "model_type: 'qwen2', wanted 'llama'\n  attention_bias: True",
        ),
        ({"rope_scaling": {"type": "linear"}}, "rope_scaling: {'type': 'linear'}, wanted None"),
        ({"hidden_size": "12", "vocab_size": None}, "vocab_size: None, wanted a positive integer\n  hidden_size: '12'"),
        ({"num_hidden_layers": 2.5, "rms_norm_eps": 0}, "num_hidden_layers: 2.5"),
    ],
)
def test_settings_of_another_model_are_refused(folder, settings, said):
    (folder / "config.json").write_text(json.dumps(SIZES | settings))
    with pytest.raises(mt.StateError) as caught:
        pretrained.llama(folder)
    assert said in str(caught.value)


def test_settings_that_are_missing_are_listed(folder):
    settings = {k: v for k, v in SIZES.items() if k not in ("vocab_size", "intermediate_size")}
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(mt.StateError, match=r"vocab_size: missing.*\n.*intermediate_size: missing"):
        pretrained.llama(folder)


def test_a_gguf_file_of_another_model_is_refused(tmp_path, weights):
    with pytest.raises(mt.StateError, match=r"general\.architecture: 'mamba', wanted 'llama'"):
        pretrained.llama(write_gguf(tmp_path / "a.gguf", weights, architecture="mamba"))
    with pytest.raises(mt.StateError, match=r"llama\.rope\.scaling\.type: 'yarn'"):
        pretrained.llama(write_gguf(tmp_path / "b.gguf", weights, more={"llama.rope.scaling.type": "yarn"}))
    missing = r"missing: blk\.0\.attn_q\.weight, blk\.2\.ffn_up\.weight"
    with pytest.raises(mt.StateError, match=missing):
        pretrained.llama(write_gguf(tmp_path / "c.gguf", weights, without={"blk.0.attn_q", "blk.2.ffn_up"}))
    weights["model.layers.1.self_attn.k_proj.weight"] = np.ones((12, 12))
    with pytest.raises(mt.StateError, match=r"blk\.1\.attn_k\.weight: shape \(12, 12\) in the file, \(8, 12\)"):
        pretrained.llama(write_gguf(tmp_path / "d.gguf", weights))


def test_more_tokens_than_positions_and_other_shapes_are_refused(folder):
    model, cache = pretrained.llama(folder), []
    model(np.zeros((1, 10), int), cache)
    with pytest.raises(mt.ShapeError, match="17 tokens; it has 16 positions"):
        model(np.zeros((1, 7), int), cache)
    assert cache[0][0].shape[2] == 10
    with pytest.raises(mt.ShapeError, match=r"takes \(batch, n\)"):
        model(np.zeros(3, int))
    with pytest.raises(mt.ShapeError, match="kv_heads=3 do not divide the h=4"):
        pretrained.Llama(vocabulary=3, d=8, h=4, layers=1, d_ff=4, kv_heads=3)


def test_the_config_builds_the_model_again(folder):
    model = pretrained.llama(folder)
    again = pretrained.Llama(**json.loads(json.dumps(model.config)))
    assert again.load_state_dict(model.state_dict()) == ([], [])
