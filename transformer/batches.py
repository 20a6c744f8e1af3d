"""What does a training step see?  Sequences of nearly the same length, in an order that a seed and a position tell.

Sequences are shuffled, cut into pools, sorted by length in each pool, cut into batches, and the batches are shuffled:
few positions are padding, and no epoch has the batches of another (as in Vaswani et al. 2017, section 5.1).  The order
of an epoch depends on the seed and its number alone, so that a position, (epoch, index), is all that a run remembers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from transformer.data import Entry
from transformer.errors import DataError
from transformer.vocabulary import BOS, EOS, Vocabulary, padded

POOL = 50  # batches that are sorted together


class Batch(NamedTuple):
    """What a model reads and is to write; all arrays int64, padded with PAD.

    source (batch, n) ends with EOS and has `lengths` (batch,) tokens; target (batch, m + 1) is BOS ... EOS.  A language
    model has no source: source and lengths are None.
    """

    source: np.ndarray | None
    lengths: np.ndarray | None
    target: np.ndarray

    @property
    def tokens(self) -> int:
        """How many tokens are to be predicted."""
        return int(np.count_nonzero(self.target[:, 1:]))


class Batches(Protocol):
    """Batches in epochs that can be entered anywhere."""

    def __len__(self) -> int:
        """Batches in an epoch."""
        ...

    def epoch(self, number: int) -> Sequence[np.ndarray]:
        """For each batch of an epoch, which sequences are in it."""
        ...

    def take(self, indices: np.ndarray) -> Batch:
        """The batch of these sequences."""
        ...


@dataclass(frozen=True)
class Pairs:
    """Batches of pairs of sequences: every word with each of its pronunciations.

    Args:
        pairs: ids of source and target, without BOS and EOS.
        batch: pairs in a batch.
        seed: of the order.
    """

    pairs: Sequence[tuple[Sequence[int], Sequence[int]]]
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.pairs:
            raise DataError("Pairs: there is nothing to learn from; give at least one word.")
        if self.batch < 1:
            raise DataError(f"Pairs: batch={self.batch}; a batch has at least one pair.")

    @classmethod
    def of(cls, entries: Sequence[Entry], letters: Vocabulary, phonemes: Vocabulary, batch: int, seed: int) -> Pairs:
        """A pair for each pronunciation of each word."""
        pairs = [(letters.encode(e.word), phonemes.encode(p)) for e in entries for p in e.pronunciations]
        return cls(pairs, batch, seed)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.pairs) // self.batch)

    def epoch(self, number: int) -> list[np.ndarray]:
        """For each batch of an epoch, counted from 0, which pairs are in it: each pair is in one.

        >>> batches = Pairs([([3], [3]), ([3, 3], [3]), ([3], [4]), ([4, 3], [4])], batch=2)
        >>> sorted([len(batches.pairs[k][0]) for k in batch] for batch in batches.epoch(0))
        [[1, 1], [2, 2]]
        """
        draw = np.random.default_rng([self.seed, number])
        sizes = np.array([(len(source), len(target)) for source, target in self.pairs])
        order, found = draw.permutation(len(self.pairs)), []
        for start in range(0, len(order), POOL * self.batch):
            pool = order[start : start + POOL * self.batch]
            pool = pool[np.lexsort((sizes[pool, 1], sizes[pool, 0]))]
            found += [pool[k : k + self.batch] for k in range(0, len(pool), self.batch)]
        return [found[k] for k in draw.permutation(len(found))]

    def take(self, indices: np.ndarray) -> Batch:
        """The batch of these pairs."""
        source, lengths = padded([[*self.pairs[k][0], EOS] for k in indices])
        target, _ = padded([[BOS, *self.pairs[k][1], EOS] for k in indices])
        return Batch(source, lengths, target)


@dataclass(frozen=True)
class Windows:
    """Batches of windows on one long sequence, for a language model: n + 1 tokens each, of which n are predicted.

    Args:
        tokens: ids (length,), at least two.
        n: tokens that a window predicts; where windows begin changes from epoch to epoch.
        batch: windows in a batch.
        seed: of the order.
    """

    tokens: np.ndarray
    n: int = 128
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.tokens) < 2 or min(self.n, self.batch) < 1:
            raise DataError(
                f"Windows: {len(self.tokens)} tokens in windows of {self.n}, {self.batch} a batch; it takes at least "
                "two tokens, and one of the others."
            )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return max(1, len(self.tokens) // (self.n * self.batch))

    def epoch(self, number: int) -> list[np.ndarray]:
        """For each batch of an epoch, where its windows begin."""
        n = min(self.n, len(self.tokens) - 1)
        draw = np.random.default_rng([self.seed, number])
        starts = np.arange(draw.integers(0, n), len(self.tokens) - n, n)
        starts = starts if len(starts) else np.zeros(1, np.int64)
        starts = np.resize(draw.permutation(starts), len(self) * min(self.batch, len(starts)))
        return list(starts.reshape(len(self), -1))

    def take(self, indices: np.ndarray) -> Batch:
        """The batch of the windows that begin there."""
        n = min(self.n, len(self.tokens) - 1)
        return Batch(None, None, self.tokens[indices[:, None] + np.arange(n + 1)])


def in_order(pairs: Pairs) -> Iterator[Batch]:
    """All pairs once, shortest first: for measuring."""
    order = np.argsort([len(source) for source, _ in pairs.pairs], kind="stable")
    for start in range(0, len(order), pairs.batch):
        yield pairs.take(order[start : start + pairs.batch])
