"""What do the kinds of layers cost, as functions of the length n and the width d?  Vaswani's Table 1, from formulas.

The complexity of a layer is the order of growth of the operations that its formula takes; a recurrent layer is one step
of it, n times.  As in the paper, the projections of self-attention, which take O(n d²), are no part of it.  What is
printed in the paper stands beside what is derived.

Source: Vaswani et al. 2017 (arXiv 1706.03762), section 4, table 1: "n is the sequence length, d is the representation
dimension, k is the kernel size of convolutions and r the size of the neighborhood in restricted self-attention."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import minitorch as mt
from transformer.attention import MultiHeadAttention
from transformer.recurrent import RNN

if TYPE_CHECKING:  # SymPy is loaded when a cost is asked for
    from minitorch.symbolic import Program

NEIGHBOURHOOD = """
    Q[n,d], K[n,d], V[n,d], s < r:
    A[i,s] = sum_e Q[i,e] K[i - s,e] / sqrt(d);
    Z[i]   = sum_s exp(A[i,s]);
    P[i,s] = exp(A[i,s]) / Z[i];
    O[i,c] = sum_s P[i,s] V[i - s,c]
"""

"""A position sees itself and the r - 1 before it; what is before the first one counts as 0."""


@dataclass(frozen=True)
class Kind:
    """A kind of layer.

    Attributes:
        name: as in the paper.
        printed: the paper's complexity per layer, sequential operations and maximum path length.
        program: the formula of the layer, or of one of its steps.
        sizes: dimension of the formula -> what it is called in the table, or its size.
        steps: whether the formula is one of n steps.
        build: a layer of this package, from the width d; None if there is none.
    """

    name: str
    printed: tuple[str, str, str]
    program: Callable[[], Program]
    sizes: Mapping[str, str | int] = field(default_factory=dict)
    steps: bool = False
    build: Callable[[int], mt.Module] | None = None


@dataclass(frozen=True)
class Complexity:
    """The operations of a layer: all of them, and the term that outgrows the others, as text."""

    operations: str
    order: str


def _known(name: str) -> Callable[[], Program]:
    def program() -> Program:
        from minitorch import symbolic

        return symbolic.LIBRARY[name].program

    return program


def _restricted() -> Program:
    from minitorch import symbolic

    return symbolic.parse(NEIGHBOURHOOD)


KINDS = (
    Kind(
        "Self-Attention",
        ("O(n² d)", "O(1)", "O(1)"),
        _known("attention"),
        {"m": "n", "d_k": "d", "d_v": "d"},
        build=lambda d: MultiHeadAttention(d),
    ),
    Kind(
        "Recurrent",
        ("O(n d²)", "O(n)", "O(n)"),
        _known("rnn-cell"),
        {"n": 1, "p": "d"},  # one row of the batch
        steps=True,
        build=lambda d: RNN(d, d),
    ),
    Kind(
        "Convolutional",
        ("O(k n d²)", "O(1)", "O(log_k n)"),
        _known("causal-convolution"),
        {"b": 1, "c": "d", "o": "d"},
    ),
    Kind("Self-Attention (restricted)", ("O(r n d)", "O(1)", "O(n/r)"), _restricted),
)


def complexity(kind: Kind) -> Complexity:
    """What a layer of this kind costs forward, by its formula.

    >>> [complexity(kind).order for kind in KINDS]
    ['n² d', 'n d²', 'k n d²', 'r n d']
    >>> complexity(KINDS[1]).operations
    '4 n d² + 3 n d'
    """
    from minitorch import symbolic

    forward = symbolic.costs(kind.program(), wrt=()).at(**kind.sizes).forward
    if kind.steps:
        forward = (forward * symbolic.dimension("n")).expand()
    return Complexity(_said(forward), _said(symbolic.leading(forward)))


def _said(polynomial: Any) -> str:
    """A polynomial as the paper writes it: k, r, n before d, no signs of multiplication."""
    terms = []
    letters = _letters(polynomial)
    for powers, number in polynomial.as_poly(*letters).terms():
        factors = [_power(str(letter), p) for letter, p in zip(letters, powers, strict=True) if p]
        terms.append(" ".join([*([str(number)] if number != 1 or not factors else []), *factors]))
    return " + ".join(terms)


def _letters(polynomial: Any) -> list[Any]:
    return sorted(polynomial.free_symbols, key=lambda s: ("krnd".find(str(s)), str(s)))


def _power(letter: str, exponent: int) -> str:
    return letter if exponent == 1 else letter + {2: "²", 3: "³"}[exponent]
