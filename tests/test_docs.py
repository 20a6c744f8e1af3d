"""Does what the documents point at exist?"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEMANTICS = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
CASES, DECISIONS = SEMANTICS.split("\n## Decisions\n")
every_document = pytest.mark.parametrize(
    "document", ["README.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")}


@every_document
def test_every_test_that_a_document_names_exists(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    found = NAMED.findall(text)
    assert len(found) == text.count("::test_"), "a name is not written as `tests/file.py::test_name`"
    assert [f"{file}::{name}" for file, name in found if name not in names_in(ROOT / file)] == []


@every_document
def test_every_file_that_a_document_links_to_or_names_exists(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    links = {(ROOT / document).parent / m for m in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)}
    paths = {ROOT / m for m in re.findall(r"`((?:minitorch|transformer|viz|tests|docs|benchmarks)/[\w/]+\.\w+)", text)}
    assert [str(p.relative_to(ROOT)) for p in links | paths if not p.exists()] == []


def test_there_are_46_cases_and_each_is_held_by_a_test():
    parts = re.split(r"^(\d+)\. ", CASES, flags=re.MULTILINE)[1:]
    assert [int(n) for n in parts[::2]] == list(range(1, 47))
    assert [n for n, text in zip(parts[::2], parts[1::2], strict=True) if not NAMED.search(text)] == []


def test_each_decision_is_held_by_a_test():
    rows = [line for line in DECISIONS.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 13
    assert [row for row in rows if not NAMED.search(row)] == []
