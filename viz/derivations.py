"""Which gradients does the report derive?  Those of the very operations that the figure ran: softmax, and attention.

SymPy is loaded when this runs, not before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minitorch import softmax
from transformer import scaled_dot_product_attention
from viz.measure import Progress

if TYPE_CHECKING:
    from minitorch.symbolic import Derivation


@dataclass(frozen=True)
class Derived:
    """An operation with its derivations.

    Attributes:
        title: what to call it.
        forward: its own definitions, as MathML.
        derivations: what was derived from them.
    """

    title: str
    forward: tuple[str, ...]
    derivations: tuple[Derivation, ...]


def _softmax() -> Derived:
    from minitorch.symbolic import definitions_mathml, derive_softmax_jacobian

    return Derived("Softmax", tuple(definitions_mathml(softmax)), (derive_softmax_jacobian(),))


def _attention() -> Derived:
    from minitorch.symbolic import definitions_mathml, derive_operation

    operation = scaled_dot_product_attention
    derived = derive_operation(operation, wrt=("Q", "K", "V"), name="attention")
    return Derived("Scaled dot-product attention", tuple(definitions_mathml(operation)), tuple(derived))


DERIVATIONS: tuple[Callable[[], Derived], ...] = (_softmax, _attention)


def derive_all(progress: Progress = lambda done: None) -> list[Derived]:
    """Derive the softmax Jacobian and attention's dQ, dK, dV, each compared with the engine's own gradients as well."""
    derived = []
    for derive in DERIVATIONS:
        derived.append(derive())
        progress("derivations")
    return derived
