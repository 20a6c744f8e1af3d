"""How much of a graph is shown?  Every operation, calls of modules, or whole models; as boxes, arrows and frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from minitorch import Graph, Node
from viz.cuts import Frame, Group, Level, cut, label_of, path_of


@dataclass(frozen=True)
class Box:
    """What is drawn as one node."""

    id: str
    kind: Literal["op", "module", "parameter", "input", "gap"]
    label: str
    detail: str = ""  # the second line, such as a shape
    tooltip: str = ""
    frame: str = ""  # the id of the innermost frame around it


@dataclass(frozen=True)
class Arrow:
    """Values go from source to target; a gradient comes back."""

    source: str
    target: str
    norm: float | None  # of the gradient on all edges that the arrow stands for; None if it was not computed
    tooltip: str = ""


@dataclass(frozen=True)
class View:
    """What a drawing shows."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    root: str
    frames: tuple[Frame, ...] = ()  # each after the one around it

    @property
    def largest(self) -> float:
        """The largest norm that is a finite number, the unit of the others; 0 if there is none."""
        return max((a.norm for a in self.arrows if a.norm is not None and math.isfinite(a.norm)), default=0.0)


def view(graph: Graph, level: Level, norms: Mapping[int, float] | None = None) -> View:
    """The graph at a level.

    Args:
        graph: what a run left behind.
        level: "op", "module" or "model"; `viz.cuts.cut` says what each shows.
        norms: the gradient's norm by edge id, as `minitorch.trace_gradients` gives it.
    """
    groups = cut(graph, level)
    of = {n.id: g.id for g in groups for n in g.members}
    frames = dict.fromkeys(f for g in groups for f in g.frames)
    return View(tuple(_box(g, graph) for g in groups), _arrows(graph, of, norms), of[graph.root], tuple(frames))


def _arrows(graph: Graph, of: Mapping[int, str], norms: Mapping[int, float] | None) -> tuple[Arrow, ...]:
    """One arrow for all edges between two boxes; its norm is that of all their gradients together."""
    together: dict[tuple[str, str], float] = {}
    shapes: dict[tuple[str, str], list[str]] = {}
    for e in graph.edges:
        ends = (of[e.source], of[e.target])
        if ends[0] != ends[1]:
            together[ends] = math.hypot(together.get(ends, 0.0), norms[e.id] if norms else 0.0)
            shapes.setdefault(ends, []).append(str(graph.nodes[e.source].shapes[e.output]))
    return tuple(
        Arrow(a, b, norm if norms else None, " and ".join(dict.fromkeys(shapes[a, b])))
        for (a, b), norm in together.items()
    )


def _box(g: Group, graph: Graph) -> Box:
    frame, operations = g.frames[-1].id if g.frames else "", g.operations
    if g.kind == "gap":
        counted = f"{len(operations)} operations of " if g.said[0] not in "0123456789" else ""
        return Box(g.id, "gap", "…", g.said, f"{counted}{g.said} are not drawn", frame)
    if g.kind == "single" and len(g.members) == 1:
        return _single(g.id, g.members[0], frame)
    leaves = [f"{n.name} {n.shapes[0]}" for n in g.members if n.is_leaf]
    if not operations:
        names = ", ".join(n.name or "" for n in g.members)
        return Box(g.id, "parameter", names, "at every step", "; ".join(leaves), frame)
    about = "; ".join([_counted([n.op or "" for n in operations]), *leaves])
    return Box(g.id, "module", _called(g.call, operations), str(operations[-1].shapes[0]), about, frame)


def _called(call: tuple[str, ...], operations: list[Node]) -> str:
    """'layers.0, step 3' for a call of that module; 'RNN, 12 steps' for all of them."""
    within = path_of(operations[0])
    while len(call) < len(within) and within[len(call)].isdecimal():  # one module of a list, where nothing else runs
        longer = within[: len(call) + 1]
        if any(path_of(n)[: len(longer)] != longer for n in operations):
            break
        call = longer
    steps = {n.step for n in operations if n.step is not None}
    when = f"step {steps.copy().pop() + 1}" if len(steps) == 1 else f"{len(steps)} steps" if steps else ""
    return ", ".join(filter(None, [label_of(call), when]))


def _single(key: str, n: Node, frame: str) -> Box:
    if n.is_leaf:
        kind = "parameter" if n.name is not None else "input"
        return Box(key, kind, n.name or "input", str(n.shapes[0]), f"{n.dtypes[0]} leaf", frame)
    kept = sum(s.nbytes for s in n.saved if s.owned)
    static = ", ".join(f"{k}={v}" for k, v in n.static.items())
    about = "; ".join(filter(None, [static, f"{n.dtypes[0]}, keeps {kept:,} bytes for the backward pass", n.scope]))
    return Box(key, "op", n.op or "", " ".join(map(str, n.shapes)), about, frame)


def _counted(names: list[str]) -> str:
    """'matmul ×3, add' for the names in order of first appearance."""
    return ", ".join(f"{name} ×{c}" if (c := names.count(name)) > 1 else name for name in dict.fromkeys(names))
