"""`python -m transformer COMMAND`: train a model of the story, measure it, and use it.

Each command is a module here with `add(parser)`, which describes its arguments, and `run(options)`, which gives the
exit status.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

import minitorch as mt

NAMES: tuple[str, ...] = ("train", "resume", "evaluate", "decode", "generate")
FAILED = 2
_EXAMPLES = """examples:
  python -m transformer train g2p -o run                          an hour on the dictionary that is shipped
  python -m transformer train g2p --model lstm --minutes 10 -o lstm
  python -m transformer resume run
  python -m transformer evaluate run --json
  python -m transformer decode run GRADIENT FLOW --beam 5
  python -m transformer train charlm --data book.txt -o book
  python -m transformer generate book --prompt "The "

Exit status: 0, 2 for bad input, 130 if it was interrupted before there was anything to keep."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its status, or 2 with a sentence on standard error for bad input."""
    options = _parser().parse_args(arguments)
    try:
        return import_module(f"transformer.commands.{options.command}").run(options)
    except mt.MinitorchError as error:
        print(f"transformer: {getattr(error, 'message', error)}", file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as error:  # safetensors is an extra
        print(f"transformer: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("transformer: interrupted.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    said = (__doc__ or "").splitlines()[0]
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m transformer", description=said, epilog=_EXAMPLES, formatter_class=raw, allow_abbrev=False
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in NAMES:
        module = import_module(f"transformer.commands.{name}")
        said = (module.__doc__ or "").splitlines()[0]
        module.add(subparsers.add_parser(name, help=said, description=said, allow_abbrev=False))
    return parser
