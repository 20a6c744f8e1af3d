"""How does a document look as plain Unicode text?"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from minitorch.symbolic.document.blocks import (
    Block,
    Checked,
    Document,
    Equations,
    Heading,
    Items,
    Line,
    Paragraph,
    Steps,
)
from minitorch.symbolic.phrase import Phrase

_WIDTH = 110
_UNDERLINES = {1: "=", 2: "-"}


def write_text(document: Document) -> str:
    """The document as plain text."""
    lines = [line for block in document.blocks for line in _block(block)]
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield block.words
        yield from [_UNDERLINES[block.level] * len(block.words)] if block.level in _UNDERLINES else []
    elif isinstance(block, Paragraph):
        yield from _wrapped(block.said, "")
    elif isinstance(block, Items):
        for said in block.said:
            yield from _wrapped(said, "  ", first="- ")
    elif isinstance(block, Equations):
        yield from (f"  {line}" for line in block.lines)
    elif isinstance(block, Checked):
        yield from _wrapped(f"{block.verdict}: {'; '.join(block.methods)}.", "  ", first="✓ ")
    else:
        yield from _steps(block)
    yield ""


def _steps(block: Steps) -> Iterator[str]:
    yield f"{block.title}:"
    for part, lines in block.numbered:
        yield from ["", f"  {part.title}:"]
        for number, line in lines:
            yield from _line(line, number)


def _line(line: Line, number: int) -> Iterator[str]:
    yield f"  {number:>3}. {line.equation}"
    yield from _wrapped(Phrase(f"[{line.rule}] ", line.reason), " " * 7)
    if line.proof:
        yield from _wrapped(line.proof, " " * 9, first=" " * 7 + "✓ ")


def _wrapped(said: str | Phrase, indent: str, first: str | None = None) -> list[str]:
    """Lines of at most 110 characters; formulas are not broken."""
    whole = "".join(p if isinstance(p, str) else str(p).replace(" ", "\0") for p in Phrase(said))
    lines = textwrap.wrap(
        whole, _WIDTH, initial_indent=indent if first is None else first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [line.replace("\0", " ") for line in lines]
