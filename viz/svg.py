"""How does an SVG become part of a page?  Made readable by people and screen readers, and dark where the reader prefers
it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from viz.palette import stylesheet

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_CLASS = "gradient-flow"
_FONTS = 'Arial,Helvetica,"Liberation Sans",Arimo,"Noto Sans","Noto Sans CJK KR",sans-serif'

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", _XLINK)


def finished(svg: bytes, title: str, description: str, *, follows_reader: bool = True, responsive: bool = False) -> str:
    """Graphviz's SVG with a title, tooltips in place of internal names, and both themes.

    Args:
        svg: what the layout engine wrote, in the light theme if `follows_reader`.
        title, description: what screen readers say.
        follows_reader: whether to turn dark with the reader's preference.
        responsive: for a page: as wide as its container allows, instead of a fixed size.
    """
    root = ET.fromstring(svg)
    root.set("class", _CLASS)
    root.set("role", "img")
    if responsive:
        width = float(root.attrib.pop("width").removesuffix("pt"))
        del root.attrib["height"]
        root.set("style", f"width:100%;max-width:{width * 1.75:.0f}px;height:auto")
    for parent in list(root.iter(f"{{{_SVG}}}g")):
        _with_tooltip(parent)
    css = f".{_CLASS} text{{font-family:{_FONTS}}}" + (stylesheet(f".{_CLASS}") if follows_reader else "")
    for k, (tag, text) in enumerate((("title", title), ("desc", description), ("style", css))):
        element = ET.Element(f"{{{_SVG}}}{tag}")
        element.text = text
        root.insert(k, element)
    return ET.tostring(root, encoding="unicode")


def _with_tooltip(group: ET.Element) -> None:
    """Let the title of a node or edge be its tooltip (browsers show it on hover), not its name in the DOT text."""
    names = (group.get("class") or "").split()
    if group.get("id", "").startswith("a_") and not names:  # the link that carries a tooltip: its contents move up
        return
    title = group.find(f"{{{_SVG}}}title")
    tooltip = ""
    for wrapper in list(group):
        link = wrapper.find(f"{{{_SVG}}}a")
        if link is not None:
            tooltip = (link.get(f"{{{_XLINK}}}title") or "").strip()
            at = list(group).index(wrapper)
            group.remove(wrapper)
            for k, child in enumerate(list(link)):
                group.insert(at + k, child)
    if title is not None:
        if tooltip:
            title.text = tooltip
        else:
            group.remove(title)
