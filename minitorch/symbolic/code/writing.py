"""How does a finished line look?  At most 88 characters; what is longer is broken at its operators, as black does."""

from __future__ import annotations

import itertools
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
    if len(line) <= WIDTH:
        return [line + trailing]
    if len(code.parts) < 2:
        return _broken_call(line, trailing)
    inside = [f"{INDENT * 2}{part}" for part in code.parts]
    return [f"{INDENT}{name} = ({trailing}", *inside, f"{INDENT})"]


def _broken_call(line: str, trailing: str) -> list[str]:
    """A line that ends with a call, with the call's arguments on lines of their own."""
    depth, commas, start = 0, [], -1
    for k in range(len(line) - 1, -1, -1):
        depth += (line[k] in ")]") - (line[k] in "([")
        if depth == 1 and line[k] == "," and line[k + 1] == " ":
            commas.append(k)
        if depth == 0:
            start = k
            break
    if not line.endswith(")") or not line[start - 1].isalnum():
        return [line + trailing]
    ends = [start, *reversed(commas), len(line) - 1]
    arguments = [line[a + 1 : b].strip() for a, b in itertools.pairwise(ends)]
    together = f"{INDENT * 2}{', '.join(arguments)}"
    inside = [together] if len(together) <= WIDTH else [f"{INDENT * 2}{argument}," for argument in arguments]
    return [f"{line[: start + 1]}{trailing}", *inside, f"{INDENT})"]


def comment(text: str) -> list[str]:
    """A comment, indented, on as many lines as it takes."""
    return textwrap.wrap(text, WIDTH, initial_indent=f"{INDENT}# ", subsequent_indent=f"{INDENT}#     ")


def paragraph(text: str) -> list[str]:
    """Text, indented, on as many lines as it takes."""
    return textwrap.wrap(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


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
