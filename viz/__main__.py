"""`python -m viz compare "a sentence" -o report.html`: gradient flow in an RNN and in self-attention, measured and
drawn."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from minitorch.errors import MinitorchError
from viz import table1
from viz.compare import SUFFIXES, Comparison
from viz.dot import LayoutError, shows_boxes
from viz.errors import InputError
from viz.files import check_target, write_whole
from viz.palette import Theme
from viz.study import SENTENCE, Options, compare_only, run, steps

DEFAULTS = Options()
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 on success, 2 with one sentence on standard error for bad input."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(arguments)
    try:
        if options.command == "table1":
            return _table1(options)
        return _compare(options, "python -m viz " + shlex.join(arguments))
    except MinitorchError as error:
        print(f"viz: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader of --json has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("viz: interrupted; nothing was written.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m viz", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    compare = commands.add_parser(
        "compare",
        help="draw the paths that gradients take in an RNN and in self-attention",
        description="Run one sentence through an RNN and through self-attention, with real backward passes, and draw "
        "the paths that the gradient took side by side.",
        allow_abbrev=False,
    )
    add = compare.add_argument
    add("sentence", nargs="?", default=SENTENCE, help=f"its words are the tokens (default: {SENTENCE!r})")
    add(
        "-o",
        "--output",
        metavar="FILE",
        help=f"what to write: {', '.join(SUFFIXES)} (default: report.html, or nothing with --json)",
    )
    add("--json", action="store_true", help="print all numbers on standard output")
    add("--layers", type=int, default=DEFAULTS.layers, help="of attention; the RNN has one (default: %(default)s)")
    add("--heads", type=int, default=DEFAULTS.heads, help="of attention; must divide the width (default: %(default)s)")
    add("--width", type=int, default=DEFAULTS.width, help="of tokens and states (default: %(default)s)")
    add("--seeds", type=int, default=DEFAULTS.seeds, help="random models to average over (default: %(default)s)")
    add("--rnn-init", choices=("uniform", "orthogonal"), default=DEFAULTS.rnn_init, help="default: %(default)s")
    add(
        "--causal",
        action=argparse.BooleanOptionalAction,
        default=DEFAULTS.causal,
        help="whether attention sees the past only (default: it does)",
    )
    add(
        "--block",
        action="store_true",
        help="put both in the Transformer's encoder block: residuals, norms, feed-forward",
    )
    add(
        "--theme",
        choices=("auto", "light", "dark"),
        default="auto",
        help="of a figure; auto follows the reader (default), as a page always does",
    )
    table = commands.add_parser(
        "table1",
        help="Vaswani's Table 1: what layers cost, from formulas and from real graphs",
        description="Complexity per layer from the formulas; sequential operations and path lengths from real graphs.",
        allow_abbrev=False,
    )
    table.add_argument("-o", "--output", metavar="FILE", help=f"{', '.join(table1.SUFFIXES)} (default: print it)")
    return parser


def _table1(arguments: argparse.Namespace) -> int:
    target = None if arguments.output is None else check_target(arguments.output, table1.SUFFIXES)
    lines = table1.table1()
    if target is None:
        print(table1.markdown(lines), end="")
        return 0
    html = target.suffix.lower() == ".html"
    write_whole(target, table1.page(lines) if html else table1.markdown(lines))
    return _say(target)


def _compare(arguments: argparse.Namespace, command: str) -> int:
    options = Options(
        sentence=arguments.sentence,
        width=arguments.width,
        layers=arguments.layers,
        heads=arguments.heads,
        seeds=arguments.seeds,
        rnn_init=arguments.rnn_init,
        causal=arguments.causal,
        block=arguments.block,
    )
    options.check()
    output = (None if arguments.json else "report.html") if arguments.output is None else arguments.output
    target = None if output is None else check_target(output, SUFFIXES)
    is_figure = target is not None and target.suffix.lower() != ".html"
    if arguments.theme != "auto" and not is_figure:
        raise InputError(
            f"--theme {arguments.theme}: a page follows its reader's preference, and numbers have no colours. "
            "Leave it out, or write a figure, such as -o figure.svg?"
        )
    figure_only = is_figure and not arguments.json
    with tqdm(total=steps(options, figure_only=figure_only), disable=None, file=sys.stderr, leave=False) as bar:

        def progress(done: str) -> None:
            bar.set_description(done)
            bar.update()

        study = None if figure_only else run(options, progress=progress, command=command)
        comparison = compare_only(options, progress=progress) if study is None else study.comparison
    if arguments.json and study is not None:
        print(_json(study.to_dict()), flush=True)
    if target is None:
        return 0
    if study is not None and not is_figure:
        write_whole(target, study.page())
        return _say_undrawn(comparison, target) if comparison.undrawn else _say(target)
    return _save_figure(comparison, target, arguments.theme)


def _json(numbers: dict[str, Any]) -> str:
    """JSON with words as they are, or, where the reader's encoding cannot hold them, with escapes."""
    text = json.dumps(numbers, ensure_ascii=False, indent=1)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(numbers, indent=1)
    return text


def _save_figure(comparison: Comparison, target: Path, theme: Theme | Literal["auto"]) -> int:
    try:
        if target.suffix.lower() == ".png" and shows_boxes("png", "".join(comparison.tokens)):
            print(
                "viz: some words are in a script that the bundled layout engine has no font for; they are boxes in a "
                "PNG file. Save as .svg, or install Graphviz?",
                file=sys.stderr,
            )
        return _say(comparison.save(target, theme=theme))
    except LayoutError as error:
        instead = target.with_suffix(".dot")
        write_whole(check_target(instead, (".dot",)), comparison.dot("light" if theme == "auto" else theme))
        print(f"viz: {error}\nviz: wrote the DOT text to {instead}; `neato -n2` draws it.", file=sys.stderr)
        return FAILED


def _say(written: Path) -> int:
    print(f"wrote {written}", file=sys.stderr)
    return 0


def _say_undrawn(comparison: Comparison, written: Path) -> int:
    print(f"viz: {comparison.undrawn}\nviz: wrote {written} with the DOT text in place of the figure.", file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
