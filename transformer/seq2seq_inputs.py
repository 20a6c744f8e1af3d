"""Are these tokens?  What an encoder-decoder model is given, checked before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt
from transformer.vocabulary import PAD


def check_tokens(who: str, tokens: Any, size: int, axes: int) -> np.ndarray:
    """Integers in 0 ... size - 1, as an array (batch, n), or (batch,) with one axis.

    Raises:
        minitorch.DtypeError: no integers.
        minitorch.ShapeError: another number of axes, or nothing in one.
        minitorch.OperandError: a token outside the range; says where.

    >>> check_tokens("source", [[3, 0]], 4, 2)
    array([[3, 0]])
    """
    tokens = np.asarray(tokens)
    form = ("(batch,)", "(batch, n)")[axes - 1]
    if tokens.dtype.kind not in "iu":
        raise mt.DtypeError(f"{who} of dtype {tokens.dtype}; it takes integers {form}.")
    if tokens.ndim != axes or not tokens.size:
        raise mt.ShapeError(f"{who} of shape {tokens.shape}; it takes {form}, each at least 1.")
    wrong = np.argwhere((tokens < 0) | (tokens >= size))
    if len(wrong):
        where = tuple(int(k) for k in wrong[0])
        raise mt.OperandError(f"{who}{list(where)} is {tokens[where]}; a token is 0 ... {size - 1}.")
    return tokens


def check_batch(who: str, tokens: np.ndarray, state: Any) -> None:
    """Refuse tokens that are no batch of as many as the source.

    >>> check_batch("target", np.ones((2, 3), int), np.ones((2, 8)))
    """
    if len(tokens) != state.shape[0]:
        raise mt.ShapeError(f"{who} of shape {tokens.shape}; the batch of the source is {state.shape[0]}.")


def lengths_of(tokens: np.ndarray) -> np.ndarray:
    """Where the padding at the end of each row begins: (batch, n) -> (batch,).

    >>> lengths_of(np.array([[5, 0, 6, 0], [0, 0, 0, 0]])).tolist()
    [3, 0]
    """
    filled = tokens != PAD
    return np.where(filled.any(1), tokens.shape[1] - filled[:, ::-1].argmax(1), 0)
