"""Let a language model go on with a text."""

from __future__ import annotations

import argparse

from transformer.charlm import generate, writer_of
from transformer.commands.arguments import at_least_one, at_least_zero, temperature
from transformer.runs import Run


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("run", metavar="RUN", help="the folder of the run")
    parser.add_argument("--prompt", default="\n", help="how the text begins (default: a new line)")
    parser.add_argument("--length", type=at_least_zero, default=200, metavar="N", help="characters (default: 200)")
    said = "below 1: likelier characters; 0: the likeliest (default: 1)"
    parser.add_argument("--temperature", type=temperature, default=1.0, metavar="T", help=said)
    parser.add_argument("--top-k", type=at_least_one, metavar="K", help="draw from the K likeliest (default: all)")
    parser.add_argument("--seed", type=at_least_zero, default=0, metavar="S", help="of the draws (default: 0)")


def run(options: argparse.Namespace) -> int:
    """Print the text."""
    writer = writer_of(Run.open(options.run))
    print(generate(writer, options.prompt, options.length, options.temperature, options.seed, options.top_k))
    return 0
