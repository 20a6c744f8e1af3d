"""What does a result depend on?  The calls behind it, and the leaves: the tape, walked."""

from __future__ import annotations

import operator
from typing import Any

from minitorch.call import Call, Part
from minitorch.tensor import Tensor

_number = operator.attrgetter("number")


def reach(root: Call | Tensor) -> tuple[list[Call], list[Tensor]]:
    """The calls that `root` depends on, itself included, in the order in which they were made, and the leaves."""
    if isinstance(root, Tensor):
        return [], [root]
    calls, leaves = [root], []
    seen: set[Any] = {root, None}
    for call in calls:  # grows as it goes
        for p in call.parents:
            if p not in seen:
                seen.add(p)
                if type(p) is Call:
                    calls.append(p)
                elif type(p) is not Part:
                    leaves.append(p)
                elif p.call not in seen:
                    seen.add(p.call)
                    calls.append(p.call)
    calls.sort(key=_number)
    return calls, leaves
