"""Tiny random models in each format, and what they should compute, in plain NumPy under the files' own names."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

import minitorch as mt

BERT = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": 11,
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 9,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-3,
}
LLAMA = {
    "model_type": "llama",
    "hidden_act": "silu",
    "vocab_size": 13,
    "hidden_size": 12,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 4,
    "num_hidden_layers": 3,
    "intermediate_size": 10,
    "max_position_embeddings": 16,
    "rope_theta": 50.0,
    "rms_norm_eps": 1e-3,
    "tie_word_embeddings": False,
}


def bert_weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    d, f = BERT["hidden_size"], BERT["intermediate_size"]
    shapes = {"embeddings.word_embeddings.weight": (BERT["vocab_size"], d)}
    shapes["embeddings.position_embeddings.weight"] = (BERT["max_position_embeddings"], d)
    shapes["embeddings.token_type_embeddings.weight"] = (2, d)
    layers = {"embeddings.LayerNorm": (d,)}
    for i in range(BERT["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        layers |= {f"{at}attention.self.{n}": (d, d) for n in ("query", "key", "value")}
        layers |= {f"{at}attention.output.dense": (d, d), f"{at}attention.output.LayerNorm": (d,)}
        layers |= {f"{at}intermediate.dense": (f, d), f"{at}output.dense": (d, f), f"{at}output.LayerNorm": (d,)}
    for name, shape in layers.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def llama_weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    d, f, d_k = LLAMA["hidden_size"], LLAMA["intermediate_size"], LLAMA["head_dim"]
    q, kv = LLAMA["num_attention_heads"] * d_k, LLAMA["num_key_value_heads"] * d_k
    shapes = {"model.embed_tokens": (LLAMA["vocab_size"], d), "model.norm": (d,), "lm_head": (LLAMA["vocab_size"], d)}
    for i in range(LLAMA["num_hidden_layers"]):
        at = f"model.layers.{i}."
        shapes |= {f"{at}input_layernorm": (d,), f"{at}post_attention_layernorm": (d,)}
        shapes |= {f"{at}self_attn.q_proj": (q, d), f"{at}self_attn.o_proj": (d, q)}
        shapes |= {f"{at}self_attn.k_proj": (kv, d), f"{at}self_attn.v_proj": (kv, d)}
        shapes |= {f"{at}mlp.gate_proj": (f, d), f"{at}mlp.up_proj": (f, d), f"{at}mlp.down_proj": (d, f)}
    return {f"{name}.weight": rng.standard_normal(shape) for name, shape in shapes.items()}


def g2p_weights(rng: np.random.Generator, d: int = 6) -> dict[str, np.ndarray]:
    shapes: dict[str, tuple[int, ...]] = {"enc_emb": (29, d), "dec_emb": (74, d), "fc_w": (74, d), "fc_b": (74,)}
    for side in ("enc", "dec"):
        shapes |= {f"{side}_w_ih": (3 * d, d), f"{side}_w_hh": (3 * d, d)}
        shapes |= {f"{side}_b_ih": (3 * d,), f"{side}_b_hh": (3 * d,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def folder(path: Path, settings: dict, weights: dict[str, np.ndarray]) -> Path:
    """A folder as Hugging Face has it."""
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(settings))
    mt.save(weights, path / "model.safetensors")
    return path


# -- what they compute -------------------------------------------------------------------------------------------------


def softmax(a: np.ndarray) -> np.ndarray:
    e = np.exp(a - a.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def bert_states(w: dict[str, np.ndarray], ids: np.ndarray) -> np.ndarray:
    """ids (n,), all real -> (n, d), head by head."""
    h, eps = BERT["num_attention_heads"], BERT["layer_norm_eps"]
    linear = lambda name, x: x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name, x):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w[f"{name}.weight"] + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][0]
    x = norm("embeddings.LayerNorm", x + w["embeddings.position_embeddings.weight"][: len(ids)])
    for i in range(BERT["num_hidden_layers"]):
        at = f"encoder.layer.{i}."
        Q, K, V = (np.split(linear(f"{at}attention.self.{n}", x), h, axis=-1) for n in ("query", "key", "value"))
        z = [softmax(q @ k.T / math.sqrt(q.shape[-1])) @ v for q, k, v in zip(Q, K, V, strict=True)]
        x = norm(f"{at}attention.output.LayerNorm", x + linear(f"{at}attention.output.dense", np.concatenate(z, -1)))
        u = linear(f"{at}intermediate.dense", x)
        u = u * (1 + np.vectorize(math.erf)(u / math.sqrt(2))) / 2
        x = norm(f"{at}output.LayerNorm", x + linear(f"{at}output.dense", u))
    return x


def turned(x: np.ndarray) -> np.ndarray:
    """Rows (n, d_k), each pair of columns k and k + d_k/2 turned, as a complex number."""
    half = x.shape[-1] // 2
    angle = np.arange(len(x))[:, None] * LLAMA["rope_theta"] ** (-np.arange(half) / half)
    z = (x[:, :half] + 1j * x[:, half:]) * np.exp(1j * angle)
    return np.concatenate([z.real, z.imag], -1)


def llama_logits(w: dict[str, np.ndarray], ids: np.ndarray) -> np.ndarray:
    """ids (n,) -> logits (n, vocabulary), head by head."""
    h, kv, eps, n = LLAMA["num_attention_heads"], LLAMA["num_key_value_heads"], LLAMA["rms_norm_eps"], len(ids)
    norm = lambda name, x: x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w[f"{name}.weight"]
    linear = lambda name, x: x @ w[f"{name}.weight"].T
    x = w["model.embed_tokens.weight"][ids]
    future = np.triu(np.full((n, n), -np.inf), 1)
    for i in range(LLAMA["num_hidden_layers"]):
        at = f"model.layers.{i}."
        u, z = norm(f"{at}input_layernorm", x), []
        Q = np.split(linear(f"{at}self_attn.q_proj", u), h, axis=-1)
        K, V = (np.split(linear(f"{at}self_attn.{name}_proj", u), kv, axis=-1) for name in "kv")
        for j in range(h):
            k, v = K[j // (h // kv)], V[j // (h // kv)]
            z.append(softmax(turned(Q[j]) @ turned(k).T / math.sqrt(k.shape[-1]) + future) @ v)
        x = x + linear(f"{at}self_attn.o_proj", np.concatenate(z, -1))
        u = norm(f"{at}post_attention_layernorm", x)
        gate = linear(f"{at}mlp.gate_proj", u)
        x = x + linear(f"{at}mlp.down_proj", gate / (1 + np.exp(-gate)) * linear(f"{at}mlp.up_proj", u))
    return linear("lm_head", norm("model.norm", x))


def gru(w: dict[str, np.ndarray], side: str, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """One step of g2p-en's GRU for one word."""
    a, b = w[f"{side}_w_ih"] @ x + w[f"{side}_b_ih"], w[f"{side}_w_hh"] @ h + w[f"{side}_b_hh"]
    (ar, az, an), (br, bz, bn) = np.split(a, 3), np.split(b, 3)
    r, z = 1 / (1 + np.exp(-ar - br)), 1 / (1 + np.exp(-az - bz))
    return (1 - z) * np.tanh(an + r * bn) + z * h
