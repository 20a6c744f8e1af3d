r"""How does a document look as Markdown, with ``$$`` mathematics that GitHub renders?

GitHub reads a backslash before punctuation as Markdown's own escape, so the LaTeX here has none: the thin
spaces ``\,`` between factors are left out.
"""

from __future__ import annotations

import re
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
from minitorch.symbolic.phrase import Code, Maths, Phrase


def write_markdown(document: Document) -> str:
    """The document as Markdown."""
    return "\n\n".join(part for block in document.blocks for part in _block(block)) + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"{'#' * block.level} {_escaped(block.words)}"
    elif isinstance(block, Paragraph):
        yield _said(block.said)
    elif isinstance(block, Items):
        yield "\n".join(f"- {_said(said)}" for said in block.said)
    elif isinstance(block, Equations):
        yield from map(_displayed, block.lines)
    elif isinstance(block, Checked):
        yield f"✓ **{_escaped(block.verdict)}**: {_escaped('; '.join(block.methods))}."
    else:
        yield from _steps(block)


def _steps(block: Steps) -> Iterator[str]:
    yield f"<details>\n<summary>{_escaped(block.title)}</summary>"
    for part, lines in block.numbered:
        yield f"**{_said(part.title)}**"
        for number, line in lines:
            yield from _line(line, number)
    yield "</details>"


def _line(line: Line, number: int) -> Iterator[str]:
    yield f"{number}\\. *{_escaped(line.rule.capitalize())}.* {_said(line.reason)}"
    yield _displayed(line.equation)
    if line.proof:
        yield f"<sub>✓ {_escaped(line.proof)}</sub>"


def _said(said: Phrase) -> str:
    return "".join(map(_inline, said))


def _inline(part: str | Maths | Code) -> str:
    if isinstance(part, Maths):
        return f"${_safe(part)}$"
    return f"`{part.text}`" if isinstance(part, Code) else _escaped(part)


def _displayed(maths: Maths) -> str:
    return f"$$\n{_safe(maths)}\n$$"


def _safe(maths: Maths) -> str:
    return re.sub(r" *\\, *", " ", maths.latex)


def _escaped(words: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|$~])", r"\\\1", words)
