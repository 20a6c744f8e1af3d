"""How does every position reach every other directly?  Each asks a question, and averages the answers.

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V
    head_i             = Attention(X W_q^i, X W_k^i, X W_v^i)
    MultiHead(X)       = Concat(head_1 ... head_h) W_o

Source: Vaswani et al. 2017 (arXiv 1706.03762), equation 1 and section 3.2.2.

The square root keeps the scores' variance at 1: the product of two independent standard normal vectors of length d_k
has variance d_k, and a softmax of large scores has a vanishing gradient (section 3.2.1, footnote 4).
"""

from __future__ import annotations

import numpy as np

import minitorch as mt
from minitorch import nn, scaled_dot_product_attention
from transformer.sequence import check_sequence


class MultiHeadAttention(nn.Module):
    """Self-attention with h heads: (batch, n, d) -> (batch, n, d).

    Args:
        d: width; each head has width d/h.
        h: number of heads, which must divide d.
        causal: whether a position sees itself and the past only.

    W_q, W_k, W_v, W_o are linear layers d -> d without bias; row block i of W_q.weight is the W_q^i of head i,
    transposed.

    >>> MultiHeadAttention(8, 2)(mt.tensor(np.ones((1, 3, 8), np.float32))).shape
    (1, 3, 8)
    """

    def __init__(self, d: int, h: int = 1, *, causal: bool = False):
        if d < 1:
            raise mt.ShapeError(f"MultiHeadAttention: d={d}; a width is at least 1.")
        if h < 1 or d % h:
            raise mt.ShapeError(
                f"{h} heads do not divide the width {d}; each head takes width/heads columns. {_near(d)}"
            )
        self.d_in, self.h, self.causal = d, h, causal
        self.W_q = nn.Linear(d, d, bias=False)
        self.W_k = nn.Linear(d, d, bias=False)
        self.W_v = nn.Linear(d, d, bias=False)
        self.W_o = nn.Linear(d, d, bias=False)

    def forward(self, x: mt.Tensor, mask: np.ndarray | None = None) -> mt.Tensor:
        """x (batch, n, d), mask broadcasting to (batch, h, n, n) -> (batch, n, d)."""
        check_sequence("MultiHeadAttention", x.shape, self.d_in)
        Q, K, V = self._heads(self.W_q(x)), self._heads(self.W_k(x)), self._heads(self.W_v(x))  # (batch, h, n, d/h)
        O = scaled_dot_product_attention(Q, K, V, mask, causal=self.causal)  # (batch, h, n, d/h)
        batch, h, n, d_k = O.shape
        return self.W_o(O.swapaxes(1, 2).reshape(batch, n, h * d_k))

    def _heads(self, x: mt.Tensor) -> mt.Tensor:
        """(batch, n, d) -> (batch, h, n, d/h)."""
        batch, n, d = x.shape
        return x.reshape(batch, n, self.h, d // self.h).swapaxes(1, 2)


def _near(d: int) -> str:
    return f"Heads that do: {', '.join(str(k) for k in range(1, d + 1) if d % k == 0)}."
