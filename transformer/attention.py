"""How does every position reach every other directly?  Each asks a question, and averages the answers.

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V
    head_i             = Attention(X W_q^i, X W_k^i, X W_v^i)
    MultiHead(X)       = Concat(head_1 ... head_h) W_o

Source: Vaswani et al. 2017 (arXiv 1706.03762), equation 1 and section 3.2.2.

The square root keeps the scores' variance at 1: the product of two independent standard normal vectors of length d_k
has variance d_k, and a softmax of large scores has a vanishing gradient (section 3.2.1, footnote 4).
"""

from __future__ import annotations

import math

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.mask import additive, causal_mask
from transformer.sequence import check_sequence


@mt.composite(
    formula="""
    Q[n,d_k], K[m,d_k], V[m,d_v], M[n,m]:
    A[i,j] = sum_e Q[i,e] K[j,e] / sqrt(d_k) + M[i,j];
    Z[i]   = sum_k exp(A[i,k]);
    P[i,j] = exp(A[i,j]) / Z[i];
    O[i,c] = sum_j P[i,j] V[j,c]
    """
)
def scaled_dot_product_attention(
    Q: mt.Tensor, K: mt.Tensor, V: mt.Tensor, mask: np.ndarray | None = None, *, causal: bool = False
) -> mt.Tensor:
    """softmax(Q K^T / sqrt(d_k) + M) V over the last two axes; leading axes broadcast.

    Args:
        Q: queries (..., n, d_k).
        K: keys (..., m, d_k).
        V: values (..., m, d_v).
        mask: (..., n, m), added to the scores; a boolean one is True where a key may be seen.  A row of a boolean mask
            that sees no key gives zeros.
        causal: query i sees keys 0 ... i + (m - n) only.

    Returns:
        O (..., n, d_v).

    Raises:
        minitorch.ShapeError: d_k differs between Q and K, or m between K and V, or the mask does not broadcast.

    >>> x = np.eye(2)
    >>> scaled_dot_product_attention(mt.tensor(x), mt.tensor(x), mt.tensor(x), causal=True).numpy()[0]
    array([1., 0.])
    """
    n, d_k, m = Q.shape[-2], Q.shape[-1], K.shape[-2]
    if K.shape[-1] != d_k or V.shape[-2] != m:
        raise mt.ShapeError(
            f"attention: Q {Q.shape}, K {K.shape}, V {V.shape}; axis -1 of Q is {d_k} and of K {K.shape[-1]}, "
            f"axis -2 of K is {m} and of V {V.shape[-2]}; each pair must be equal."
        )
    M, sees = _mask(mask, causal, n, m, Q.dtype)
    A = Q @ K.swapaxes(-1, -2) / math.sqrt(d_k)  # (..., n, m)
    P = mt.softmax(A if M is None else A + M)  # (..., n, m)
    O = P @ V  # (..., n, d_v)
    return O if sees is None else O * sees


def _mask(
    mask: np.ndarray | None, causal: bool, n: int, m: int, dtype: np.dtype
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The mask to add, and, where some row sees no key at all, 0 for such rows and 1 for the others."""
    if mask is not None and np.asarray(mask).dtype != bool:
        return (mask + causal_mask(n, m, dtype) if causal else mask), None
    if mask is None and not causal:
        return None, None
    allowed: np.ndarray = np.asarray(True if mask is None else mask)
    if causal:
        allowed = allowed & (causal_mask(n, m) == 0)
    sees = allowed.any(-1, keepdims=True)
    if sees.all():
        return additive(allowed, dtype), None
    return additive(allowed | ~sees, dtype), sees.astype(dtype)  # such a row is computed unmasked, then set to zero


class MultiHeadAttention(nn.Module):
    """Self-attention with h heads: (batch, n, d) -> (batch, n, d).

    Args:
        d: width; each head has width d/h.
        h: number of heads, which must divide d.
        causal: whether a position sees itself and the past only.

    W_q, W_k, W_v, W_o are (d, d) without bias; column block i of W_q is the W_q^i of head i.

    >>> MultiHeadAttention(8, 2)(mt.tensor(np.ones((1, 3, 8), np.float32))).shape
    (1, 3, 8)
    """

    def __init__(self, d: int, h: int = 1, *, causal: bool = False):
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
