"""Where did each phoneme look?  A picture of attention weights as SVG: a row for what is written, a column for what is
read, a panel for each head, darker for more.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

CELL, GAP, MARGIN = 18, 34, 46  # pixels


def heatmap(weights: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str = "") -> str:
    """The picture.

    Args:
        weights: (layers, h, m, n), 0 to 1.
        rows: m labels, of what is written.
        columns: n labels, of what is read.
        title: above it.

    >>> heatmap(np.eye(2)[None, None], ["K", "AE"], ["C", "A"]).count("<rect")
    5
    """
    layers, h, m, n = weights.shape
    wide, high = MARGIN + n * CELL + GAP, m * CELL + 2 * GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{h * wide + GAP}" height="{layers * high + 2 * GAP}" '
        'font-family="sans-serif" font-size="11">',
        f"<title>{escape(title or 'attention')}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{GAP / 2}" y="20" font-size="14">{escape(title)}</text>',
    ]
    for layer in range(layers):
        for head in range(h):
            x, y = GAP / 2 + head * wide + MARGIN, GAP + layer * high + GAP
            parts += _panel(weights[layer, head], rows, columns, x, y, f"layer {layer + 1}, head {head + 1}")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(
    weights: np.ndarray, rows: Sequence[str], columns: Sequence[str], x: float, y: float, name: str
) -> list[str]:
    """One head: weights (m, n) with its upper left corner at x, y."""
    parts = [f'<text x="{x}" y="{y - 18}" fill="#555">{name}</text>']
    for j, label in enumerate(columns):
        parts.append(f'<text x="{x + (j + 0.5) * CELL}" y="{y - 4}" text-anchor="middle">{escape(label)}</text>')
    for i, label in enumerate(rows):
        parts.append(f'<text x="{x - 5}" y="{y + (i + 0.7) * CELL}" text-anchor="end">{escape(label)}</text>')
        for j, weight in enumerate(weights[i]):
            parts.append(
                f'<rect x="{x + j * CELL}" y="{y + i * CELL}" width="{CELL}" height="{CELL}" '
                f'fill="#08519c" fill-opacity="{weight:.3f}" stroke="#ddd">'
                f"<title>{escape(label)} looks at {escape(columns[j])}: {weight:.3f}</title></rect>"
            )
    return parts
