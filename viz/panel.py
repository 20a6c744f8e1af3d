"""Where does everything stand in one model's panel?  Time is the x axis, the loss is at the top right.

One row of points per layer (two where the states of a recurrence are not its outputs), the tokens below, their words,
and the norm that reaches each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viz import claims
from viz.canvas import XY, Canvas, shortened, text_width
from viz.measure import ModelFlow
from viz.points import LOSS, Point

MARGIN = 7.0  # points, as all lengths here
SIZE, TITLE, SMALL, LEAST = 7.6, 9.6, 7.2, 7.16  # of type; 7 points are left where page and its edge are scaled to PAGE
LINE = 10.5
WORD = 62.0  # the width of a word, at most


@dataclass(frozen=True)
class Column:
    """A place on the time axis: a position, or the gap that stands for those left out."""

    position: int | None
    x: float


def _rows(model: ModelFlow) -> list[tuple[str, int]]:
    """(role, layer) of each row of points, from the loss downwards."""
    found = {(p.role, p.layer) for p in model.flow.points if p.role in ("y", "h")}
    return sorted(found, key=lambda row: (-row[1], "yh".index(row[0])))


class Panel:
    """One model's panel."""

    def __init__(
        self,
        canvas: Canvas,
        name: str,
        model: ModelFlow,
        tokens: Sequence[str],
        places: Sequence[int | None],
        width: float,
        step: float,
    ):
        self._canvas, self._name, self._model, self._tokens = canvas, name, model, tokens
        self._width = width
        self._unit = step / 30
        left = (width - step * len(places)) / 2
        self._columns = [Column(p, left + step * (k + 0.5)) for k, p in enumerate(places)]
        self._radius = min(9.0, step * 0.31)
        self._words = [self._word(c) for c in self._columns]
        self._norms = [self._norm(c) for c in self._columns]
        self.rows = len(_rows(model))
        self.word_lines = _lines_needed(self._words, step)
        self.norm_lines = _lines_needed(self._norms, step)

    @property
    def _token_y(self) -> float:
        return LINE * (self.word_lines + self.norm_lines + 2.2) + self._radius

    @property
    def _loss_y(self) -> float:
        return self._token_y + 40 + (80 if self.rows == 1 else 56 * self.rows)

    @property
    def height(self) -> float:
        """From the lower to the upper edge of the frame."""
        return self._loss_y + self._radius + 34

    def _word(self, c: Column) -> str:
        if c.position is None:
            return ""
        within = 2 * min(c.x, self._width - c.x) - 4  # words of the outer columns stay in the panel
        return shortened(self._tokens[c.position], min(WORD, within), SMALL)

    def _norm(self, c: Column) -> str:
        return "" if c.position is None else claims.percent(float(self._model.flow.arriving[c.position]))

    # -- drawing, with the panel's lower left corner at `origin` -------------------------------------------------------

    def draw(self, origin: XY) -> None:
        x0, y0 = origin
        self._origin = origin
        self._canvas.panel(self._name, (x0, y0, x0 + self._width, y0 + self.height))
        middle = x0 + self._width / 2
        self._canvas.text((middle, y0 + self.height - 11), claims.title(self._model), TITLE, bold=True)
        self._canvas.text((middle, y0 + self.height - 24), claims.path_length(self._model), SIZE, "muted")
        self._points()
        self._edges()
        self._labels_below()
        if said := claims.claim(self._model):
            last = self._columns[-1].x
            self._canvas.text((x0 + (last - self._radius) / 2, y0 + self._loss_y - 4), said, SIZE, "accent")

    def _points(self) -> None:
        on_path = set(self._model.path)
        touched = {p for (a, b), g in self._model.flow.edges.items() if g > 0 for p in (a, b)}
        rows = _rows(self._model)
        x0, y0 = self._origin
        self._canvas.point(
            self._id(LOSS), (x0 + self._columns[-1].x, y0 + self._loss_y), self._radius, "L", SIZE, "hot",
            tooltip="the loss reads the last position",
        )  # fmt: skip
        for role, layer in [*rows, ("x", 0)]:
            y = self._row_y(role, layer, rows)
            for c in self._columns:
                at = (x0 + c.x, y)
                if c.position is None:
                    if role == "h":  # the way back through the states left out
                        self._canvas.point(self._gap_id(layer), at, self._radius, "…", SIZE, "hot")
                    else:
                        self._canvas.text(at, "…", SIZE, "muted")
                    continue
                p = Point(role, layer, c.position)
                kind = "hot" if p in on_path else "point" if p in touched else "dim"
                label = role + _subscript(c.position + 1)
                self._canvas.point(
                    self._id(p), at, self._radius, label, self._label_size(label), kind, box=role == "x",
                    tooltip=self._about(p),
                )  # fmt: skip

    def _edges(self) -> None:
        path = set(zip(self._model.path, self._model.path[1:], strict=False))
        ordered = sorted(self._shown_edges(), key=lambda item: (item[0] in path, item[2]))
        for (a, b), (tail, head), g in ordered:
            sideways = a.role == b.role == "h" and a.layer == b.layer
            tip = f"{_name(a)} to {_name(b)}: " + (
                f"{claims.percent(g)} of the norm at the loss"
                if g
                else "a way that exists; this loss sends nothing along it"
            )
            if g == 0:
                self._canvas.thin(tail, head, vertical=not sideways, tooltip=tip)
            else:
                aside = self._around(a, b)
                self._canvas.arrow(tail, head, g, path=(a, b) in path, vertical=not sideways, tooltip=tip, bend=aside)

    def _shown_edges(self) -> list[tuple[tuple[Point, Point], tuple[str, str], float]]:
        """Edges between points that are drawn; where states are left out, those into and out of the gap."""
        shown = {c.position for c in self._columns if c.position is not None}
        has_gap = len(shown) < len(self._columns)
        result = []
        for (a, b), g in self._model.flow.edges.items():
            a_in, b_in = a == LOSS or a.position in shown, b.position in shown
            if a_in and b_in:
                result.append(((a, b), (self._id(a), self._id(b)), g))
            elif has_gap and a.role == b.role == "h" and a.layer == b.layer and (a_in or b_in):
                ends = (self._id(a), self._gap_id(a.layer)) if a_in else (self._gap_id(a.layer), self._id(b))
                result.append(((a, b), ends, g))
        return result

    def _around(self, a: Point, b: Point) -> float:
        """How far a vertical way bends aside: past the state that stands between an output and its own token."""
        rows = _rows(self._model)
        if a.role == "y" and a.position == b.position and ("h", a.layer) in rows and b.layer < a.layer:
            return self._radius * 1.55
        return 0.0

    def _row_y(self, role: str, layer: int, rows: list[tuple[str, int]]) -> float:
        y0 = self._origin[1]
        if role == "x":
            return y0 + self._token_y
        top, bottom = self._loss_y - 40, self._token_y
        k = rows.index((role, layer))
        return y0 + top - k * (top - bottom) / len(rows)

    def _labels_below(self) -> None:
        x0, y0 = self._origin
        y = y0 + self._token_y - self._radius - LINE * 0.8
        y = self._staggered(y, self._words, self.word_lines, "muted")
        y = self._staggered(y, self._norms, self.norm_lines, "text")
        top = f"{self._model.path[1].role}{_subscript(self._model.flow.n)}"
        self._canvas.text(
            (x0 + self._width / 2, y - 1), f"gradient norm reaching each token (% of the norm at {top})", SMALL, "muted"
        )

    def _staggered(self, y: float, labels: list[str], lines: int, role: str) -> float:
        """One label a column, on as many lines as neighbours need not to touch; returns where the next row stands."""
        for k, (c, label) in enumerate(zip(self._columns, labels, strict=True)):
            if label:
                at = (self._origin[0] + c.x, y - k % lines * LINE * 0.95)
                first = c.position == 0 and role == "text"
                self._canvas.text(at, label, SMALL, "accent" if first else role, bold=first)
        return y - LINE * lines

    def _label_size(self, label: str) -> float:
        """Type that fits its circle."""
        return max(LEAST, min(SIZE, SIZE * 1.55 * self._radius / max(text_width(label, SIZE), 1)))

    def _id(self, p: Point) -> str:
        return f"{self._name}_{p.role}{p.layer}_{p.position + 1}"

    def _gap_id(self, layer: int) -> str:
        return f"{self._name}_h{layer}_gap"

    def _about(self, p: Point) -> str:
        if p.role != "x":
            return _name(p)
        return (
            f"{_name(p)} “{self._tokens[p.position]}”: {claims.percent(float(self._model.flow.arriving[p.position]))}"
        )


def _lines_needed(labels: Sequence[str], step: float) -> int:
    """On how many lines labels must alternate so that no two touch."""
    for lines in range(1, len(labels) + 1):
        pairs = zip(labels, labels[lines:], strict=False)
        if all((text_width(a, SMALL) + text_width(b, SMALL)) / 2 + 3 <= lines * step for a, b in pairs):
            return lines
    return max(1, len(labels))


def _subscript(n: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(c)] for c in str(n))


def _name(p: Point) -> str:
    return (
        "L" if p == LOSS else f"{p.role}{_subscript(p.position + 1)}" + (f" of layer {p.layer}" if p.layer > 1 else "")
    )
