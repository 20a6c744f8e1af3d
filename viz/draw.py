"""What is behind this tensor?  The graph of any user's computation, with the measured gradient on its edges.

Values flow down, from the leaves to the tensor; line width and colour say how much gradient came back on each edge, in
units of the largest.  A legend under the drawing says so, with lines of the kinds that occur in it.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, get_args

import minitorch as mt
from viz import dot, svg
from viz.canvas import FONT, text_width
from viz.cuts import MOST_NODES, Level
from viz.errors import InputError
from viz.files import check_target, write_whole
from viz.levels import Arrow, Box, View, view
from viz.palette import BIN_LABELS, BIN_WIDTHS, COLOURS, Theme, attributes, bin_of

SUFFIXES = (".svg", ".png", ".pdf", ".dot")
_ROLE = {"op": "point", "module": "module", "parameter": "parameter", "input": "input", "gap": "dim"}
_SHAPE = {"op": "box", "module": "box", "parameter": "box", "input": "ellipse", "gap": "plaintext"}


@dataclass(frozen=True)
class Drawing:
    """A graph that displays itself in a notebook and saves itself.

    Attributes:
        graph: the whole graph.
        view: what is shown of it.
        level: "op", "module" or "model".
        note: what the reader must know, such as why no gradients are shown.
        norms: the gradient's norm by edge id; None if it was not computed.
    """

    graph: mt.Graph
    view: View
    level: Level
    note: str
    norms: Mapping[int, float] | None = None

    @cached_property
    def caption(self) -> str:
        """What the lines mean, and what else the reader must know."""
        said = ""
        if any(a.norm is not None for a in self.view.arrows):
            unit = f", in % of the largest, {self.view.largest:.3g}" if self.view.largest else ""
            said = f"Values flow down. Lines: norm of the gradient that came back{unit}."
        broken = sum(a.norm is not None and not math.isfinite(a.norm) for a in self.view.arrows)
        many = f"{broken} arrows have gradients that are" if broken > 1 else "One arrow has a gradient that is"
        return " ".join(filter(None, [said, f"{many} not finite (NaN or infinite)." if broken else "", self.note]))

    def dot(self, theme: Theme = "light") -> str:
        """The DOT text."""
        return _dot(self, theme)

    def svg(self, theme: Theme | None = None) -> str:
        """The drawing as SVG; without a theme, light, and dark where the reader prefers a dark page.

        Raises:
            viz.LayoutError: no layout engine, or it took too long even for the coarser level.
        """
        drawn = self._render("svg", theme or "light")
        return svg.finished(
            drawn,
            f"Computation graph, {self.level} level",
            f"{len(self.graph)} nodes. {self.caption}",
            follows_reader=theme is None,
        )

    def save(self, path: str | Path, theme: Theme | None = None) -> Path:
        """Write .svg, .png, .pdf or .dot; whole or not at all.

        Raises:
            viz.InputError: an unknown suffix, or a folder that cannot be written.
            viz.LayoutError: no layout engine; save as .dot.
        """
        target = check_target(path, SUFFIXES)
        suffix = target.suffix.lower()
        if suffix == ".svg":
            write_whole(target, self.svg(theme))
        elif suffix == ".dot":
            write_whole(target, self.dot(theme or "light"))
        else:
            write_whole(target, self._render("png" if suffix == ".png" else "pdf", theme or "light"))
        return target

    def _render(self, format: dot.Format, theme: Theme) -> bytes:
        """Lay out under the time limit; if that passes, once more at the coarser level."""
        try:
            return dot.render(self.dot(theme), format)
        except dot.LayoutTimeoutError:
            if self.level != "op":
                raise
            return dot.render(_coarser(self).dot(theme), format)

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except dot.LayoutError:
            return None

    def __str__(self) -> str:
        return self.dot()


def draw(tensor: mt.Tensor, level: Level | None = None, *, gradients: bool | None = None) -> Drawing:
    """Draw the graph behind a tensor.

    Args:
        tensor: the result of any computation with an input that requires a gradient.
        level: "op" for every operation; "module" for calls of modules, as deep as 60 boxes allow; "model" for one box a
            call of an outermost module.  Unless given, "op" up to 60 nodes, "module" beyond.
        gradients: whether to run a backward pass (which frees nothing and changes no `.grad`) and show its norms;
            unless given, where it is possible: for a scalar whose saved values are still there.

    Raises:
        viz.InputError: not a Tensor, or an unknown level.
        minitorch.GradientError: nothing was recorded, since nothing requires a gradient.

    >>> x = mt.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> drawing = draw((x * x).sum())
    >>> [box.label for box in drawing.view.boxes]
    ['x', 'multiply', 'sum']
    """
    if not isinstance(tensor, mt.Tensor):
        raise InputError(
            f"draw: got {_described(tensor)}; a graph is recorded behind a minitorch Tensor only. "
            "Give the result of a computation, such as a loss?"
        )
    if level is not None and level not in get_args(Level):
        raise InputError(f"draw: level is {level!r}; known are {', '.join(map(repr, get_args(Level)))}.")
    graph = mt.Graph.of(tensor)
    norms, note = None, ""
    if gradients is not False:
        try:
            norms = mt.trace_gradients(tensor).norms
        except mt.MinitorchError as error:
            if gradients:
                raise
            note = "Gradients: not computed (" + str(error).split("\n")[0].rstrip(".") + ")."
    chosen: Level = level or ("op" if len(graph) <= MOST_NODES else "module")
    return Drawing(graph, view(graph, chosen, norms), chosen, note, norms)


def _described(value: object) -> str:
    """What somebody gave in place of a Tensor."""
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    shape = getattr(value, "shape", None)
    return f"an object of type {name}" + (f" and shape {shape}" if isinstance(shape, tuple) else "")


def _coarser(drawing: Drawing) -> Drawing:
    why = "Drawn by module, because the layout of all operations took too long."
    coarse = view(drawing.graph, "module", drawing.norms)
    return replace(drawing, view=coarse, level="module", note=f"{why} {drawing.note}".strip())


def _dot(drawing: Drawing, theme: Theme) -> str:
    page = {"bgcolor": COLOURS[theme]["page"], "fontname": FONT, "pad": 0.15, "tooltip": " "}
    d = dot.Dot(rankdir="TB", nodesep=0.25, ranksep=0.32, **page)
    d.defaults("node", fontname=FONT, fontsize=10, margin="0.1,0.05", height=0.3)
    d.defaults("edge", fontname=FONT, fontsize=8, arrowsize=0.6)
    shown = drawing.view
    inside: dict[str, list[str]] = {}
    for box in shown.boxes:
        _draw_box(d, box, shown.root, theme)
        inside.setdefault(box.frame, []).append(box.id)
    look = {"fontsize": 9, "labelloc": "t", "labeljust": "l", "style": "filled,rounded", "class": "panel muted"}
    look |= attributes("panel", theme) | attributes("muted", theme)
    for f in reversed(shown.frames):  # each is closed into the one around it
        d.frame(f.id, f.label, inside.get(f.id, ()), f.parent, margin=_margin(f.label), **look)
    lines = [_line_of(a, shown.largest) for a in shown.arrows]
    for arrow, line in zip(shown.arrows, lines, strict=True):
        _draw_line(d, arrow.source, arrow.target, line, f"{arrow.tooltip}; {line.said}", theme)
    kinds = {line.role: line for line in sorted(lines, key=lambda line: -line.order) if line.label}
    _legend(d, list(kinds.values()), shown.root, theme)
    if drawing.caption:
        d.caption(textwrap.wrap(drawing.caption, 68), fontsize=9, **attributes("muted", theme))
    return d.source


def _margin(title: str) -> str:
    """So wide that arrows into the middle of a box, which is at least 54 points wide, pass beside the frame's title."""
    return f"{min(36.0, max(12.0, text_width(title, 9) + 12 - 54 / 2)):.0f}"


def _draw_box(d: dot.Dot, box: Box, root: str, theme: Theme) -> None:
    role = "hot" if box.id == root else _ROLE[box.kind]
    d.node(
        box.id,
        f"{box.label}\n{box.detail}" if box.detail else box.label,
        lines=True,
        shape=_SHAPE[box.kind],
        style="filled,rounded" if _SHAPE[box.kind] == "box" else "filled",
        penwidth=1.6 if box.id == root else 0.9,
        id=box.id,
        class_=role,
        tooltip=box.tooltip or box.label,
        **attributes(role, theme),
    )


class _Line(NamedTuple):
    """How an arrow looks, and what it says."""

    role: str
    width: float
    said: str  # in the tooltip
    label: str = ""  # in the legend
    order: float = 0.0  # there: the largest first
    style: str = "solid"


def _line_of(arrow: Arrow, largest: float) -> _Line:
    if arrow.norm is None:
        return _Line("muted_line", 1.0, "gradient not computed")
    if not math.isfinite(arrow.norm):
        return _Line("broken", 2.0, f"gradient not finite (norm {arrow.norm})", "not finite", -2, "dashed")
    if arrow.norm == 0:
        return _Line("zero", 0.7, "no gradient", "no gradient", -1)
    k = bin_of(arrow.norm / largest)
    said = f"gradient norm {arrow.norm:.3g}"
    return _Line(f"gradient{k}", 0.5 + 0.6 * BIN_WIDTHS[4 - k], said, BIN_LABELS[4 - k], k)


def _draw_line(d: dot.Dot, tail: str, head: str, line: _Line, tooltip: str, theme: Theme, names: str = "") -> None:
    look = {"penwidth": f"{line.width:.2f}", "style": line.style, "class": f"{names}{line.role}"}
    d.edge(tail, head, tooltip=tooltip, **look, **attributes(line.role, theme))


def _legend(d: dot.Dot, kinds: list[_Line], root: str, theme: Theme) -> None:
    """A row under the last box: one line of each kind, with what it means."""
    for k, line in enumerate(kinds):
        d.node(f"legend{k}_from", shape="point", style="invis", width=0.01, height=0.01)
        look = {"shape": "plaintext", "margin": "0.05,0", "width": 0, "height": 0.2, "fontsize": 9, "tooltip": " "}
        d.node(f"legend{k}", line.label, **look, class_="legend muted", **attributes("muted", theme))
        _draw_line(d, f"legend{k}_from", f"legend{k}", line, f"lines of this kind: {line.label}", theme, "legend ")
    if kinds:
        d.row([(f"legend{k}_from", f"legend{k}") for k in range(len(kinds))], root)
