"""Is Vaswani's Table 1 true of these models?  Complexity from formulas, sequential operations and paths from graphs.

Sequential operations are the longest chain of operations in the graph of a run, each of which waits for the one before;
the maximum path length is the number of hops from the loss to the first token, by breadth-first search.  Both are
counted at several lengths, and the polynomial through all of them is exact.  Where this package has no such layer, what
the paper prints stands there alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import minitorch as mt
from minitorch.graph import Graph
from transformer.complexity import Polynomial, exact_polynomial
from transformer.table1 import KINDS, Kind, complexity
from viz import report
from viz.flow import probe
from viz.inputs import build
from viz.measure import embed

WIDTH = 8
LENGTHS = (3, 4, 5, 7)
TITLE = "What layers cost"
HEAD = ("layer type", "complexity per layer", "sequential operations", "maximum path length")
SUFFIXES = (".md", ".html", ".txt")


@dataclass(frozen=True)
class Line:
    """One kind of layer: what was found, and what the paper prints.

    Attributes:
        operations: of the whole layer, exactly.
        found: order of growth of complexity, sequential operations and path length; empty where there is no layer.
        counted: the exact polynomials of the last two, in words.
        printed: the paper's three entries.
    """

    name: str
    operations: str
    found: tuple[str, str, str]
    counted: str
    printed: tuple[str, str, str]

    @property
    def agrees(self) -> bool:
        """Whether everything that was found is what the paper prints."""
        return all(found in ("", printed) for found, printed in zip(self.found, self.printed, strict=True))

    def cells(self) -> tuple[str, ...]:
        """The row of the table: what was found, or what is printed, in brackets."""
        return (self.name, *(f or f"({p})" for f, p in zip(self.found, self.printed, strict=True)))


def table1() -> list[Line]:
    """The rows of the table, in the order of the paper.

    >>> for line in table1()[:2]:
    ...     print(*line.cells(), line.agrees, sep=" | ")
    Self-Attention | O(n² d) | O(1) | O(1) | True
    Recurrent | O(n d²) | O(n) | O(n) | True
    """
    return [_line(kind) for kind in KINDS]


def _line(kind: Kind) -> Line:
    cost = complexity(kind)
    sequential, path, counted = "", "", ""
    if kind.build is not None:
        model = build(kind.build(WIDTH), 0)
        chain, hops = _polynomial(lambda n: longest_chain(model, n)), _polynomial(lambda n: _hops(model, n))
        sequential, path = _order(chain), _order(hops)
        counted = f"longest chain {chain}, path {hops} hops"
    return Line(kind.name, cost.operations, (f"O({cost.order})", sequential, path), counted, kind.printed)


def _polynomial(count: Callable[[int], int]) -> Polynomial:
    return exact_polynomial({n: count(n) for n in LENGTHS})


def _order(polynomial: Polynomial) -> str:
    return ("O(1)", "O(n)", "O(n²)")[polynomial.degree]


def longest_chain(model: mt.Module, n: int) -> int:
    """The operations of a run over n tokens that have to wait for one another."""
    x, _ = embed([f"w{k}" for k in range(n)], WIDTH, 0)
    graph = Graph.of(model(mt.tensor(x[None], requires_grad=True)))
    before: Mapping[int, list[int]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        before[edge.target].append(edge.source)
    length: dict[int, int] = {}
    for node in graph.nodes:  # in order of execution
        length[node.id] = max((length[k] for k in before[node.id]), default=0) + (not node.is_leaf)
    return max(length.values())


def _hops(model: mt.Module, n: int) -> int:
    x, _ = embed([f"w{k}" for k in range(n)], WIDTH, 0)
    hops = probe(model, x, ()).hops[0]
    assert hops is not None, "the last position of these layers sees the first"
    return hops


def markdown(lines: list[Line]) -> str:
    """The table as Markdown, with the exact counts under it."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(line.cells() for line in lines)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\n" + "\n".join(f"- {text}" for text in notes(lines)) + "\n"


def page(lines: list[Line]) -> str:
    """The table as a page."""
    section = report.table(TITLE, HEAD, [line.cells() for line in lines], notes(lines))
    return report.page(TITLE, [f"<h1>{TITLE}</h1>", section])


def notes(lines: list[Line]) -> list[str]:
    """What was counted, exactly, and where nothing was."""
    said = []
    for line in lines:
        compared = "as printed" if line.agrees else f"but printed is {', '.join(line.printed)}"
        graphs = f"; {line.counted}" if line.counted else ", no layer to count the rest on: in brackets what is printed"
        said.append(f"{line.name}: {line.operations} operations ({compared}){graphs}.")
    return said
