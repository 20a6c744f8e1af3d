"""How does the gradient cross one layer?  Its edges between positions, measured on the layer itself.

A layer maps a whole sequence, (batch, n, d) -> (batch, n, d).  The edge from output i to input j carries row j of the
layer's VJP for a cotangent on row i alone; all i are taken in one pass by tiling the batch axis.  Where the layer
recurs, its graph says so (operations carry time steps), and the states h_t become points of their own: what travels
between them is read off the edges of the graph, and what reaches the inputs from one state alone is found by cutting
the other ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

import minitorch as mt
from minitorch.reverse import norm
from viz.points import Edge, Edges, Point

_INPUT = "the layer's input"  # the name of the leaf by which a layer's graph is entered
_TILED_ENTRIES = 1 << 22  # of an n x n map over all tiles of one pass: 32 MB in float64


class LayerFlow:
    """The flow through one layer at one input.

    Args:
        module: (batch, n, d) -> (batch, n, d).
        x: the layer's input, (n, d).
        layer: its number, from 1; the inputs are the points of layer - 1.
        input_role: the role of those points.
        output_role: the role of the layer's outputs: "h" where they are the states of a recurrence, "y" otherwise; found
            out unless given.
    """

    def __init__(self, module: mt.Module, x: np.ndarray, layer: int, input_role: str, output_role: str | None = None):
        self._module, self._x, self._layer = module, x, layer
        y, _ = self._run(1)
        self._regions = _Regions(mt.Graph.of(y))
        self._recurs = bool(self._regions.steps)
        self._input_role = input_role
        self.output_role = output_role or ("h" if self._recurs and self._outputs_are_states() else "y")

    def _run(self, tiles: int) -> tuple[mt.Tensor, mt.Tensor]:
        """The layer's output and its input, for `tiles` copies of the sequence."""
        x = mt.tensor(np.repeat(self._x[None], tiles, axis=0), requires_grad=True, name=_INPUT)
        return self._module(x), x

    def cotangent(self, g: np.ndarray) -> np.ndarray:
        """The whole VJP: g (n, d) at the outputs -> (n, d) at the inputs."""
        y, x = self._run(1)
        return mt.grad(y, x, g[None]).numpy()[0]

    def probe(self, rows: Sequence[int]) -> list[Edge]:
        """The edges that exist, whatever the loss: those that carry something when every output has a random
        cotangent."""
        return [e for e, carries in self.norms(self._random_cotangent(), rows).items() if carries > 0]

    def _random_cotangent(self) -> np.ndarray:
        y, _ = self._run(1)
        return np.random.default_rng(0).standard_normal(y.shape[1:])

    def norms(self, g: np.ndarray, rows: Sequence[int]) -> Edges:
        """The norm on each edge between the given rows, for the cotangent g (n, d) on the outputs."""
        active = [i for i in rows if g[i].any()]
        found: Edges = {}
        for some in _chunks(active, len(g)):
            found |= self._from_outputs(g, some, rows)
        if self._recurs:
            for some in _chunks(list(rows), len(g)):
                found |= self._from_states(g, some, rows)
            found |= self._between_states(g)
        return found

    # -- the three kinds of edges --------------------------------------------------------------------------------------

    def _from_outputs(self, g: np.ndarray, some: Sequence[int], rows: Sequence[int]) -> Edges:
        """Edges that leave the outputs: to inputs, and to states where there are any."""
        y, x = self._run(len(some))
        cotangent = self._one_row_a_tile(g, some)
        if not self._recurs:
            return self._to_inputs(mt.grad(y, x, cotangent).numpy(), some, rows, "y")
        if self.output_role == "h":
            return {}
        arrived, entered = self._watch(y, cotangent, cut=("after", "step"))
        found = self._to_inputs(arrived, some, rows, "y")
        for step, per_tile in entered.items():
            for tile, i in enumerate(some):
                if step[1] in rows:
                    found[Point("y", self._layer, i), Point("h", self._layer, step[1])] = float(per_tile[tile])
        return found

    def _from_states(self, g: np.ndarray, some: Sequence[int], rows: Sequence[int]) -> Edges:
        """Edges from the state of one time step to the inputs: in tile t, only step t may hand anything on to them."""
        y, _ = self._run(len(some))
        cotangent = np.repeat(g[None], len(some), axis=0)
        arrived, _ = self._watch(y, cotangent, cut=("after", "before"), only=some)
        return self._to_inputs(arrived, some, rows, "h")

    def _between_states(self, g: np.ndarray) -> Edges:
        """Edges from a state to an earlier one, as the graph of one run has them; all of them, since paths go through
        all."""
        y, _ = self._run(1)
        regions, found = self._regions, {}

        def see(e: int, cotangent: np.ndarray) -> None:
            after, before = regions.ends(e)
            if after[0] == before[0] == "step" and after != before:
                found.setdefault((after[1], before[1]), []).append(norm(cotangent))

        mt.trace(y, g[None], on_edge=see)
        return {
            (Point("h", self._layer, t), Point("h", self._layer, s)): float(norm(np.array(parts)))
            for (t, s), parts in found.items()
        }

    def _to_inputs(self, arrived: np.ndarray, some: Sequence[int], rows: Sequence[int], role: str) -> Edges:
        norms = norm(arrived, axis=-1)  # (tile, n)
        return {
            (Point(role, self._layer, i), Point(self._input_role, self._layer - 1, j)): float(norms[tile, j])
            for tile, i in enumerate(some)
            for j in rows
            if norms[tile, j] > 0
        }

    # -- watching a backward pass --------------------------------------------------------------------------------------

    def _watch(
        self, y: mt.Tensor, cotangent: np.ndarray, *, cut: tuple[str, str], only: Sequence[int] | None = None
    ) -> tuple[np.ndarray, dict[tuple[str, int], np.ndarray]]:
        """A backward pass in which the edges between two regions are cut; what reached the inputs, and what was cut.

        With `only`, edges from the recurrence to what is before it are cut too, except those of step only[t] in tile t.
        """
        regions = self._regions
        tiles = len(cotangent)
        arrived = np.zeros((tiles, *self._x.shape))
        parts: dict[tuple[str, int], list[np.ndarray]] = {}

        def see(e: int, g: np.ndarray) -> np.ndarray | None:
            nonlocal arrived
            after, before = regions.ends(e)
            crossing = (after[0], before[0])
            if crossing == cut:
                parts.setdefault(before, []).append(_per_tile(g, tiles))
                return np.zeros_like(g)
            if only is not None and crossing == ("step", "before"):
                _per_tile(g, tiles)
                keep = np.array([step == after[1] for step in only]).reshape(-1, *[1] * (g.ndim - 1))
                g = g * keep
            if regions.is_input(e):
                arrived = arrived + g
            return g

        mt.trace(y, cotangent, on_edge=see)
        return arrived, {step: norm(np.stack(ps, axis=-1), axis=-1) for step, ps in parts.items()}

    def _outputs_are_states(self) -> bool:
        """Whether output i is state i itself: its whole cotangent goes there, unchanged, and nowhere else."""
        g = self._random_cotangent()
        asked = sorted({0, len(g) // 2, len(g) - 1})  # all outputs are made alike; the ends could be special
        y, _ = self._run(len(asked))
        arrived, entered = self._watch(y, self._one_row_a_tile(g, asked), cut=("after", "step"))
        expected = norm(g, axis=-1)
        return not arrived.any() and all(
            np.array_equal(per_tile, [expected[t] if i == t else 0.0 for i in asked])
            for (_, t), per_tile in entered.items()
        )

    @staticmethod
    def _one_row_a_tile(g: np.ndarray, some: Sequence[int]) -> np.ndarray:
        """The cotangent whose tile k holds row some[k] of g, and zeros elsewhere."""
        cotangent = np.zeros((len(some), *g.shape))
        for tile, i in enumerate(some):
            cotangent[tile, i] = g[i]
        return cotangent


class _Regions:
    """Where each node of a recurrent layer's graph stands: before the recurrence, in one of its steps, or after it.

    A region is (name, step); nodes that do not depend on the layer's input (parameters) are in none.
    """

    def __init__(self, graph: mt.Graph):
        self._graph = graph
        self._region: list[tuple[str, int]] = []
        for node in graph.nodes:
            before = {self._region[e.source][0] for e in graph.into[node.id]} - {"none"}
            if node.is_leaf:
                name = "before" if node.name == _INPUT else "none"
            elif not before:
                name = "none"
            elif node.step is not None:
                name = "step"
            else:
                name = "after" if before & {"step", "after"} else "before"
            self._region.append((name, -1 if node.step is None or name != "step" else node.step))
        self.steps = sorted({step for name, step in self._region if name == "step"})

    def ends(self, e: int) -> tuple[tuple[str, int], tuple[str, int]]:
        """The regions that the gradient on edge e comes from and goes to."""
        edge = self._graph.edges[e]
        return self._region[edge.target], self._region[edge.source]

    def is_input(self, e: int) -> bool:
        """Whether edge e leads into the layer's input."""
        return self._graph.nodes[self._graph.edges[e].source].name == _INPUT


def _per_tile(g: np.ndarray, tiles: int) -> np.ndarray:
    """The norm in each tile of the batch axis, which must come first."""
    if g.shape[:1] != (tiles,):
        raise mt.ShapeError(
            f"a recurrence hands on a value of shape {g.shape} for a batch of {tiles}; gradient flow by position needs "
            "the batch on axis 0."
        )
    return norm(g.reshape(tiles, -1), axis=-1)


def _chunks(rows: list[int], n: int) -> Iterator[list[int]]:
    size = max(1, _TILED_ENTRIES // (n * n))
    return (rows[k : k + size] for k in range(0, len(rows), size))
