"""How does a token become a vector, and a vector a guess at a token?  By one table, read by row and by product.

    x_t      = sqrt(d) E[token_t] + PE(t)
    logits_t = x_t E^T            tied: the same table; otherwise a linear map

Source: Vaswani et al. 2017, section 3.4; Press & Wolf 2017 (arXiv 1608.05859).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.encoder import normalized
from transformer.plan import Plan
from transformer.position import LearnedPositions, sinusoidal_at


class Embedding(nn.Module):
    """Tokens (batch, n) -> (batch, n, d), told their positions.

    Args:
        size: how many tokens there are.
        plan: d, dropout, position, longest, scaled, embedding_norm, tied.

    The table starts from a normal distribution of variance 1/d, so that logits do not depend on d.
    """

    def __init__(self, size: int, plan: Plan):
        self.size, self.d, self.dropout, self.position = size, plan.d, plan.dropout, plan.position
        self.scale = math.sqrt(plan.d) if plan.scaled else 1.0
        self.weight = nn.Parameter(mt.randn(size, plan.d) * plan.d**-0.5)
        self.positions = LearnedPositions(plan.longest, plan.d) if plan.position == "learned" else None
        self.norm = normalized(plan.d, plan.normalization, plan.eps) if plan.embedding_norm else None

    def forward(self, tokens: np.ndarray, at: np.ndarray | None = None) -> mt.Tensor:
        """tokens (batch, n), which stand at 0 ... n - 1 or at positions `at` (batch, n) -> (batch, n, d)."""
        x = mt.embedding(self.weight, tokens) * self.scale  # (batch, n, d)
        at = np.arange(tokens.shape[1]) if at is None else at
        if self.positions is not None:
            x = x + self.positions(at)
        elif self.position == "sinusoidal":
            x = x + sinusoidal_at(at, self.d).astype(x.dtype)
        x = x if self.norm is None else self.norm(x)
        return mt.dropout(x, self.dropout, self.training)

    def logits(self, x: mt.Tensor) -> mt.Tensor:
        """x (batch, n, d) -> how well each token fits, (batch, n, size)."""
        return x @ self.weight.T


def check_tokens(model: str, tokens: Any, size: int) -> np.ndarray:
    """Tokens as an integer array (batch, n).

    Raises:
        minitorch.ShapeError: not (batch, n), or a token that the vocabulary does not have; says which.

    >>> check_tokens("Encoder", [[1, 2]], 3).shape
    (1, 2)
    """
    tokens = np.asarray(tokens.numpy() if isinstance(tokens, mt.Tensor) else tokens)
    if tokens.ndim != 2 or not tokens.shape[1]:
        raise mt.ShapeError(f"{model}: tokens of shape {tokens.shape}; it takes (batch, n) with n >= 1.")
    if tokens.dtype.kind not in "iu":
        raise mt.DtypeError(f"{model}: tokens are {tokens.dtype}; they are integers. Use tokens.astype(int)?")
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < size:
        wrong = tokens.min() if tokens.min() < 0 else tokens.max()
        raise mt.ShapeError(f"{model}: token {wrong} is none of the {size} tokens 0 ... {size - 1}.")
    return tokens
