"""Where does everything stand in the comparison figure?  Panels beside or above each other, a legend, a caption.

Widths and colours are relative to the norm at the loss, on one scale for all panels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from viz.canvas import Canvas, text_width
from viz.measure import ModelFlow
from viz.palette import BIN_LABELS, BINS, Theme
from viz.panel import LINE, MARGIN, SMALL, Panel
from viz.shown import shown_positions

PAGE = 468.0  # points: 6.5 inches, a text column
GUTTER = 10.0  # between panels
WIDE = 12  # columns; panels with more of them stand one above the other


def comparison_figure(models: Sequence[ModelFlow], tokens: Sequence[str], caption: Sequence[str], theme: Theme) -> str:
    """The DOT text of the figure, with final positions.

    Args:
        models: what was measured, one panel each, on the same tokens.
        tokens: the words.
        caption: lines under the legend.
        theme: "light" or "dark".
    """
    places: list[int | None] = list(shown_positions(len(tokens)))
    if len(places) < len(tokens):
        cut = next(k for k in range(1, len(places)) if places[k] != k)
        places.insert(cut, None)
    beside = len(places) <= WIDE and len(models) > 1
    width = (PAGE - GUTTER * (len(models) - 1)) / len(models) if beside else PAGE
    step = min(30.0, (width - 2 * MARGIN) / len(places))
    canvas = Canvas(theme, unit=min(1.0, step / 30))
    panels = [Panel(canvas, f"p{k}", m, tokens, places, width, step) for k, m in enumerate(models)]
    if beside:
        _align(panels)
    lines = _wrapped(caption, PAGE)
    base = LINE * (len(lines) + 2)
    for k, panel in enumerate(panels):
        below = sum(p.height + GUTTER for p in panels[k + 1 :])
        panel.draw((k * (width + GUTTER), base) if beside else (0.0, base + below))
    _legend(canvas, base - LINE * 1.2)
    for k, line in enumerate(lines):
        canvas.text((PAGE / 2, base - LINE * (k + 2.4)), line, SMALL, "muted")
    return canvas.dot.source


def _align(panels: Sequence[Panel]) -> None:
    """Panels side by side have their rows at the same heights."""
    for attribute in ("rows", "word_lines", "norm_lines"):
        most = max(getattr(p, attribute) for p in panels)
        for p in panels:
            setattr(p, attribute, most)


def _wrapped(lines: Sequence[str], width: float) -> list[str]:
    """Lines that are wider than the page, broken between their clauses; clauses that are, at spaces."""
    clauses = [re.split(r"(?<=;) ", line) for line in lines]
    return [short for parts in clauses for line in _filled(parts, width) for short in _filled(line.split(), width)]


def _filled(parts: Sequence[str], width: float) -> list[str]:
    """As many of the parts on each line as fit."""
    result = [parts[0]] if parts else [""]
    for part in parts[1:]:
        longer = f"{result[-1]} {part}"
        if text_width(longer, SMALL) > width:
            result.append(part)
        else:
            result[-1] = longer
    return result


def _legend(canvas: Canvas, y: float) -> None:
    """The scale, drawn with the figure's own arrows."""
    x = 62.0
    canvas.text((31, y), "gradient on edge", SMALL, "muted")
    samples = [BINS[0], *BINS[1:], BINS[-1] / 2]
    for k, (label, norm) in enumerate(zip(BIN_LABELS, samples, strict=True)):
        x = _sample(canvas, f"legend{k}", x, y, label, norm)
    x = _sample(canvas, "legend_path", x, y, "shortest path", BINS[2], path=True)
    _sample(canvas, "legend_zero", x, y, "no gradient", 0.0)


def _sample(canvas: Canvas, name: str, x: float, y: float, label: str, norm: float, *, path: bool = False) -> float:
    """One entry; returns where the next one starts."""
    canvas.invisible(f"{name}_a", (x, y))
    canvas.invisible(f"{name}_b", (x + 17, y))
    if norm:
        canvas.arrow(f"{name}_a", f"{name}_b", norm, path=path, vertical=False)
    else:
        canvas.thin(f"{name}_a", f"{name}_b", vertical=False)
    w = text_width(label, SMALL)
    canvas.text((x + 21 + w / 2, y), label, SMALL)
    return x + 21 + w + 9
