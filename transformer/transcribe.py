"""How is a word pronounced?  A model writes phonemes until it writes EOS, many words at once.

Words of nearly one length are decoded together, and those that are finished are written to no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import minitorch as mt
from transformer.vocabulary import BOS, EOS, PAD, Vocabulary, padded

TOGETHER = 256  # words


class Speaker(NamedTuple):
    """A model with the letters that it reads and the phonemes that it writes."""

    model: Any
    letters: Vocabulary
    phonemes: Vocabulary


def transcribe(speaker: Speaker, words: Sequence[str], beam: int = 1) -> list[list[str]]:
    """The phonemes of each word.

    Args:
        speaker: a model that has `start` and `step`.
        words: of letters that it knows.
        beam: transcriptions that are followed at a time; 1 takes the likeliest phoneme at each step.

    Raises:
        DataError: a letter that the model does not know.
    """
    sources = [[*speaker.letters.encode(word), EOS] for word in words]
    order = sorted(range(len(words)), key=lambda k: len(sources[k]))
    found: list[list[str]] = [[] for _ in words]
    for start in range(0, len(order), TOGETHER):
        chosen = order[start : start + TOGETHER]
        source, lengths = padded([sources[k] for k in chosen])
        ids = write(speaker.model, source, lengths, beam)
        for k, row in zip(chosen, ids, strict=True):
            found[k] = speaker.phonemes.decode(row)
    return found


def write(model: Any, source: np.ndarray, lengths: np.ndarray, beam: int = 1) -> np.ndarray:
    """The ids that a model writes for source (batch, n): (batch, at most 2 n + 8), EOS and then PAD at the end."""
    model.eval()
    limit = 2 * source.shape[1] + 8  # a word has at most about twice as many phonemes as letters
    with mt.no_grad():
        return _likeliest(model, source, lengths, limit) if beam == 1 else _beam(model, source, lengths, limit, beam)


def _likeliest(model: Any, source: np.ndarray, lengths: np.ndarray, limit: int) -> np.ndarray:
    state = model.start(source, lengths)
    tokens = np.full(len(source), BOS)
    over, written = np.zeros(len(source), bool), []
    while len(written) < limit and not over.all():
        logits, state = model.step(tokens, state)  # (batch, vocabulary)
        tokens = np.where(over, PAD, logits.numpy().argmax(-1))
        over |= tokens == EOS
        written.append(tokens)
    return np.stack(written, axis=1)


def _beam(model: Any, source: np.ndarray, lengths: np.ndarray, limit: int, beam: int) -> np.ndarray:
    """The likeliest sequence by its mean log-probability among those that a beam finds, for each source.

    Every step keeps the `beam` likeliest beginnings; one that has ended stays, and writes PAD.
    """
    batch = len(source)
    rows = np.repeat(np.arange(batch), beam)  # (batch * beam,): the source of each beginning
    state = reordered(model.start(source, lengths), rows)
    tokens, over = np.full(len(rows), BOS), np.zeros(len(rows), bool)
    total = np.where(np.arange(len(rows)) % beam, -np.inf, 0.0)  # only one of the equal beginnings counts
    count, written = np.zeros(len(rows)), np.zeros((len(rows), 0), np.int64)
    while written.shape[1] < limit and not over.all():
        logits, state = model.step(tokens, state)
        logp = mt.log_softmax(logits).numpy().astype(np.float64)  # (batch * beam, vocabulary)
        logp[over] = -np.inf
        logp[over, PAD] = 0.0  # what has ended goes on in one way, at no cost
        size = logp.shape[1]
        sums = (total[:, None] + logp).reshape(batch, beam * size)
        after = (count + ~over)[:, None].repeat(size, 1).reshape(batch, beam * size)
        best = np.argsort(-(sums / after), axis=1, kind="stable")[:, :beam]  # (batch, beam)
        total, count = (np.take_along_axis(a, best, 1).ravel() for a in (sums, after))
        origin = (best // size + np.arange(batch)[:, None] * beam).ravel()
        tokens = (best % size).ravel()
        state, over = reordered(state, origin), over[origin] | (tokens == EOS)
        written = np.concatenate([written[origin], tokens[:, None]], axis=1)
    first = (total / count).reshape(batch, beam).argmax(1) + np.arange(batch) * beam
    return written[first]


def reordered(state: Any, indices: np.ndarray) -> Any:
    """A tree of arrays, whose axis 0 is the batch, with other rows in it; what has no axes stays."""
    if isinstance(state, dict):
        return {name: reordered(value, indices) for name, value in state.items()}
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(reordered(value, indices) for value in state))
    if isinstance(state, list | tuple):
        return type(state)(reordered(value, indices) for value in state)
    return state[indices] if getattr(state, "ndim", 0) else state


def attention_of(speaker: Speaker, word: str) -> tuple[list[str], np.ndarray]:
    """The phonemes of a word, and where each looked: (layers, h, m, n), both with EOS at the end.

    A model without attention gives (0, 0, m, n).
    """
    source, lengths = padded([[*speaker.letters.encode(word), EOS]])
    speaker.model.eval()
    with mt.no_grad():
        written = _likeliest(speaker.model, source, lengths, 2 * source.shape[1] + 8)[0]
        state, looked = speaker.model.start(source, lengths), []
        for token in [BOS, *written[:-1]]:
            seen: list[Any] = []
            _, state = speaker.model.step(np.array([token]), state, attention=seen)
            looked.append(
                np.stack([np.asarray(a)[0, :, 0] for a in seen]) if seen else np.zeros((0, 0, source.shape[1]))
            )
    return speaker.phonemes.decode(written), np.stack(looked, axis=2)
