"""How does a decoder look back at what was read?  It scores every position, and takes the average by softmax weights.

    weights = softmax(score(q, k_1) ... score(q, k_n)),    context = sum_j weights_j k_j

    dot         q . k                             Luong et al. 2015 (arXiv 1508.04025), eq. 8
    general     q . (W_k k)                       the same
    concat      v . tanh(W_q q + W_k k)           the same, its W_a [q; k] as two matrices
    additive    v . tanh(W_q q + W_k k)           Bahdanau et al. 2014 (arXiv 1409.0473), section A.1.2

concat and additive are one formula; they differ in where a decoder uses it (`transformer.seq2seq`).  Positions behind
a sequence's end have weight 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn

SCORES = ("additive", "dot", "general", "concat")


class Attention(nn.Module):
    """One score for queries and memory of width d.

    Args:
        score: "additive", "dot", "general" or "concat".
        d: width of both.

    >>> memory, real = np.ones((2, 5, 4), np.float32), np.ones((2, 5), bool)
    >>> look = Attention("general", 4)
    >>> context, weights = look(np.ones((2, 3, 4), np.float32), look.keys(memory), memory, real)
    >>> context.shape, weights.shape
    ((2, 3, 4), (2, 3, 5))
    """

    def __init__(self, score: str, d: int):
        if score not in SCORES:
            raise mt.OperandError(f"Attention: score={score!r}; it can be {', '.join(map(repr, SCORES))}.")
        self.score, self.d = score, d
        if score != "dot":
            self.W_k = nn.Linear(d, d, bias=False)
        if self.sums:
            self.W_q = nn.Linear(d, d, bias=False)
            self.v = nn.Parameter(nn.uniform((d,), 1 / math.sqrt(d)))

    @property
    def sums(self) -> bool:
        """Whether query and key are added, and not multiplied."""
        return self.score in ("additive", "concat")

    def keys(self, memory: Any) -> Any:
        """The part of the score that no query changes, computed once: (batch, n, d) -> (batch, n, d)."""
        return memory if self.score == "dot" else self.W_k(memory)

    def forward(self, q: Any, keys: Any, memory: Any, real: np.ndarray) -> tuple[mt.Tensor, mt.Tensor]:
        """q (batch, m, d), keys and memory (batch, n, d), real (batch, n) -> context (batch, m, d), weights
        (batch, m, n)."""
        if self.sums:
            q = mt.expand_dims(self.W_q(q), 2)  # (batch, m, 1, d)
            scores = mt.matmul(mt.tanh(q + mt.expand_dims(keys, 1)), self.v)  # (batch, m, n)
        else:
            scores = mt.matmul(q, mt.swapaxes(keys, 1, 2))
        weights = mt.softmax(mt.masked_fill(scores, ~np.asarray(real)[:, None], -np.inf), axis=-1)
        return mt.matmul(weights, memory), weights
