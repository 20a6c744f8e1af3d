"""Are data read as they stand, refused where they cannot be, and put into batches without losing any?"""

from __future__ import annotations

import gzip
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from transformer.batches import Pairs, Windows, in_order
from transformer.data import (
    Entry,
    check_known,
    parse_dictionary,
    part_of,
    read_dictionary,
    shipped,
    split,
    vocabularies,
)
from transformer.errors import DataError
from transformer.metrics import edit_distance, score, score_by_length
from transformer.vocabulary import BOS, EOS, PAD, Vocabulary, padded

WORDS = Path(__file__).parent.parent / "data" / "cmudict" / "words.tsv"


def test_a_word_may_stand_on_several_lines_also_apart():
    entries = parse_dictionary("READ\tR EH D\nA\tAH\n\nREAD\tR IY D\nREAD\tR EH D\n")
    assert entries == [Entry("READ", (("R", "EH", "D"), ("R", "IY", "D"))), Entry("A", (("AH",),))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A\tAH\nCAT K AE T\n", "some.tsv:2: no tab in 'CAT K AE T'"),
        ("A\tAH\nCAT\t \n", "some.tsv:2: no phonemes after the tab in 'CAT'"),
        ("\tAH\n", "some.tsv:1: no word before the tab in 'AH'"),
        ("A\tAH\tAH\n", "some.tsv:1: 2 tabs"),
        ("\n\n", "some.tsv: there are no words"),
        ("", "some.tsv: there are no words"),
        (b"A\tAH\n\xff\tAH\n", "some.tsv:2: not UTF-8 text (byte 0xff)"),
        (gzip.compress(b"A\tAH\n", mtime=0)[:20], "some.tsv: cannot be read"),
    ],
)
def test_a_line_that_is_not_in_the_format_is_named(tmp_path, text, said):
    path = tmp_path / "some.tsv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(DataError) as caught:
        read_dictionary(path)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder_is_an_error_with_its_name(tmp_path):
    for path in (tmp_path / "none.tsv", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_dictionary(path)


def test_windows_line_ends_a_byte_order_mark_and_compression_change_nothing(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + WORDS.read_bytes().replace(b"\n", b"\r\n")))
    assert read_dictionary(path) == read_dictionary(WORDS)


def test_the_shipped_dictionary_is_whole_small_and_licensed():
    folder = files("transformer") / "cmudict"
    assert len((folder / "cmudict.tsv.gz").read_bytes()) <= 1e6
    assert "Carnegie Mellon University" in (folder / "LICENSE").read_text()
    entries = shipped()
    assert len(entries) == 118_837
    assert sum(len(e.pronunciations) for e in entries) == 126_191
    letters, phonemes = vocabularies(entries)
    assert letters.symbols == tuple("'ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert len(phonemes.symbols) == 39


def test_the_parts_of_the_shipped_dictionary_share_no_word_and_lose_none():
    parts = [{e.word for e in shipped(part)} for part in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 118_837
    assert [len(p) for p in parts] == [106_956, 5_972, 5_909]


def test_the_part_of_a_word_does_not_depend_on_the_others():
    entries = shipped()
    learn, held = split(entries[::3])
    assert {e.word for e in held} <= {e.word for e in split(entries)[1]}
    assert len(learn) + len(held) == len(entries[::3])
    assert [part_of(w) for w in ("CAT", "CAT")] == [part_of("CAT")] * 2


def test_an_unknown_symbol_is_named_with_the_known_ones():
    letters, phonemes = vocabularies([Entry("CAT", (("K", "AE", "T"),))])
    with pytest.raises(DataError, match=r"'CÄT1': '1', 'Ä' are unknown; known are: A C T"):
        letters.encode("CÄT1")
    with pytest.raises(DataError, match=r"words.tsv: TAC: 'IY' is unknown"):
        check_known([Entry("TAC", (("K", "IY"),))], letters, phonemes, "words.tsv")


def test_a_vocabulary_refuses_a_symbol_that_is_there_twice_or_is_special():
    with pytest.raises(DataError, match="'A' is there twice"):
        Vocabulary("ABA")
    with pytest.raises(DataError, match="'<bos>' cannot be a symbol"):
        Vocabulary(["<bos>"])
    with pytest.raises(DataError, match="no symbol 9"):
        Vocabulary("AB").decode([9])


def test_an_epoch_has_every_pair_once_and_batches_of_one_length_where_it_can():
    letters, phonemes = vocabularies(entries := read_dictionary(WORDS))
    pairs = Pairs.of(entries, letters, phonemes, 16, seed=3)
    batches = pairs.epoch(0)
    assert len(batches) == len(pairs)
    assert sorted(np.concatenate(batches)) == list(range(len(pairs.pairs)))
    lengths = [pairs.take(b).lengths for b in batches]
    assert np.mean([v.max() - v.min() for v in lengths if v is not None]) < 1
    assert any((a != b).any() for a, b in zip(batches, pairs.epoch(1), strict=True) if a.shape == b.shape)
    assert all((a == b).all() for a, b in zip(batches, Pairs(pairs.pairs, 16, 3).epoch(0), strict=True))


def test_a_batch_is_padded_at_the_end_and_says_its_lengths():
    source, lengths, target = Pairs([([3], [4, 5]), ([6, 7], [8])], 2).take(np.array([0, 1]))
    assert source is not None
    assert lengths is not None
    assert source.tolist() == [[3, EOS, PAD], [6, 7, EOS]]
    assert lengths.tolist() == [2, 3]
    assert target.tolist() == [[BOS, 4, 5, EOS], [BOS, 8, EOS, PAD]]
    assert padded([])[0].shape == (0, 0)


def test_all_pairs_in_order_are_all_pairs():
    pairs = Pairs([([3] * k, [k]) for k in (5, 1, 3)], 2)
    assert [b.target[:, 1].tolist() for b in in_order(pairs)] == [[1, 3], [5]]


def test_windows_cover_the_text_and_follow_it():
    text = np.arange(3, 103)
    windows = Windows(text, n=10, batch=2, seed=1)
    for number in range(3):
        seen = [windows.take(b).target for b in windows.epoch(number)]
        assert all((w[:, 1:] == w[:, :-1] + 1).all() for w in seen)
        assert len({int(w) for b in windows.epoch(number) for w in b}) >= 9
    assert Windows(np.array([3, 4]), 128).take(Windows(np.array([3, 4]), 128).epoch(0)[0]).target.tolist() == [[3, 4]]


def test_nothing_to_learn_from_is_said():
    with pytest.raises(DataError, match="nothing to learn from"):
        Pairs([])
    with pytest.raises(DataError, match="1 tokens"):
        Windows(np.array([3]))


def test_the_edit_distance_is_that_of_the_definition():
    def slow(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))

    draw = np.random.default_rng(0)
    for _ in range(60):
        a, b = ("".join(draw.choice(list("xyz"), draw.integers(0, 6))) for _ in range(2))
        assert edit_distance(a, b) == slow(a, b) == edit_distance(b, a)


def test_the_nearest_pronunciation_counts():
    read = Entry("READ", (("R", "EH", "D"), ("R", "IY", "D", "Z")))
    cat = Entry("CAT", (("K", "AE", "T"),))
    found = score([read, cat], [["R", "IY", "D", "Z"], ["K", "T", "T", "T"]])
    assert (found.words, found.wrong, found.edits, found.phonemes) == (2, 1, 2, 7)
    assert (found.wer, found.per) == (0.5, 2 / 7)
    assert sum(score_by_length([read, cat], [["R"], ["K"]]).values(), score([], [])) == score(
        [read, cat], [["R"], ["K"]]
    )
