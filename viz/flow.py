"""Which way does the gradient take through a model?  The flows of its layers, one after the other, from the loss to the
tokens.

The loss reads the last position: L = readout . y_n.  `probe` finds which edges exist (with random cotangents
everywhere, so that it sees also those on which this loss sends nothing) and the shortest paths on them; `measure` finds
what one loss sends along them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import minitorch as mt
from minitorch.reverse import norm
from viz.errors import InputError
from viz.layer_flow import LayerFlow
from viz.paths import path_to, search
from viz.points import LOSS, TOKENS, Edge, Edges, Flow, Point, Row, sideways

_NUDGE = 0.01  # of a weight, relative to its own size or, for small ones, to that of usual weights


@dataclass(frozen=True)
class Structure:
    """Which ways a model has, whatever the loss and its weights.

    Attributes:
        edges: those between the positions asked for, those between all states, and those of `path`.
        rows: of the points of layer 0 (the tokens), 1, 2, ...: where outputs are states, the row of these.
        positions: from which edges are measured.
        path: the shortest path from the loss to the first token, over all positions; None if there is no way.
        hops: the length of the shortest path to each token, over all positions; None where there is no way.
    """

    edges: tuple[Edge, ...]
    rows: tuple[Row, ...]
    positions: tuple[int, ...]
    path: tuple[Point, ...] | None
    hops: tuple[int | None, ...]


def probe(model: mt.Module, x: np.ndarray, positions: Sequence[int] | None = None) -> Structure:
    """Find the edges of a model and the shortest paths through it.

    Args:
        model: one layer, or an `nn.Sequential` of layers; each (batch, n, d) -> (batch, n, d).
        x: the embedded tokens, (n, d).
        positions: those between which edges are listed; all unless given.  Paths are looked for through all.

    Raises:
        InputError: a layer does not give one output row for each input row, batch first.
    """
    n = len(x)
    shown = set(range(n) if positions is None else positions)
    flows, rows = [], [TOKENS]
    layers = layers_of(_nudged(model))
    for layer, inputs in zip(layers, inputs_of(layers, x), strict=False):
        flows.append(LayerFlow(layer, inputs, rows[-1]))
        rows.append(flows[-1].outputs)
    ways = _Ways(flows, rows[-1].at(n - 1), shown)
    came_from = search(LOSS, ways)
    paths = [path_to(TOKENS.at(t), came_from) for t in range(n)]
    first = None if paths[0] is None else tuple(paths[0])
    on_path = [] if first is None else list(pairwise(first))
    asked = shown | {p.position for e in on_path if not sideways(e) for p in e}
    edges = dict.fromkeys([*ways.between(shown), *on_path])
    hops = tuple(None if p is None else len(p) - 1 for p in paths)
    return Structure(tuple(edges), tuple(rows), tuple(sorted(asked)), first, hops)


class _Ways:
    """Where a gradient can go next; looked up when it is asked for, since a long sentence has many edges.

    Args:
        flows: one a layer.
        last: the point that the loss reads.
        first: positions whose ways are looked up before others, so that paths prefer them.
    """

    def __init__(self, flows: Sequence[LayerFlow], last: Point, first: set[int]):
        self._flows, self._last, self._first = flows, last, first
        self._known: dict[Point, list[Point]] = {LOSS: [last]}

    def __call__(self, points: list[Point], found: Mapping[Point, Point | None]) -> Iterator[tuple[Point, list[Point]]]:
        """The ways from each point, but not from points of layers in which all has been found already."""
        if LOSS in points:
            yield LOSS, [self._last]
        for k, flow in reversed(list(enumerate(self._flows, start=1))):
            some = [p for p in points if p.layer == k]
            missing = flow.ends.difference(found) if some else set()
            for a, following in self._probe(flow, some):
                if not missing:
                    break
                yield a, following
                missing.difference_update(following)

    def _probe(self, flow: LayerFlow, points: Iterable[Point]) -> Iterator[tuple[Point, list[Point]]]:
        """The ways from each point.  Those from states are looked up together, since a path meets one after another."""
        ordered = sorted(points, key=lambda p: (p.position not in self._first, -p.position))
        if any(p in flow.states and p not in self._known for p in ordered):
            self._known |= {p: [] for p in flow.states} | dict(flow.probe(flow.states))
        yield from ((p, self._known[p]) for p in ordered if p in self._known)
        for a, following in flow.probe([p for p in ordered if p not in self._known]):
            self._known[a] = following
            yield a, following

    def between(self, shown: set[int]) -> Iterator[Edge]:
        """The edges between some positions, and those between all states."""
        yield LOSS, self._last
        for flow in reversed(self._flows):
            points = {flow.outputs.at(i) for i in shown} | {p for p in flow.states if p.position in shown}
            following = dict(self._probe(flow, points))
            yield from ((a, b) for a in sorted(following) for b in sorted(following[a]) if b.position in shown)
            yield from (e for e in flow.between_states() if not {p.position for p in e} <= shown)


def _nudged(model: mt.Module) -> mt.Module:
    """A copy with each weight changed a little, so that no way is hidden by weights that are exactly zero."""
    rng = np.random.default_rng(0)

    def nudge(w: np.ndarray) -> np.ndarray:
        usual = 1 / np.sqrt(max(w.shape, default=1))
        return (w + _NUDGE * np.maximum(np.abs(w), usual) * rng.standard_normal(w.shape)).astype(w.dtype)

    nudged: dict[int, Any] = {id(p): mt.Parameter(nudge(p.numpy()), name=p.name) for p in model.parameters()}
    try:
        return copy.deepcopy(model, nudged)  # parameters stand in it by their nudged copies
    except (TypeError, copy.Error):  # it holds something that cannot be copied, such as an open file
        return model


def measure(model: mt.Module, x: np.ndarray, readout: np.ndarray, structure: Structure) -> Flow:
    """What the loss L = readout . y_n sends along each edge.

    Args:
        model, x: as for `probe`.
        readout: the cotangent of the last output, (d,).
        structure: what `probe` found for this kind of model and this number of tokens.
    """
    layers = layers_of(model)
    g = _at_last(readout, len(x))
    edges: Edges = {structure.edges[0]: float(norm(readout))}
    inputs = inputs_of(layers, x)
    for k in range(len(layers), 0, -1):
        flow = LayerFlow(layers[k - 1], inputs[k - 1], structure.rows[k - 1], structure.rows[k])
        edges |= flow.norms(g, structure.positions)
        g = flow.cotangent(g)
    return Flow(len(x), {e: edges.get(e, 0.0) for e in structure.edges}, norm(g, axis=-1))


def arriving(model: mt.Module, x: np.ndarray, readout: np.ndarray) -> np.ndarray:
    """Only the norm of the gradient that reaches each token, (n,), relative to that of the readout: one backward
    pass."""
    leaf = mt.tensor(x[None], requires_grad=True)
    dx = mt.grad(model(leaf), leaf, _at_last(readout, len(x))[None])
    return norm(dx.numpy()[0], axis=-1) / norm(readout)


def layers_of(model: mt.Module) -> list[mt.Module]:
    """The layers that a model applies one after the other."""
    return list(model) if isinstance(model, mt.nn.Sequential) else [model]


def geometric_mean(flows: Sequence[Flow]) -> Flow:
    """The geometric mean of several runs, edge by edge; an edge that carries nothing in one run carries nothing."""
    first = flows[0]
    edges = {e: geometric_mean_of([f.edges[e] for f in flows]) for e in first.edges}
    return Flow(first.n, edges, geometric_mean_of([f.arriving for f in flows]))


def relative(flow: Flow) -> Flow:
    """The flow in units of the norm that enters it at the loss."""
    unit = next(g for (a, _), g in flow.edges.items() if a == LOSS)
    return Flow(flow.n, {e: g / unit for e, g in flow.edges.items()}, flow.arriving / unit)


def geometric_mean_of(values: Any) -> Any:
    """exp(mean(log v)) over the first axis; 0 where any value is 0."""
    with np.errstate(divide="ignore"):
        mean = np.exp(np.mean(np.log(np.asarray(values)), axis=0))
    return float(mean) if not np.ndim(mean) else mean


def _at_last(readout: np.ndarray, n: int) -> np.ndarray:
    """The cotangent of a loss that reads position n only."""
    g = np.zeros((n, len(readout)))
    g[-1] = readout
    return g


def inputs_of(layers: Iterable[mt.Module], x: np.ndarray) -> list[np.ndarray]:
    """What each layer gets, (n, d).

    Raises:
        InputError: a layer does not give one output row for each input row, batch first.
    """
    inputs = [x]
    for layer in layers:
        with mt.no_grad():
            y = layer(mt.tensor(inputs[-1][None]))
        got = y.shape if isinstance(y, mt.Tensor) else f"a {type(y).__name__}"
        if not isinstance(y, mt.Tensor) or y.ndim != 3 or y.shape[:2] != (1, len(x)):
            raise InputError(
                f"{type(layer).__name__} made {got} of {(1, *inputs[-1].shape)}; gradient flow by position needs "
                "layers that give a Tensor (batch, n, d) for (batch, n, d)."
            )
        inputs.append(y.numpy()[0])
    return inputs
