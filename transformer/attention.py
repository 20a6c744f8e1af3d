"""How does every position reach every other directly?  Each asks a question, and averages the answers.

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V
    head_i             = Attention(X W_q^i, Y W_k^i, Y W_v^i)        self-attention: Y = X; cross attention: a memory Y
    MultiHead(X, Y)    = Concat(head_1 ... head_h) W_o

Source: Vaswani et al. 2017 (arXiv 1706.03762), equation 1 and section 3.2.2; grouped queries: Ainslie et al. 2023
(arXiv 2305.13245).

The square root keeps the scores' variance at 1: the product of two independent standard normal vectors of length d_k
has variance d_k, and a softmax of large scores has a vanishing gradient (section 3.2.1, footnote 4).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

import minitorch as mt
from minitorch import nn, scaled_dot_product_attention
from transformer.cache import Cache, extend, positions_after
from transformer.mask import both, hide, near
from transformer.position import alibi, rotary_at
from transformer.sequence import check_sequence


class MultiHeadAttention(nn.Module):
    """Attention with h heads: (batch, n, d) -> (batch, n, d).

    Args:
        d: width; each head has width d_k = d/h unless given.
        h: number of heads, which must divide d.
        causal: whether a position sees itself and the past only.
        kv_heads: sets of keys and values, which must divide h; query head i reads set i // (h / kv_heads).
        d_k: width of a head.
        bias: whether W_q, W_k, W_v and W_o add a bias.
        dropout: probability with which a weight is left out in training, as PyTorch does.
        window: how many keys a position sees, the nearest ones (Vaswani's restricted attention); None for all.
        position: "rotary" or "alibi", or None for attention that knows no order.
        base, interleaved: of rotary positions, as for `minitorch.rotary`.
        method: "dense" keeps the weights, (n, m) for each head; "chunked" needs memory O(n + m) only.

    W_q, W_k, W_v, W_o are linear layers; row block i of W_q.weight is the W_q^i of head i, transposed.

    >>> MultiHeadAttention(8, 2)(mt.tensor(np.ones((1, 3, 8), np.float32))).shape
    (1, 3, 8)
    """

    def __init__(
        self,
        d: int,
        h: int = 1,
        *,
        causal: bool = False,
        kv_heads: int | None = None,
        d_k: int | None = None,
        bias: bool = False,
        dropout: float = 0.0,
        window: int | None = None,
        position: Literal["rotary", "alibi"] | None = None,
        base: float = 10000.0,
        interleaved: bool = False,
        method: Literal["dense", "chunked"] = "dense",
    ):
        kv_heads = h if kv_heads is None else kv_heads
        _check(d, h, kv_heads, d_k, dropout, window, position, method)
        self.d_in, self.h, self.causal = d, h, causal
        self.kv_heads, self.d_k = kv_heads, d // h if d_k is None else d_k
        self.dropout, self.window, self.method = dropout, window, method
        self.position, self.base, self.interleaved = position, base, interleaved
        self.W_q = nn.Linear(d, h * self.d_k, bias=bias)
        self.W_k = nn.Linear(d, kv_heads * self.d_k, bias=bias)
        self.W_v = nn.Linear(d, kv_heads * self.d_k, bias=bias)
        self.W_o = nn.Linear(h * self.d_k, d, bias=bias)

    def forward(
        self,
        x: mt.Tensor,
        mask: np.ndarray | None = None,
        *,
        memory: mt.Tensor | tuple[mt.Tensor, mt.Tensor] | None = None,
        real: np.ndarray | None = None,
        cache: Cache | None = None,
        attention: list[np.ndarray] | None = None,
    ) -> mt.Tensor:
        """x (batch, n, d) -> (batch, n, d).

        Args:
            mask: broadcasts to (batch, h, n, m); True where a key may be seen, or numbers to add to the scores.
            memory: what is read, (batch, m, d), or the keys and values of it (`keys_values`); x itself unless given.
            real: (batch, n), or (batch, m) of a memory: False for padding, which is not seen.
            cache: earlier positions, which are read too; x is added to it in place (`transformer.cache`).
            attention: a list that gets the weights (batch, h, n, m) appended.

        Raises:
            minitorch.ShapeError: x or memory is not (batch, n, d), or a mask does not fit; says which axis.
            minitorch.ArgumentError: weights are asked of chunked attention, or an order between x and a memory.
        """
        check_sequence("MultiHeadAttention", x.shape, self.d_in)
        Q = self._heads(self.W_q(x), self.h)  # (batch, h, n, d_k)
        if memory is not None:
            self._check_memory(memory, cache)
            K, V = memory if isinstance(memory, tuple) else self.keys_values(memory)  # (batch, h_kv, m, d_k)
            return self._read(Q, K, V, mask, real, None, None, attention)
        K, V = self._heads(self.W_k(x), self.kv_heads), self._heads(self.W_v(x), self.kv_heads)
        at = None if cache is None else positions_after(cache, x.shape[0], x.shape[1])  # (batch, n)
        if self.position == "rotary":
            turn = lambda t: rotary_at(t, at, base=self.base, interleaved=self.interleaved)
            Q, K = turn(Q), turn(K)
        keys_at = at
        if cache is not None and at is not None:
            K, V = extend(cache, K, V, at, real)
            keys_at, real = cache["at"], cache["real"]
        return self._read(Q, K, V, mask, real, at, keys_at, attention)

    def keys_values(self, memory: mt.Tensor) -> tuple[mt.Tensor, mt.Tensor]:
        """The keys and values (batch, h_kv, m, d_k) of a memory (batch, m, d), which many queries can read."""
        check_sequence("MultiHeadAttention, memory", memory.shape, self.d_in)
        return self._heads(self.W_k(memory), self.kv_heads), self._heads(self.W_v(memory), self.kv_heads)

    def _read(self, Q: Any, K: Any, V: Any, mask: Any, real: Any, at: Any, keys_at: Any, attention: Any) -> mt.Tensor:
        """W_o of what queries (batch, h, n, d_k) read from keys and values (batch, h_kv, m, d_k)."""
        mask, causal, empty = self._seen(mask, real, at, keys_at, Q, K)
        dropped = self.dropout if self.training else 0.0
        attend = lambda V: scaled_dot_product_attention(Q, K, V, mask, causal=causal, method=self.method)
        P = self._weights(attend, K) if attention is not None or dropped else None  # (batch, h, n, m)
        if P is not None and attention is not None:
            attention.append(P.numpy() if empty is None else np.where(empty, 0, P.numpy()))
        O = self._averaged(mt.dropout(P, dropped), V) if P is not None and dropped else attend(V)  # (batch, h, n, d_k)
        if empty is not None:
            O = mt.where(empty, 0, O)
        batch, h, n, d_k = O.shape
        return self.W_o(O.swapaxes(1, 2).reshape(batch, n, h * d_k))

    def _seen(self, mask: Any, real: Any, at: Any, keys_at: Any, Q: Any, K: Any) -> tuple[Any, bool, Any]:
        """One mask of all that hides keys or changes scores, whether causality is still to be added, and which queries
        see nothing although the mask has numbers, which cannot say so."""
        n, m = Q.shape[-2], K.shape[-2]
        rows = np.arange(n) if at is None else at[:, None]  # (n,) or (batch, 1, n)
        columns = np.arange(m) if keys_at is None else keys_at[:, None]
        seen = None if real is None or real.all() else real[:, None, None, :]
        if self.window is not None:
            seen = both(seen, near(rows, columns, self.window, causal=self.causal))
        if mask is not None and mask.dtype == bool:
            seen, mask = both(seen, mask), None
        if self.position == "alibi":
            bias = alibi(rows, columns, self.h) if at is None else alibi(rows[:, 0], columns[:, 0], self.h)
            mask = bias.astype(Q.dtype) if mask is None else mask + bias.astype(Q.dtype)
        if mask is None:
            return seen, self.causal, None
        if seen is None:
            return mask, self.causal, None
        if self.causal:
            seen = seen & np.tri(n, m, m - n, dtype=bool)
        mask, empty = hide(mask, seen)
        return mask, False, empty if empty.any() else None

    def _weights(self, attend: Any, K: Any) -> mt.Tensor:
        """The weights (batch, h, n, m): what is read where the value of key j is the unit vector e_j."""
        if self.method != "dense":
            raise mt.ArgumentError(
                "MultiHeadAttention: method='chunked' keeps no weights. Use method='dense' to look at them."
            )
        m = K.shape[-2]
        return attend(mt.tensor(np.broadcast_to(np.eye(m, dtype=K.dtype), (*K.shape[:-1], m))))

    def _averaged(self, P: Any, V: Any) -> mt.Tensor:
        """Weights (batch, h, n, m) and values (batch, h_kv, m, d_k) -> (batch, h, n, d_k)."""
        batch, h, n, m = P.shape
        O = P.reshape(batch, self.kv_heads, h // self.kv_heads * n, m) @ V
        return O.reshape(batch, h, n, V.shape[-1])

    def _heads(self, x: mt.Tensor, h: int) -> mt.Tensor:
        """(batch, n, h d_k) -> (batch, h, n, d_k)."""
        batch, n, width = x.shape
        return x.reshape(batch, n, h, width // h).swapaxes(1, 2)

    def _check_memory(self, memory: Any, cache: Any) -> None:
        if self.causal or self.window or self.position or cache is not None:
            raise mt.ArgumentError(
                "MultiHeadAttention: a memory was given, and causal, window, position or cache: there is no order "
                "between queries and the keys of a memory. Build one layer for each."
            )
        if not isinstance(memory, tuple):
            check_sequence("MultiHeadAttention, memory", memory.shape, self.d_in)


def _check(d: int, h: int, kv_heads: int, d_k: Any, dropout: Any, window: Any, position: Any, method: str) -> None:
    """Refuse sizes and options that no attention has."""
    name = "MultiHeadAttention"
    if d < 1:
        raise mt.ShapeError(f"{name}: d={d}; a width is at least 1.")
    if h < 1 or (d_k is None and d % h):
        raise mt.ShapeError(f"{h} heads do not divide the width {d}; each head takes width/heads columns. {_near(d)}")
    if kv_heads < 1 or h % kv_heads:
        raise mt.ShapeError(f"{name}: kv_heads={kv_heads} does not divide the {h} query heads. {_near(h)}")
    if d_k is not None and d_k < 1:
        raise mt.ShapeError(f"{name}: d_k={d_k}; the width of a head is at least 1.")
    if position == "rotary" and (d // h if d_k is None else d_k) % 2:
        raise mt.ShapeError(f"{name}: heads of odd width {d // h if d_k is None else d_k} cannot turn in pairs.")
    if window is not None and window < 1:
        raise mt.ShapeError(f"{name}: window={window}; a position sees at least 1 key. Use None for all?")
    if position not in (None, "rotary", "alibi"):
        raise mt.OperandError(f"{name}: position is {position!r}; it can be 'rotary', 'alibi' or None.")
    if method not in ("dense", "chunked"):
        raise mt.OperandError(f"{name}: method is {method!r}; it can be 'dense' or 'chunked'.")
    if not 0 <= dropout <= 1:
        raise mt.OperandError(f"{name}: dropout={dropout!r} is no probability; it can be 0 ... 1.")
    if dropout and method == "chunked":
        raise mt.OperandError(f"{name}: dropout={dropout} of weights that method='chunked' does not keep. Use 0?")


def _near(d: int) -> str:
    return f"Heads that do: {', '.join(str(k) for k in range(1, d + 1) if d % k == 0)}."
