"""What happened?  One run as plain, frozen data: nodes, edges, and what the backward pass keeps.

A Graph is a copy of structure, not the tape itself: it holds no arrays and keeps nothing alive.  Ids are positions in
order of execution, so they are the same for every run of the same program.  Drawing, path lengths and memory accounting
read this and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from minitorch.call import Call
from minitorch.errors import GradientError
from minitorch.plan import ALL
from minitorch.reach import reach
from minitorch.shapes import Shape
from minitorch.tensor import Tensor, source
from minitorch.versions import owner


@dataclass(frozen=True, slots=True)
class Saved:
    """A value that a node keeps for the backward pass."""

    name: str
    nbytes: int  # of the whole buffer behind it
    buffer: int  # equal for values that share memory
    owned: bool  # False for a parameter, an input or a constant, which is alive anyway


@dataclass(frozen=True, slots=True)
class Node:
    """One operation, or one leaf (`op` is None)."""

    id: int
    op: str | None
    shapes: tuple[Shape, ...]  # of its outputs
    dtypes: tuple[str, ...]
    scope: str = ""  # the path of the module in which it ran
    step: int | None = None  # the time step in which it ran, from 0
    name: str | None = None  # of a leaf
    static: Mapping[str, Any] = field(default_factory=dict, hash=False)
    saved: tuple[Saved, ...] = ()

    @property
    def is_leaf(self) -> bool:
        """Whether it is an input or a parameter."""
        return self.op is None


@dataclass(frozen=True, slots=True)
class Edge:
    """An output of one node that is an input of another; gradients travel it from target to source."""

    id: int
    source: int  # the node that made the value
    output: int
    target: int  # the node that used it
    input: str


@dataclass(frozen=True)
class Graph:
    """All that one Tensor depends on through differentiable inputs.

    >>> import minitorch as mt
    >>> x = mt.tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> print(Graph.of((x * x).sum()))
    0  x         (2,)
    1  multiply  (2,)  <- a: 0, b: 0
    2  sum       ()    <- x: 1
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    root: int  # the node that the graph was captured from

    @classmethod
    def of(cls, tensor: Tensor) -> Graph:
        """Capture what `tensor` was computed from.

        Raises:
            GradientError: it does not require a gradient, so nothing was recorded.
        """
        return capture(tensor)[0]

    @cached_property
    def into(self) -> tuple[tuple[Edge, ...], ...]:
        """For each node, the edges that bring its inputs."""
        return self._grouped("target")

    @cached_property
    def out_of(self) -> tuple[tuple[Edge, ...], ...]:
        """For each node, the edges by which its outputs are used."""
        return self._grouped("source")

    def _grouped(self, end: str) -> tuple[tuple[Edge, ...], ...]:
        groups: list[list[Edge]] = [[] for _ in self.nodes]
        for e in self.edges:
            groups[getattr(e, end)].append(e)
        return tuple(map(tuple, groups))

    def __len__(self) -> int:
        return len(self.nodes)

    def __str__(self) -> str:
        rows = [
            (
                str(n.id),
                n.op or n.name or "leaf",
                " ".join(map(str, n.shapes)),
                "<- " + ", ".join(f"{e.input}: {e.source}" for e in self.into[n.id]) if self.into[n.id] else "",
                n.scope + (f" step {n.step}" if n.step is not None else ""),
            )
            for n in self.nodes
        ]
        widths = [max((len(r[c]) for r in rows), default=0) for c in range(5)]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() for r in rows)

    def to_json(self) -> str:
        """The graph as a JSON object `{nodes, edges, root}`; static arguments that are not JSON values become text."""
        import json

        nodes = [{**asdict(n), "static": {k: _jsonable(v) for k, v in n.static.items()}} for n in self.nodes]
        return json.dumps({"nodes": nodes, "edges": [asdict(e) for e in self.edges], "root": self.root})


def _without_arrays(value: Any) -> Any:
    """An array among the static arguments, such as an index, by its dtype and shape: a Graph holds no values."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    return type(value)(map(_without_arrays, value)) if type(value) in (tuple, list) else value


def _jsonable(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bool | None) else repr(value)


def sources(root: Call | Tensor) -> list[Call | Tensor]:
    """The calls and leaves that `root` depends on, itself included; a leaf stands before its first use."""
    calls, leaves = reach(root)
    return _with_leaves(calls) if calls else list(leaves)


def _with_leaves(calls: Iterable[Call]) -> list[Call | Tensor]:
    """Each leaf just before the first call that uses it."""
    order: list[Call | Tensor] = []
    met: set[int] = set()
    for call in calls:
        for p in call.parents:
            if isinstance(p, Tensor) and id(p) not in met:
                met.add(id(p))
                order.append(p)
        order.append(call)
    return order


def capture(tensor: Tensor) -> tuple[Graph, dict[int, int]]:
    """The graph behind `tensor`, and the node's number by `id` of each call and leaf (valid while the tape is
    alive)."""
    if not tensor.requires_grad:
        raise GradientError(
            "this tensor does not require a gradient, so nothing was recorded. Make an input with requires_grad=True?"
        )
    order = sources(source(tensor))
    number = {id(v): i for i, v in enumerate(order)}
    buffers = _Buffers(leaf._array for leaf in order if isinstance(leaf, Tensor))
    nodes, edges = [], []
    for i, v in enumerate(order):
        if isinstance(v, Tensor):
            nodes.append(Node(i, None, (v.shape,), (str(v.dtype),), name=v.name))
            continue
        saved = tuple(buffers.describe(v))
        dtypes = tuple(map(str, v.dtypes))
        static = {name: _without_arrays(value) for name, value in v.static.items()}
        nodes.append(Node(i, v.primitive.name, v.shapes, dtypes, v.state.scope, v.state.step, None, static, saved))
        for k, p in enumerate(v.parents):
            if p is not None:
                made_by, output = (p, 0) if isinstance(p, Tensor) else (p.call, p.index)
                edges.append(Edge(len(edges), number[id(made_by)], output, i, v.input_name(k)))
    return Graph(tuple(nodes), tuple(edges), number[id(order[-1])]), number


class _Buffers:
    """Numbers the blocks of memory behind arrays, so that views of one block are counted once."""

    def __init__(self, leaves: Iterable[np.ndarray]):
        self._number: dict[int, int] = {}
        self._leaves = {id(owner(a)) for a in leaves}

    def describe(self, call: Call) -> Iterator[Saved]:
        for name, array, borrowed in kept_arrays(call):
            block = owner(array)
            number = self._number.setdefault(id(block), len(self._number))
            yield Saved(name, block.nbytes, number, id(block) not in self._leaves and not borrowed)


def kept_arrays(call: Call) -> Iterator[tuple[str, np.ndarray, bool]]:
    """What a call keeps: (name, array, whether it is a constant that the caller holds), one for each `Saved`."""
    for name, value in call.static.items():  # an index array is a static argument, and the call's own copy
        yield from ((name, array, False) for array in _arrays_in(value))
    positions = (*call.plan.inputs, *(None for _ in call.plan.outputs))
    for name, k, value in zip(call.plan.names, positions, call.kept or (), strict=False):  # shapes come last
        parts = enumerate(value) if k == ALL else ((k, value),)
        yield from ((name, array, i in call.borrowed) for i, part in parts for array in _arrays_in(part))


def _arrays_in(value: Any) -> Iterator[np.ndarray]:
    """The arrays that a saved value or a static argument is or holds."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _arrays_in(part)
