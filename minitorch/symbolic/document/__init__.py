"""How does a derivation become a document?  It is composed once, as headings, sentences, equations and steps, and each
format writes those: ``blocks``, ``compose``, then ``text``, ``markdown``, ``latex`` and ``html``.
"""

from minitorch.symbolic.document.blocks import Document
from minitorch.symbolic.document.compose import compose_formula, compose_operation
from minitorch.symbolic.document.formats import FORMATS, write

__all__ = ["FORMATS", "Document", "compose_formula", "compose_operation", "write"]
