"""Which colour means what?  Two themes and one table of roles, read by the DOT writer and by the style sheet alike.

Contrast is at least 4.5:1 for text and 3:1 for edges that carry a gradient, on both backgrounds (WCAG 2.1, 1.4.3 and
1.4.11); tests compute it.  Width carries the same information as colour, and the path has a halo, so both survive
greyscale.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)

COLOURS: dict[Theme, dict[str, str]] = {
    "light": {
        "page": "#ffffff",
        "panel": "#f6f8fa",
        "border": "#d0d7de",
        "node": "#ffffff",
        "module": "#e8eef8",
        "parameter": "#f3eee2",
        "text": "#1b1f24",
        "muted": "#57606a",
        "path": "#a63f00",
        "halo": "#f3c6a0",
        "zero": "#b9c0c8",
        "broken": "#c4002b",
        "gradient0": "#7088ab",
        "gradient1": "#5a7aaa",
        "gradient2": "#3f69a6",
        "gradient3": "#234f8f",
        "gradient4": "#0b2f6b",
    },
    "dark": {
        "page": "#0d1117",
        "panel": "#161b22",
        "border": "#30363d",
        "node": "#0d1117",
        "module": "#1c2a3f",
        "parameter": "#2b2618",
        "text": "#e6edf3",
        "muted": "#9da7b3",
        "path": "#ffa657",
        "halo": "#6b4420",
        "zero": "#4a525c",
        "broken": "#ff7b8a",
        "gradient0": "#6a81a0",
        "gradient1": "#7696bd",
        "gradient2": "#86aee0",
        "gradient3": "#a9cbf5",
        "gradient4": "#dcecff",
    },
}

BINS = (0.30, 0.10, 0.03, 0.01)
"""Lower bounds of the bins of relative gradient norm, from the strongest to the weakest; below the last one is one more
bin."""

BIN_LABELS = ("≥ 30%", "10–30%", "3–10%", "1–3%", "< 1%")
BIN_WIDTHS = (4.0, 3.0, 2.1, 1.3, 0.8)

# role -> the DOT attributes that it sets, each with the name of its colour.  The role is also the element's class.
ROLES: dict[str, dict[str, str]] = {
    "panel": {"fillcolor": "panel", "color": "border"},
    "text": {"fontcolor": "text"},
    "muted": {"fontcolor": "muted"},
    "accent": {"fontcolor": "path"},
    "point": {"fillcolor": "node", "color": "text", "fontcolor": "text"},
    "hot": {"fillcolor": "node", "color": "path", "fontcolor": "text"},
    "dim": {"fillcolor": "node", "color": "zero", "fontcolor": "muted"},
    "module": {"fillcolor": "module", "color": "text", "fontcolor": "text"},
    "parameter": {"fillcolor": "parameter", "color": "muted", "fontcolor": "text"},
    "input": {"fillcolor": "node", "color": "muted", "fontcolor": "text"},
    "muted_line": {"color": "muted"},
    "halo": {"color": "halo"},
    "zero": {"color": "zero"},
    "broken": {"color": "broken"},  # a gradient that is not a finite number
    **{f"gradient{k}": {"color": f"gradient{k}"} for k in range(5)},
}


def bin_of(relative_norm: float) -> int:
    """4 for the strongest bin, 0 for the weakest.

    >>> bin_of(0.5), bin_of(0.1), bin_of(0.0001)
    (4, 3, 0)
    """
    return next((4 - k for k, bound in enumerate(BINS) if relative_norm >= bound), 0)


def attributes(role: str, theme: Theme) -> dict[str, Any]:
    """The DOT attributes of a role in a theme."""
    return {attribute: COLOURS[theme][colour] for attribute, colour in ROLES[role].items()}


def stylesheet(scope: str) -> str:
    """CSS that gives elements below `scope` the dark colours where the reader prefers a dark page."""
    dark = COLOURS["dark"]
    rules = [f"{scope} .graph>polygon{{fill:{dark['page']}}}", f"{scope} .graph>text{{fill:{dark['muted']}}}"]
    for role, colours in ROLES.items():
        shape = []
        if "color" in colours:
            shape.append(f"stroke:{dark[colours['color']]}")
        if "fillcolor" in colours:
            shape.append(f"fill:{dark[colours['fillcolor']]}")
        if shape:
            rules.append(f"{scope} .{role} :is(path,ellipse,polygon,polyline){{{';'.join(shape)}}}")
        if "fontcolor" in colours:
            rules.append(f"{scope} .{role} text{{fill:{dark[colours['fontcolor']]}}}")
        elif "fillcolor" not in colours:  # an edge: its arrowhead is filled with the colour of the line
            rules.append(f"{scope} .{role} polygon{{fill:{dark[colours['color']]}}}")
    return "@media (prefers-color-scheme:dark){" + "".join(rules) + "}"
