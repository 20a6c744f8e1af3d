"""Is what `viz.draw` shows the graph itself, with the gradients of a backward pass on its edges?"""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
import viz
from minitorch import nn
from tests.viz.seen import NS, acyclic, contrast, styled
from transformer import RNN, EncoderBlock, MultiHeadAttention
from viz import dot
from viz.palette import COLOURS

HOSTILE = [
    "<script>alert(1)</script>",
    'a "quoted" name',
    "back\\nslash",
    "two\nlines",
    "&amp;",
    "<b>x</b>",
    "😀",
    "한국어",
]


class Net(mt.Module):
    """Linear layers of which one is used twice."""

    def __init__(self) -> None:
        self.first, self.shared = nn.Linear(3, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.shared(mt.tanh(self.shared(mt.tanh(self.first(x)))))


@pytest.fixture
def x() -> mt.Tensor:
    return mt.tensor(np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32), name="x")


def _texts(svg: str) -> list[str]:
    return [t.text or "" for t in ET.fromstring(svg).iter(f"{NS}text")]


def _shown(svg: str) -> str:
    """All that is said in the drawing, and in its tooltips."""
    root = ET.fromstring(svg)
    return "\n".join([*_texts(svg), *(t.text or "" for t in root.iter(f"{NS}title"))])


def test_at_op_level_boxes_and_arrows_are_the_nodes_and_edges_of_the_graph_with_the_norms_of_trace(x):
    loss = (Net()(x) ** 2).sum()
    drawing, run = viz.draw(loss, "op"), mt.trace_gradients(loss)
    assert {b.id for b in drawing.view.boxes} == {f"n{n.id}" for n in run.graph.nodes}
    expected: dict[tuple[str, str], float] = {}
    for e in run.graph.edges:
        ends = (f"n{e.source}", f"n{e.target}")
        expected[ends] = float(np.hypot(expected.get(ends, 0.0), run.norms[e.id]))
    assert {(a.source, a.target): a.norm for a in drawing.view.arrows} == pytest.approx(expected)
    assert drawing.view.root == f"n{run.graph.root}"
    svg = drawing.svg()
    for a in drawing.view.arrows:
        assert f"gradient norm {a.norm:.3g}" in svg
    drawn = ET.fromstring(svg)
    classes = [(g.get("class") or "").split() for g in drawn.iter(f"{NS}g")]
    assert len([c for c in classes if "edge" in c and "legend" not in c]) == len(expected)
    assert len([c for c in classes if "node" in c and "legend" not in c]) == len(run.graph)


def test_the_norms_are_those_of_the_gradients(x):
    w = mt.tensor(np.array([[1.0], [2.0], [3.0]], np.float32), requires_grad=True, name="w")
    drawing = viz.draw(((x @ w) * 2).sum())
    drawing_norm = next(a.norm for a in drawing.view.arrows if a.source == "n0")
    assert drawing_norm == pytest.approx(float(np.linalg.norm(2 * x.numpy().sum(0))), rel=1e-6)


def test_an_edge_without_gradient_is_drawn_as_such():
    v = mt.tensor([-1.0, -2.0], requires_grad=True, name="v")
    drawing = viz.draw((mt.relu(v) + v).sum())
    assert sorted((a.norm or 0) > 0 for a in drawing.view.arrows) == [False, True, True, True]
    assert drawing.svg().count("; no gradient<") == 1


def test_a_tensor_that_is_no_scalar_says_that_gradients_were_not_computed(x):
    drawing = viz.draw(Net()(x))
    assert drawing.note.startswith("Gradients: not computed (")
    assert all(a.norm is None for a in drawing.view.arrows)
    assert "not computed" in " ".join(_texts(drawing.svg()))
    with pytest.raises(mt.MinitorchError):
        viz.draw(Net()(x), gradients=True)


def test_a_freed_graph_is_still_drawn(x):
    loss = Net()(x).sum()
    loss.backward()
    drawing = viz.draw(loss)
    assert "not computed" in drawing.note
    assert len(drawing.view.boxes) == len(mt.Graph.of(loss))


def test_drawing_changes_no_gradients_and_frees_nothing(x):
    net = Net()
    loss = net(x).sum()
    viz.draw(loss).svg()
    assert all(p.grad is None for p in net.parameters())
    loss.backward()
    assert all(p.grad is not None for p in net.parameters())


def test_what_requires_no_gradient_cannot_be_drawn_and_says_what_to_do():
    with pytest.raises(mt.GradientError, match="requires_grad=True"):
        viz.draw(mt.tensor([1.0]).sum())


def test_a_leaf_alone_is_drawn():
    assert len(viz.draw(mt.tensor(1.0, requires_grad=True, name="alone")).view.boxes) == 1


@pytest.mark.parametrize(
    "model",
    [Net, lambda: nn.Sequential([nn.Linear(3, 3), RNN(3, 3)]), lambda: EncoderBlock(3, MultiHeadAttention(3)),
     lambda: EncoderBlock(3, RNN(3, 3), norm="pre")],
)  # fmt: skip
@pytest.mark.parametrize("level", ["op", "module", "model"])
def test_no_drawing_has_a_cycle_and_every_arrow_joins_boxes(x, model, level):
    view = viz.draw((model()(x.reshape(1, 2, 3)) ** 2).sum(), level).view
    assert acyclic(view)
    assert {end for a in view.arrows for end in (a.source, a.target)} <= {b.id for b in view.boxes}


def test_a_module_that_is_called_twice_is_drawn_twice_and_its_parameters_once(x):
    net = Net()
    view = viz.draw((net(x) ** 2).sum(), "module").view
    assert [b.label for b in view.boxes if b.kind == "module"].count("shared") == 2
    names = [b.label for b in view.boxes if b.kind == "parameter"]
    assert sorted(names) == ["bias", "weight"], "those of `shared` stand alone, those of `first` inside it"
    calls = {b.id for b in view.boxes if b.label == "shared"}
    for parameter in (b.id for b in view.boxes if b.kind == "parameter"):
        assert {a.target for a in view.arrows if a.source == parameter} == calls
    at_op = viz.draw((net(x) ** 2).sum(), "op").view
    assert len([b for b in at_op.boxes if b.kind == "parameter"]) == 4


@pytest.mark.parametrize(("n", "gaps"), [(8, 0), (9, 1), (30, 1)])
@pytest.mark.parametrize("level", ["op", "module"])
def test_more_than_8_time_steps_are_elided_to_the_first_3_and_the_last_4(n, gaps, level):
    y = RNN(3, 3)(mt.tensor(np.ones((1, n, 3), np.float32)))
    view = viz.draw(y[:, -1].sum(), level).view
    gap = [b for b in view.boxes if b.kind == "gap"]
    assert len(gap) == gaps
    if gaps:
        assert gap[0].detail == f"steps 4 … {n - 4}"
    if level == "module":
        assert [b.label for b in view.boxes if b.kind == "module" and "step" in b.label] == [
            f"RNN, step {t}" for t in (range(1, n + 1) if not gaps else [1, 2, 3, *range(n - 3, n + 1)])
        ]
    assert acyclic(view)


def test_names_are_shown_as_text(x):
    leaves = [mt.tensor(1.0, requires_grad=True, name=name) for name in HOSTILE]
    svg = viz.draw(mt.stack(leaves).sum(), "op").svg()
    shown = _shown(svg)
    assert [n for n in HOSTILE if n not in shown and n.split("\n")[0] not in shown] == []
    assert "<script" not in svg
    assert {e.tag.removeprefix(NS) for e in ET.fromstring(svg).iter()} <= {
        "svg", "title", "desc", "style", "g", "polygon", "path", "text", "ellipse", "polyline"}  # fmt: skip


@pytest.mark.parametrize("scope", ['<script>"x', "<b>x</b>", "a:b", "ends with \\", "\\N", '"', "한국어:n"])
@pytest.mark.parametrize("level", ["op", "module"])
def test_hostile_scopes_are_shown_as_text_and_join_the_same_boxes(scope, level):
    def drawn(name):
        mt.seed(0)  # the legend shows the kinds of lines that occur
        with mt.scope(name):
            return viz.draw(RNN(3, 3)(mt.tensor(np.ones((1, 12, 3), np.float32))).sum(), level).svg()

    svg, plain = drawn(scope), drawn("plain")
    assert "<script" not in svg
    assert f"{scope}.RNN" in _shown(svg) or scope in _texts(svg)
    assert svg.count("<path") == plain.count("<path")
    assert re.findall(r'\sid="([^"]*)"', svg) == re.findall(r'\sid="([^"]*)"', plain), "ids are not made of names"


def test_the_style_sheet_gives_the_dark_drawing(x):
    drawing = viz.draw((Net()(x) ** 2).sum(), "op")
    auto, dark = styled(drawing.svg()), ET.fromstring(drawing.svg("dark"))
    for a, d in zip(auto.iter(), dark.iter(), strict=True):
        for colour in ("fill", "stroke"):
            if d.get(colour, "none") != "none":
                assert a.get(colour) == d.get(colour), (a.attrib, d.attrib)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_and_arrows_can_be_read(x, theme):
    root = ET.fromstring(viz.draw((Net()(x) ** 2).sum(), "op").svg(theme))
    for t in root.iter(f"{NS}text"):
        grounds = [COLOURS[theme][g] for g in ("page", "panel")]
        assert min(contrast(t.get("fill", "#000000"), g) for g in grounds) >= 4.5, t.text
    for g in root.iter(f"{NS}g"):
        if "gradient" in (g.get("class") or ""):
            for path in g.iter(f"{NS}path"):
                assert min(contrast(path.get("stroke", ""), COLOURS[theme][k]) for k in ("page", "panel")) >= 3


def test_hundreds_of_operations_are_drawn_by_module_at_first_and_within_the_limit_at_op_level():
    y = mt.tensor(np.ones((1, 4, 8), np.float32))
    for _ in range(10):
        y = EncoderBlock(8, MultiHeadAttention(8, 2))(y)
    drawing = viz.draw(y.sum())
    assert drawing.level == "module"
    assert len(drawing.graph) > 300
    start = time.perf_counter()
    assert "<svg" in drawing.svg()
    assert "<svg" in viz.draw(y.sum(), "op").svg()
    assert time.perf_counter() - start < 2 * dot.SECONDS


def test_a_chain_of_100_000_operations_is_drawn_without_recursion():  # case 4
    y = mt.tensor(1.0, requires_grad=True)
    for _ in range(100_000):
        y = -y
    drawing = viz.draw(y)
    assert len(drawing.graph) == 100_001
    assert len(drawing.view.boxes) < 100
    assert "<svg" in drawing.svg()


def test_drawing_a_row_of_diamonds_takes_time_linear_in_their_number():  # case 5
    def seconds(n):
        y = mt.tensor(np.float64(1.0), requires_grad=True)
        for _ in range(n):
            y = y + y
        start = time.perf_counter()
        drawing = viz.draw(y, "op")
        assert len(drawing.graph) == n + 1
        assert len(drawing.view.boxes) <= n + 1
        return time.perf_counter() - start

    few = min(seconds(64) for _ in range(3))
    assert min(seconds(512) for _ in range(3)) < 8 * 4 * few  # 2 ** 448 times as long if each path were walked


@pytest.mark.parametrize("suffix", [".svg", ".png", ".dot"])
def test_it_saves_itself(x, tmp_path: Path, suffix):
    target = viz.draw(Net()(x).sum()).save(tmp_path / f"net{suffix}")
    start = {".svg": b"<svg", ".png": b"\x89PNG\r\n\x1a\n", ".dot": b"digraph"}[suffix]
    assert target.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_unknown_suffixes_name_those_that_are_known(x, tmp_path: Path):
    with pytest.raises(viz.InputError, match=r"'\.gif'.*\.svg, \.png, \.pdf, \.dot"):
        viz.draw(Net()(x).sum()).save(tmp_path / "net.gif")


def _engine(folder: Path, monkeypatch, body: str) -> None:
    program = folder / "engine.sh"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("MINITORCH_DOT", str(program))


def test_a_layout_that_takes_too_long_at_op_level_is_done_again_by_module(x, tmp_path: Path, monkeypatch):
    real = dot.engine_for("svg")
    slow = 'text=$(cat)\ncase "$text" in *\'label="tanh\'*) exec sleep 30;; esac\n'
    _engine(tmp_path, monkeypatch, slow + f'printf "%s" "$text" | {real} "$@"')
    monkeypatch.setattr(dot.render, "__kwdefaults__", {**dot.render.__kwdefaults__, "seconds": 1.0})
    start = time.perf_counter()

    class Tanh(mt.Module):
        def forward(self, v):
            return mt.tanh(v) * mt.tanh(v)

    weights = mt.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    svg = viz.draw(Tanh()(weights).sum(), "op").svg()
    assert time.perf_counter() - start < 10
    shown = " ".join(_texts(svg))
    assert "Tanh" in shown
    assert "Drawn by module, because the layout of all operations took too long." in shown
    assert "gradient norm" in svg, "what was measured is not lost"


@pytest.mark.parametrize("level", ["op", "module"])
def test_a_layout_that_never_ends_is_stopped_with_a_sentence(x, tmp_path: Path, monkeypatch, level):
    _engine(tmp_path, monkeypatch, "exec sleep 30")
    monkeypatch.setattr(dot.render, "__kwdefaults__", {**dot.render.__kwdefaults__, "seconds": 0.3})
    drawing = viz.draw(Net()(x).sum(), level)
    start = time.perf_counter()
    with pytest.raises(viz.LayoutTimeoutError, match=r"did not lay out \d+ lines of DOT within 0\.3 s"):
        drawing.svg()
    assert time.perf_counter() - start < 5
    assert drawing._repr_svg_() is None


def test_ids_in_a_drawing_are_unique():
    y = RNN(3, 3)(mt.tensor(np.ones((1, 20, 3), np.float32)))
    svg = viz.draw(y[:, -1].sum(), "op").svg()
    ids = re.findall(r'\sid="([^"]*)"', svg)
    assert len(ids) == len(set(ids))
