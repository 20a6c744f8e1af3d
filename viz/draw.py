"""What is behind this tensor?  The graph of any user's computation, with the measured gradient on its edges.

Values flow down, from the leaves to the tensor; line width and colour say how much gradient came back on each edge, in
units of the largest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import minitorch as mt
from viz import dot, svg
from viz.canvas import FONT
from viz.files import check_target, write_whole
from viz.levels import MOST_NODES, Arrow, Box, Level, View, view
from viz.palette import BIN_WIDTHS, COLOURS, Theme, attributes, bin_of

SUFFIXES = (".svg", ".png", ".pdf", ".dot")
_ROLE = {"op": "point", "module": "module", "parameter": "parameter", "input": "input", "gap": "dim"}
_SHAPE = {"op": "box", "module": "box", "parameter": "box", "input": "ellipse", "gap": "plaintext"}


@dataclass(frozen=True)
class Drawing:
    """A graph that displays itself in a notebook and saves itself.

    Attributes:
        graph: the whole graph.
        view: what is shown of it.
        level: "op" or "module".
        note: what the reader must know, such as why no gradients are shown.
        norms: the gradient's norm by edge id; None if it was not computed.
    """

    graph: mt.Graph
    view: View
    level: Level
    note: str
    norms: Mapping[int, float] | None = None

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
            f"{len(self.graph)} nodes. {self.note}",
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
            if self.level == "module":
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
        level: "op" for every operation, "module" for one box a call of a module; unless given, "op" up to 60 nodes.
        gradients: whether to run a backward pass (which frees nothing and changes no `.grad`) and show its norms; unless
            given, where it is possible: for a scalar whose saved values are still there.

    Raises:
        minitorch.GradientError: nothing was recorded, since nothing requires a gradient.

    >>> x = mt.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> drawing = draw((x * x).sum())
    >>> [box.label for box in drawing.view.boxes]
    ['x', 'multiply', 'sum']
    """
    graph = mt.Graph.of(tensor)
    norms, note = None, ""
    if gradients is not False:
        try:
            norms = mt.trace(tensor).norms
        except mt.MinitorchError as error:
            if gradients:
                raise
            note = "Gradients: not computed (" + str(error).split("\n")[0].rstrip(".") + ")."
    chosen: Level = level or ("op" if len(graph) <= MOST_NODES else "module")
    return Drawing(graph, view(graph, chosen, norms), chosen, note, norms)


def _coarser(drawing: Drawing) -> Drawing:
    why = "Drawn by module, because the layout of all operations took too long."
    coarse = view(drawing.graph, "module", drawing.norms)
    return Drawing(drawing.graph, coarse, "module", f"{why} {drawing.note}".strip(), drawing.norms)


def _dot(drawing: Drawing, theme: Theme) -> str:
    note = {"label": drawing.note, "fontsize": 9, "labelloc": "b", **attributes("muted", theme)}
    page = {"bgcolor": COLOURS[theme]["page"], "fontname": FONT, "pad": 0.15, "tooltip": " "}
    d = dot.Dot(rankdir="TB", nodesep=0.25, ranksep=0.32, **page, **note)
    d.defaults("node", fontname=FONT, fontsize=10, margin="0.1,0.05", height=0.3)
    d.defaults("edge", fontname=FONT, fontsize=8, arrowsize=0.6)
    for box in drawing.view.boxes:
        _draw_box(d, box, drawing.view.root, theme)
    look = {"fontsize": 9, "labelloc": "t", "labeljust": "l", "style": "filled,rounded", "class": "panel muted"}
    d.frames(_frames(drawing.view, drawing.level), **look, **attributes("panel", theme), **attributes("muted", theme))
    largest = max((a.norm for a in drawing.view.arrows if a.norm is not None), default=0.0)
    for arrow in drawing.view.arrows:
        _draw_arrow(d, arrow, largest, theme)
    return d.source


def _frames(v: View, level: Level) -> dict[str, list[str]]:
    """At op level, the operations of each module stand in one frame."""
    frames: dict[str, list[str]] = {}
    for box in v.boxes if level == "op" else ():
        if box.scope:
            frames.setdefault(box.scope, []).append(box.id)
    return frames


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


def _draw_arrow(d: dot.Dot, arrow: Arrow, largest: float, theme: Theme) -> None:
    if arrow.norm is None or not largest:
        role, width, said = "muted_line", 1.0, f"{arrow.tooltip}; gradient not computed"
    elif arrow.norm == 0:
        role, width, said = "zero", 0.7, f"{arrow.tooltip}; no gradient"
    else:
        k = bin_of(arrow.norm / largest)
        role, width, said = (
            f"gradient{k}",
            0.5 + 0.6 * BIN_WIDTHS[4 - k],
            f"{arrow.tooltip}; gradient norm {arrow.norm:.3g}",
        )
    d.edge(arrow.source, arrow.target, penwidth=f"{width:.2f}", class_=role, tooltip=said, **attributes(role, theme))
