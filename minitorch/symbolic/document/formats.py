"""Which formats are there?  Each with the suffix of its files."""

from __future__ import annotations

from collections.abc import Callable

from minitorch.symbolic.document.blocks import Document
from minitorch.symbolic.document.html import write_html
from minitorch.symbolic.document.latex import write_latex
from minitorch.symbolic.document.markdown import write_markdown
from minitorch.symbolic.document.text import write_text

FORMATS: dict[str, Callable[[Document], str]] = {
    "txt": write_text,
    "md": write_markdown,
    "tex": write_latex,
    "html": write_html,
}


def write(document: Document, form: str) -> str:
    """The document in one of :data:`FORMATS`."""
    return FORMATS[form](document)
