"""What does a result depend on?  The calls behind it, and the leaves: the tape, walked."""

from __future__ import annotations

import operator

from minitorch.call import Call, Part
from minitorch.tensor import Tensor

_number = operator.attrgetter("number")


def reach(root: Call | Tensor) -> tuple[list[Call], list[Tensor]]:
    """The calls that `root` depends on, itself included, in the order in which they were made, and the leaves."""
    if isinstance(root, Tensor):
        return [], [root]
    calls = behind(root)
    return calls, list(dict.fromkeys(p for call in calls for p in call.parents if isinstance(p, Tensor)))


def behind(root: Call) -> list[Call]:
    """The calls that `root` depends on, itself included, in the order in which they were made."""
    calls, seen = [root], {root}
    for call in calls:  # grows as it goes
        for p in call.parents:
            if type(p) is not Call:
                if type(p) is not Part:
                    continue
                p = p.call
            if p not in seen:
                seen.add(p)
                calls.append(p)
    calls.sort(key=_number)
    return calls
