"""Which theorems of the subject are there, and does the machine believe them?  One record each, by name."""

from minitorch.errors import FormulaError
from minitorch.symbolic.theorems.attention import ATTENTION
from minitorch.symbolic.theorems.invariance import INVARIANCE
from minitorch.symbolic.theorems.measured import MEASURED
from minitorch.symbolic.theorems.norms import NORMS
from minitorch.symbolic.theorems.positions import POSITIONS
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.theorems.recurrent import RECURRENT
from minitorch.symbolic.theorems.scaling import SCALING
from minitorch.symbolic.theorems.sensitivity import SENSITIVITY
from minitorch.symbolic.theorems.softmax import SOFTMAX

_ALL = (
    *(SOFTMAX, SCALING, SENSITIVITY, MEASURED),
    *(ATTENTION, INVARIANCE, POSITIONS, RECURRENT, NORMS),
)
THEOREMS: dict[str, Theorem] = {theorem.name: theorem for family in _ALL for theorem in family}


def theorems() -> tuple[Theorem, ...]:
    """All theorems, in the order of the story; each is proved when its verdict, its steps or its text is asked for."""
    return tuple(THEOREMS.values())


def find_theorem(name: str) -> Theorem:
    """The theorem of that name.

    Raises:
        FormulaError: there is none; the message lists all names.

    >>> find_theorem("softmax-jacobian").claims
    ('S[i] (delta(i,j) - S[j])',)
    """
    if name not in THEOREMS:
        raise FormulaError(f"got theorem {name!r}, wanted one of: {', '.join(THEOREMS)}.")
    return THEOREMS[name]


__all__ = ["THEOREMS", "Proof", "Theorem", "find_theorem", "theorems"]
