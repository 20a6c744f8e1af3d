"""How many words are right, and how far off are the others?

    WER = words whose transcription is none of their pronunciations / words
    PER = edit distance to the nearest pronunciation, summed / length of that pronunciation, summed

Insertions, deletions and substitutions cost 1 each (Levenshtein 1966).  A word with several pronunciations is one word,
as in the published tables (Yao and Zweig 2015, arXiv 1506.00196, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transformer.data import Entry


def edit_distance(a: Sequence[object], b: Sequence[object]) -> int:
    """The least number of insertions, deletions and substitutions that make b of a.

    >>> edit_distance("kitten", "sitting")
    3
    """
    row = list(range(len(b) + 1))  # row[j]: from a[:i] to b[:j]
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


@dataclass(frozen=True)
class Score:
    """What a model makes of some words.

    Args:
        words: how many there are.
        wrong: how many have no right transcription.
        edits: the edit distances to the nearest pronunciations, summed.
        phonemes: the lengths of these pronunciations, summed.
    """

    words: int
    wrong: int
    edits: int
    phonemes: int

    @property
    def wer(self) -> float:
        """Word error rate, 0 to 1."""
        return self.wrong / max(self.words, 1)

    @property
    def per(self) -> float:
        """Phoneme error rate; more than 1 if there are more insertions than phonemes."""
        return self.edits / max(self.phonemes, 1)

    def __add__(self, other: Score) -> Score:
        return Score(
            self.words + other.words,
            self.wrong + other.wrong,
            self.edits + other.edits,
            self.phonemes + other.phonemes,
        )

    def __str__(self) -> str:
        return f"{self.words:,} words, WER {self.wer:.2%}, PER {self.per:.2%}"


def score_word(entry: Entry, said: Sequence[str]) -> Score:
    """The score of one word.

    >>> score_word(Entry("A", (("AH",), ("EY",))), ["EY"]).wrong
    0
    """
    edits, length = min((edit_distance(said, p), -len(p)) for p in entry.pronunciations)
    return Score(1, int(edits > 0), edits, -length)


def score(entries: Sequence[Entry], said: Sequence[Sequence[str]]) -> Score:
    """The score of all words."""
    return sum((score_word(e, s) for e, s in zip(entries, said, strict=True)), Score(0, 0, 0, 0))


def score_by_length(entries: Sequence[Entry], said: Sequence[Sequence[str]]) -> dict[int, Score]:
    """The score of the words of each length, counted in letters.

    >>> cat, at = Entry("CAT", (("K", "AE", "T"),)), Entry("AT", (("AE", "T"),))
    >>> {n: s.wer for n, s in score_by_length([cat, at], [["K", "AE", "T"], ["AH", "T"]]).items()}
    {2: 1.0, 3: 0.0}
    """
    found: dict[int, Score] = {}
    for entry, transcription in zip(entries, said, strict=True):
        n = len(entry.word)
        found[n] = found.get(n, Score(0, 0, 0, 0)) + score_word(entry, transcription)
    return dict(sorted(found.items()))
