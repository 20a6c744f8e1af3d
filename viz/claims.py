"""What does a measurement say in words?  Titles, one claim a panel, and captions; every number comes from the
measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from viz.measure import ModelFlow
from viz.points import sideways

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
    """The name, and the way that the gradient takes, where there is a short word for it."""
    way = _way(model)
    return f"{model.name}: {way}" if way else model.name


def _way(model: ModelFlow) -> str:
    rows = [p.row for p in model.path if p.role == "h"]
    if any(rows.count(row) == model.flow.n for row in rows):
        return "back through every time step"
    if set(model.hops) != {model.layers + 1} or model.unmarked:
        return ""
    return "straight to every token" if model.layers == 1 else f"through {model.layers} layers to every token"


def path_length(model: ModelFlow) -> str:
    """The length of the highlighted path."""
    return f"shortest path from loss L to token 1: {model.hops[0]} hops"


def claim(model: ModelFlow) -> str:
    """What the numbers of a panel add up to."""
    return _per_step(model) or _by_distance(model)


def _per_step(model: ModelFlow) -> str:
    """The geometric mean of what each step from a state to the one before keeps of what the step before it brought."""
    pairs = [(a, b) for a, b in pairwise(pairwise(model.path)) if sideways(a) and sideways(b)]
    norms = [(model.flow.edges[a], model.flow.edges[b]) for a, b in pairs]
    if not norms or not all(map(all, norms)):
        return ""
    kept = math.exp(sum(math.log(b) - math.log(a) for a, b in norms) / len(norms))
    return f"each step back keeps {percent(kept)} of the norm"


def _by_distance(model: ModelFlow) -> str:
    """The range over all tokens but the last, which the loss reads at distance 0."""
    others = model.flow.arriving[:-1]
    if not len(others):
        return ""
    low, high = percent(others.min()), percent(others.max())
    where = "at every earlier token" if len(others) > 1 else "at the earlier token"
    if low == high:
        return f"{low.replace('<', 'below ')} {where}"
    if others.max() < 1.5 * others.min():
        return f"about {percent(math.exp(sum(map(math.log, others)) / len(others)))} {where}"
    if low.startswith("<"):
        return f"at most {high} at earlier tokens"
    return f"between {low} and {high} at earlier tokens"


def weights(given: Mapping[str, bool]) -> str:
    """Where the weights of each model are from: whether they were given, or else drawn.

    >>> weights({"A": True, "B": True})
    'weights as given'
    >>> weights({"A": True, "B": False})
    'weights of A as given, of B drawn for each seed'
    """
    words = {True: "as given", False: "drawn for each seed"}
    if len(set(given.values())) == 1:
        return f"weights {words[next(iter(given.values()))]}"
    return "weights " + ", ".join(f"of {name} {words[g]}" for name, g in given.items())


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
    """Which parameters get exactly zero, if any do, and why, where that is known."""
    reasons = {True: ": a softmax over one entry is 1 whatever its score, so no gradient passes it.", False: "."}
    return [
        f"{m.name}: {', '.join(names)} get{'s' * (len(names) == 1)} exactly zero gradient{reason}"
        for m in models
        for known, reason in reasons.items()
        if (names := [p.removesuffix(".weight") for p, why in m.zero_gradients.items() if why is known])
    ]


def unmarked(models: Sequence[ModelFlow]) -> list[str]:
    """Which models recur without saying so, and how to say it."""
    return [
        f"{m.name} looks recurrent (its longest chain of operations grows with the number of tokens), but marks no "
        "time steps, so a whole layer counts as one hop. To see its states, compute each one inside `with mt.step(t):`."
        for m in models
        if m.unmarked
    ]
