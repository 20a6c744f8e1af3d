"""What about other shapes?  Those that broadcast, those without entries, and those that do not fit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitorch.check import compared
from minitorch.errors import MinitorchError
from minitorch.ops.movement import broadcast_to
from minitorch.testing.case import Case
from minitorch.testing.outcome import CheckFailed, NotMade, agree, worst_of


def broadcasting(case: Case) -> float:
    """Where an input of size 1 along an axis is stretched, its gradient is that of the stretched one, summed back."""
    errors = []
    for k, axis in _axes(case):
        x = case.inputs[k]
        narrow = np.take(x, [0], axis)
        shorter = case.with_inputs({k: narrow})
        stretched = case.with_inputs({k: np.broadcast_to(narrow, x.shape)})
        found, wanted = _accepted(shorter), _accepted(stretched)
        if found is None or wanted is None or not _same(found, wanted):
            continue  # it does not take size 1 there, or size 1 means something else than stretching
        gs = case.cotangents(11)
        args = shorter.tensors()
        wide = list(args)
        wide[k] = broadcast_to(args[k], x.shape)
        theirs = shorter.gradients(stretched.smooth(wide), args, gs)
        for j, a, b in zip(case.varied, shorter.pull(args, gs), theirs, strict=True):
            errors.append(
                agree(a, b, 1e-12, f"{case.said(k)} with size 1 along axis {axis}: the gradient of input {j}")
            )
    if not errors:
        raise NotMade("no input may have size 1 where it has more now, or none stretches")
    return worst_of(errors)


def _axes(case: Case) -> Iterator[tuple[int, int]]:
    """Each axis of more than one entry of each differentiated input."""
    for k in case.varied:
        yield from ((k, axis) for axis, n in enumerate(case.inputs[k].shape) if n > 1)


def _accepted(case: Case) -> list[np.ndarray] | None:
    """The values of the call; None if the operation refuses these inputs."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return [np.asarray(o) for o in case.call(case.plain())]
    except Exception:
        return None


def _same(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Whether arrays have the same shapes, and the same values but for rounding."""
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
        for a, b in zip(some, others, strict=True)
    )


def size_zero(case: Case) -> float:
    """With an axis of size 0, where that is accepted, every gradient has its leaf's shape, and is right."""
    errors = []
    for n in sorted({n for x in case.inputs for n in np.shape(x)}):
        emptied = case.with_inputs({k: _without(x, n) for k, x in enumerate(case.inputs) if n in np.shape(x)})
        values = _accepted(emptied)
        if values is None:
            continue
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # a mean of nothing is 0/0, as in NumPy
            warnings.simplefilter("ignore")
            gradients = emptied.pull(emptied.tensors(), emptied.cotangents(12))
            for k, g in zip(case.varied, gradients, strict=True):
                if g.shape != emptied.inputs[k].shape:
                    raise CheckFailed(f"{emptied.said(k)}: its gradient has shape {g.shape}")
            finite = all(np.isfinite(v).all() for v in values if v.dtype.kind == "f")
            for c in compared(emptied.function, *emptied.arrays) if finite else ():
                said = emptied.said(case.varied[c.k])
                errors.append(agree(c.analytic, c.numeric, 1e-9, said))
        errors.append(0.0)
    if not errors:
        raise NotMade("it refuses inputs of size 0" if any(map(np.ndim, case.inputs)) else "no input has an axis")
    return worst_of(errors)


def _without(x: Any, n: int) -> np.ndarray:
    """x without entries along every axis of size n."""
    a = np.asarray(x)
    return a[tuple(slice(0, 0) if m == n else slice(None) for m in a.shape)]


def error_text(case: Case) -> None:
    """Inputs whose shapes do not fit raise an error of the library that names the operation and a shape."""
    refused = 0
    for longer in _longer(case):
        try:
            longer.call(longer.tensors())
        except MinitorchError as error:
            refused += 1
            said, shapes = str(error).splitlines()[0], [str(np.shape(x)) for x in longer.inputs if np.ndim(x)]
            name = "" if case.record is None else case.name
            if name not in said or not any(s in said for s in shapes):
                raise CheckFailed(f"of {longer} it says {said!r}, wanted {name} and {shapes[0]} in it") from None
        except Exception as error:
            raise CheckFailed(f"of {longer} it raises {type(error).__name__}, no ShapeError: {error}") from error
    if not refused:
        raise NotMade("no input with a longer axis was refused")


def _longer(case: Case) -> Iterator[Case]:
    """The call with two entries more along one axis of one input."""
    for k, x in enumerate(map(np.asarray, case.inputs)):
        for axis in range(x.ndim if x.size else 0):
            yield case.with_inputs({k: np.concatenate([x, x.take([0, 0], axis)], axis)})
