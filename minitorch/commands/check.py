"""Check a backward pass that was derived by hand: which gradient is wrong, by which term, at which smallest input.

The claim is a function in a Python file, or a file of formulas in index notation.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from minitorch.errors import FormulaError

_EXAMPLE = """examples:
  python -m minitorch check my_kernel.py:attention_backward --op attention
  python -m minitorch check my_kernel.py:backward --formula "x[n]: y[i] = x[i] sigmoid(x[i])" --wrt x
  python -m minitorch check gradients.txt --op layer-norm --json

A function takes inputs and saved values of the operation by name, and the incoming gradient (G, dO, dout,
grad_output, ...); it returns the gradients in the order of the inputs, or a dict.  A file of formulas has one
definition a line: dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(d_k).  Exit status: 0 right, 1 wrong, 2 bad input."""


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLE
    parser.add_argument("claim", metavar="FILE.py:FUNCTION", help="the claimed backward pass; or a file of formulas")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--op", metavar="NAME", help="an operation of the library")
    what.add_argument("--formula", metavar="TEXT", help="an operation of one's own, as text or as a file that has it")
    parser.add_argument("--wrt", metavar="Q,K", help="the inputs whose gradients are claimed")
    parser.add_argument("--output", metavar="NAME", help="the definition that is differentiated")
    parser.add_argument(
        "--given", metavar="NAME=NUMBER", action="append", default=[], help="an input that is one number"
    )
    parser.add_argument(
        "--size", metavar="NAME=NUMBER", action="append", default=[], help="a dimension of a fixed size"
    )
    parser.add_argument("--arrays", choices=("numpy", "torch", "minitorch"), default="numpy", help="what it takes")
    parser.add_argument(
        "--dtype", choices=("float64", "float32", "float16"), default="float64", help="of its arguments"
    )
    parser.add_argument("--batch", type=int, default=0, metavar="AXES", help="leading axes that its arrays have")
    parser.add_argument("--shared", default="", metavar="NAMES", help="with --batch, the inputs that have none")
    parser.add_argument("--json", action="store_true", help="print plain data instead of a report")


def run(options: argparse.Namespace) -> int:
    """Print the diagnosis; 0 if every gradient is right, else 1."""
    from minitorch.symbolic.claims import check_vjp

    diagnosis = check_vjp(
        _claim(options.claim),
        _formula(options.formula) if options.op is None else options.op,
        wrt=_names(options.wrt) or None,
        output=options.output,
        given=dict(map(_setting, options.given)),
        sizes={name: int(value) for name, value in map(_setting, options.size)},
        arrays=options.arrays,
        dtype=options.dtype,
        batch=options.batch,
        shared=_names(options.shared),
    )
    print(json.dumps(diagnosis.to_json(), indent=2) if options.json else diagnosis)
    return 0 if diagnosis.ok else 1


def _names(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _setting(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise FormulaError(f"check: got {text!r}, wanted NAME=NUMBER, such as eps=1e-5.") from None


def _claim(text: str) -> Callable[..., Any] | str:
    """The function, or the formulas, that an argument names."""
    file, colon, function = text.rpartition(":")
    if colon and file.endswith(".py"):
        return _function(Path(file), function)
    path = Path(text)
    if text.endswith(".py"):
        raise FormulaError(f"check: {text} names no function. Write {text}:FUNCTION; {_offered(_loaded(path))}")
    return _text(path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormulaError(f"check: cannot read {path}: {_reason(error)}.") from None


def _formula(text: str) -> str:
    """A formula given as text, or as a file that holds it."""
    return text if "=" in text else _text(Path(text))


def _function(path: Path, name: str) -> Callable[..., Any]:
    module = _loaded(path)
    function = getattr(module, name, None)
    if not callable(function):
        raise FormulaError(f"check: {path} has no function {name!r}; {_offered(module)}")
    return function


def _offered(module: ModuleType) -> str:
    own = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
    return f"there are: {', '.join(own) or 'none'}."


def _loaded(path: Path) -> ModuleType:
    """The module in a file.

    Raises:
        FormulaError: there is no such file, it is not valid Python, or it raised when it was imported; says in which
            of its lines.
    """
    if not path.is_file():
        raise FormulaError(f"check: there is no file {path}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FormulaError(f"check: {path} cannot be imported. Is it a Python file?")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))  # what stands beside the file can be imported by it
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise FormulaError(f"check: {error.filename}:{error.lineno} is not valid Python: {error.msg}: {line}") from None
    except (Exception, SystemExit) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
        where = f":{frames[-1].lineno}: {frames[-1].line}" if frames else ""
        raise FormulaError(f"check: importing {path} raised {type(error).__name__}: {error}{where}") from None
    finally:
        sys.path.pop(0)
    return module


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
