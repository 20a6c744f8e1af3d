"""What is kept of earlier positions, so that a new one costs one row of attention and not all of them again?

Keys and values: those of a position depend on it and its past alone, if attention is causal.  A cache is a dictionary,
empty at first, that a layer fills in place:

    K, V   (batch, h_kv, m, d_k)  of all positions so far
    at     (batch, m)             where each of them stands in its sentence
    real   (batch, m)             False for padding, which is never seen

A sentence that is shorter than others has padding in its row of the cache, and continues at its own position.  Arrays
hold values, without gradient; axis 0 is the batch, so that a search can reorder them (`reorder`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt

Cache = dict[str, np.ndarray]
State = Any
"""Dictionaries, lists and tuples of arrays whose axis 0 is the batch."""


def extend(
    cache: Cache, K: mt.Tensor, V: mt.Tensor, at: np.ndarray, real: np.ndarray | None
) -> tuple[mt.Tensor, mt.Tensor]:
    """Put keys and values (batch, h_kv, n, d_k), at positions (batch, n), behind those of the cache; return all."""
    real = np.ones(at.shape, bool) if real is None else real
    new = {"K": K.numpy(), "V": V.numpy(), "at": at, "real": real}
    if cache:
        new = {name: np.concatenate([cache[name], x], axis=-2 if x.ndim == 4 else -1) for name, x in new.items()}
    cache.update(new)
    return mt.tensor(new["K"]), mt.tensor(new["V"])


def positions_after(cache: Cache | None, batch: int, n: int) -> np.ndarray:
    """Where n new tokens stand: (batch, n), each row from the number of its real tokens so far.

    >>> positions_after({"real": np.array([[True, True], [True, False]])}, 2, 2).tolist()
    [[2, 3], [1, 2]]
    """
    past = cache["real"].sum(-1) if cache else np.zeros(batch, int)
    return past[:, None] + np.arange(n)


def reorder(state: State, indices: np.ndarray) -> State:
    """The state of rows `indices` of the batch, in their order; a row may come several times.

    >>> reorder({"a": [np.array([10, 20])]}, np.array([1, 1, 0]))
    {'a': [array([20, 20, 10])]}
    """
    return mt.trees.map(lambda x: x[indices], state)
