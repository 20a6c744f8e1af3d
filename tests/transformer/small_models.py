"""The least models that have the interface of the large ones: what is said of training and commands is not of them."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn


class Aligned(nn.Module):
    """Target t is guessed from the letter at t and the token before: enough to learn a few words by heart."""

    def __init__(self, *, source_size: int, target_size: int, d: int = 8, dropout: float = 0.1):
        self.config = {"source_size": source_size, "target_size": target_size}
        self.config |= {"d": d, "dropout": dropout}
        self.read, self.wrote = nn.Embedding(source_size, d), nn.Embedding(target_size, d)
        self.dropout, self.hidden, self.out = nn.Dropout(dropout), nn.Linear(4 * d, d), nn.Linear(d, target_size)

    def forward(self, source: np.ndarray, target: np.ndarray, source_lengths: np.ndarray | None = None) -> mt.Tensor:
        """(batch, n), (batch, m) -> (batch, m, vocabulary)."""
        return self._at(source, target, np.arange(target.shape[1]))

    def start(self, source: np.ndarray, source_lengths: np.ndarray | None = None) -> dict[str, Any]:
        """The state before the first token."""
        return {"source": source, "t": np.zeros(len(source), np.int64)}

    def step(self, tokens: np.ndarray, state: dict[str, Any], attention: list[Any] | None = None) -> Any:
        """The logits (batch, vocabulary) after one more token, and the state."""
        if attention is not None:
            n = state["source"].shape[1]
            attention.append(np.eye(n)[np.minimum(state["t"], n - 1)][:, None, None])  # (batch, 1, 1, n)
        logits = self._at(state["source"], tokens[:, None], state["t"][:1])[:, 0]
        return logits, {"source": state["source"], "t": state["t"] + 1}

    def _at(self, source: np.ndarray, target: np.ndarray, t: np.ndarray) -> mt.Tensor:
        source = np.pad(source, ((0, 0), (1, int(t[-1]) + 2)))
        window = [self.read(source[:, t + k]) for k in range(3)]  # each (batch, m, d)
        return self.out(mt.tanh(self.hidden(self.dropout(mt.concatenate([*window, self.wrote(target)], axis=-1)))))


class Bigram(nn.Module):
    """The next character from the last one."""

    def __init__(self, *, size: int, d: int = 8):
        self.config = {"size": size, "d": d}
        self.read, self.out = nn.Embedding(size, d), nn.Linear(d, size)

    def forward(self, tokens: np.ndarray, cache: Any = None) -> mt.Tensor:
        """(batch, n) -> (batch, n, vocabulary)."""
        return self.out(self.read(tokens))
