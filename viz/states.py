"""Which operations make one state?  A layer's graph, with its recurrences found in it.

Operations carry time steps.  A state is a connected piece of operations of one step; a *track* is a row of states, one
a step, each connected with the ones before.  Two recurrences in one layer (one for each direction, say) are not
connected within a step, so they are two tracks.
"""

from __future__ import annotations

import minitorch as mt
from viz.errors import InputError
from viz.points import Point, Row

INPUT = "the layer's input"  # the name of the leaf by which a layer's graph is entered


class States:
    """The states in a layer's graph.

    Args:
        graph: of one run, entered by the leaf named INPUT.
        layer: the layer's number.
        n: the number of positions.

    Attributes:
        all: the states.
        indirect: those whose gradient takes other operations on its way to an earlier state or to the input.
        chained: whether such operations lead from a state to a state.

    Raises:
        InputError: a time step that is no position.
    """

    def __init__(self, graph: mt.Graph, layer: int, n: int):
        self._graph = graph
        self._depends = _depending(graph)
        tracks = _tracks(graph, self._depends)
        steps = {graph.nodes[k].step or 0 for k in tracks}
        if wrong := sorted(t for t in steps if not 0 <= t < n):
            raise InputError(
                f"layer {layer} marks time step {wrong[-1]}, but there are {n} positions; steps count from 0. "
                "Write `with mt.step(t):` for position t?"
            )
        self._of = [
            Row("h", layer, tracks[k]).at(node.step or 0) if k in tracks else None for k, node in enumerate(graph.nodes)
        ]
        self.all = sorted({p for p in self._of if p is not None})
        self.indirect = {p for e in graph.edges if (p := self.left(e.id)) and not self._ends_at(e.source)}
        self.chained = self._chained()

    def left(self, e: int) -> Point | None:
        """The state that the gradient leaves on edge e, if it does, on its way to the input."""
        edge = self._graph.edges[e]
        state = self._of[edge.target]
        return state if state != self._of[edge.source] and self._depends[edge.source] else None

    def entered(self, e: int) -> Point | None:
        """The state that the gradient enters on edge e, if it does."""
        edge = self._graph.edges[e]
        state = self._of[edge.source]
        return state if state != self._of[edge.target] else None

    def is_input(self, e: int) -> bool:
        """Whether edge e leads into the layer's input."""
        return self._graph.nodes[self._graph.edges[e].source].name == INPUT

    def value(self, e: int) -> tuple[int, int]:
        """Which value is the source of edge e: (node, output)."""
        edge = self._graph.edges[e]
        return edge.source, edge.output

    def _ends_at(self, node: int) -> bool:
        return self._of[node] is not None or self._graph.nodes[node].name == INPUT

    def _chained(self) -> bool:
        """Whether an operation outside all states is behind one state and before another."""
        behind: set[int] = set()  # such operations, whose value came from a state
        for node in self._graph.nodes:
            into = self._graph.into[node.id]
            if self._of[node.id] is None:
                if any(self._of[e.source] is not None or e.source in behind for e in into):
                    behind.add(node.id)
            elif any(e.source in behind for e in into):
                return True
        return False


def _depending(graph: mt.Graph) -> list[bool]:
    """Which nodes depend on the layer's input."""
    depends: list[bool] = []
    for node in graph.nodes:
        depends.append(node.name == INPUT or any(depends[e.source] for e in graph.into[node.id]))
    return depends


def _tracks(graph: mt.Graph, depends: list[bool]) -> dict[int, int]:
    """Node -> track, for the nodes that belong to a state.

    A piece goes where an earlier one that it is connected with went, if that track has no state of its step yet; else
    to the first track that has none.
    """
    inside = [node.id for node in graph.nodes if node.step is not None and depends[node.id]]
    piece = {k: k for k in inside}

    def root(k: int) -> int:
        while piece[k] != k:
            piece[k] = k = piece[piece[k]]
        return k

    earlier: dict[int, list[int]] = {}
    for e in graph.edges:
        if e.source in piece and e.target in piece:
            if graph.nodes[e.source].step == graph.nodes[e.target].step:
                a, b = sorted((root(e.source), root(e.target)))
                piece[b] = a
            else:
                earlier.setdefault(e.target, []).append(e.source)
    members: dict[int, list[int]] = {}
    for k in inside:
        members.setdefault(root(k), []).append(k)
    track: dict[int, int] = {}  # of a piece, by its first node
    taken: list[set[int | None]] = []  # the steps of each track
    for first, nodes in members.items():
        step = graph.nodes[first].step
        known = [track[r] for k in nodes for s in earlier.get(k, ()) if (r := root(s)) in track]
        free = (t for t in [*known, *range(len(taken))] if step not in taken[t])
        if (chosen := next(free, len(taken))) == len(taken):
            taken.append(set())
        taken[chosen].add(step)
        track[first] = chosen
    return {k: track[root(k)] for k in inside}
