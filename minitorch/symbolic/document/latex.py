"""How does a document look as a complete LaTeX file?  It needs amsmath and nothing else."""

from __future__ import annotations

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

_HEAD = r"""\documentclass[10pt]{article}
\usepackage{amsmath}
\providecommand{\mathbb}[1]{\mathbf{#1}} % of amssymb, which need not be there
\setlength{\textwidth}{17.5cm}\setlength{\oddsidemargin}{-0.8cm}
\setlength{\textheight}{24cm}\setlength{\topmargin}{-1.5cm}
\setlength{\parindent}{0pt}\setlength{\parskip}{4pt plus 2pt}
\allowdisplaybreaks
\begin{document}
"""
_SECTIONS = {2: "section*", 3: "subsection*", 4: "subsubsection*"}
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{c: f"\\{c}" for c in "#$%&_{}"},
    "∂": r"$\partial$",
    "Σ": r"$\Sigma$",
    "δ": r"$\delta$",
    "∏": r"$\prod$",
    "√": r"$\surd$",
    "σ": r"$\sigma$",
    "γ": r"$\gamma$",
    "β": r"$\beta$",
    "ε": r"$\epsilon$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "→": r"$\to$",
    "−": "$-$",
    "∞": r"$\infty$",
    "ᵀ": r"$^\top$",
    "²": "$^2$",
    "✓": "",
    "–": "--",
    "—": "---",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "§": r"\S{}",
}


def write_latex(document: Document) -> str:
    """The document as a LaTeX file that compiles as it is."""
    body = "\n".join(line for block in document.blocks for line in _block(block))
    return f"{_HEAD}{body}\n\\end{{document}}\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Heading):
        words = _escaped(block.words)
        yield rf"{{\LARGE\bfseries {words}\par}}" if block.level == 1 else rf"\{_SECTIONS[block.level]}{{{words}}}"
    elif isinstance(block, Paragraph):
        yield _said(block.said) + r"\par"
    elif isinstance(block, Items):
        yield "\n".join([r"\begin{itemize}", *(rf"\item {_said(said)}" for said in block.said), r"\end{itemize}"])
    elif isinstance(block, Equations):
        yield _displayed(*block.lines)
    elif isinstance(block, Checked):
        yield rf"\textbf{{{_escaped(block.verdict)}}}: {_escaped('; '.join(block.methods))}.\par"
    else:
        yield from _steps(block)


def _steps(block: Steps) -> Iterator[str]:
    yield rf"\textbf{{{_escaped(block.title)}}}\par"
    for part, lines in block.numbered:
        yield rf"\medskip\emph{{{_said(part.title)}}}\par"
        for number, line in lines:
            yield from _line(line, number)


def _line(line: Line, number: int) -> Iterator[str]:
    yield rf"{number}.\ \textbf{{{_escaped(line.rule)}}}: {_said(line.reason)}"
    yield _displayed(line.equation)
    if line.proof:
        yield rf"{{\footnotesize Checked: {_escaped(line.proof)}.\par}}"


def _displayed(*lines: Maths) -> str:
    """Equations below one another, aligned at their first equals sign."""
    rows = [line.latex.replace(" = ", " &= ", 1) for line in lines]
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"


def _said(said: Phrase) -> str:
    return "".join(map(_inline, said))


def _inline(part: str | Maths | Code) -> str:
    if isinstance(part, Maths):
        return f"${part.latex}$"
    return rf"\texttt{{{_escaped(part.text)}}}" if isinstance(part, Code) else _escaped(part)


def _escaped(words: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in words)
