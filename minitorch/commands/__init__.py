"""`python -m minitorch COMMAND`: derive a gradient, or check one that somebody claims.

Each command is a module here with `add(parser)`, which describes its arguments, and `run(options)`, which gives the
exit status; what it needs beyond the standard library is loaded when it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from minitorch.errors import MinitorchError

NAMES: tuple[str, ...] = ("derive", "check")
FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its status, or 2 with one sentence on standard error for bad input."""
    commands = {name: import_module(f"minitorch.commands.{name}") for name in NAMES}
    said = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m minitorch", description=said, allow_abbrev=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in commands.items():
        said = (module.__doc__ or "").splitlines()[0]
        module.add(subparsers.add_parser(name, help=said, description=said, allow_abbrev=False))
    options = parser.parse_args(arguments)
    try:
        return commands[options.command].run(options)
    except MinitorchError as error:
        print(f"minitorch: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader has seen enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("minitorch: interrupted; nothing was written.", file=sys.stderr)
        return 130
