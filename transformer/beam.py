"""Which whole sentence is the likeliest?  A search that keeps the best few beginnings, not only the best one.

    score(y) = log p(y | x) / lp(y),    lp(y) = ((5 + |y|) / 6)^alpha

Source: Wu et al. 2016 (arXiv 1609.08144), section 7, equation 14, without the coverage penalty.

A sum of logarithms falls with every token, so that alpha = 0 prefers short sentences.  |y| counts EOS.  A sentence that
has ended keeps its place in the beam, as in Bahdanau et al. 2014's search: a beam of 1 is greedy decoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch as mt
from transformer.cache import reorder
from transformer.decoding import StepwiseModel, check_length, log_probabilities, reading_only
from transformer.vocabulary import BOS, EOS


@dataclass(frozen=True)
class Hypothesis:
    """A sentence that a search has found.

    Attributes:
        tokens: without the first; EOS last, unless the length was not enough.
        log_probability: log p(tokens | source).
        score: what it is ranked by, the log-probability over the length penalty.
    """

    tokens: tuple[int, ...]
    log_probability: float
    score: float


def length_penalty(length: int, alpha: float) -> float:
    """lp of a sentence of so many tokens.

    >>> length_penalty(1, 0.6), length_penalty(7, 1.0)
    (1.0, 2.0)
    """
    return ((5 + length) / 6) ** alpha


def beam_search(
    model: StepwiseModel,
    source: Any,
    source_lengths: Any = None,
    *,
    beam: int = 4,
    alpha: float = 0.6,
    length: int = 64,
    first: Any = BOS,
) -> list[list[Hypothesis]]:
    """For each row of the source, at most `beam` sentences, the best first.

    Args:
        model: has `start` and `step` (`transformer.decoding`); its state is reordered along axis 0.
        source, source_lengths: what `model.start` takes; axis 0 of the source is the batch.
        beam: how many sentences are followed.
        alpha: of the length penalty; 0 ranks by probability alone.
        length: how many tokens a sentence has at most, EOS included.
        first: what the decoder reads first, one token or one for each row.

    Raises:
        minitorch.OperandError: beam or length is below 1, or alpha below 0; the model's logits are NaN.
    """
    check_length(length)
    if beam < 1 or not 0 <= alpha < np.inf:
        raise mt.OperandError(f"beam_search: beam={beam}, alpha={alpha}; a beam is at least 1, alpha at least 0.")
    batch = len(source)
    found: list[list[Hypothesis]] = [[] for _ in range(batch)]
    places = np.repeat(np.arange(batch), beam)  # (batch beam,), the row of each place in the beams
    tokens = np.broadcast_to(np.asarray(first), batch)[places]
    written = np.zeros((batch * beam, 0), int)
    total = np.full((batch, beam), -np.inf)  # log p of each beginning; -inf is an empty place
    total[:, 0] = 0
    with reading_only(model):
        state = reorder(model.start(source, source_lengths), places)
        for t in range(length):
            if np.isneginf(total).all():
                break
            logp, state = log_probabilities(model, tokens, state, t)  # (batch beam, vocabulary)
            free = beam - np.array([len(row) for row in found], int)  # (batch,)
            total, parents, tokens = _best(total[..., None] + logp.reshape(batch, beam, -1), free)
            state, written = reorder(state, parents), np.column_stack([written[parents], tokens])
            over = np.full_like(total, t + 1 == length, bool) | (tokens == EOS).reshape(batch, beam)
            for b, k in zip(*np.nonzero(over & ~np.isneginf(total)), strict=True):
                p = float(total[b, k])
                y = tuple(int(token) for token in written[b * beam + k])
                found[b].append(Hypothesis(y, p, p / length_penalty(len(y), alpha)))
            total = np.where(over, -np.inf, total)
    return [sorted(row, key=lambda y: -y.score) for row in found]


def _best(totals: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of totals (batch, beam, vocabulary) the best free[b] in row b: totals (batch, beam), and for each place of all
    beams, (batch beam,), which place it continues and with which token."""
    batch, beam, vocabulary = totals.shape
    flat = totals.reshape(batch, beam * vocabulary)
    order = np.argsort(-flat, -1, kind="stable")[:, :beam]  # (batch, beam)
    best = np.take_along_axis(flat, order, -1)
    best = np.where(np.arange(beam) < free[:, None], best, -np.inf)
    parents = np.arange(batch)[:, None] * beam + order // vocabulary
    return best, parents.ravel(), (order % vocabulary).ravel()
