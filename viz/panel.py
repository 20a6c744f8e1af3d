"""Where does everything stand in one model's panel?  Time is the x axis, the loss is at the top right.

One row of points per layer (two where the states of a recurrence are not its outputs), the tokens below, their words,
and the norm that reaches each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from viz import claims
from viz.canvas import BOLD, XY, Canvas, shortened, text_width
from viz.measure import ModelFlow
from viz.points import LOSS, TOKENS, Edge, Point, Row, sideways

MARGIN = 7.0  # points, as all lengths here
SIZE, TITLE, SMALL, LEAST = 7.6, 9.6, 7.2, 7.16  # of type; 7 points are left where page and its edge are scaled to PAGE
LINE = 10.5
WORD = 62.0  # the width of a word, at most
_MORE_STATES = "hgkmnpqrstuvw"  # letters of states, by track


@dataclass(frozen=True)
class Column:
    """A place on the time axis: a position, or the gap that stands for those left out."""

    position: int | None
    x: float


def _rows(model: ModelFlow) -> list[Row]:
    """The rows of points, from the loss downwards, without the tokens."""
    return sorted(model.flow.rows - {TOKENS}, key=lambda row: (-row.layer, "yh".index(row.role), -row.track))


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
        self._radius = min(9.0, step * 0.295)
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
        within = 2 * (min(c.x, self._width - c.x) - MARGIN / 2)  # words of the outer columns stay in the panel
        return shortened(self._tokens[c.position], min(WORD, within), SMALL)

    def _norm(self, c: Column) -> str:
        return "" if c.position is None else claims.percent(float(self._model.flow.arriving[c.position]))

    def _title(self) -> tuple[str, float]:
        """The title and the size of its type, so that it stays in the panel."""
        said, within = claims.title(self._model), (self._width - 2 * MARGIN) / BOLD
        size = max(LEAST, min(TITLE, TITLE * within / text_width(said, TITLE)))
        return shortened(said, within, size), size

    # -- drawing, with the panel's lower left corner at `origin` -------------------------------------------------------

    def draw(self, origin: XY) -> None:
        x0, y0 = origin
        self._origin = origin
        self._canvas.panel(self._name, (x0, y0, x0 + self._width, y0 + self.height))
        middle = x0 + self._width / 2
        self._canvas.text((middle, y0 + self.height - 11), *self._title(), bold=True)
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
        for row in [*rows, TOKENS]:
            y = self._row_y(row, rows)
            for c in self._columns:
                at = (x0 + c.x, y)
                if c.position is None:
                    if any(row == p.row and p.position not in self._shown for p in on_path):
                        self._canvas.point(self._gap_id(row), at, self._radius, "…", SIZE, "hot")
                    elif row.role == "h":
                        self._canvas.point(self._gap_id(row), at, self._radius, "…", SIZE)
                    else:
                        self._canvas.text(at, "…", SIZE, "muted")
                    continue
                p = row.at(c.position)
                kind = "hot" if p in on_path else "point" if p in touched else "dim"
                label = _label(p)
                self._canvas.point(
                    self._id(p), at, self._radius, label, self._label_size(label), kind, box=row == TOKENS,
                    tooltip=self._about(p),
                )  # fmt: skip

    def _edges(self) -> None:
        path = {tuple(map(self._drawn_id, e)) for e in pairwise(self._model.path)}
        ordered = sorted(self._shown_edges().items(), key=lambda item: (item[0] in path, item[1][1]))
        for (tail, head), (edge, g) in ordered:
            more = {"path": (tail, head) in path, "vertical": not sideways(edge)}
            way = f"{_name(edge[0])} to {_name(edge[1])}: "
            if g == 0:
                tip = way + "a way that exists; this loss sends nothing along it"
                self._canvas.thin(tail, head, tooltip=tip, **more)
            else:
                tip = way + f"{claims.percent(g)} of the norm at the loss"
                self._canvas.arrow(tail, head, g, tooltip=tip, **more)

    def _shown_edges(self) -> dict[tuple[str, str], tuple[Edge, float]]:
        """What is drawn between which points: edges, the strongest one where several lead into or out of a gap.

        Gaps take part in the path and in recurrences; other edges of positions that are left out are not drawn.
        """
        path = set(pairwise(self._model.path))
        result: dict[tuple[str, str], tuple[Edge, float]] = {}
        for edge, g in self._model.flow.edges.items():
            inside = [p == LOSS or p.position in self._shown for p in edge]
            if all(inside) or edge in path or (any(inside) and sideways(edge)):
                ends = (self._drawn_id(edge[0]), self._drawn_id(edge[1]))
                if ends[0] != ends[1] and (ends not in result or g > result[ends][1]):
                    result[ends] = (edge, g)
        return result

    @property
    def _shown(self) -> set[int]:
        """The positions that have a column."""
        return {c.position for c in self._columns if c.position is not None}

    def _row_y(self, row: Row, rows: list[Row]) -> float:
        y0 = self._origin[1]
        if row == TOKENS:
            return y0 + self._token_y
        top, bottom = self._loss_y - 40, self._token_y
        k = rows.index(row)
        return y0 + top - k * (top - bottom) / len(rows)

    def _labels_below(self) -> None:
        x0, y0 = self._origin
        y = y0 + self._token_y - self._radius - LINE * 0.8
        y = self._staggered(y, self._words, self.word_lines, "muted")
        y = self._staggered(y, self._norms, self.norm_lines, "text")
        top = _label(self._model.path[1])
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
        return f"{self._name}_{_letter(p.row)}{p.layer}_{p.position + 1}"

    def _gap_id(self, row: Row) -> str:
        return f"{self._name}_{_letter(row)}{row.layer}_gap"

    def _drawn_id(self, p: Point) -> str:
        """The id of the point, or of the gap in which it is."""
        return self._id(p) if p == LOSS or p.position in self._shown else self._gap_id(p.row)

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


def _letter(row: Row) -> str:
    """What a row's points are called; the states of further recurrences in a layer have letters of their own."""
    return _MORE_STATES[row.track % len(_MORE_STATES)] if row.role == "h" else row.role


def _label(p: Point) -> str:
    return _letter(p.row) + _subscript(p.position + 1)


def _name(p: Point) -> str:
    return "L" if p == LOSS else _label(p) + (f" of layer {p.layer}" if p.layer > 1 else "")
