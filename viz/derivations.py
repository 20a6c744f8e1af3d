"""Which gradients does the report derive?  Softmax and attention: the formulas of the very operations that the figure
ran.

SymPy is loaded when this runs, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from transformer import scaled_dot_product_attention
from viz.measure import Progress

if TYPE_CHECKING:
    from minitorch.symbolic import Derivation


@dataclass(frozen=True)
class Derived:
    """A derivation, and what to call it."""

    derivation: Derivation
    title: str

    COUNT: ClassVar[int] = 4


def derive_all(progress: Progress = lambda done: None) -> Iterator[Derived]:
    """Derive the softmax Jacobian and attention's dQ, dK, dV, each compared with the engine's own gradients as well."""
    from minitorch.symbolic import derive_operation, derive_softmax_jacobian

    yield Derived(derive_softmax_jacobian(), "Softmax: how each weight depends on each score")
    progress("softmax")
    for d in derive_operation(scaled_dot_product_attention, wrt=("Q", "K", "V"), name="attention"):
        yield Derived(d, f"Attention: the gradient of the loss by {d.input}")
        progress("attention")
