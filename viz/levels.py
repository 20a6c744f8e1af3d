"""How much of a graph is shown?  Every operation, or one box for each call of a module; long recurrences keep their
ends.

A call of a module is a run of operations under one module path and time step, without a break in the order of
execution; so boxes never form a cycle, and a module that is called twice is drawn twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from minitorch import Graph, Node

Level = Literal["op", "module"]
FIRST_STEPS, LAST_STEPS = 3, 4
MOST_NODES = 60  # by default, more are drawn by module


@dataclass(frozen=True)
class Box:
    """What is drawn as one node."""

    id: str
    kind: Literal["op", "module", "parameter", "input", "gap"]
    label: str
    detail: str = ""  # the second line, such as a shape
    tooltip: str = ""
    scope: str = ""


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


def view(graph: Graph, level: Level, norms: Mapping[int, float] | None = None) -> View:
    """The graph at a level.

    Args:
        graph: what a run left behind.
        level: "op" or "module".
        norms: the gradient's norm by edge id, as `minitorch.trace` gives it.
    """
    group = _operations(graph) if level == "op" else _calls(graph)
    return _collapsed(graph, _without_middle(graph, group), norms)


@dataclass
class _Group:
    """Nodes that are drawn as one."""

    key: str
    members: list[Node] = field(default_factory=list)


def _operations(graph: Graph) -> dict[int, str]:
    return {n.id: f"n{n.id}" for n in graph.nodes}


def _calls(graph: Graph) -> dict[int, str]:
    """Node id -> the name of the call it belongs to.  A leaf that only one call uses belongs to that call."""
    inner = _modules_without_modules(graph)
    group: dict[int, str] = {}
    run, last = 0, None
    for n in graph.nodes:
        if n.is_leaf:
            continue
        here = (n.scope, n.step) if n.scope in inner else None
        if here is None or here != last:
            run += 1
        last = here
        group[n.id] = f"n{n.id}" if here is None else f"c{run}"
    for n in graph.nodes:
        if n.is_leaf:
            users = {group[e.target] for e in graph.out_of[n.id]}
            (only,) = users if len(users) == 1 else (None,)
            group[n.id] = only if only is not None and only.startswith("c") and n.name is not None else f"n{n.id}"
    return group


def _modules_without_modules(graph: Graph) -> set[str]:
    """Module paths below which no other module runs."""
    scopes = {n.scope for n in graph.nodes if n.scope}
    return {s for s in scopes if not any(other.startswith(s + ".") for other in scopes)}


def _without_middle(graph: Graph, group: dict[int, str]) -> dict[int, str]:
    """Of more than seven time steps of a module, the middle ones become one gap."""
    steps: dict[str, set[int]] = {}
    for n in graph.nodes:
        if n.step is not None:
            steps.setdefault(n.scope, set()).add(n.step)
    hidden = {
        (scope, t)
        for scope, ts in steps.items()
        if len(ts) > FIRST_STEPS + LAST_STEPS + 1
        for t in sorted(ts)[FIRST_STEPS:-LAST_STEPS]
    }
    gap = {scope: f"gap{k}" for k, scope in enumerate(steps)}  # a scope is text from outside, an id is not
    return {n.id: gap[n.scope] if (n.scope, n.step) in hidden else group[n.id] for n in graph.nodes}


def _collapsed(graph: Graph, group: dict[int, str], norms: Mapping[int, float] | None) -> View:
    groups: dict[str, _Group] = {}
    for n in graph.nodes:
        groups.setdefault(group[n.id], _Group(group[n.id])).members.append(n)
    squares: dict[tuple[str, str], float] = {}
    shapes: dict[tuple[str, str], list[str]] = {}
    for e in graph.edges:
        ends = (group[e.source], group[e.target])
        if ends[0] == ends[1]:
            continue
        squares[ends] = squares.get(ends, 0.0) + (norms[e.id] ** 2 if norms else 0.0)
        shapes.setdefault(ends, []).append(str(graph.nodes[e.source].shapes[e.output]))
    arrows = tuple(
        Arrow(a, b, total**0.5 if norms else None, " and ".join(dict.fromkeys(shapes[a, b])))
        for (a, b), total in squares.items()
    )
    boxes = tuple(_box(key, g.members, graph) for key, g in groups.items())
    return View(boxes, arrows, group[graph.root])


def _box(key: str, members: list[Node], graph: Graph) -> Box:
    operations = [n for n in members if not n.is_leaf]
    if key.startswith("gap"):
        steps = sorted({n.step for n in operations if n.step is not None})
        said = f"steps {steps[0] + 1} … {steps[-1] + 1}"
        return Box(key, "gap", "…", said, f"{len(operations)} operations of {said} are not drawn", operations[0].scope)
    if len(members) == 1:
        return _single(key, members[0], graph)
    last = operations[-1]
    step = f", step {last.step + 1}" if last.step is not None else ""
    counts = _counted([n.op or "" for n in operations])
    parameters = "".join(f"; {n.name} {n.shapes[0]}" for n in members if n.is_leaf)
    return Box(
        key, "module", last.scope.rsplit(".", 1)[-1] + step, str(last.shapes[0]), counts + parameters, last.scope
    )


def _single(key: str, n: Node, graph: Graph) -> Box:
    if n.is_leaf:
        kind = "parameter" if n.name is not None else "input"
        users = {graph.nodes[e.target].scope for e in graph.out_of[n.id]}
        scope = users.pop() if len(users) == 1 and n.name is not None else ""
        return Box(key, kind, n.name or "input", str(n.shapes[0]), f"{n.dtypes[0]} leaf", scope)
    kept = sum(s.nbytes for s in n.saved if s.owned)
    static = ", ".join(f"{k}={v}" for k, v in n.static.items())
    about = "; ".join(filter(None, [static, f"{n.dtypes[0]}, keeps {kept:,} bytes for the backward pass", n.scope]))
    return Box(key, "op", n.op or "", " ".join(map(str, n.shapes)), about, n.scope)


def _counted(names: list[str]) -> str:
    """'matmul ×3, add' for the names in order of first appearance."""
    return ", ".join(f"{name} ×{c}" if (c := names.count(name)) > 1 else name for name in dict.fromkeys(names))
