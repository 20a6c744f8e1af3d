"""How is a function of batches examined?  Its arrays get leading axes; what is looked at is the first of the batch.

The others have random inputs of their own.  A gradient is linear in the incoming one, so that with 0 for theirs a
shared input's gradient is that of the first alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.function import FunctionClaim, Gradients
from minitorch.symbolic.claims.worlds import Setting, World, draw, tolerance

_LEADING = (2, 3, 2, 2)


class Batched:
    """A claimed function whose arrays have leading axes, as one whose arrays have none."""

    def __init__(self, claim: FunctionClaim, axes: int, shared: tuple[str, ...], setting: Setting):
        if not isinstance(claim, FunctionClaim):
            raise FormulaError("check_vjp: batch= is for functions; formulas have the axes that they name.")
        if not 0 < axes <= len(_LEADING):
            raise FormulaError(
                f"check_vjp: got batch={axes}, wanted a number of leading axes from 1 to {len(_LEADING)}."
            )
        for name in shared:
            if name not in claim.subject.entries:
                raise FormulaError(f"check_vjp: shared has {name!r}, wanted inputs of {claim.subject.name}.")
        self.claim, self.subject, self.title = claim, claim.subject, claim.title
        self.leading, self.setting = _LEADING[:axes], setting
        self.mixed: dict[str, bool] = {}  # by input: whether the gradient depends on the others of the batch
        scalars = (n for n in claim.subject.program.inputs if not claim.subject.entries[n].indices)
        self.shared = frozenset((*shared, *scalars))

    @property
    def wanted(self) -> frozenset[str]:
        return self.claim.wanted

    @property
    def words(self) -> frozenset[str]:
        return self.claim.words

    def __call__(self, world: World) -> Gradients:
        """The gradients of the first of the batch; wrong where any of the batch is wrong."""
        worlds = [world, *self._others(world)]
        given = self.claim.called(world, self._stacked(worlds))
        silent = [world, *(w.changed(self.subject.seed.name, 0 * w.inputs[self.subject.seed.name]) for w in worlds[1:])]
        alone: Gradients | None = None
        result = {}
        for name, array in given.items():
            right = self._right(worlds, name)
            fits = array.shape == right.shape
            if fits and float(np.abs(array - right).max()) <= tolerance(array.dtype) * self._scale(worlds, name):
                result[name] = world.right(name).astype(array.dtype)
            elif not fits:
                result[name] = array[(0,) * len(self.leading)] if self._leads(array) else array
            else:
                alone = alone or self.claim.called(world, self._stacked(silent))
                result[name] = self._one(alone[name], array, name, world)
        return result

    def _others(self, world: World) -> list[World]:
        count = int(np.prod(self.leading)) - 1
        setting = replace(self.setting, sizes={str(s): n for s, n in world.sizes.items()})
        others = []
        for k in range(count):
            other = draw(self.subject, dict(world.sizes), setting, seed=1000 + k)
            same = {n: world.inputs[n] for n in self.shared if n in world.inputs}
            others.append(World(self.subject, world.sizes, {**other.inputs, **same}))
        return others

    def _stacked(self, worlds: list[World]) -> dict[str, Any]:
        arrays = {}
        for name in self.claim.wanted:
            first = self.claim.argument(worlds[0], name)
            if isinstance(first, np.ndarray) and name not in self.shared:
                stacked = np.stack([self.claim.argument(w, name) for w in worlds])
                arrays[name] = stacked.reshape(*self.leading, *first.shape)
            else:
                arrays[name] = first
        return arrays

    def _right(self, worlds: list[World], name: str) -> np.ndarray:
        right = np.stack([w.right(name) for w in worlds])
        return right.sum(axis=0) if name in self.shared else right.reshape(*self.leading, *right.shape[1:])

    def _scale(self, worlds: list[World], name: str) -> float:
        scales = [w.scale(name) for w in worlds]
        return sum(scales) if name in self.shared else max(scales)

    def _leads(self, array: np.ndarray) -> bool:
        return array.shape[: len(self.leading)] == self.leading

    def _one(self, alone: np.ndarray, array: np.ndarray, name: str, world: World) -> np.ndarray:
        """The first of the batch; where that is right by itself, the batch was mixed, and what it gave is shown."""
        place = () if name in self.shared else (0,) * len(self.leading)
        if name not in self.mixed:  # settled where the numbers are random, not where they are 0 and 1
            self.mixed[name] = world.error(name, alone[place]) <= tolerance(alone.dtype)
        return array[place] if self.mixed[name] else alone[place]
