"""How does a finished line look?  At most 88 characters; what is longer is broken at its operators, as black does."""

from __future__ import annotations

import textwrap

from minitorch.symbolic.code.layout import Code

WIDTH = 88
INDENT = "    "


def assignment(name: str, code: Code, comment: str = "") -> list[str]:
    """``name = code  # comment``, indented, on as many lines as it takes.

    >>> assignment("y", Code("a + b", 0, ("a", "+ b")), "(n,)")
    ['    y = a + b  # (n,)']
    """
    trailing = f"  # {comment}" if comment else ""
    line = f"{INDENT}{name} = {code.text}"
    if len(line) <= WIDTH or len(code.parts) < 2:
        return [line + trailing]
    inside = [f"{INDENT * 2}{part}" for part in code.parts]
    return [f"{INDENT}{name} = ({trailing}", *inside, f"{INDENT})"]


def comment(text: str) -> list[str]:
    """A comment, indented, on as many lines as it takes."""
    return textwrap.wrap(text, WIDTH, initial_indent=f"{INDENT}# ", subsequent_indent=f"{INDENT}#     ")


def result(names: list[str]) -> list[str]:
    """``return a, b``, on as many lines as it takes."""
    line = f"{INDENT}return {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{INDENT}return (", *(f"{INDENT * 2}{name}," for name in names), f"{INDENT})"]


def signature(name: str, arguments: list[str]) -> list[str]:
    """``def name(arguments):``, on as many lines as it takes."""
    line = f"def {name}({', '.join(arguments)}):"
    if len(line) <= WIDTH:
        return [line]
    return [f"def {name}(", *(f"{INDENT}{argument}," for argument in arguments), "):"]
