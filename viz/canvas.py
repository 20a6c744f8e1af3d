"""How is a figure with fixed positions drawn?  Texts, points and arrows at given places, in DOT.

Lengths are in points (1/72 inch), y upwards.  A gradient arrow is two edges, shaft and head: Graphviz deforms the heads
of thick lines.  The halo under the shortest path is a third, drawn first.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np

from viz.dot import Dot
from viz.palette import BIN_WIDTHS, COLOURS, Theme, attributes, bin_of

FONT = "Arial"  # one name with known metrics; a CSS font list would be measured as Times
POINTS_PER_INCH = 72
XY = tuple[float, float]
CLEAR = 0.4  # how far arrows stay away from points that they do not join
HALO = 8.5  # the width under the shortest path, where columns are 30 points apart
HEAD_ASPECT = 0.7  # width by length of an arrowhead, as Graphviz draws it

_WIDTHS = {  # of Arial, in thousandths of an em
    c: width
    for width, characters in {
        191: "'", 222: "ijl’", 260: "|", 278: " !,./:;I[]\\ft", 333: "()-`r²³“”·", 334: "{}", 355: '"', 389: "*",
        420: "₀₁₂₃₄₅₆₇₈₉", 469: "^", 500: "Jcksvxyz", 556: "#$0123456789?L_abdeghnopqu–", 584: "+<=>~−≥≤", 611: "FTZ",
        667: "&ABEKPSVXY", 722: "CDHNRUw", 778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1000: "…—", 1015: "@",
    }.items()
    for c in characters
}  # fmt: skip
BOLD = 1.09  # how much wider bold text is, at most


def text_width(text: str, size: float) -> float:
    """About how wide a text is in Arial; East Asian wide characters and emoji count one em.

    >>> round(text_width("44%", 10), 1)
    20.0
    """

    def em(c: str) -> float:
        if unicodedata.east_asian_width(c) in ("W", "F"):
            return 1.0
        if unicodedata.combining(c):
            return 0.0
        return _WIDTHS.get(c, 722 if c.isupper() else 584) / 1000

    return size * sum(map(em, text))


def shortened(text: str, width: float, size: float) -> str:
    """The text, cut to a width with an ellipsis where it is longer."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


class Canvas:
    """A page on which everything has its place.

    Args:
        theme: the colours.
        unit: the scale of line widths, arrowheads and gaps; 1 where columns are 30 points apart.
    """

    def __init__(self, theme: Theme, unit: float = 1.0):
        self._theme: Theme = theme
        self._unit = unit
        self._place: dict[str, tuple[float, float, float]] = {}  # name -> x, y, radius
        self._count = 0
        self.dot = Dot(
            bgcolor=COLOURS[theme]["page"],
            fontname=FONT,
            margin=0.02,
            pad=0.06,
            outputorder="edgesfirst",
            splines="true",
        )
        self.dot.defaults("node", fontname=FONT, tooltip=" ")
        self.dot.defaults("edge", fontname=FONT, tooltip=" ")

    def panel(self, name: str, box: tuple[float, float, float, float]) -> None:
        """A frame with rounded corners: x0, y0, x1, y1."""
        x0, y0, x1, y1 = box
        middle = f"{(x0 + x1) / 2:.1f},{(y0 + y1) / 2:.1f}"
        self.dot.node(f"{name}_anchor", pos=middle, style="invis", shape="point", width=0.01)
        self.dot.cluster(
            name,
            f"{name}_anchor",
            bb=",".join(f"{v:.1f}" for v in box),
            style="filled,rounded",
            penwidth=0.7,
            label="",
            class_="panel",
            **attributes("panel", self._theme),
        )

    def text(
        self, at: XY, label: str, size: float, role: str = "text", *, bold: bool = False, tooltip: str = " "
    ) -> None:
        """A line of text, centred."""
        self._count += 1
        if bold:  # Graphviz sets bold text a little higher
            at = (at[0], at[1] - size / 14)
        self.dot.node(
            f"t{self._count}",
            label,
            **_at(at),
            shape="plaintext",
            width=0,
            height=0,
            margin=0,
            fontsize=size,
            bold=bold,
            class_=role,
            tooltip=tooltip,
            **attributes(role, self._theme),
        )

    def point(
        self,
        name: str,
        at: XY,
        radius: float,
        label: str,
        size: float,
        role: str = "point",
        *,
        box: bool = False,
        tooltip: str = " ",
    ) -> None:
        """A circle or rounded box that arrows can join."""
        self._place[name] = (*at, radius)
        self.dot.node(
            name,
            label,
            **_at(at),
            shape="box" if box else "circle",
            style="filled,rounded" if box else "filled",
            fixedsize="true",
            width=f"{2 * radius / POINTS_PER_INCH:.4f}",
            height=f"{2 * radius / POINTS_PER_INCH:.4f}",
            fontsize=size,
            penwidth=f"{(1.8 if role == 'hot' else 0.9) * self._unit:.2f}",
            id=name,
            class_=role,
            tooltip=tooltip,
            **attributes(role, self._theme),
        )

    def invisible(self, name: str, at: XY) -> None:
        """An end for arrows that is not drawn."""
        self._place[name] = (*at, 0.0)
        self.dot.node(name, **_at(at), shape="point", style="invis", width=0.01, height=0.01)

    def thin(self, tail: str, head: str, *, path: bool = False, vertical: bool = True, tooltip: str = " ") -> None:
        """A thin grey line: a way that exists and carries no gradient."""
        curve = self._halo(tail, head, vertical) if path else self._route(tail, head, vertical)
        names = "zero path" if path else "zero"
        self._edge(tail, head, curve, "zero", 0.5 * self._unit, names, tooltip)

    def arrow(
        self,
        tail: str,
        head: str,
        relative_norm: float,
        *,
        path: bool = False,
        vertical: bool = True,
        tooltip: str = " ",
    ) -> None:
        """A gradient arrow; width and colour say the same bin of its relative norm.

        Args:
            path: whether it lies on the shortest path: then it has a halo.
            vertical: leave at the south and enter at the north, so that long arrows clear the neighbours.
        """
        k = bin_of(relative_norm)
        width = BIN_WIDTHS[4 - k] * self._unit
        curve = self._halo(tail, head, vertical) if path else self._route(tail, head, vertical)
        (x0, y0), (x2, y2), (x3, y3) = curve[0], curve[2], curve[3]
        # Where points are near each other, the head is short, so that the shaft's width can be seen.
        room = math.hypot(x3 - x0, y3 - y0)
        length = min((3.6 + 1.15 * BIN_WIDTHS[4 - k]) * self._unit, max(0.42 * room, 1.2 * width / HEAD_ASPECT))
        d = math.hypot(x3 - x2, y3 - y2) or 1.0
        ux, uy = (x3 - x2) / d, (y3 - y2) / d
        base = (x3 - ux * length, y3 - uy * length)
        names = f"gradient{k} path" if path else f"gradient{k}"
        shaft = [curve[0], curve[1], curve[2], (base[0] + ux * 0.5, base[1] + uy * 0.5)]
        if curve == _line(curve[0], curve[3]):
            shaft = _line(curve[0], shaft[-1])
        self._edge(tail, head, shaft, f"gradient{k}", width, f"shaft {names}", tooltip, id=f"shaft_{tail}_{head}")
        tip = f"e,{x3:.2f},{y3:.2f} " + _spline(_line((base[0] - ux * 0.4, base[1] - uy * 0.4), base))
        self._edge(
            tail, head, tip, f"gradient{k}", 0.4 * self._unit, f"head {names}", tooltip, arrowsize=f"{length / 10:.3f}",
            id=f"head_{tail}_{head}",
        )  # fmt: skip

    def _halo(self, tail: str, head: str, vertical: bool) -> list[XY]:
        """The way of an edge, with a halo under it, of one width all along the path."""
        curve = self._route(tail, head, vertical)
        bent = curve != _line(curve[0], curve[3])
        under = curve if bent else _line(*self._ends(tail, head, vertical, gap=0))
        self._edge(tail, head, under, "halo", HALO * self._unit, "halo", " ")
        return curve

    def _edge(
        self,
        tail: str,
        head: str,
        points: list[XY] | str,
        colour: str,
        width: float,
        names: str,
        tooltip: str,
        **more: Any,
    ) -> None:
        self.dot.edge(
            tail,
            head,
            pos=points if isinstance(points, str) else _spline(points),
            penwidth=f"{width:.2f}",
            class_=names,
            tooltip=tooltip,
            **({"arrowhead": "none"} | more if "arrowsize" not in more else more),
            **attributes(colour, self._theme),
        )

    def _route(self, tail: str, head: str, vertical: bool) -> list[XY]:
        """A curve between two points that passes through no third one: straight, or else bent as little as it takes."""
        straight = _line(*self._ends(tail, head, vertical))
        others = np.array([place for name, place in self._place.items() if name not in (tail, head) and place[2]])
        if not len(others) or _clears(straight, others):
            return straight
        radius = self._place[tail][2]
        if vertical:
            bends = (sign * radius * k for k in (1.55, 2.5, 4.0, 6.0) for sign in (1, -1))
            curves = [_bent(straight, (bend, 0.0)) for bend in bends]
            curves += [_steep(straight, k * radius) for k in (0, 1, -1, 2, -2, 3, -3)]
        else:  # over the points between
            (x1, y1, r1), (x2, y2, r2) = self._place[tail], self._place[head]
            gap = 0.8 * self._unit
            over = _line((x1, y1 + r1 + gap), (x2, y2 + r2 + gap))
            curves = [_bent(over, (0.0, min(0.2 * abs(x2 - x1), 2 * radius)))]
        return next((c for c in curves if _clears(c, others)), curves[0])

    def _ends(self, tail: str, head: str, vertical: bool, gap: float = 0.8) -> tuple[XY, XY]:
        """Where an arrow between two points starts and ends, `gap` off their outlines."""
        (x1, y1, r1), (x2, y2, r2) = self._place[tail], self._place[head]
        if vertical:
            up = 1 if y2 > y1 else -1
            y1, y2, r1, r2 = y1 + up * r1, y2 - up * r2, 0.0, 0.0
        d = math.hypot(x2 - x1, y2 - y1) or 1.0
        ux, uy = (x2 - x1) / d, (y2 - y1) / d
        g = gap * self._unit
        return (x1 + ux * (r1 + g), y1 + uy * (r1 + g)), (x2 - ux * (r2 + g), y2 - uy * (r2 + g))


def _at(at: XY) -> dict[str, Any]:
    return {"pos": f"{at[0]:.2f},{at[1]:.2f}"}


def _line(a: XY, b: XY) -> list[XY]:
    """A straight Bezier curve."""
    return [(a[0] + (b[0] - a[0]) * k / 3, a[1] + (b[1] - a[1]) * k / 3) for k in range(4)]


def _bent(line: list[XY], by: XY) -> list[XY]:
    """A curve whose middle is pushed aside."""
    return [line[0], *((x + by[0] * 4 / 3, y + by[1] * 4 / 3) for x, y in line[1:3]), line[3]]


def _steep(line: list[XY], shift: float) -> list[XY]:
    """A curve that is vertical half-way down, where it is `shift` beside the line, to pass between two columns."""
    (x0, y0), *_, (x3, y3) = line
    aside = shift * 4 / 3
    return [line[0], (x3 + aside, y0 + (y3 - y0) / 4), (x0 + aside, y3 - (y3 - y0) / 4), line[3]]


def _clears(curve: list[XY], others: np.ndarray) -> bool:
    """Whether a curve stays outside of circles: rows x, y, radius."""
    t = np.linspace(0, 1, 65)[:, None]
    places = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]) @ np.array(curve)
    between = places[:, None] - others[None, :, :2]
    return bool((np.hypot(between[..., 0], between[..., 1]) >= others[:, 2] + CLEAR).all())


def _spline(points: list[XY]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
