"""What do the figures show?  Models measured on the same tokens, from the same position.

For each seed the tokens are embedded anew (standard normal vectors plus sinusoidal positions), and the loss is a random
linear read-out of the last position, the same for all models.  Norms are relative to the norm of the cotangent that
enters at the last position; several seeds are averaged geometrically.  All of it in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch as mt
from minitorch.graph import capture
from transformer.complexity import Polynomial, exact_polynomial
from transformer.position import sinusoidal
from viz.errors import InputError
from viz.flow import Structure, geometric_mean, layers_of, measure, probe, relative
from viz.inputs import Model, build, build_as_users_do, check_models, check_tokens
from viz.points import Flow, Point
from viz.shown import shown_positions

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ModelFlow:
    """What was measured on one model.

    Attributes:
        flow: norms relative to the norm at the loss, geometric mean over the seeds.
        structure: its ways and the shortest ones of them.
        path: the shortest path from the loss to the first token.
        width: of the embedded tokens.
        layers: how many it has.
        saved_bytes: kept for the backward pass, as the model itself runs: its own parameters' dtype, batch 1.
        growth: the same as an exact polynomial in the number of tokens.
        zero_gradients: the parameters whose gradient is exactly zero for every seed although they take part, each with
            whether that is because a softmax over a single entry is on every way to it.
        unmarked: whether a layer recurs without saying so (`mt.step`), so that its states are not seen.
    """

    name: str
    flow: Flow
    structure: Structure
    path: tuple[Point, ...]
    width: int
    layers: int
    saved_bytes: int
    growth: Polynomial | None
    zero_gradients: Mapping[str, bool]
    unmarked: bool

    @property
    def hops(self) -> tuple[int | None, ...]:
        """The length of the shortest path to each token; None where no gradient can go."""
        return self.structure.hops

    @property
    def recurs(self) -> bool:
        """Whether the path passes through states of time steps."""
        return any(p.role == "h" for p in self.path)


def embed(tokens: Sequence[str], d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The embedded tokens (n, d), equal words alike but for their position, and a random read-out (d,)."""
    rng = np.random.default_rng([seed, d])
    words = {word: k for k, word in enumerate(dict.fromkeys(tokens))}
    table = rng.standard_normal((len(words), d))
    with mt.default_dtype(np.float64):
        x = table[[words[t] for t in tokens]] + sinusoidal(len(tokens), d)
    return x, rng.standard_normal(d)


def measure_models(
    models: Mapping[str, Model],
    tokens: Any,
    *,
    seeds: int = 24,
    width: int | None = None,
    progress: Progress = lambda s: None,
) -> list[ModelFlow]:
    """Measure several models on the same tokens and read-outs.

    Raises:
        InputError: no seeds, or tokens or models that `check_tokens` or `check_models` refuses.
    """
    words = check_tokens(tokens)
    if seeds < 1:
        raise InputError(f"{seeds} seeds; a measurement needs at least 1.")
    d = check_models(models, words, width)
    return [_measured(name, m, words, seeds, d, progress) for name, m in models.items()]


def _measured(name: str, model: Model, tokens: Sequence[str], seeds: int, d: int, progress: Progress) -> ModelFlow:
    first = build(model, 0)
    structure = probe(first, embed(tokens, d, 0)[0], shown_positions(len(tokens)))
    if structure.path is None:
        raise InputError(
            f"{name}: no gradient can go from the last position to the first token. Does a mask forbid it?"
        )
    flows, zeros = [], None
    for seed in range(seeds):
        built, (x, readout) = build(model, seed), embed(tokens, d, seed)
        flows.append(relative(measure(built, x, readout, structure)))
        if zeros is None:
            zeros = _zero_gradients(built, x, readout)
        elif zeros:  # one that is not zero for one seed is out; where none is left, no more passes are run
            found = _zero_gradients(built, x, readout)
            zeros = {p: why for p, why in zeros.items() if p in found}
        progress(name)
    return ModelFlow(
        name=name,
        flow=geometric_mean(flows),
        structure=structure,
        path=structure.path,
        width=d,
        layers=len(layers_of(first)),
        saved_bytes=kept_bytes(model, len(tokens), d),
        growth=growth_of_kept_bytes(model, d),
        zero_gradients=zeros or {},
        unmarked=recurs_unmarked(first, d),
    )


# -- what a run keeps --------------------------------------------------------------------------------------------------


def kept_bytes(model: Model, n: int, d: int) -> int:
    """The bytes that the graph of one run keeps for the backward pass: batch 1, float32 unless the model has other
    weights."""
    built = build_as_users_do(model)
    dtype = next((p.dtype for p in built.parameters()), np.dtype(np.float32))
    x = mt.tensor(np.random.default_rng(0).standard_normal((1, n, d)).astype(dtype), requires_grad=True)
    return mt.memory.saved_bytes(built(x))


def growth_of_kept_bytes(model: Model, d: int) -> Polynomial | None:
    """The exact polynomial of `kept_bytes` in n; None if it is none of degree 2 (as for a model that branches on n), or
    if the model takes sentences of one length only."""
    try:
        return exact_polynomial({n: kept_bytes(model, n, d) for n in (3, 4, 6, 8, 11)})
    except Exception:  # whatever the user's code raises at a length that it was not made for
        return None


# -- what the graph of a run tells -------------------------------------------------------------------------------------


def recurs_unmarked(model: mt.Module, d: int) -> bool:
    """Whether a layer has no time steps in its graph, but its longest chain of operations grows with the number of
    tokens."""
    try:
        (short, _), (long, marked) = (_chains(model, n, d) for n in (4, 8))
    except Exception:  # whatever the user's code raises at a length that it was not made for
        return False
    return any(b > a and not m for a, b, m in zip(short, long, marked, strict=True))


def _chains(model: mt.Module, n: int, d: int) -> tuple[list[int], list[bool]]:
    """For each layer, the longest chain of operations, and whether time steps are marked."""
    x = mt.tensor(np.random.default_rng(0).standard_normal((1, n, d)))
    lengths, marked = [], []
    for layer in layers_of(model):
        x = layer(mt.tensor(x.numpy(), requires_grad=True))
        graph = mt.Graph.of(x)
        depth = [0] * len(graph)
        for node in graph.nodes:
            depth[node.id] = max((depth[e.source] + 1 for e in graph.into[node.id]), default=0)
        lengths.append(depth[graph.root])
        marked.append(any(node.step is not None for node in graph.nodes))
    return lengths, marked


def _zero_gradients(model: mt.Module, x: np.ndarray, readout: np.ndarray) -> dict[str, bool]:
    """The parameters that take part in the loss and get exactly zero, each with whether a softmax over a single entry
    is on every way from the loss to it: that is 1 whatever it gets."""
    named = list(model.named_parameters())
    loss = (model(mt.tensor(x[None], requires_grad=True))[0, -1] * readout).sum()
    gradients = mt.grad(loss, [p for _, p in named], allow_unused=True, retain_graph=True) if named else ()
    graph, number = capture(loss)
    reached = {graph.root}
    for node in reversed(graph.nodes):  # later ones first, so that a node is known to be reached when its turn comes
        if node.id in reached and not (node.op == "softmax" and node.shapes[0][node.static["axis"]] == 1):
            reached.update(e.source for e in graph.into[node.id])
    return {
        name: number[id(p)] not in reached
        for (name, p), g in zip(named, gradients, strict=True)
        if g is not None and not g.numpy().any()
    }
