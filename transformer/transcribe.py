"""How is a word pronounced?  A model writes phonemes until it writes EOS, many words at once.

Words of nearly one length are decoded together, and those that are finished are written to no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from transformer.beam import beam_search
from transformer.decoding import greedy, reading_only
from transformer.vocabulary import BOS, EOS, Vocabulary, padded

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


def write(model: Any, source: np.ndarray, lengths: np.ndarray, beam: int = 1) -> list[tuple[int, ...]]:
    """The ids that a model writes for source (batch, n), at most 2 n + 8 for each."""
    length = 2 * source.shape[1] + 8  # a word has at most about twice as many phonemes as letters
    if beam == 1:
        return [tuple(map(int, row)) for row in greedy(model, source, lengths, length=length)]
    found = beam_search(model, source, lengths, beam=beam, length=length)
    return [hypotheses[0].tokens for hypotheses in found]


def attention_of(speaker: Speaker, word: str) -> tuple[list[str], np.ndarray]:
    """The phonemes of a word, and where each looked: (layers, h, m, n), both with EOS at the end.

    A model without attention gives (0, 0, m, n).
    """
    source, lengths = padded([[*speaker.letters.encode(word), EOS]])
    written = write(speaker.model, source, lengths)[0]
    with reading_only(speaker.model):
        state, looked = speaker.model.start(source, lengths), []
        for token in [BOS, *written[:-1]]:
            seen: list[Any] = []
            _, state = speaker.model.step(np.array([token]), state, attention=seen)
            looked.append(
                np.stack([np.asarray(a)[0, :, 0] for a in seen]) if seen else np.zeros((0, 0, source.shape[1]))
            )
    return speaker.phonemes.decode(written), np.stack(looked, axis=2)
