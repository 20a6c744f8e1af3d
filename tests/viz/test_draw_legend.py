"""Does a drawing say what its lines mean, with lines of its own, and what becomes of numbers that are not finite?"""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import minitorch as mt
import viz
from tests.viz.seen import NS, contrast, styled
from viz.levels import Arrow, Box, View
from viz.palette import COLOURS


def _drawing(norms: list[float | None]) -> viz.Drawing:
    """Boxes in a chain, whose arrows have these norms."""
    x = mt.tensor(1.0, requires_grad=True)
    boxes = tuple(Box(f"b{k}", "op", f"op{k}") for k in range(len(norms) + 1))
    arrows = tuple(Arrow(f"b{k}", f"b{k + 1}", norm, "()") for k, norm in enumerate(norms))
    return viz.Drawing(mt.Graph.of(x * 1.0), View(boxes, arrows, boxes[-1].id), "op", "")


def _lines(svg: str, *, legend: bool) -> list[tuple[str, str, str]]:
    """(class, colour, width) of the shafts in the legend, or of the others."""
    found = []
    for g in ET.fromstring(svg).iter(f"{NS}g"):
        names = (g.get("class") or "").split()
        if "edge" in names and ("legend" in names) == legend:
            path = g.find(f".//{NS}path")
            found.append((names[-1], path.get("stroke"), path.get("stroke-width", "1")))
    return found


def _texts(svg: str) -> str:
    return " ".join(t.text or "" for t in ET.fromstring(svg).iter(f"{NS}text"))


def test_the_legend_has_one_line_of_each_kind_that_occurs_the_strongest_first_and_names_the_unit():
    drawing = _drawing([0.02, 4.0, 0.0, 2.0, float("nan"), 0.5])
    svg = drawing.svg()
    legend = _lines(svg, legend=True)
    assert [role for role, _, _ in legend] == ["gradient4", "gradient3", "gradient0", "zero", "broken"]
    assert set(legend) == set(_lines(svg, legend=False))
    labels = [t for g in ET.fromstring(svg).iter(f"{NS}g") if "legend" in (g.get("class") or "")
              for t in g.iter(f"{NS}text")]  # fmt: skip
    from_left = [t.text for t in sorted(labels, key=lambda t: float(t.get("x", 0)))]
    assert from_left == ["≥ 30%", "10–30%", "< 1%", "no gradient", "not finite"]
    assert "in % of the largest, 4." in _texts(svg)


def test_without_gradients_there_is_no_legend_and_the_note_says_why():
    drawing = viz.draw(mt.tensor([1.0, 2.0], requires_grad=True) * 2)
    assert _lines(drawing.svg(), legend=True) == []
    assert "not computed" in _texts(drawing.svg())


@pytest.mark.parametrize("norms", list(itertools.permutations([float("nan"), float("inf"), 1.0, 8.0])))
def test_what_is_not_finite_has_a_look_of_its_own_and_does_not_change_the_unit_in_any_order(norms):
    drawing = _drawing(list(norms))
    assert drawing.view.largest == 8.0
    svg = drawing.svg()
    roles = [role for role, _, _ in _lines(svg, legend=False)]
    assert sorted(roles) == ["broken", "broken", "gradient3", "gradient4"]
    assert svg.count("gradient not finite (norm ") == 2
    assert "2 arrows have gradients that are not finite" in re.sub(r"\s+", " ", _texts(svg))


def test_nothing_finite_and_nothing_but_zero_are_drawn_too():
    for norms in ([float("nan")], [0.0], [float("inf"), 0.0]):
        assert "<svg" in _drawing(list(norms)).svg()


def test_a_gradient_that_is_not_finite_is_found_on_a_real_graph():
    v = mt.tensor([0.0, 4.0], requires_grad=True, name="v")
    with np.errstate(all="ignore"):
        drawing = viz.draw((mt.sqrt(v) * np.array([0.0, 1.0])).sum())
    assert "gradient not finite (norm nan)" in drawing.svg()
    assert "One arrow has a gradient that is not finite" in drawing.caption


def test_norms_whose_squares_overflow_are_still_norms():
    x = mt.tensor(np.array([1.0]), requires_grad=True, name="x")
    drawing = viz.draw(((x + x) * 1e200).sum())
    assert [a.norm for a in drawing.view.arrows if a.source == "n0"] == [pytest.approx(2**0.5 * 1e200)]


def test_legend_caption_and_what_is_not_finite_can_be_read_on_both_pages():
    drawing = _drawing([1.0, float("nan")])
    for theme, root in (("light", ET.fromstring(drawing.svg("light"))), ("dark", styled(drawing.svg()))):
        for t in root.iter(f"{NS}text"):
            assert contrast(t.get("fill", "#000000"), COLOURS[theme]["page"]) >= 4.5, (theme, t.text)
        for g in root.iter(f"{NS}g"):
            if "broken" in (g.get("class") or ""):
                assert contrast(g.find(f".//{NS}path").get("stroke"), COLOURS[theme]["page"]) >= 3
