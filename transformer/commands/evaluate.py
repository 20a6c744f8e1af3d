"""Measure a model: word and phoneme error rates, also by the length of the word."""

from __future__ import annotations

import argparse
import json

from transformer.commands.arguments import at_least_one
from transformer.data import check_known, read_dictionary, shipped
from transformer.g2p import speaker_of
from transformer.metrics import score, score_by_length
from transformer.runs import Run
from transformer.transcribe import transcribe


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("run", metavar="RUN", help="the folder of the run")
    parser.add_argument("--data", metavar="FILE", help="WORD, tab, phonemes (default: the shipped test words)")
    parser.add_argument("--beam", type=at_least_one, default=1, metavar="K", help="of the search (default: 1)")
    parser.add_argument("--json", action="store_true", help="plain data: words, wer, per, by_length")


def run(options: argparse.Namespace) -> int:
    """Print the error rates."""
    speaker = speaker_of(Run.open(options.run))
    entries = shipped("test") if options.data is None else read_dictionary(options.data)
    check_known(entries, speaker.letters, None, options.data or "the shipped test words")
    said = transcribe(speaker, [e.word for e in entries], options.beam)
    total, lengths = score(entries, said), score_by_length(entries, said)
    if options.json:
        by_length = {str(n): {"words": s.words, "wer": s.wer, "per": s.per} for n, s in lengths.items()}
        print(json.dumps({"words": total.words, "wer": total.wer, "per": total.per, "by_length": by_length}))
        return 0
    print(total)
    for n, s in lengths.items():
        print(f"  {n:2} letters: {s}")
    return 0
