"""How do the axes of an array stand against those of its surroundings?

Every index in scope is an axis, in a fixed order; an array is transposed into that order and gets axes of size 1
(``[:, None]``) where an index is missing after its first one.  NumPy puts the missing ones before by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minitorch.symbolic.expression import Index

ADD, MUL, POWER, ATOM = range(4)  # how tightly a piece of code holds together
Order = tuple[Index, ...]
Pattern = tuple[bool, ...]  # of an array's axes: whether an index stands there, or size 1


@dataclass(frozen=True)
class Code:
    """A piece of Python.

    Attributes:
        text: on one line.
        level: how tightly it holds together.
        parts: where a long one may be broken: each part after the first starts with its operator.
        product: whether it is a matrix product, which takes brackets beside other factors.
    """

    text: str
    level: int = ATOM
    parts: tuple[str, ...] = ()
    product: bool = False

    def within(self, level: int) -> str:
        """The text as a part of something that holds together as tightly as ``level``."""
        return f"({self.text})" if self.level < level else self.text


def pattern(axes: Sequence[Index], order: Order) -> Pattern:
    """Where an array with these axes has an index, and where size 1, to stand in ``order``."""
    found = [index in axes for index in order]
    return tuple(found[found.index(True) :]) if True in found else ()


def placed(code: Code, axes: Sequence[Index], order: Order) -> Code:
    """An array with these axes, all different, transposed and stretched into ``order``.

    >>> from minitorch.symbolic.expression import dimension
    >>> n, m = dimension("n"), dimension("m")
    >>> i, j = Index("i", n), Index("j", m)
    >>> placed(Code("x"), (i,), (i, j)).text, placed(Code("x"), (j,), (i, j)).text
    ('x[:, None]', 'x')
    >>> placed(Code("a + b", ADD), (j, i), (i, j)).text
    '(a + b).T'
    """
    turned = sorted(range(len(axes)), key=lambda axis: order.index(axes[axis]))
    if turned != list(range(len(axes))):
        code = Code(f"{code.within(ATOM)}{_transposition(turned)}")
    return stretched(code, pattern(axes, order))


def stretched(code: Code, where: Pattern) -> Code:
    """An array with axes of size 1 where the pattern has no index."""
    if all(where):
        return code
    last = max(k for k, there in enumerate(where) if not there)
    return Code(f"{code.within(ATOM)}[{', '.join(':' if there else 'None' for there in where[: last + 1])}]")


def _transposition(axes: list[int]) -> str:
    if axes == [1, 0]:
        return ".T"
    if axes == [*range(len(axes) - 2), len(axes) - 1, len(axes) - 2]:
        return ".mT"
    return f".transpose({', '.join(map(str, axes))})"
