"""Which calls exercise an operation?  For each primitive, by name, calls at the shapes where engines go wrong."""

from __future__ import annotations

from minitorch.primitive import REGISTRY
from minitorch.testing import Case
from tests.primitive_examples import arithmetic, attention, entries, losses, products, reductions, shapes
from tests.primitive_examples.making import Row

__all__ = ["EXAMPLES", "TABLE"]

TABLE: dict[str, list[Row]] = {}
for family in (arithmetic, reductions, shapes, entries, products, losses, attention):
    assert not TABLE.keys() & family.TABLE.keys()
    TABLE |= family.TABLE

EXAMPLES = [Case(REGISTRY[name], *row) for name, rows in TABLE.items() for row in rows if name in REGISTRY]
