"""Which calls exercise an operation?  For each primitive, by name, calls at the shapes where engines go wrong."""

from __future__ import annotations

from tests.primitive_examples import arithmetic, entries, losses, products, reductions, shapes
from tests.primitive_examples.making import Example, Row

__all__ = ["EXAMPLES", "TABLE", "Example"]

TABLE: dict[str, list[Row]] = {}
for family in (arithmetic, reductions, shapes, entries, products, losses):
    assert not TABLE.keys() & family.TABLE.keys()
    TABLE |= family.TABLE

EXAMPLES = [Example(name, *row) for name, rows in TABLE.items() for row in rows]
