"""What do the layers compute?  The same, position by position, in plain NumPy, to compare with."""

from __future__ import annotations

import numpy as np


def rnn(x: np.ndarray, W_x: np.ndarray, W_h: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The states (batch, n, d_h) of a tanh RNN."""
    states = np.zeros((*x.shape[:2], len(b)))
    for s, sentence in enumerate(x):
        h = np.zeros(len(b))
        for t, token in enumerate(sentence):
            h = states[s, t] = np.tanh(token @ W_x + h @ W_h + b)
    return states


def attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray, sees: np.ndarray, extra: np.ndarray | float = 0.0):
    """One sentence: row i of the result is what query i sees; `sees` (n, m) is boolean, `extra` is added to scores."""
    extra = np.broadcast_to(extra, sees.shape)
    O = np.zeros((len(Q), V.shape[1]))
    for i, q in enumerate(Q):
        keys = np.flatnonzero(sees[i])
        if not len(keys):
            continue
        scores = np.array([q @ K[j] / np.sqrt(len(q)) + extra[i, j] for j in keys])
        weights = np.exp(scores - scores.max())
        O[i] = (weights / weights.sum()) @ V[keys]
    return O


def layer_norm(x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Over the last axis, with gamma = 1 and beta = 0."""
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)
