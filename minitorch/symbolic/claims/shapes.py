"""What does the shape of a claimed gradient say?  That an axis was not summed, or was, or that two were exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.claims.worlds import World
from minitorch.symbolic.reverse import gradient_name


@dataclass(frozen=True)
class Shaped:
    """What is wrong with the shape, or with the order of the axes, of a claimed gradient."""

    cause: Cause
    sentence: str


def shape_fault(worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float) -> Shaped | None:
    """The fault that holds in all worlds; None if the shapes are right and no exchange of axes explains the values."""
    found = _transposed(worlds, claimed, name, limit) or _moved(worlds, claimed, name, limit)
    if found is None and any(c.shape != w.right(name).shape for c, w in zip(claimed, worlds, strict=True)):
        found = _axes(worlds, claimed, name, limit)
    return found


def _transposed(worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float) -> Shaped | None:
    rank = worlds[0].right(name).ndim
    if any(c.ndim != rank for c in claimed):
        return None
    for order in list(permutations(range(rank)))[1:]:
        if all(_same(w, name, c.transpose(order), w.right(name), limit) for c, w in zip(claimed, worlds, strict=True)):
            way = "the transpose of the right gradient" if rank == 2 else f"the right gradient, axes in order {order}"
            return Shaped(
                Cause.TRANSPOSED_RESULT, f"{_shape_said(worlds[0], claimed[0], name) or f'd{name} is'} {way}."
            )
    return None


def _moved(worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float) -> Shaped | None:
    """The right gradient, backwards along an axis or shifted by one entry, whatever stands at the border."""
    pairs = [(c, w.right(name), w) for c, w in zip(claimed, worlds, strict=True)]
    if any(c.shape != right.shape for c, right, _ in pairs):
        return None
    for axis, index in enumerate(worlds[0].subject.entries[gradient_name(name)].indices):
        along = f"along {index.name}, axis {axis}"
        if all(_same(w, name, np.flip(c, axis), right, limit) for c, right, w in pairs):
            return Shaped(Cause.SHIFTED, f"d{name} is the right gradient backwards {along}.")
        for said, got, wanted in (("later", 1, 0), ("earlier", 0, 1)):
            inside = [(_but(c, axis, got), _but(right, axis, wanted), w) for c, right, w in pairs]
            if all(c.size and _same(w, name, c, right, limit) for c, right, w in inside):
                return Shaped(Cause.SHIFTED, f"d{name} is the right gradient, one entry {said} {along}.")
    return None


def _but(array: np.ndarray, axis: int, first: int) -> np.ndarray:
    """An array without its first entries along an axis, or without its last."""
    size = array.shape[axis]
    return np.take(array, range(first, size - 1 + first), axis)


def _axes(worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float) -> Shaped:
    said = _shape_said(worlds[0], claimed[0], name)
    pairs = list(zip(claimed, worlds, strict=True))
    entry = worlds[0].subject.entries[gradient_name(name)]
    rank, wanted = claimed[0].ndim, len(entry.indices)
    if rank > wanted and all(c.ndim == rank for c in claimed):
        for axes in combinations(range(rank), rank - wanted):
            if all(_same(w, name, c.sum(axis=axes), w.right(name), limit) for c, w in pairs):
                over = _named_sizes(worlds[0], [claimed[0].shape[k] for k in axes])
                what = (
                    f"the sum over axis {_listed(axes)}"
                    if claimed[0].size != worlds[0].right(name).size
                    else "a squeeze"
                )
                cause = Cause.NOT_SUMMED if "sum" in what else Cause.WRONG_SHAPE
                return Shaped(cause, f"{said} {what} ({', '.join(over)}), which it was broadcast over, is missing.")
    if rank < wanted:
        for axes in combinations(range(wanted), wanted - rank):
            for way, reduce in (("summed", np.sum), ("averaged", np.mean)):
                if all(_same(w, name, c, reduce(w.right(name), axis=axes), limit) for c, w in pairs):
                    letters = ", ".join(entry.indices[k].name for k in axes)
                    return Shaped(Cause.SUMMED, f"{said} it is {way} over {letters}, which should be kept.")
    reshaped = [c.reshape(w.right(name).shape) if c.size == w.right(name).size else c for c, w in pairs]
    if all(_same(w, name, c, w.right(name), limit) for c, w in zip(reshaped, worlds, strict=True)):
        return Shaped(Cause.WRONG_SHAPE, f"{said} the values are right; reshape it.")
    cause = Cause.NOT_SUMMED if rank > wanted else Cause.SUMMED if rank < wanted else Cause.WRONG_SHAPE
    return Shaped(cause if _keeps(claimed[0], worlds[0], name) else Cause.WRONG_SHAPE, said.rstrip(":") + ".")


def _keeps(claimed: np.ndarray, world: World, name: str) -> bool:
    """Whether one of the shapes is the other with axes left out."""
    short, long = sorted((claimed.shape, world.right(name).shape), key=len)
    return len(short) < len(long) and any(short == c for c in combinations(long, len(short)))


def _same(world: World, name: str, claimed: np.ndarray, right: np.ndarray, limit: float) -> bool:
    return world.error(name, claimed, right) <= 10 * limit


def _shape_said(world: World, claimed: np.ndarray, name: str) -> str:
    right = world.right(name)
    if claimed.shape == right.shape:
        return ""
    got = f"({', '.join(_named_sizes(world, claimed.shape))}{',' if claimed.ndim == 1 else ''})"
    wanted = world.subject.shown_shape(gradient_name(name))
    return f"d{name} has shape {got} = {claimed.shape}, wanted {wanted} = {right.shape}:"


def _named_sizes(world: World, shape: Sequence[int]) -> list[str]:
    """The dimensions that have these sizes; a number where none or several have."""
    named = []
    for size in shape:
        symbols = [str(d) for d, n in world.sizes.items() if n == size]
        named.append(symbols[0] if len(symbols) == 1 else str(size))
    return named


def _listed(axes: Sequence[int]) -> str:
    return " and ".join(map(str, axes))


def swapped_with(worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float) -> str | None:
    """The input whose gradient was returned for this one."""
    subject: Subject = worlds[0].subject
    for other in subject.wrt:
        if other != name and all(
            _same(w, other, c, w.right(other), limit) for c, w in zip(claimed, worlds, strict=True)
        ):
            return other
    return None
