"""How does the gradient cross one layer?  Its edges between positions, measured on the layer itself.

A layer maps a whole sequence, (batch, n, d) -> (batch, n, d).  The edge from output i to input j carries row j of the
layer's VJP for a cotangent on row i alone; many i are taken in one pass by tiling the batch axis.  Where the layer
recurs, its graph says so, and the states become points of their own.  An edge ends where the next point begins: what
enters a state is recorded and cut off, and what leaves it is let through in that state's own tile alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

import minitorch as mt
from minitorch.reverse import norm
from viz.points import Edge, Edges, Point, Row
from viz.states import INPUT, States

_TILED_BYTES = 1 << 27  # that the graph of one tiled pass may keep


class LayerFlow:
    """The flow through one layer at one input.

    Args:
        module: (batch, n, d) -> (batch, n, d).
        x: the layer's input, (n, d).
        inputs: the points that its inputs are.
        outputs: the points that its outputs are: a row of states where the layer hands out just those, a row "y" of
            their own otherwise; found out unless given.

    Raises:
        InputError: a time step that is no position.
    """

    def __init__(self, module: mt.Module, x: np.ndarray, inputs: Row, outputs: Row | None = None):
        self._module, self._x, self._inputs = module, x, inputs
        y, _ = self._run(1)
        graph = mt.Graph.of(y)
        self._states = States(graph, inputs.layer + 1, len(x))
        self._tiles = max(1, _TILED_BYTES // max(1, mt.memory.saved_bytes(graph)))
        self._random = np.random.default_rng(0).standard_normal(y.shape[1:])
        self._own = Row("y", inputs.layer + 1)
        self.outputs = outputs or self._states_that_are_outputs() or self._own

    def _run(self, tiles: int) -> tuple[mt.Tensor, mt.Tensor]:
        """The layer's output and its input, for `tiles` copies of the sequence."""
        x = mt.tensor(np.repeat(self._x[None], tiles, axis=0), requires_grad=True, name=INPUT)
        return self._module(x), x

    def cotangent(self, g: np.ndarray) -> np.ndarray:
        """The whole VJP: g (n, d) at the outputs -> (n, d) at the inputs."""
        y, x = self._run(1)
        return mt.grad(y, x, g[None]).numpy()[0]

    @property
    def ends(self) -> set[Point]:
        """The points that an edge of this layer can end at."""
        return {*map(self._inputs.at, range(len(self._x))), *self._states.all}

    @property
    def states(self) -> list[Point]:
        """The states of its recurrences."""
        return self._states.all

    def between_states(self) -> list[Edge]:
        """The edges between states that are edges of the graph; others are found by `probe`."""
        return sorted((a, b) for (a, b), carries in self._direct(self._random).items() if b.role == "h" and carries > 0)

    def probe(self, points: Sequence[Point]) -> Iterator[tuple[Point, list[Point]]]:
        """The points that follow each of these outputs and states, whatever the loss: those that get something when
        every output has a random cotangent."""
        for found in self._edges(self._random, points):
            following: dict[Point, list[Point]] = {}
            for (a, b), carries in found.items():
                if carries > 0:
                    following.setdefault(a, []).append(b)
            yield from following.items()

    def norms(self, g: np.ndarray, rows: Iterable[int]) -> Edges:
        """The norm on each edge for the cotangent g (n, d) on the outputs: edges from outputs and states at the given
        positions, and those between the states of all, since paths go through all."""
        chosen = set(rows)
        points = {self._own.at(i) for i in chosen if g[i].any()} if self.outputs == self._own else set()
        points |= {p for p in self._states.all if self._states.chained or p.position in chosen}
        found = {e: c for e, c in self._direct(g).items() if e[1].role == "h" or e[0] not in self._states.indirect}
        for some in self._edges(g, sorted(points), direct=False):
            found |= some
        return found

    # -- edges ---------------------------------------------------------------------------------------------------------

    def _edges(self, g: np.ndarray, points: Sequence[Point], *, direct: bool = True) -> Iterator[Edges]:
        """The edges from these points; those that need a tile of their own in chunks.

        Args:
            direct: whether to include the states whose gradient leaves them on edges of the graph itself.
        """
        tiled = [p for p in points if p.row == self._own or p in self._states.indirect]
        if direct and (others := set(points).difference(tiled)):
            yield {e: c for e, c in self._direct(g).items() if e[0] in others}
        for k in range(0, len(tiled), self._tiles):
            yield self._in_tiles(g, tiled[k : k + self._tiles])

    def _direct(self, g: np.ndarray) -> Edges:
        """What leaves each state on an edge of the graph that ends at another state or at the input, in one run."""
        if not self._states.all:
            return {}
        arrivals: dict[Point, _Arrivals] = {}

        def see(e: int, c: np.ndarray) -> None:
            if (state := self._states.left(e)) is None:
                return
            at = arrivals.setdefault(state, _Arrivals(1))
            if (entered := self._states.entered(e)) is not None:
                at.add(entered, self._states.value(e), c)
            elif self._states.is_input(e):
                for j in np.flatnonzero(c[0].any(-1)):
                    at.add(self._inputs.at(int(j)), (0, 0), c[:, j])

        mt.trace_gradients(self._run(1)[0], g[None], on_edge=see)
        return {(a, b): c for a, found in arrivals.items() for b, (c,) in found.norms()}

    def _in_tiles(self, g: np.ndarray, some: Sequence[Point]) -> Edges:
        """The edges from some points, each in a tile of its own."""
        tiles = len(some)
        y, x = self._run(tiles)
        start = np.zeros(y.shape)
        for tile, p in enumerate(some):
            if p.row == self._own:
                start[tile, p.position] = g[p.position]
        if self._states.all:
            arrived, entered = self._isolated(y, start, self._leaving(g, some))
        else:
            arrived, entered = mt.grad(y, x, start).numpy(), _Arrivals(tiles)
        carries = norm(arrived, axis=-1)  # (tile, n)
        found = {(some[tile], self._inputs.at(int(j))): float(carries[tile, j]) for tile, j in np.argwhere(carries > 0)}
        for state, per_tile in entered.norms():
            found |= {(p, state): float(c) for p, c in zip(some, per_tile, strict=True) if c > 0}
        return found

    def _leaving(self, g: np.ndarray, some: Sequence[Point]) -> dict[int, tuple[int, np.ndarray]]:
        """By edge, what leaves each of these states in a real run, and the state's tile."""
        tile = {p: k for k, p in enumerate(some)}
        leaving: dict[int, tuple[int, np.ndarray]] = {}

        def see(e: int, c: np.ndarray) -> None:
            if (state := self._states.left(e)) in tile:
                leaving[e] = tile[state], c[0]

        if any(p.row != self._own for p in some):
            mt.trace_gradients(self._run(1)[0], g[None], on_edge=see)
        return leaving

    def _isolated(
        self, y: mt.Tensor, start: np.ndarray, leaving: dict[int, tuple[int, np.ndarray]]
    ) -> tuple[np.ndarray, _Arrivals]:
        """A backward pass in which nothing passes through a state; what arrived at the inputs, and what entered states.

        Args:
            start: the cotangent of y.
            leaving: edge -> (tile, what leaves a state on it in that tile).
        """
        tiles = len(start)
        arrived = np.zeros((tiles, *self._x.shape))
        states, entered = self._states, _Arrivals(tiles)

        def see(e: int, c: np.ndarray) -> np.ndarray:
            if states.left(e) is not None:
                _check_batch(c, tiles)
                c = np.zeros_like(c)
                if e in leaving:
                    tile, value = leaving[e]
                    c[tile] = value
            if (state := states.entered(e)) is not None:
                entered.add(state, states.value(e), c)
                return np.zeros_like(c)
            if states.is_input(e):
                arrived[...] += c
            return c

        mt.trace_gradients(y, start, on_edge=see)
        return arrived, entered

    def _states_that_are_outputs(self) -> Row | None:
        """The row of states that the layer hands out: the whole cotangent of output i goes to state i, unchanged, and
        nowhere else."""
        n = len(self._x)
        asked = sorted({0, n // 2, n - 1})  # all outputs are made alike; the ends could be special
        if not self._states.all:
            return None
        found = self._in_tiles(self._random, [self._own.at(i) for i in asked])
        rows = {b.row for _, b in found}
        expected = {
            (self._own.at(i), row.at(i)): float(norm(self._random[i])) for i in asked for row in rows if row.role == "h"
        }
        return rows.pop() if len(rows) == 1 and found == expected else None


class _Arrivals:
    """What arrives at points by way of several values: cotangents of one value add up, those of several stand side by
    side."""

    def __init__(self, tiles: int):
        self._tiles = tiles
        self._sums: dict[Point, dict[tuple[int, int], np.ndarray]] = {}

    def add(self, point: Point, value: tuple[int, int], c: np.ndarray) -> None:
        """Count a cotangent, batch first, of a value at a point."""
        _check_batch(c, self._tiles)
        at = self._sums.setdefault(point, {})
        at[value] = at[value] + c if value in at else c.copy()

    def norms(self) -> Iterator[tuple[Point, np.ndarray]]:
        """Each point with the norm that arrives there in each tile."""
        for point, values in self._sums.items():
            yield point, norm(np.concatenate([v.reshape(self._tiles, -1) for v in values.values()], axis=1), axis=-1)


def _check_batch(c: np.ndarray, tiles: int) -> None:
    if c.shape[:1] != (tiles,):
        raise mt.ShapeError(
            f"a recurrence hands on a value of shape {c.shape} for a batch of {tiles}; gradient flow by position needs "
            "the batch on axis 0."
        )
