"""What does the backward pass keep?  Buffers that are alive only because of the graph, each counted once.

Parameters, inputs and constants that the caller holds are alive anyway and are not counted.  Read off the Graph; of
what only the tape still holds, such as the mask in `where(x > 0, x, 0.0)` or a leaf that its maker has dropped, the
tape has to be asked.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from sys import getrefcount

from minitorch.call import Call
from minitorch.graph import Graph, Node, Saved, capture, kept_arrays
from minitorch.reach import reach
from minitorch.tensor import Tensor, source
from minitorch.versions import owner


@dataclass(frozen=True)
class Row:
    """What the calls of one operation in one module keep."""

    module: str  # its path; empty outside modules
    op: str
    count: int  # of the buffers
    nbytes: int


@dataclass(frozen=True)
class Report:
    """What a backward pass keeps, by module and operation.  As text: a table."""

    rows: tuple[Row, ...]

    @property
    def total(self) -> int:
        """All bytes together."""
        return sum(r.nbytes for r in self.rows)

    def __str__(self) -> str:
        cells = [("module", "operation", "buffers", "bytes")]
        cells += [(r.module or "-", r.op, str(r.count), f"{r.nbytes:,}") for r in self.rows]
        cells.append(("total", "", str(sum(r.count for r in self.rows)), f"{self.total:,}"))
        a, b, c, d = (max(map(len, column)) for column in zip(*cells, strict=True))
        return "\n".join(f"{m:{a}}  {o:{b}}  {n:>{c}}  {size:>{d}}" for m, o, n, size in cells)


def report(run: Graph | Tensor) -> Report:
    """What the backward pass keeps alive, by module path and operation, in the order in which it was first kept.

    Args:
        run: a result, such as the loss, before its backward pass; or its Graph, which does not know which leaves and
            constants the caller has dropped, and takes none of them to be the graph's own.

    >>> import minitorch as mt, numpy as np
    >>> x = mt.tensor(np.ones((100, 10), "float32"), requires_grad=True)
    >>> with mt.scope("first"):
    ...     h = mt.tanh(x * 2.0)
    >>> print(report(mt.softmax(h).sum()))
    module  operation  buffers  bytes
    first   tanh             1  4,000
    -       softmax          1  4,000
    total                    2  8,000
    """
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for node, s in _kept(run):
        found[node.scope, node.op or ""].append(s.nbytes)
    return Report(tuple(Row(module, op, len(sizes), sum(sizes)) for (module, op), sizes in found.items()))


def saved_bytes(run: Graph | Tensor) -> int:
    """The bytes that the backward pass of this graph keeps alive.

    >>> import minitorch as mt, numpy as np
    >>> x = mt.tensor(np.ones(10), requires_grad=True)  # float64: 80 bytes
    >>> saved_bytes(mt.tanh(mt.tanh(x)))  # each tanh keeps its output
    160
    """
    return report(run).total


def saved_by(run: Graph | Tensor, key: Callable[[Node], str] = lambda node: node.scope) -> dict[str, int]:
    """The same by module path, or by any other name that `key` gives a node; a shared buffer counts where it is first
    kept.

    >>> import minitorch as mt, numpy as np
    >>> x = mt.tensor(np.ones(10), requires_grad=True)
    >>> saved_by(mt.exp(mt.tanh(x)), key=lambda node: node.op)
    {'tanh': 80, 'exp': 80}
    """
    total: dict[str, int] = defaultdict(int)
    for node, s in _kept(run):
        total[key(node)] += s.nbytes
    return dict(total)


def _kept(run: Graph | Tensor) -> Iterator[tuple[Node, Saved]]:
    """Each buffer that only the graph holds, with the node that keeps it first."""
    if isinstance(run, Graph):
        graph, dropped = run, set()
    else:
        graph, number = capture(run)
        dropped = set(_dropped(run, number))
    seen: set[int] = set()
    for node in graph.nodes:
        for i, s in enumerate(node.saved):
            if (s.owned or (node.id, i) in dropped) and s.buffer not in seen:
                seen.add(s.buffer)
                yield node, s


def _dropped(tensor: Tensor, number: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Of the values that were kept as the caller's: those whose memory no leaf or constant that is alive shows.

    Gives (node, position among its saved values).  Looks through all objects, but only if there is such a value.
    """
    calls, leaves = reach(source(tensor))
    alone = _only_held_by(calls, leaves)
    of_leaves = {id(owner(leaf._array)) for leaf in alone}
    keeping = [call for call in calls if call.kept is not None and (of_leaves or call.borrowed)]
    alive = _alive_without(alone) if keeping else set()
    for call in keeping:
        for i, (_, array, borrowed) in enumerate(kept_arrays(call)):
            block = id(owner(array))
            if (borrowed or block in of_leaves) and block not in alive:
                yield number[id(call)], i


def _alive_without(leaves: list[Tensor]) -> set[int]:
    """The blocks of memory, by id, that leaves and constants show, other than these.  Looks through all objects."""
    others = {id(leaf) for leaf in leaves}
    return {
        id(owner(t._array))
        for t in gc.get_objects()
        if issubclass(type(t), Tensor) and getattr(t, "_origin", t) is None and id(t) not in others
    }


def _only_held_by(calls: list[Call], leaves: list[Tensor]) -> list[Tensor]:
    """The leaves that nobody holds but the calls that use them (and the list)."""
    uses: dict[int, int] = defaultdict(int)
    for call in calls:
        for p in call.parents:
            uses[id(p)] += 1
    counts = _holders(leaves)
    return [leaf for leaf, n in zip(leaves, counts, strict=True) if n == _ONE + uses[id(leaf)]]


def _holders(tensors: list[Tensor]) -> list[int]:
    return [getrefcount(t) for t in tensors]


_ONE = _holders([Tensor(0.0)])[0]  # counts of a Tensor that the list holds and nobody else; Pythons differ
