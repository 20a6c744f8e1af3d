"""Which operations can be derived, and which gradient do the textbooks give?  One definition each, by name."""

from minitorch.errors import FormulaError
from minitorch.symbolic.library.activations import ACTIVATIONS
from minitorch.symbolic.library.attention import ATTENTION
from minitorch.symbolic.library.layers import LAYERS
from minitorch.symbolic.library.losses import LOSSES
from minitorch.symbolic.library.normalised import NORMALISED
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.recurrent import RECURRENT
from minitorch.symbolic.library.verdicts import InputVerdict, derivations, verdicts

LIBRARY: dict[str, Known] = {
    known.name: known for known in (*NORMALISED, *LOSSES, *LAYERS, *ACTIVATIONS, *ATTENTION, *RECURRENT)
}


def find(name: str) -> Known:
    """The operation of that name.

    Raises:
        FormulaError: there is none; the message lists all names.

    >>> find("softmax").differentiated
    'S'
    """
    if name not in LIBRARY:
        raise FormulaError(f"got operation {name!r}, wanted one of: {', '.join(sorted(LIBRARY))}.")
    return LIBRARY[name]


__all__ = ["LIBRARY", "InputVerdict", "Known", "derivations", "find", "verdicts"]
