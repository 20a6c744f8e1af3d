"""Which Python name does an array or a dimension of a formula get?

Its own, if that is an identifier that means nothing yet; a prime becomes ``_prime``, a keyword or the name of a builtin
gets an underscore, and two names that would fall together are numbered.  So no text of a formula is ever code.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

MODULES = ("np", "math")  # that generated code imports
RESERVED = frozenset({*MODULES, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)})


class Names:
    """Python names for the names of a formula: arrays first, since a reader knows those; then dimensions.

    Example:
        >>> names = Names(["x", "x'", "lambda", "np", "n"], ["n"])
        >>> [names.array(name) for name in ("x", "x'", "lambda", "np", "n")], names.dimension("n")
        (['x', 'x_prime', 'lambda_', 'np_', 'n'], 'n_size')
    """

    def __init__(self, arrays: Iterable[str], dimensions: Iterable[str], reserved: Iterable[str] = ()):
        self._taken = {*RESERVED, *reserved}
        self._arrays: dict[str, str] = {}
        self._dimensions: dict[str, str] = {}
        for name in sorted(arrays, key=lambda name: identifier(name) != name):  # those that may keep their names first
            self._arrays[name] = self._free(identifier(name))
        for name in dimensions:
            plain = identifier(name)
            self._dimensions[name] = self._free(plain if plain not in self._taken else f"{plain}_size")

    def array(self, name: str) -> str:
        """The Python name of an array."""
        return self._arrays[name]

    def dimension(self, name: str) -> str:
        """The Python name of a dimension, as a number."""
        return self._dimensions[name]

    def _free(self, wanted: str) -> str:
        name = free_name(wanted, self._taken)
        self._taken.add(name)
        return name


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """The wanted name if it is not taken, else the first of ``name_2``, ``name_3`` that is not.

    >>> free_name("E", {"E", "E_2"})
    'E_3'
    """
    taken, name, number = set(taken), wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def identifier(name: str) -> str:
    """A Python identifier that looks like ``name``, and is no keyword and no builtin.

    >>> identifier("h'"), identifier("2 x"), identifier("sum"), identifier("")
    ('h_prime', '_2_x', 'sum_', '__')
    """
    plain = unicodedata.normalize("NFKC", name).replace("'", "_prime")  # Python reads identifiers in this form
    plain = re.sub(r"\W", "_", plain)
    if not plain.isidentifier():
        plain = f"_{plain}"
    return f"{plain}_" if plain in RESERVED else plain


def may_be_defined(name: str) -> bool:
    """Whether a generated function can have that name: an identifier, though it may be that of a builtin.

    >>> may_be_defined("sum"), may_be_defined("lambda"), may_be_defined("np"), may_be_defined("a b")
    (True, False, False, False)
    """
    return name.isidentifier() and not keyword.iskeyword(name) and name not in MODULES


def one_line(text: str) -> str:
    """Text that can stand in a comment or a docstring: no line break, no backslash, no quotes that would end it.

    >>> one_line('a' + chr(10) + 'b')
    'a b'
    """
    return " ".join(text.split()).replace("\\", "/").replace('"""', "'''")
