"""Is a finished SVG one that a page, a notebook and a screen reader can use?"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.viz.seen import NS
from viz.dot import Dot, render
from viz.palette import COLOURS, ROLES, attributes
from viz.svg import finished

HOSTILE = '</style><script>alert("1")</script> & <b>'


def _svg(**options) -> ET.Element:
    d = Dot(tooltip=" ")
    d.node("secret_a", "A", tooltip=HOSTILE, id="a", class_="hot", **attributes("hot", "light"))
    d.node("secret_b", "B", tooltip=" ", id="b", class_="point", **attributes("point", "light"))
    d.edge("secret_a", "secret_b", tooltip="from A to B", class_="gradient4", **attributes("gradient4", "light"))
    return ET.fromstring(finished(render(d.source), HOSTILE, HOSTILE, **options))


def test_title_and_description_come_first_and_are_text():
    root = _svg()
    assert [e.tag.removeprefix(NS) for e in root][:3] == ["title", "desc", "style"]
    assert root[0].text == root[1].text == HOSTILE
    assert not list(root.iter(f"{NS}script"))


def test_tooltips_are_titles_and_internal_names_are_gone():
    root = _svg()
    titles = [t.text for t in root.iter(f"{NS}title")]
    assert titles == [HOSTILE, HOSTILE, "from A to B"]
    assert "secret" not in ET.tostring(root, encoding="unicode")
    assert not list(root.iter(f"{NS}a")), "nothing looks like a link"


@pytest.mark.parametrize("follows", [True, False])
def test_only_a_figure_that_follows_the_reader_has_dark_rules(follows):
    assert ("prefers-color-scheme:dark" in _svg(follows_reader=follows).findtext(f"{NS}style", "")) == follows


def test_every_role_has_its_dark_colours_in_the_style_sheet():
    sheet = _svg().findtext(f"{NS}style", "")
    for role, colours in ROLES.items():
        rules = [r for r in sheet.split("}") if f" .{role} " in r]
        for colour in colours.values():
            assert any(COLOURS["dark"][colour] in r for r in rules), (role, colour)


def test_a_responsive_figure_is_as_wide_as_its_container():
    root = _svg(responsive=True)
    assert "width" not in root.attrib
    assert "height" not in root.attrib
    assert "width:100%" in root.get("style", "")
    assert root.get("viewBox")
    assert _svg().get("width", "").endswith("pt")
