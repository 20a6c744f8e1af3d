"""How does a document look as a web page?  One file that needs nothing from outside: MathML, folded steps, light and
dark."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources

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
from minitorch.symbolic.printing import to_mathml


def write_html(document: Document) -> str:
    """The document as a page."""
    style = resources.files("minitorch.symbolic.document").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_text(document.title)}</title><style>\n{style}</style></head>\n"
        f"<body><main>\n{fragment(document.blocks)}\n</main></body></html>\n"
    )


def fragment(blocks: Iterable[Block]) -> str:
    """Blocks without the page around them; a page that shows them styles ``note``, ``verdict``, ``steps``."""
    return "\n".join(part for block in blocks for part in _block(block))


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"<h{block.level}>{_text(block.words)}</h{block.level}>"
    elif isinstance(block, Paragraph):
        yield f"<p>{_said(block.said)}</p>"
    elif isinstance(block, Items):
        yield "<ul>" + "".join(f"<li>{_said(said)}</li>" for said in block.said) + "</ul>"
    elif isinstance(block, Equations):
        yield from map(_displayed, block.lines)
    elif isinstance(block, Checked):
        by = _text("; ".join(block.methods))
        yield f'<p><span class="verdict">✓ {_text(block.verdict)}</span> <span class="note">by {by}</span></p>'
    else:
        yield from _steps(block)


def _steps(block: Steps) -> Iterator[str]:
    yield f"<details><summary>{_text(block.title)}</summary>"
    first = 1
    for part in block.parts:
        lines = "\n".join(map(_line, part.lines))
        yield f'<p class="part">{_said(part.title)}</p>\n<ol class="steps" start="{first}">\n{lines}\n</ol>'
        first += len(part.lines)
    yield "</details>"


def _line(line: Line) -> str:
    proof = f' <span class="proof">✓ {_text(line.proof)}</span>' if line.proof else ""
    note = f'<span class="note"><b>{_text(line.rule)}</b>: {_said(line.reason)}{proof}</span>'
    return f"<li>{_displayed(line.equation)}{note}</li>"


def _said(said: Phrase) -> str:
    return "".join(map(_inline, said))


def _inline(part: str | Maths | Code) -> str:
    if isinstance(part, Maths):
        return _mathml(part.latex, "inline")
    return f"<code>{_text(part.text)}</code>" if isinstance(part, Code) else _text(part)


def _displayed(maths: Maths) -> str:
    return f'<div class="maths">{_mathml(maths.latex, "block")}</div>'


_mathml = lru_cache(maxsize=1 << 12)(to_mathml)


def _text(words: str) -> str:
    return html.escape(words)
