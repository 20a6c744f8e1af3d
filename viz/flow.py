"""Which way does the gradient take through a model?  The flows of its layers, one after the other, from the loss to the
tokens.

The loss reads the last position: L = readout . y_n.  `probe` finds which edges exist (with random cotangents
everywhere, so that it sees also those on which this loss sends nothing); `measure` finds what one loss sends along
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch as mt
from minitorch.reverse import norm
from viz.layer_flow import LayerFlow
from viz.points import LOSS, Edge, Edges, Flow, Point


@dataclass(frozen=True)
class Structure:
    """Which edges a model has between the given positions, whatever the loss."""

    edges: tuple[Edge, ...]
    roles: tuple[
        str, ...
    ]  # of the points of layer 0 (the tokens), 1, 2, ...: "x", "y", or "h" where outputs are states
    rows: tuple[int, ...]


def probe(model: mt.Module, x: np.ndarray, rows: Sequence[int] | None = None) -> Structure:
    """Find the edges of a model.

    Args:
        model: one layer, or an `nn.Sequential` of layers; each (batch, n, d) -> (batch, n, d).
        x: the embedded tokens, (n, d).
        rows: the positions between which edges are looked for; all unless given.

    Raises:
        minitorch.ShapeError: a layer does not give one output row for each input row, batch first.
    """
    rows = tuple(range(len(x)) if rows is None else rows)
    roles, edges = ["x"], []
    layers = layers_of(model)
    for k, (layer, inputs) in enumerate(zip(layers, _inputs_of(layers, x), strict=True), start=1):
        flow = LayerFlow(layer, inputs, k, roles[-1])
        roles.append(flow.output_role)
        edges.append(flow.probe(rows))
    last = Point(roles[-1], len(layers), len(x) - 1)
    return Structure(((LOSS, last), *(e for layer in reversed(edges) for e in layer)), tuple(roles), rows)


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
    inputs = _inputs_of(layers, x)
    for k in range(len(layers), 0, -1):
        flow = LayerFlow(layers[k - 1], inputs[k - 1], k, structure.roles[k - 1], structure.roles[k])
        edges |= flow.norms(g, structure.rows)
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


def _inputs_of(layers: Iterable[mt.Module], x: np.ndarray) -> list[np.ndarray]:
    """What each layer gets, (n, d)."""
    inputs = [x]
    for layer in layers:
        with mt.no_grad():
            y = layer(mt.tensor(inputs[-1][None])).numpy()
        if y.ndim != 3 or y.shape[:2] != (1, len(x)):
            raise mt.ShapeError(
                f"{type(layer).__name__} made {y.shape} of {(1, *inputs[-1].shape)}; gradient flow by position needs "
                "layers that give (batch, n, d) for (batch, n, d)."
            )
        inputs.append(y[0])
    return inputs[:-1]
