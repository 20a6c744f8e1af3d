"""What does the backward pass keep?  Buffers that are alive only because of the graph, each counted once.

Parameters, inputs and constants that the caller holds are alive anyway and are not counted.  Read off the Graph alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from minitorch.graph import Graph, Node
from minitorch.tensor import Tensor


def saved_bytes(run: Graph | Tensor) -> int:
    """The bytes that the backward pass of this graph keeps alive.

    >>> import minitorch as mt, numpy as np
    >>> x = mt.tensor(np.ones(10), requires_grad=True)  # float64: 80 bytes
    >>> saved_bytes(mt.tanh(mt.tanh(x)))  # each tanh keeps its output
    160
    """
    return sum(_unique(run, lambda node: "").values())


def saved_by(run: Graph | Tensor, key: Callable[[Node], str] = lambda node: node.scope) -> dict[str, int]:
    """The same by module path, or by any other name that `key` gives a node; a shared buffer counts where it is first
    kept.

    >>> import minitorch as mt, numpy as np
    >>> x = mt.tensor(np.ones(10), requires_grad=True)
    >>> saved_by(mt.exp(mt.tanh(x)), key=lambda node: node.op)
    {'tanh': 80, 'exp': 80}
    """
    return _unique(run, key)


def _unique(run: Graph | Tensor, key: Callable[[Node], str]) -> dict[str, int]:
    graph = run if isinstance(run, Graph) else Graph.of(run)
    seen: set[int] = set()
    total: dict[str, int] = defaultdict(int)
    for node in graph.nodes:
        for s in node.saved:
            if s.owned and s.buffer not in seen:
                seen.add(s.buffer)
                total[key(node)] += s.nbytes
    return dict(total)
