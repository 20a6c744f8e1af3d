"""Which words are there, and how are they pronounced?  WORD, a tab, phonemes; a word may stand on several lines.

    CAT<TAB>K AE T

Without a file the CMU Pronouncing Dictionary serves, which lies in `cmudict/` beside this file (with its own licence):
106,000 words to learn from, and 5 % each to validate and to test with.  A word's part is decided by its hash alone, so
that it stays the same whatever is added.  (The published tables use another split, g014b2b; give its files to compare.)
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from transformer.errors import DataError, close_to
from transformer.vocabulary import Vocabulary

PARTS = ("train", "validation", "test")
HELD_OUT = 5  # per cent of the words, for each of validation and test


class Entry(NamedTuple):
    """A word and its pronunciations: any of them is right."""

    word: str
    pronunciations: tuple[tuple[str, ...], ...]


def read_dictionary(path: str | os.PathLike[str]) -> list[Entry]:
    """The words of a file (also a .gz), in their order.

    Raises:
        DataError: the file cannot be read or has no words, or a line is not in the format; says which line.
    """
    return parse_dictionary(_text(Path(path)), str(path))


def parse_dictionary(text: str, where: str = "text") -> list[Entry]:
    """The words of a text; `where` is how an error begins.  Empty lines are passed over.

    >>> parse_dictionary("A\\tAH\\nCAT\\tK AE T\\nA\\tEY\\n")
    [Entry(word='A', pronunciations=(('AH',), ('EY',))), Entry(word='CAT', pronunciations=(('K', 'AE', 'T'),))]
    """
    found: dict[str, dict[tuple[str, ...], None]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        word, tab, phonemes = line.partition("\t")
        said = " ".join(line.split())[:40]
        if not tab:
            raise DataError(f"{where}:{number}: no tab in {said!r}; a line is WORD, a tab, and phonemes: CAT\\tK AE T")
        if "\t" in phonemes:
            raise DataError(f"{where}:{number}: {line.count(chr(9))} tabs in {said!r}; a line has one.")
        word, pronunciation = word.strip(), tuple(phonemes.split())
        if not word or not pronunciation:
            missing = "phonemes after" if word else "word before"
            raise DataError(f"{where}:{number}: no {missing} the tab in {said!r}. Complete or remove the line?")
        found.setdefault(word, {})[pronunciation] = None
    if not found:
        raise DataError(f"{where}: there are no words; a line is WORD, a tab, and phonemes: CAT\\tK AE T")
    return [Entry(word, tuple(pronunciations)) for word, pronunciations in found.items()]


def shipped(part: str | None = None) -> list[Entry]:
    """The dictionary that lies in the package, or one part of it: "train", "validation" or "test".

    >>> shipped("test")[0].word == next(e.word for e in shipped() if part_of(e.word) == "test")
    True
    """
    if part is not None and part not in PARTS:
        raise DataError(f"shipped: there is no part {part!r}. {close_to(part, PARTS)}")
    data = (files("transformer") / "cmudict" / "cmudict.tsv.gz").read_bytes()
    entries = parse_dictionary(gzip.decompress(data).decode(), "cmudict.tsv.gz")
    return [e for e in entries if part is None or part_of(e.word) == part]


def part_of(word: str) -> str:
    """The part that a word belongs to, by its hash: 90 of 100 words are to learn from.

    >>> part_of("ATTENTION"), part_of("TRANSFORMER"), part_of("GRADIENT")
    ('train', 'train', 'train')
    """
    draw = _draw(word)
    return "test" if draw < HELD_OUT else "validation" if draw < 2 * HELD_OUT else "train"


def _draw(text: str) -> int:
    """A number from 0 to 99 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 100


def split(entries: Iterable[Entry], percent: int = 2) -> tuple[list[Entry], list[Entry]]:
    """Words to learn from, and so many of 100 to validate with, by their hash; no word is lost.

    >>> [len(part) for part in split(shipped("train"))]
    [104828, 2128]
    """
    learn, held = [], []
    for entry in entries:
        (held if _draw("validation " + entry.word) < percent else learn).append(entry)
    return learn, held


def vocabularies(entries: Sequence[Entry]) -> tuple[Vocabulary, Vocabulary]:
    """The letters and the phonemes of some words."""
    return Vocabulary.of(e.word for e in entries), Vocabulary.of(p for e in entries for p in e.pronunciations)


def check_known(entries: Iterable[Entry], letters: Vocabulary, phonemes: Vocabulary | None, where: str) -> None:
    """Refuse words that a model cannot read, or pronunciations that it cannot write.

    Raises:
        DataError: the first such word, and the symbols.
    """
    for entry in entries:
        letters.encode(entry.word, f"{where}: {entry.word}")
        for pronunciation in entry.pronunciations if phonemes is not None else ():
            phonemes.encode(pronunciation, f"{where}: {entry.word}")  # type: ignore[union-attr]


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file (also a .gz), as UTF-8.

    Raises:
        DataError: it cannot be read, or has no text.
    """
    text = _text(Path(path))
    if not text.strip():
        raise DataError(f"{path}: the file is empty; there is nothing to learn from.")
    return text


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: not UTF-8 text (byte {error.object[error.start]:#04x}).") from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path}: cannot be read: {reason}.") from None
