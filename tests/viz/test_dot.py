"""Does every text arrive as it is, and does every failure of the layout engine end in a sentence?"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.viz.seen import NS
from viz import dot
from viz.dot import Dot, LayoutError, LayoutTimeoutError, engine_for, render, visible

HOSTILE = {
    **{
        same: same
        for same in (
            '"', 'a "b" c', "\\n", "\\N \\G \\E \\l\\r", "ends with \\", "<b>x</b>", "<>", "&amp;", "&#65;", "&",
            "]]>", "<!--",
            "<script>alert(1)</script>", "😀👩‍👩‍👧", "한국어", "שלום", "é", "; } graph", "'", "%s {0}",
        )
    },
    "a\nb": "a↵b", "\t": "⇥", "\x00\x1b": "␀␛", "\x7f\x85": "��", "\ud83d": "�", "\ufffe": "�",
}  # fmt: skip


def _drawn(d: Dot) -> ET.Element:
    return ET.fromstring(render(d.source))


def _texts(root: ET.Element) -> list[str]:
    return [t.text or "" for t in root.iter(f"{NS}text")]


@pytest.mark.parametrize(("bold", "lines"), [(False, False), (False, True), (True, False)])
def test_hostile_labels_arrive_as_the_same_visible_text(bold, lines):
    labels = {k: v for k, v in HOSTILE.items() if not (lines and "\n" in k)}
    d = Dot()
    for k, label in enumerate(labels):
        d.node(f"n{k}", label, bold=bold, lines=lines)
    assert sorted(_texts(_drawn(d))) == sorted(labels.values())


def test_with_lines_a_newline_breaks_the_line_and_nothing_else_does():
    d = Dot()
    d.node("a", "one\\n\ntwo", lines=True)
    assert _texts(_drawn(d)) == ["one\\n", "two"]


def test_hostile_tooltips_and_graph_labels_arrive_as_text():
    d = Dot(label="\n".join(HOSTILE))
    for k, text in enumerate(HOSTILE):
        d.node(f"n{k}", "x", tooltip=text)
        d.edge(f"n{k}", "n0", tooltip=text)
    for k in range(3):
        d.frame(f"inner{k}", "f", [f"n{k}"], "outer")
    d.frame("outer", "f", [])
    root = _drawn(d)
    tooltips = [a.get("{http://www.w3.org/1999/xlink}title", "") for a in root.iter(f"{NS}a")]
    for said in set(HOSTILE.values()) - {"⇥"}:
        assert tooltips.count(said) >= 2, said
    assert any("<script>alert(1)</script>" in t for t in _texts(root))
    assert not list(root.iter(f"{NS}script"))


def test_hostile_frames_are_labelled_as_they_are():
    d = Dot()
    d.node("a", "x")
    d.frame("inner", '<b>"q"</b>\\n&amp;', ["a"], "outer")
    d.frame("outer", "\\N<i>", [])
    assert _texts(_drawn(d)) == ["\\N<i>", '<b>"q"</b>\\n&amp;', "x"]


def test_a_caption_has_lines_and_shows_them_as_they_are():
    d = Dot()
    d.node("a", "x")
    d.frame("f", "title", ["a"])
    d.caption(["<b>one</b>\\n", "two & \\G"])
    assert sorted(_texts(_drawn(d))) == sorted(["<b>one</b>\\n", "two & \\G", "title", "x"])


def test_all_that_is_made_visible_is_accepted_by_an_xml_parser():
    every = "".join(map(chr, [*range(0x300), *range(0xD7F0, 0xE010), 0xFFFE, 0xFFFF, 0x1F600]))
    d = Dot()
    for k in range(0, len(every), 64):
        d.node(f"n{k}", every[k : k + 64])
    assert sum(map(len, _texts(_drawn(d)))) == pytest.approx(len(every), abs=40)  # Graphviz trims spaces at the ends
    assert not set(visible(every)) & set(map(chr, range(32)))


def _without_engine(monkeypatch) -> None:
    monkeypatch.delenv("MINITORCH_DOT", raising=False)
    monkeypatch.setattr(dot, "_bundled", lambda: None)
    monkeypatch.setenv("PATH", "/nonexistent")


def test_without_any_engine_the_sentence_says_what_to_install(monkeypatch):
    _without_engine(monkeypatch)
    with pytest.raises(
        LayoutError, match=r"no layout engine can write svg here\. Install graphviz-pure .*save as \.dot"
    ):
        render("digraph {}")
    with pytest.raises(LayoutError, match=r"no layout engine can write pdf here\. Install Graphviz itself"):
        render("digraph {}", "pdf")


def test_the_bundled_engine_is_preferred_but_for_pdf_and_the_environment_is_preferred_to_both(monkeypatch, tmp_path):
    system = tmp_path / "dot"
    system.write_text("#!/bin/sh\n")
    system.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MINITORCH_DOT", raising=False)
    assert "graphviz-pure" in engine_for("svg")
    assert engine_for("pdf") == str(system)
    monkeypatch.setattr(dot, "_bundled", lambda: None)
    assert engine_for("png") == str(system)
    monkeypatch.setenv("MINITORCH_DOT", "/my/dot")
    assert engine_for("svg") == engine_for("pdf") == "/my/dot"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("#!/bin/sh\necho 'bad line 1' >&2\nexit 3\n", r"engine failed with status 3: bad line 1"),
        ("#!/bin/sh\nexit 0\n", r"engine failed with status 0: no message"),
        ("#!/bin/sh\nkill -9 $$\n", r"engine failed with status -9: no message"),
        ("no program\n", r"could not be started: .*MINITORCH_DOT"),
        (None, r"could not be started: No such file or directory\. Does MINITORCH_DOT name a program\?"),
    ],
)  # fmt: skip
def test_an_engine_that_fails_says_so_in_a_sentence(monkeypatch, tmp_path: Path, body, said):
    engine = tmp_path / "engine"
    if body is not None:
        engine.write_text(body)
        engine.chmod(0o755)
    monkeypatch.setenv("MINITORCH_DOT", str(engine))
    with pytest.raises(LayoutError, match=said) as raised:
        render("digraph {}" * 30000)
    assert raised.value.__cause__ is None


def test_a_slow_engine_is_stopped_at_the_limit(monkeypatch, tmp_path: Path):
    engine = tmp_path / "engine"
    engine.write_text("#!/bin/sh\nexec sleep 30\n")
    engine.chmod(0o755)
    monkeypatch.setenv("MINITORCH_DOT", str(engine))
    with pytest.raises(LayoutTimeoutError, match=r"within 0\.2 s"):
        render("digraph {}", seconds=0.2)


def test_bad_dot_text_is_a_layout_error(monkeypatch):
    monkeypatch.delenv("MINITORCH_DOT", raising=False)
    with pytest.raises(LayoutError, match="failed"):
        render("digraph {")


def test_png_is_png():
    d = Dot()
    d.node("a", "x")
    assert render(d.source, "png").startswith(b"\x89PNG\r\n\x1a\n")


def test_the_bundled_engine_is_a_program():
    engine = dot._bundled()
    assert engine is not None
    assert subprocess.run([engine, "-V"], capture_output=True, check=False, timeout=10).returncode == 0


@pytest.mark.parametrize(("text", "lacking"), [("für Ω ж …₁", False), ("고양이", True), ("日本", True), ("😀", True)])
def test_scripts_that_the_bundled_fonts_lack_are_known(text, lacking):
    assert dot.beyond_bundled_fonts(text) is lacking


def test_png_of_such_scripts_goes_to_a_system_graphviz_and_says_so_without_one(monkeypatch):
    monkeypatch.delenv("MINITORCH_DOT", raising=False)
    monkeypatch.setattr(dot, "_bundled", lambda: "bundled")
    monkeypatch.setattr(dot.shutil, "which", lambda name: "system")
    assert (dot.engine_for("png", "고양이"), dot.engine_for("png", "cat"), dot.engine_for("svg", "고양이")) == (
        "system",
        "bundled",
        "bundled",
    )
    assert not dot.shows_boxes("png", "고양이")
    monkeypatch.setattr(dot.shutil, "which", lambda name: None)
    assert dot.shows_boxes("png", "고양이")
    assert not dot.shows_boxes("svg", "고양이")
