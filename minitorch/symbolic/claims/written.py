"""How is a claim written as text?  Definitions, one a line or separated by semicolons, with comments after #."""

from __future__ import annotations

import re

from minitorch.symbolic.tokens import tokenize

_STARTS = re.compile(r"\s*[A-Za-zα-ω∂][\wα-ω']*\s*(\[[^\]=]*\])?\s*=(?!=)")


def as_definitions(text: str) -> str:
    """The text with comments blanked and a semicolon where a new line starts a new definition.

    Columns stay what they are, so that an error points at the character that was written.

    >>> as_definitions("a[i] = x[i]  # one\\nb[i] = a[i] +\\n    x[i]")
    'a[i] = x[i]       ;\\nb[i] = a[i] +\\n    x[i]'
    """
    lines = [re.sub(r"#.*", lambda m: " " * len(m.group()), line) for line in text.splitlines()]
    joined: list[str] = []
    for line in lines:
        before = joined[-1].rstrip() if joined else ""
        if _STARTS.match(line) and before and not before.endswith((";", ":", ",", "=", "+", "-", "*", "/", "(")):
            joined[-1] += ";"
        if line.strip():
            joined.append(line)
    return "\n".join(joined)


def words(text: str) -> set[str]:
    """The names in a text."""
    return {token.text for token in tokenize(text) if token.kind == "name"}
