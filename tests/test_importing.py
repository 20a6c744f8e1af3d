"""What does `import minitorch` load, and does each public name mean its object, whatever was loaded before?"""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import minitorch as mt

ROOT = Path(__file__).resolve().parent.parent
LATER = ["argnums", "check", "forward", "graph", "memory", "optim", "serialize", "symbolic", "testing", "transforms"]
NOT_FOR_IMPORTING = ["copy", "dataclasses", "numpy.typing", "string", "threading", "zlib"]  # a millisecond, or a half
SAME = """
import importlib, pkgutil, sys
import minitorch as mt
def submodules(package):
    for m in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not m.name.endswith("__main__") and m.name != "minitorch.symbolic":
            module = importlib.import_module(m.name)
            if m.ispkg:
                submodules(module)
def load():
    submodules(mt)
def ask():
    return {name: getattr(mt, name) for name in mt.__all__}
"""


def said(code: str) -> list[str]:
    """The words that a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, check=True, cwd=ROOT, text=True).stdout.split()


def test_what_a_model_runs_without_is_loaded_when_it_is_asked_for():
    loaded = said("import minitorch as mt, sys; print(*sys.modules)")
    assert not {f"minitorch.{m}" for m in LATER} & set(loaded)
    assert "minitorch.nn" in loaded
    assert "minitorch.graph" in said("import minitorch as mt, sys; mt.Graph; print(*sys.modules)")


def test_of_the_standard_library_little_is_loaded_that_numpy_has_not():
    loaded = said("import numpy, sys; n = {*sys.modules}; import minitorch; print(*({*sys.modules} - n))")
    assert not set(NOT_FOR_IMPORTING) & set(loaded)


@pytest.mark.parametrize(
    "order", ["load(); names = ask()", "names = ask(); load()"], ids=["modules first", "names first"]
)
def test_a_public_name_is_its_object_whatever_was_imported_before(order):
    code = f"{SAME}{order}; assert ask() == names; print(*(n for n in names if type(names[n]) is type(mt)))"
    assert said(code) == sorted(n for n in mt.__all__ if isinstance(getattr(mt, n), ModuleType))
    assert not isinstance(mt.checkpoint, ModuleType)  # which its own module is called, too
    assert not isinstance(mt.functional, ModuleType)


def test_what_is_loaded_later_is_what_readers_are_told():
    tree = ast.parse((ROOT / "minitorch/__init__.py").read_text(encoding="utf-8"))
    told = {}
    for block in tree.body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                assert isinstance(line, ast.ImportFrom)
                inside = str(line.module).removeprefix("minitorch").removeprefix(".")
                told.update({a.name: inside or a.name for a in line.names})
    assert told == mt._LATER
    for name, module in told.items():
        loaded = import_module(f"minitorch.{module}")
        assert getattr(mt, name) is (loaded if name == module else getattr(loaded, name))


def test_every_public_name_is_listed_and_imported_by_a_star():
    assert said("import minitorch as mt; print(*(n for n in mt.__all__ if n not in dir(mt)))") == []
    star = "from minitorch import *; import minitorch; print(*(n for n in minitorch.__all__ if n not in globals()))"
    assert said(star) == []


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match=r"^module 'minitorch' has no attribute 'softmaxx'$"):
        _ = mt.softmaxx
    with pytest.raises(ImportError, match="cannot import name 'softmaxx'"):
        exec("from minitorch import softmaxx")
