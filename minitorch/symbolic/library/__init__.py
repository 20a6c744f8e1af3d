"""Which operations can be derived, and which gradient do the textbooks give?  One definition each, by name."""

from minitorch.symbolic.library.activations import ACTIVATIONS
from minitorch.symbolic.library.attention import ATTENTION
from minitorch.symbolic.library.layers import LAYERS
from minitorch.symbolic.library.losses import LOSSES
from minitorch.symbolic.library.normalised import NORMALISED
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.recurrent import RECURRENT
from minitorch.symbolic.library.verdicts import InputVerdict, derivations, verdicts
from minitorch.symbolic.nearest import folded, unknown

LIBRARY: dict[str, Known] = {
    known.name: known for known in (*NORMALISED, *LOSSES, *LAYERS, *ACTIVATIONS, *ATTENTION, *RECURRENT)
}
_BY_FOLDED = {folded(word): known for known in LIBRARY.values() for word in (*known.also, known.name)}


def find(name: str) -> Known:
    """The operation of that name, or of another name that it goes by.

    Raises:
        FormulaError: there is none; the message lists all names, and the closest one.

    >>> find("softmax").differentiated
    'S'
    >>> find("LayerNorm").name, find("rope").name
    ('layer-norm', 'rotary-positions')
    """
    if name in LIBRARY:
        return LIBRARY[name]
    if folded(name) not in _BY_FOLDED:
        raise unknown("operation", name, [*LIBRARY])
    return _BY_FOLDED[folded(name)]


__all__ = ["LIBRARY", "InputVerdict", "Known", "derivations", "find", "verdicts"]
