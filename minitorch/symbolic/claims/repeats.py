"""Is a gradient wrong only where an index occurs twice?  Then what meets at one place was overwritten, not added up."""

from __future__ import annotations

import numpy as np

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.examine import Claim, Record
from minitorch.symbolic.claims.sentences import Telling
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.claims.worlds import draw
from minitorch.symbolic.expression import size_of


def overwritten(record: Record, subject: Subject, claim: Claim, name: str) -> Telling | None:
    """What is told if a gradient is right where every index array has each index at most once."""
    tables = {n: e.values for n, e in subject.entries.items() if e.values is not None}
    if not tables:
        return None
    sizes = dict(record.worlds[0].sizes)
    longest = max(int(np.prod(subject.shape(n, sizes))) for n in tables)
    for over in tables.values():
        sizes.update((symbol, longest + 1) for symbol in sizes if symbol in over.free_symbols)
    world = draw(subject, sizes, record.setting, seed=7)
    for array, over in tables.items():
        shape = subject.shape(array, sizes)
        if (count := int(np.prod(shape))) > size_of(over, sizes):
            return None
        world = world.changed(array, np.arange(count).reshape(shape))
    try:
        claimed = claim(world).get(name)
    except FormulaError:
        return None
    if claimed is None or world.error(name, claimed) > record.limit:
        return None
    said = f"d{name} is right only where no index of {' and '.join(tables)} repeats: what meets is not added up."
    return Telling(Cause.NOT_SUMMED, said, f"d{name}")
