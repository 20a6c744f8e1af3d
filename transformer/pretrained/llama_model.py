"""What comes next?  A decoder-only model of the Llama family: every token sees the past, which a cache keeps.

    y = x + W_o GroupedAttention(R(W_q u), R(W_k u), W_v u),    u = RMSNorm(x)
    z = y + W_2 (silu(W_1 v) * W_3 v),                          v = RMSNorm(y)

R turns each pair of columns by an angle that grows with the position.  Source: Touvron et al. 2023 (arXiv 2302.13971),
section 2.2; Su et al. 2021 (arXiv 2104.09864) for R; Ainslie et al. 2023 (arXiv 2305.13245) for several query heads to
one key head; Shazeer 2020 (arXiv 2002.05202) for W_1, W_2, W_3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn

Cache = list[tuple[Any, Any]]
"""Of each block, the keys and values so far, (batch, kv_heads, n, d_k); an empty list before the first token."""


class Attention(nn.Module):
    """h query heads to kv_heads key and value heads, causal, turned by position: (batch, n, d) -> (batch, n, d)."""

    def __init__(self, d: int, h: int, kv_heads: int, d_k: int, base: float):
        if h % kv_heads:
            raise mt.ShapeError(f"Llama: kv_heads={kv_heads} do not divide the h={h} query heads.")
        self.d_k, self.base = d_k, base
        self.W_q = nn.Linear(d, h * d_k, bias=False)
        self.W_k = nn.Linear(d, kv_heads * d_k, bias=False)
        self.W_v = nn.Linear(d, kv_heads * d_k, bias=False)
        self.W_o = nn.Linear(h * d_k, d, bias=False)

    def forward(self, x: mt.Tensor, past: tuple[Any, Any] | None) -> tuple[mt.Tensor, tuple[Any, Any]]:
        """x (batch, n, d), keys and values of the past -> (batch, n, d), keys and values up to here."""
        batch, n, _ = x.shape
        heads = lambda u: u.reshape(batch, n, -1, self.d_k).swapaxes(1, 2)
        Q, K, V = heads(self.W_q(x)), heads(self.W_k(x)), heads(self.W_v(x))  # (batch, h or kv_heads, n, d_k)
        first = 0 if past is None else past[0].shape[2]  # the position of x's first row
        Q, K = mt.rotary(Q, positions=first, base=self.base), mt.rotary(K, positions=first, base=self.base)
        if past is not None:
            K, V = (mt.concatenate(pair, axis=2) for pair in zip(past, (K, V), strict=True))
        O = mt.scaled_dot_product_attention(Q, K, V, causal=True)  # (batch, h, n, d_k)
        return self.W_o(O.swapaxes(1, 2).reshape(batch, n, -1)), (K, V)


class Block(nn.Module):
    """One layer of Llama, pre-norm."""

    def __init__(self, d: int, h: int, kv_heads: int, d_k: int, d_ff: int, base: float, eps: float):
        self.norm_1, self.norm_2 = nn.RMSNorm(d, eps=eps), nn.RMSNorm(d, eps=eps)
        self.attention = Attention(d, h, kv_heads, d_k, base)
        self.W_1, self.W_3 = nn.Linear(d, d_ff, bias=False), nn.Linear(d, d_ff, bias=False)
        self.W_2 = nn.Linear(d_ff, d, bias=False)

    def forward(self, x: mt.Tensor, past: tuple[Any, Any] | None) -> tuple[mt.Tensor, tuple[Any, Any]]:
        """x (batch, n, d), keys and values of the past -> (batch, n, d), keys and values up to here."""
        a, kept = self.attention(self.norm_1(x), past)
        y = x + a
        v = self.norm_2(y)
        return y + self.W_2(mt.swiglu(self.W_1(v), self.W_3(v))), kept


class Llama(nn.Module):
    """Tokens (batch, n) -> logits (batch, n, vocabulary); row i depends on tokens 0 ... i only.

    Args:
        vocabulary: how many tokens there are.
        d, h, layers, d_ff: width, query heads, blocks, hidden width of a block's network.
        kv_heads: key and value heads, which divide h; h unless given.
        d_k: width of a head; d / h unless given.
        positions: the longest sequence that it was trained for.
        base: of the angles.
        eps: of the norms.
        tied: whether the logits are products with the embeddings.

    >>> model = Llama(vocabulary=5, d=8, h=4, layers=2, d_ff=16, kv_heads=2)
    >>> model(np.array([[1, 2, 3]])).shape
    (1, 3, 5)
    >>> model.complete([1, 2], 3)[:2]
    [1, 2]
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        d: int,
        h: int,
        layers: int,
        d_ff: int,
        kv_heads: int | None = None,
        d_k: int | None = None,
        positions: int = 2048,
        base: float = 10000.0,
        eps: float = 1e-5,
        tied: bool = True,
    ):
        if d_k is None and d % h:
            raise mt.ShapeError(f"Llama: h={h} heads do not divide the width d={d}. Give d_k?")
        kv_heads, d_k = kv_heads or h, d_k or d // h
        self.config: dict[str, Any] = {"vocabulary": vocabulary, "d": d, "h": h, "layers": layers, "d_ff": d_ff}
        self.config |= {"kv_heads": kv_heads, "d_k": d_k, "positions": positions}
        self.config |= {"base": base, "eps": eps, "tied": tied}
        self.tokens = nn.Embedding(vocabulary, d)
        self.blocks = nn.ModuleList(Block(d, h, kv_heads, d_k, d_ff, base, eps) for _ in range(layers))
        self.norm = nn.RMSNorm(d, eps=eps)
        self.head = None if tied else nn.Linear(d, vocabulary, bias=False)

    def forward(self, tokens: np.ndarray, cache: Cache | None = None) -> mt.Tensor:
        """tokens (batch, n) integers -> logits (batch, n, vocabulary).

        Args:
            tokens: padded at the end if at all; what stands behind a token changes nothing for it.
            cache: of the tokens before these, an empty list at first; it is brought up to date.

        Raises:
            minitorch.ShapeError: other shapes, or more tokens than there are positions.
        """
        tokens = np.asarray(tokens)
        past = cache[0][0].shape[2] if cache else 0
        longest = self.config["positions"]
        if tokens.ndim != 2 or not tokens.shape[1]:
            raise mt.ShapeError(f"Llama: tokens of shape {tokens.shape}; it takes (batch, n) with at least one token.")
        if past + tokens.shape[1] > longest:
            raise mt.ShapeError(f"Llama: {past + tokens.shape[1]} tokens; it has {longest} positions.")
        x, kept = self.tokens(tokens), []  # (batch, n, d)
        for i, block in enumerate(self.blocks):
            x, pair = block(x, cache[i] if cache else None)
            kept.append(pair)
        if cache is not None:
            cache[:] = kept
        x = self.norm(x)
        return mt.linear(x, self.tokens.weight) if self.head is None else self.head(x)

    def complete(self, tokens: list[int] | np.ndarray, count: int = 20, end: int | None = None) -> list[int]:
        """tokens (n,) and the `count` most probable ones after them, one after the other, or until `end`."""
        ids, cache = [int(i) for i in tokens], []
        with mt.no_grad():
            new = ids
            for _ in range(count):
                new = [int(self(np.array([new]), cache).numpy()[0, -1].argmax())]
                ids = ids + new
                if new[0] == end:
                    break
        return ids
