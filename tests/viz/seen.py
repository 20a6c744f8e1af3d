"""What does a reader see in an SVG?  Texts with their boxes, points, lines, and the colours of each theme."""

from __future__ import annotations

import functools
import itertools
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viz.canvas import text_width
from viz.levels import View

NS = "{http://www.w3.org/2000/svg}"
FONTS = ("LiberationSans-{}.ttf", "Arimo-{}.ttf")
Box = tuple[float, float, float, float]
XY = tuple[float, float]


@dataclass(frozen=True)
class Text:
    """A line of text."""

    said: str
    size: float
    colour: str
    box: Box
    owner: str  # the id of its node
    names: frozenset[str]

    @property
    def middle(self) -> float:
        """Its x."""
        return (self.box[0] + self.box[2]) / 2


@dataclass(frozen=True)
class Spot:
    """A circle or box that arrows join."""

    id: str
    at: XY
    radius: float
    square: bool
    fill: str

    def covers(self, p: XY, margin: float = 0.0) -> bool:
        """Whether a place lies inside."""
        dx, dy = abs(p[0] - self.at[0]), abs(p[1] - self.at[1])
        return (max(dx, dy) if self.square else math.hypot(dx, dy)) < self.radius - margin


@dataclass(frozen=True)
class Line:
    """A shaft, a halo or a thin line."""

    id: str
    names: frozenset[str]
    colour: str
    width: float
    places: tuple[XY, ...]
    title: str

    @property
    def ends(self) -> tuple[str, str]:
        """The points that it joins, read off its id."""
        found = re.fullmatch(r"shaft_(p\d+_[A-Za-z]\d+_(?:\d+|gap))_(p\d+_[A-Za-z]\d+_(?:\d+|gap))", self.id)
        assert found, self.id
        return found[1], found[2]


class Seen:
    """A figure, parsed."""

    def __init__(self, svg: str):
        self.root = ET.fromstring(svg)
        self.texts: list[Text] = []
        self.spots: list[Spot] = []
        self.lines: list[Line] = []
        self.panels: list[Box] = []
        for g in self.root.iter(f"{NS}g"):
            names = frozenset((g.get("class") or "").split())
            if "node" in names:
                self._node(g, names)
            elif "edge" in names:
                for path in g.findall(f"{NS}path"):
                    self.lines.append(
                        Line(g.get("id", ""), names, path.get("stroke", ""), float(path.get("stroke-width", 1)),
                             tuple(_places(path.get("d", ""))), g.findtext(f"{NS}title", ""))
                    )  # fmt: skip
            elif "cluster" in names:
                self.panels.append(_bounds(_numbers(g.find(f"{NS}path").get("d"))))

    def _node(self, g: ET.Element, names: frozenset[str]) -> None:
        for t in g.iter(f"{NS}text"):
            self.texts.append(_text(t, g.get("id", ""), names))
        circle, box = g.find(f"{NS}ellipse"), g.find(f"{NS}path")
        if circle is not None:
            at = (float(circle.get("cx", 0)), float(circle.get("cy", 0)))
            self.spots.append(Spot(g.get("id", ""), at, float(circle.get("rx", 0)), False, circle.get("fill", "")))
        elif box is not None:
            x0, y0, x1, y1 = _bounds(_numbers(box.get("d")))
            at = ((x0 + x1) / 2, (y0 + y1) / 2)
            self.spots.append(Spot(g.get("id", ""), at, (x1 - x0) / 2, True, box.get("fill", "")))

    @property
    def page(self) -> Box:
        """The page in the drawing's own coordinates."""
        x, y, w, h = map(float, self.root.get("viewBox", "").split())
        graph = next(g for g in self.root.iter(f"{NS}g") if g.get("class") == "graph")
        moved = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", graph.get("transform", ""))
        assert moved
        dx, dy = map(float, moved.groups())
        return x - dx, y - dy, x + w - dx, y + h - dy

    @property
    def shafts(self) -> list[Line]:
        """The shafts of gradient arrows, but those in the legend."""
        return [line for line in self.lines if "shaft" in line.names and "legend" not in line.id]

    def spot(self, name: str) -> Spot:
        """The point with this id."""
        return next(s for s in self.spots if s.id == name)

    def style(self) -> str:
        """The style sheet."""
        return self.root.findtext(f"{NS}style", "")


def _text(t: ET.Element, owner: str, names: frozenset[str]) -> Text:
    size, x, y, said = float(t.get("font-size", 0)), float(t.get("x", 0)), float(t.get("y", 0)), t.text or ""
    w = width(said, size, t.get("font-weight") == "bold")
    left = x - (w / 2 if t.get("text-anchor") == "middle" else 0)
    return Text(said, size, t.get("fill", "#000000"), (left, y - 0.74 * size, left + w, y + 0.22 * size), owner, names)


@functools.cache
def _font(bold: bool) -> Any:
    """The font that stands for Arial here, if there is one."""
    try:
        from PIL import ImageFont
    except ImportError:
        return None
    for name in FONTS:
        for folder in ("/usr/share/fonts", "/usr/local/share/fonts", str(Path.home() / ".fonts")):
            for path in Path(folder).rglob(name.format("Bold" if bold else "Regular")):
                return ImageFont.truetype(str(path), 200)
    return None


def width(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is: by the font where there is one, else by the library's own table."""
    font = _font(bold)
    if font is None:
        return text_width(text, size)
    latin = "".join(c for c in text if c < "\u0250")
    return font.getlength(latin) * size / 200 + text_width("".join(c for c in text if c >= "\u0250"), size)


def _numbers(d: str | None) -> list[float]:
    return list(map(float, re.findall(r"-?[\d.]+", d or "")))


def _bounds(numbers: list[float]) -> Box:
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _places(d: str, count: int = 40) -> Iterator[XY]:
    """Places along a path of cubic Bezier curves."""
    n = _numbers(d)
    p = list(zip(n[::2], n[1::2], strict=True))
    for k in range(0, len(p) - 3, 3):
        for t in (i / count for i in range(count + 1)):
            w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            yield tuple(sum(wi * q[c] for wi, q in zip(w, p[k : k + 4], strict=True)) for c in (0, 1))  # type: ignore[misc]


def contrast(a: str, b: str) -> float:
    """The contrast ratio of WCAG 2.1."""
    low, high = sorted(map(_luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def _luminance(c: str) -> float:
    assert re.fullmatch(r"#[0-9a-f]{6}", c), c
    v = [int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    v = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in v]
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]


def acyclic(view: View) -> bool:
    """Whether nothing is left when boxes without a way in are taken away, again and again."""
    arrows, boxes = {(a.source, a.target) for a in view.arrows}, {b.id for b in view.boxes}
    while free := boxes - {t for _, t in arrows}:
        boxes -= free
        arrows = {(s, t) for s, t in arrows if s not in free}
    return not boxes


def overlapping(texts: list[Text]) -> list[tuple[str, str]]:
    """Pairs of texts whose boxes share ink."""
    return [
        (a.said, b.said)
        for a, b in itertools.combinations(texts, 2)
        if a.box[0] < b.box[2] and b.box[0] < a.box[2] and a.box[1] < b.box[3] and b.box[1] < a.box[3]
    ]


def inside(inner: Box, outer: Box) -> bool:
    """Whether one box lies in another."""
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def styled(svg: str) -> ET.Element:
    """The SVG as a reader sees it who prefers a dark page: the rules of its style sheet applied, the last one wins."""
    root = ET.fromstring(svg)
    sheet = root.findtext(f"{NS}style", "")
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", sheet.split("(prefers-color-scheme:dark){", 1)[1])
    for g in root.iter(f"{NS}g"):
        names = (g.get("class") or "").split()
        for selector, body in rules:
            scope, where = selector.strip().split(" ", 1)
            assert scope == f".{root.get('class')}"
            found = re.fullmatch(r"\.(\w+)(>| )(?::is\()?([\w,]+)\)?", where)
            assert found, where
            if found[1] not in names:
                continue
            elements = list(g) if found[2] == ">" else list(g.iter())
            for e in elements:
                if e.tag.removeprefix(NS) in found[3].split(","):
                    for property_, value in (p.split(":") for p in body.split(";")):
                        e.set(property_, value)
    return root
