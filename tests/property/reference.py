"""What must a gradient be?  From explicit index maps and sums, without any rule of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minitorch as mt


def pulled(f: Callable[..., Any], *arrays: np.ndarray, seed: int = 0) -> tuple[np.ndarray, list[np.ndarray], Any]:
    """The value of f, the gradients of <g, f> for a random g, and that g."""
    tensors = [mt.tensor(a, requires_grad=True) for a in arrays]
    out = f(*tensors)
    g = np.asarray(np.random.default_rng(seed).standard_normal(out.shape), out.dtype)
    found = mt.grad(out, tensors, g, allow_unused=True)
    return out.numpy(), [np.zeros_like(a) if x is None else x.numpy() for x, a in zip(found, arrays, strict=True)], g


def positions(shape: tuple[int, ...]) -> np.ndarray:
    """The number of each entry in row-major order: what only moves entries moves these too."""
    return np.arange(int(np.prod(shape))).reshape(shape)


def put_back(where: np.ndarray, g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The adjoint of reading entries at `where`: each entry gets the sum of the cotangents of its uses."""
    out = np.zeros(int(np.prod(shape)))
    np.add.at(out, where.ravel(), np.broadcast_to(g, where.shape).ravel())
    return out.reshape(shape)


def stretched_back(partial: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The adjoint of broadcasting an input of `shape` to the shape of `partial`."""
    return put_back(np.broadcast_to(positions(shape), partial.shape), partial, shape)


def close(found: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    """Equal shapes, and entries equal but for rounding."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
