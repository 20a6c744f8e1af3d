"""Which name was meant?  An unknown one is answered with those that there are, and with the closest of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from minitorch.errors import FormulaError


def folded(name: str) -> str:
    """A name without what people write differently: ``LayerNorm``, ``layer_norm`` and ``layer-norm`` are one."""
    return "".join(c for c in name.lower() if c not in "-_ ")


def unknown(kind: str, name: str, known: Sequence[str]) -> FormulaError:
    """The error that names what there is, and what is likely meant."""
    by_folded = {folded(k): k for k in known}
    near = difflib.get_close_matches(folded(name), by_folded, n=1, cutoff=0.5)
    hint = f"Did you mean {by_folded[near[0]]}?" if near else "Choose one of them."
    return FormulaError(f"got {kind} {name!r}, wanted one of: {', '.join(known)}. {hint}")
