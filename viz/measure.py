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
from transformer.complexity import Polynomial, exact_polynomial
from transformer.position import sinusoidal
from viz.flow import Structure, geometric_mean, measure, probe, relative
from viz.paths import hops_to_tokens, path_to_token
from viz.points import Flow, Point

Model = mt.Module | Callable[[], mt.Module]
"""A model, or a function that builds one anew for each seed."""

Progress = Callable[[str], None]
MAX_TOKENS = 512
MAX_SHOWN = 24  # positions; of longer sequences the figure shows the first and the last ones
FIRST, LAST = 3, 4


class InputError(mt.MinitorchError, ValueError):
    """What was given cannot be compared; the message says why and what to do."""


@dataclass(frozen=True)
class ModelFlow:
    """What was measured on one model.

    Attributes:
        flow: norms relative to the norm at the loss, geometric mean over the seeds.
        path: the shortest path from the loss to the first token.
        hops: its length, for each token; None for positions that the figure leaves out.
        width: of the embedded tokens.
        saved_bytes: kept for the backward pass, as the model itself runs: its own parameters' dtype, batch 1.
        growth: the same as an exact polynomial in the number of tokens.
        zero_gradients: parameters whose gradient is exactly zero although they take part.
    """

    name: str
    flow: Flow
    structure: Structure
    path: tuple[Point, ...]
    hops: tuple[int | None, ...]
    width: int
    saved_bytes: int
    growth: Polynomial | None
    zero_gradients: tuple[str, ...]

    @property
    def recurs(self) -> bool:
        """Whether the gradient passes through states of time steps."""
        return any(p.role == "h" for p in self.path)


def embed(tokens: Sequence[str], d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The embedded tokens (n, d), equal words alike but for their position, and a random read-out (d,)."""
    rng = np.random.default_rng([seed, d])
    words = {word: k for k, word in enumerate(dict.fromkeys(tokens))}
    table = rng.standard_normal((len(words), d))
    with mt.default_dtype(np.float64):
        x = table[[words[t] for t in tokens]] + sinusoidal(len(tokens), d)
    return x, rng.standard_normal(d)


def build(model: Model, seed: int) -> mt.Module:
    """The model for one seed, in float64: one that was given stays as it is, one that is described is built anew."""
    if isinstance(model, mt.Module):
        return model
    with mt.random.fork(seed), mt.default_dtype(np.float64):
        return model()


def shown_positions(n: int) -> list[int]:
    """The positions that a figure shows: all up to 24, else the first 3 and the last 4."""
    return list(range(n)) if n <= MAX_SHOWN else [*range(FIRST), *range(n - LAST, n)]


def measure_model(
    name: str,
    model: Model,
    tokens: Sequence[str],
    *,
    seeds: int,
    width: int | None = None,
    progress: Progress = lambda s: None,
) -> ModelFlow:
    """Measure one model on these tokens; the arguments are those of `compare`."""
    first = build(model, 0)
    d = width_of(first, width)
    structure = probe(first, embed(tokens, d, 0)[0], shown_positions(len(tokens)))
    flows = []
    for seed in range(seeds):
        x, readout = embed(tokens, d, seed)
        flows.append(relative(measure(build(model, seed), x, readout, structure)))
        progress(name)
    flow = geometric_mean(flows)
    path = path_to_token(flow)
    if path is None:
        raise InputError(
            f"{name}: no gradient can go from the last position to the first token. Does a mask forbid it?"
        )
    return ModelFlow(
        name=name,
        flow=flow,
        structure=structure,
        path=tuple(path),
        hops=tuple(hops_to_tokens(flow)),
        width=d,
        saved_bytes=kept_bytes(model, len(tokens), d),
        growth=growth_of_kept_bytes(model, d),
        zero_gradients=_zero_gradients(first, *embed(tokens, d, 0)),
    )


def width_of(model: mt.Module, width: int | None) -> int:
    """The width of a model's inputs: as given, or the attribute `d_in` of its first layer."""
    layer = next(iter(model)) if isinstance(model, mt.nn.Sequential) else model
    d = width if width is not None else getattr(layer, "d_in", None)
    if d is None:
        raise InputError(
            f"{type(layer).__name__} has no attribute d_in; say how wide its inputs are: compare(..., width=32)."
        )
    return d


def kept_bytes(model: Model, n: int, d: int) -> int:
    """The bytes that the graph of one run keeps for the backward pass: batch 1, float32 unless the model has other
    weights."""
    if not isinstance(model, mt.Module):
        with mt.random.fork(0):
            model = model()
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    x = mt.tensor(np.random.default_rng(0).standard_normal((1, n, d)).astype(dtype), requires_grad=True)
    return mt.memory.saved_bytes(model(x))


def growth_of_kept_bytes(model: Model, d: int) -> Polynomial | None:
    """The exact polynomial of `kept_bytes` in n; None if it is none of degree 2 (as for a model that branches on n)."""
    try:
        return exact_polynomial({n: kept_bytes(model, n, d) for n in (3, 4, 6, 8, 11)})
    except ValueError:
        return None


def _zero_gradients(model: mt.Module, x: np.ndarray, readout: np.ndarray) -> tuple[str, ...]:
    """The parameters that take part in the loss and get exactly zero."""
    loss = (model(mt.tensor(x[None], requires_grad=True))[0, -1] * readout).sum()
    named = list(model.named_parameters())
    gradients = mt.grad(loss, [p for _, p in named], allow_unused=True) if named else ()
    return tuple(name for (name, _), g in zip(named, gradients, strict=True) if g is not None and not g.numpy().any())


def check_tokens(tokens: Any) -> tuple[str, ...]:
    """The tokens as a tuple of texts.

    Raises:
        InputError: there are none, or more than 512, or one is not a text.
    """
    if isinstance(tokens, str):
        tokens = tokens.split()
    tokens = tuple(tokens)
    if not tokens:
        raise InputError(
            "the sentence is empty: it has no words between which a gradient could flow. Give at least one."
        )
    if len(tokens) > MAX_TOKENS:
        raise InputError(
            f"the sentence has {len(tokens)} tokens; the limit is {MAX_TOKENS}, because attention's map has one entry "
            f"for each pair of them ({len(tokens)}² = {len(tokens) ** 2:,}). Shorten it?"
        )
    if wrong := [t for t in tokens if not isinstance(t, str)]:
        raise InputError(f"a token is {wrong[0]!r}, but tokens are texts. Pass the words, as in sentence.split().")
    return tokens


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
        InputError: no seeds, tokens that `check_tokens` refuses, or models whose inputs differ in width.
    """
    words = check_tokens(tokens)
    if seeds < 1:
        raise InputError(f"{seeds} seeds; a measurement needs at least 1.")
    widths = {name: width_of(build(m, 0), width) for name, m in models.items()}
    if len(set(widths.values())) > 1:
        said = ", ".join(f"{name} {d}" for name, d in widths.items())
        raise InputError(f"the widths of the models' inputs differ ({said}), but all get the same embedded tokens.")
    return [measure_model(name, m, words, seeds=seeds, width=width, progress=progress) for name, m in models.items()]
