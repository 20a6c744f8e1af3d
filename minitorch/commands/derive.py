"""Derive the gradient of an operation step by step, each step with its rule, its reason and its proof.

An operation is one of the library, or a formula of one's own in index notation.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from minitorch.errors import FormulaError, TargetError
from minitorch.files import check_target, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from minitorch.symbolic.document import Document
    from minitorch.symbolic.library import Known

T = TypeVar("T")
FORMS = ("txt", "md", "tex", "html")
_EXAMPLES = """examples:
  python -m minitorch derive attention --wrt Q
  python -m minitorch derive layer-norm --wrt x,weight -o layer-norm.html
  python -m minitorch derive --formula "x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z" --wrt x
  python -m minitorch derive --list --json
  python -m minitorch derive --all -o docs/derivations.md

A file's suffix tells its format: .txt, .md ($$ mathematics), .tex (needs amsmath) or .html (one page, nothing from
outside).  Without -o the derivation goes to standard output.  Exit status: 0, or 2 for bad input."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    what = parser.add_argument_group("what is derived").add_mutually_exclusive_group()
    what.add_argument("op", nargs="?", metavar="OP", help="an operation of the library, such as attention")
    what.add_argument("--formula", metavar="TEXT", help="an operation of one's own: 'x[n]: y[i] = tanh(x[i])'")
    what.add_argument("--list", action="store_true", help="every operation and input, its verdict, methods and seconds")
    what.add_argument("--all", action="store_true", help="the whole library and the theorems, to be read from the top")
    what.add_argument("--theorems", action="store_true", help="the theorems of the subject, proved")
    parser.add_argument(
        "--wrt", metavar="X", nargs="+", action="extend", help="the inputs to differentiate by (default: all)"
    )
    parser.add_argument("--of", metavar="NAME", help="with --formula: what is differentiated (default: its output)")
    parser.add_argument("-o", "--output", metavar="FILE", help="what to write (default: standard output)")
    parser.add_argument("--format", choices=FORMS, help="the format, where no file's suffix tells it (default: txt)")
    parser.add_argument("--json", action="store_true", help="with --list or --theorems: plain data")


def run(options: argparse.Namespace) -> int:
    """Print or write what was asked for."""
    _check_combination(options)
    target, form = _target(options)  # before the work begins
    if options.list or options.json:
        return _list(options)
    from minitorch.symbolic.document import write

    return _put(write(_document(options), form), target)


def _document(options: argparse.Namespace) -> Document:
    from minitorch.symbolic.document.guide import compose_guide, compose_theorems

    if options.all:
        return compose_guide(lambda names: _progress(names, len(names)))
    if options.theorems:
        return compose_theorems()
    return _formula(options) if options.formula else _operation(options)


def _check_combination(options: argparse.Namespace) -> None:
    listing = options.list or options.theorems or options.all
    if not (options.op or options.formula or listing):
        raise FormulaError("derive: no operation was named. Write derive attention; derive --list names all.")
    if options.wrt and listing:
        raise FormulaError("derive: --wrt is for one operation. Name it, as in derive attention --wrt Q.")
    if options.json and not (options.list or options.theorems):
        raise FormulaError("derive: --json is for --list and --theorems. Use --format for a derivation.")
    if options.output and options.list:
        raise FormulaError("derive: --list is printed only. Leave out -o, or redirect standard output.")
    if options.of and not options.formula:
        raise FormulaError("derive: --of is for --formula; an operation of the library has its output. Leave it out.")


def _target(options: argparse.Namespace) -> tuple[Path | None, str]:
    """The file to write, checked, and the format."""
    if options.output is None:
        return None, options.format or "txt"
    target = check_target(options.output, () if options.format else tuple(f".{form}" for form in FORMS))
    form = options.format or target.suffix.lower()[1:]
    suffix = target.suffix.lower()[1:]
    if suffix in FORMS and suffix != form:
        raise TargetError(f"{target}: the suffix says {suffix}, --format says {form}. Leave one of them out.")
    return target, form


def _operation(options: argparse.Namespace) -> Document:
    from minitorch.symbolic.document.guide import compose_known

    known = _known(options.op)
    return compose_known(known, _inputs(options.wrt, known.wrt, known.name))


def _formula(options: argparse.Namespace) -> Document:
    from minitorch.symbolic.derive import derive_gradients
    from minitorch.symbolic.document import compose_formula
    from minitorch.symbolic.parse import parse
    from minitorch.symbolic.reverse import free_seed

    program = parse(options.formula)
    output = _close("output", options.of, [d.name for d in program.definitions]) if options.of else program.outputs[-1]
    wrt = _inputs(options.wrt, program.differentiable(output), "the formula")
    seed = free_seed(program)
    derivations = derive_gradients(program, output, wrt, seed)
    return compose_formula(program, output, seed, derivations)


def _known(name: str) -> Known:
    from minitorch.symbolic.library import find

    try:
        return find(name)
    except FormulaError as error:
        raise FormulaError(f"derive: {error}") from None


def _inputs(given: Sequence[str] | None, known: Sequence[str], where: str) -> tuple[str, ...]:
    """The inputs that were asked for, ``Q K`` or ``Q,K``; all unless any was."""
    names = [name for word in given or () for name in word.split(",") if name]
    return tuple(dict.fromkeys(_close(f"input of {where}", name, known) for name in names)) or tuple(known)


def _close(kind: str, name: str, known: Sequence[str]) -> str:
    """The name, if it is known.

    Raises:
        FormulaError: it is not; names what is meant, if something is close.
    """
    from minitorch.symbolic.nearest import unknown

    if name in known:
        return name
    raise FormulaError(f"derive: {unknown(kind, name, known)}")


def _list(options: argparse.Namespace) -> int:
    rows = list(_theorem_rows() if options.theorems else _rows())
    if options.json:
        return _put(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", None)
    keys = ("theorem",) if options.theorems else ("op", "input")
    widths = {key: max(len(str(row[key])) for row in rows) for key in (*keys, "verdict")}
    lines = [
        "  ".join([*(str(row[key]).ljust(width) for key, width in widths.items()), f"{row['seconds']:6.2f} s"])
        + "".join(f"\n    {method}" for method in row["methods"])
        for row in rows
    ]
    return _put("\n".join(lines) + "\n", None)


def _rows() -> Iterator[dict[str, Any]]:
    """One row for every input of every operation."""
    from minitorch.symbolic.library import LIBRARY, verdicts

    for known in _progress(LIBRARY.values(), len(LIBRARY)):
        for found in verdicts(known):
            methods = list(found.verdict.methods)
            yield {
                "op": found.op,
                "input": found.input,
                "verdict": found.verdict.kind,
                "methods": methods,
                "seconds": round(found.seconds, 3),
            }


def _theorem_rows() -> Iterator[dict[str, Any]]:
    """One row for every theorem."""
    from minitorch.symbolic.theorems import THEOREMS

    for theorem in _progress(THEOREMS.values(), len(THEOREMS)):
        start = time.perf_counter()
        verdict = theorem.verdict
        yield {
            "theorem": theorem.name,
            "title": theorem.title,
            "verdict": verdict.kind,
            "methods": list(verdict.methods),
            "seconds": round(time.perf_counter() - start, 3),
        }


def _progress(items: Iterable[T], total: int) -> Iterable[T]:
    """The items, with a bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        return items
    from tqdm import tqdm

    return tqdm(items, total=total, file=sys.stderr, leave=False)


def _put(content: str, target: Path | None) -> int:
    if target is not None:
        write_whole(target, content)
        print(f"wrote {target}", file=sys.stderr)
        return 0
    try:
        sys.stdout.write(content)
    except UnicodeEncodeError:  # the reader's encoding has no Σ
        sys.stdout.buffer.write(content.encode())
    sys.stdout.flush()
    return 0
