"""Is the page whole, does it say what was measured and checked, and can it be read where it is narrow?"""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from minitorch.symbolic import derive_softmax_jacobian
from tests.viz.pages import Page
from viz import report
from viz.__main__ import main
from viz.derivations import Derived
from viz.lengths import LENGTHS

HOSTILE = '"quoted" <script>alert(1)</script> <img/src=x> new\nline &amp; 😀 한국어 \\n \x07'


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[str, dict]:
    """One full run on hostile tokens: the page, and the numbers."""
    target = tmp_path_factory.mktemp("whole") / "report.html"
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        assert main(["compare", HOSTILE, "--seeds", "2", "--json", "-o", str(target)]) == 0
        printed = sys.stdout.getvalue()
    finally:
        sys.stdout = out
    return target.read_text(encoding="utf-8"), json.loads(printed)


def test_the_numbers_have_the_schema_of_the_report(whole):
    _, numbers = whole
    tokens = HOSTILE.split()
    assert [m["name"] for m in numbers["models"]] == ["RNN", "Self-attention", "RNN, orthogonal"]
    for m in numbers["models"]:
        assert m["tokens"] == tokens
        assert len(m["gradient_norm"]) == len(tokens)
        assert all(isinstance(g, float) and g > 0 for g in m["gradient_norm"])
    assert [m["path_hops"] for m in numbers["models"]] == [len(tokens) + 1, 2, len(tokens) + 1]
    by_length = numbers["by_length"]
    assert {(r["model"], r["n"]) for r in by_length} == {(m["name"], n) for m in numbers["models"] for n in LENGTHS}
    for r in by_length:
        assert r["path_hops"] == (2 if r["model"] == "Self-attention" else r["n"] + 1)
        n = r["n"]
        assert r["saved_bytes"] == (4 * n * n + 512 * n if r["model"] == "Self-attention" else 128 * n)
    assert [(d["op"], d["input"]) for d in numbers["derivations"]][1:] == [("attention", x) for x in "QKV"]
    for d in numbers["derivations"]:
        assert d["verdict"]
        assert all(isinstance(m, str) for m in d["methods"])
        assert d["methods"]


def test_the_page_is_whole_and_needs_nothing_from_outside(whole):
    text, _ = whole
    page = Page(text)
    assert page.open == []
    assert text.startswith("<!doctype html>")
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "a"} & set(page.tags)
    assert {"svg", "table", "math", "figure"} <= set(page.tags)
    assert not {k for k, _ in page.attributes if k in ("src", "href", "xlink:href") or k.startswith("on")}
    outside = [v for k, v in page.attributes if "//" in v and not k.startswith("xmlns")]
    assert outside == []
    assert "url(" not in text
    assert "@import" not in text


def test_hostile_tokens_are_shown_as_text_in_figure_and_table(whole):
    page = Page(whole[0])
    for token in HOSTILE.replace("\x07", "␇").split():
        assert sum(token in w for w in page.words) >= 3, token


def test_the_page_has_the_numbers(whole):
    text, numbers = whole
    for r in numbers["by_length"]:
        assert f"<td>{r['saved_bytes']:,}</td>" in text
    for terms in numbers["saved_bytes_terms"].values():
        assert f"keeps exactly {terms} bytes" in text
    assert text.count('class="verdict"') == len(numbers["derivations"])


def test_notes_stand_outside_of_what_scrolls_and_tables_have_names(whole):
    text, _ = whole
    assert "<caption" not in text
    scrolling = re.findall(r'<div class="scroll">(.*?)</div>(<p class="note">.*?</p>)', text, re.DOTALL)
    assert len(scrolling) == text.count('class="scroll"') == text.count("<table") == 2
    names = [re.findall(r'<table aria-label="([^"]+)">', table) for table, _ in scrolling]
    assert names == [["Gradient norm by distance"], ["What a longer sentence costs"]]
    assert all(f"<h2>{name}</h2>" in text for (name,) in names)
    assert [note.count("Norm") > 0 for _, note in scrolling] == [True, True]


def test_a_check_mark_stands_where_something_was_checked_and_nowhere_else():
    derivation = derive_softmax_jacobian()
    text = report.derivations([Derived("Softmax", (), (derivation,))])
    notes = re.findall(r"<li>.*?<span class=\"note\">(.*?)</span></li>", text)
    assert len(notes) == len(derivation.steps)
    marked = ["✓" in note for note in notes]
    assert marked == [step.checked for step in derivation.steps]
    assert True in marked
    assert False in marked
    assert "Every step that is not a definition was checked" in text
