"""What does a model look like?  Its tree, one line a module, with how many parameters there are and their shapes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minitorch.nn.module import Module


def shown(module: Module) -> str:
    """The text of `repr(module)`; modules that are alike and in sequence share a line.

    >>> from minitorch import nn
    >>> print(shown(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))))
    Sequential(27 parameters)
      0: Linear(9 parameters: weight (3, 2), bias (3,))
      1-2: 2 x Linear(9 parameters: weight (3, 3))
    """
    lines = [_line(module)]
    children = [(name, shown(child)) for name, child in module._held()]
    for text, group in groupby(children, key=lambda child: child[1]):
        names = [name for name, _ in group]
        if all(map(str.isdigit, names)) and len(names) > 1:
            lines += _indented(f"{names[0]}-{names[-1]}: {len(names)} x {text}")
        else:
            lines += [line for name in names for line in _indented(f"{name}: {text}")]
    return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return ["  " + line for line in text.splitlines()]


def _line(module: Module) -> str:
    """The module itself: its own words, the number of parameters in and below it, the shapes of its own tensors."""
    said = [module.extra_repr()] if module.extra_repr() else []
    if count := sum(p.size for p in module.parameters()):
        own = [f"{name} {p.shape}" for name, p in module.named_parameters(recurse=False)]
        said.append(f"{count:,} parameter{'s' * (count != 1)}" + (f": {', '.join(own)}" if own else ""))
    if buffers := [f"{name} {b.shape}" for name, b in module.named_buffers(recurse=False)]:
        said.append(f"buffers: {', '.join(buffers)}")
    return f"{type(module).__name__}({'; '.join(said)})"
