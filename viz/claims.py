"""What does a measurement say in words?  Titles, one claim a panel, and captions; every number comes from the
measurement."""

from __future__ import annotations

import math
from collections.abc import Sequence

from viz.measure import ModelFlow
from viz.points import LOSS

_LEAST = 0.001  # per cent; a smaller share is only said to be smaller


def percent(share: float) -> str:
    """A relative norm as per cent, with two significant digits where they inform.

    >>> [percent(g) for g in (1.0, 0.444, 0.0734, 0.0016, 0.00007, 0.000001, 0.0)]
    ['100%', '44%', '7.3%', '0.16%', '0.007%', '<0.001%', '0']
    """
    p = 100 * share
    if p == 0:
        return "0"
    if p < _LEAST:
        return f"<{_LEAST:g}%"
    digits = next(d for d, least in enumerate((9.5, 0.95, 0.0095, 0)) if p >= least)
    return f"{p:.{digits}f}%"


def title(model: ModelFlow) -> str:
    """The name, and the way that the gradient takes."""
    if model.recurs:
        return f"{model.name}: back through every time step"
    direct = all(h is None or h == model.hops[0] for h in model.hops)
    return f"{model.name}: straight to every token" if direct else model.name


def path_length(model: ModelFlow) -> str:
    """The length of the highlighted path."""
    return f"shortest path from loss L to token 1: {model.hops[0]} hops"


def claim(model: ModelFlow) -> str:
    """What the numbers of a panel add up to."""
    return _per_step(model) if model.recurs else _by_distance(model)


def _per_step(model: ModelFlow) -> str:
    """The geometric mean of what each step from a state to the one before keeps."""
    steps = [
        (a, b)
        for a, b in zip(model.path, model.path[1:], strict=False)
        if a.role == b.role == "h" and a.layer == b.layer
    ]
    if len(steps) < 2:
        return ""
    first, last = model.flow.edges[steps[0]], model.flow.edges[steps[-1]]
    if not (first > 0 and last > 0):
        return ""
    kept = math.exp(math.log(last / first) / (len(steps) - 1))
    return f"each step back keeps {percent(kept)} of the norm"


def _by_distance(model: ModelFlow) -> str:
    """The range over all tokens but the last, which the loss reads at distance 0."""
    others = model.flow.arriving[:-1]
    if not len(others):
        return ""
    low, high = percent(others.min()), percent(others.max())
    if others.max() < 1.5 * others.min():
        return f"about {percent(math.exp(sum(map(math.log, others)) / len(others)))} at every distance"
    return f"between {low} and {high}"


def how_measured(model_count: int, width: int, seeds: int, n: int, initialisation: str) -> str:
    """The caption's first line."""
    runs = f"geometric mean over {seeds} seeds" if seeds > 1 else "one seed"
    graphs = "the models' own graphs" if model_count > 1 else "the model's own graph"
    return f"Measured on {graphs}: width {width}, {initialisation}, {runs}; the loss reads position {n} only."


def price(models: Sequence[ModelFlow]) -> str:
    """What each keeps for the backward pass, with its exact growth."""
    parts = []
    for m in models:
        order = "" if m.growth is None else f" ({m.growth} at length n, {_order(m.growth.degree)})"
        parts.append(f"{m.name} {m.saved_bytes:,} bytes{order}")
    return "The price, kept for the backward pass: " + "; ".join(parts) + "."


def _order(degree: int) -> str:
    return {0: "O(1)", 1: "O(n)", 2: "O(n²)"}.get(degree, f"O(n^{degree})")


def exact_zeros(models: Sequence[ModelFlow]) -> list[str]:
    """Why some parameters get exactly zero, if any do."""
    lines = []
    for m in models:
        if not m.zero_gradients:
            continue
        names = ", ".join(name.removesuffix(".weight") for name in m.zero_gradients)
        one = "a softmax over one token is 1 whatever its score, so no gradient passes it" if m.flow.n == 1 else ""
        lines.append(f"{m.name}: {names} get exactly zero gradient" + (f": {one}." if one else "."))
    return lines


def entering(model: ModelFlow) -> float:
    """The relative norm on the edge from the loss: 1, the unit of all others."""
    return next(g for (a, _), g in model.flow.edges.items() if a == LOSS)
