"""Write the phonemes of words, and show where each phoneme looked."""

from __future__ import annotations

import argparse

from minitorch.files import check_target, write_whole
from transformer.commands.arguments import at_least_one
from transformer.errors import RunError
from transformer.g2p import speaker_of
from transformer.heatmap import heatmap
from transformer.runs import Run
from transformer.transcribe import attention_of, transcribe
from transformer.vocabulary import EOS, SPECIAL


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("run", metavar="RUN", help="the folder of the run")
    parser.add_argument("words", metavar="WORD", nargs="+", help="in any case; the model's letters decide")
    parser.add_argument("--beam", type=at_least_one, default=1, metavar="K", help="of the search (default: 1)")
    said = "draw the attention of one word, greedily decoded, as SVG"
    parser.add_argument("--show-attention", metavar="FILE", help=said)


def run(options: argparse.Namespace) -> int:
    """Print a line for each word, in the format of the data."""
    target = None if options.show_attention is None else check_target(options.show_attention, (".svg",))
    if target is not None and len(options.words) > 1:
        raise RunError(f"--show-attention draws one word, and {len(options.words)} are given. Leave the others out?")
    speaker = speaker_of(Run.open(options.run))
    words = [_in_known_case(word, speaker.letters) for word in options.words]
    for word, phonemes in zip(words, transcribe(speaker, words, options.beam), strict=True):
        print(f"{word}\t{' '.join(phonemes)}")
    if target is not None:
        phonemes, weights = attention_of(speaker, words[0])
        if not weights.size:
            raise RunError(f"{options.run}: the model has no attention to show. Train one with --model transformer?")
        end = SPECIAL[EOS]
        rows = [*phonemes, end][: weights.shape[2]]
        write_whole(target, heatmap(weights, rows, [*words[0], end], f"{words[0]}: {' '.join(phonemes)}"))
    return 0


def _in_known_case(word: str, letters: object) -> str:
    """The word as the model can read it: as it stands, or in capitals."""
    known = all(letter in letters for letter in word)  # type: ignore[operator]
    return word if known else word.upper()
