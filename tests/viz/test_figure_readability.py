"""Can the comparison figure be read?  The rules of WCAG and of good print, as tests on the SVG; and its numbers."""

from __future__ import annotations

import functools
import re
import xml.etree.ElementTree as ET
from collections import Counter, deque

import pytest

from tests.viz import seen
from tests.viz.seen import NS, Seen
from viz.compare import Comparison
from viz.figure import GUTTER
from viz.palette import BIN_WIDTHS, BINS, COLOURS
from viz.points import LOSS, Point
from viz.study import Options, compare_only

LONG = "internationalization of antidisestablishmentarianism supercalifragilisticexpialidocious W" + "i" * 60 + " W" * 3


def _n(n: int, *, seeds: int = 2, **more) -> Options:
    return Options(sentence=" ".join(f"word{k}" for k in range(1, n + 1)), seeds=seeds, **more)


CASES = {
    "as shipped": Options(),
    **{f"{n} tokens": _n(n) for n in (1, 2, 8, 12, 13, 24, 25, 40)},
    "128 tokens": _n(128, width=8, seeds=1),
    "two layers": Options(layers=2, seeds=2),
    "two layers of 12 tokens": _n(12, layers=2),
    "four layers of 40 tokens": _n(40, layers=4),
    "four layers of 16 tokens": _n(16, layers=4),
    "four heads": Options(heads=4, seeds=2),
    "no mask": Options(causal=False, seeds=2),
    "orthogonal": Options(rnn_init="orthogonal", seeds=2),
    "block": Options(block=True, seeds=2),
    "block of 2": _n(2, block=True),
    "block of 24": _n(24, block=True),
    "block of 40": _n(40, block=True),
    "block, two layers": Options(block=True, layers=2, seeds=2),
    "long words": Options(sentence=LONG, seeds=2),
    "Korean": Options(sentence="나는 어제 도서관에서 매우 재미있는 책을 읽었다 그리고 안녕하세요 여러분", seeds=2),
    "emoji": Options(sentence="😀 👩‍👩‍👧‍👦 🇰🇷 🎉🎉🎉🎉 é 日本語", seeds=2),
    "hostile": Options(sentence="<script>alert(1)</script> <b>x</b> \"q\" 'p' \\n \\l &amp; a\x00b %", seeds=2),
    "wide": Options(width=128, seeds=2),
}
THEMES = ("light", "dark")


@functools.cache
def _comparison(case: str) -> Comparison:
    return compare_only(CASES[case])


@functools.cache
def _seen(case: str, theme: str) -> Seen:
    return Seen(_comparison(case).svg(theme))  # type: ignore[arg-type]


every_case = pytest.mark.parametrize("case", CASES)
every_theme = pytest.mark.parametrize("theme", THEMES)


@every_theme
@every_case
def test_text_has_a_contrast_of_4_5_and_arrows_of_3_against_page_and_panel(case, theme):
    figure, colours = _seen(case, theme), COLOURS[theme]
    fills = {s.id: s.fill for s in figure.spots}
    for t in figure.texts:
        for ground in {colours["page"], colours["panel"], fills.get(t.owner, colours["page"])}:
            assert seen.contrast(t.colour, ground) >= 4.5, t
    assert figure.shafts
    for line in figure.lines:
        if line.names & {"shaft", "head"}:
            assert min(seen.contrast(line.colour, colours[g]) for g in ("page", "panel")) >= 3, line


@every_case
def test_no_two_labels_overlap(case):
    figure = _seen(case, "light")
    assert len(figure.texts) > 8
    assert seen.overlapping(figure.texts) == []


@every_case
def test_nothing_lies_outside_the_page_and_no_panel_text_outside_its_panel(case):
    figure = _seen(case, "light")
    for t in figure.texts:
        assert seen.inside(t.box, figure.page), t
        touching = [p for p in figure.panels if seen.inside((t.middle, t.box[1], t.middle, t.box[3]), p)]
        assert all(seen.inside(t.box, p) for p in touching), t
    for line in figure.lines:
        assert all(seen.inside((*p, *p), figure.page) for p in line.places), line
    for s in figure.spots:
        (x, y), r = s.at, s.radius
        assert any(seen.inside((x - r, y - r, x + r, y + r), p) for p in figure.panels), s


@every_case
def test_type_is_at_least_7_points_on_a_page_6_5_inches_wide(case):
    figure = _seen(case, "light")
    x0, _, x1, _ = figure.page
    smallest = min(figure.texts, key=lambda t: t.size)
    assert smallest.size * min(1, 468 / (x1 - x0)) >= 7, smallest


@every_case
def test_panels_stand_one_gutter_apart(case):
    a, b = _seen(case, "light").panels
    beside, apart = b[0] - a[2], b[1] - a[3]  # y grows downwards
    assert max(beside, apart) == pytest.approx(GUTTER, abs=0.1)


@every_case
def test_labels_fit_their_points(case):
    figure = _seen(case, "light")
    at = {s.id: s for s in figure.spots}
    inner = [t for t in figure.texts if t.owner in at]
    assert inner
    for t in inner:
        assert t.box[2] - t.box[0] <= 2 * at[t.owner].radius, t


@every_case
def test_no_arrow_passes_through_a_foreign_point(case):
    figure = _seen(case, "light")
    for line in figure.shafts:
        foreign = [s for s in figure.spots if s.id not in line.ends]
        crossed = [s.id for s in foreign if any(s.covers(p) for p in line.places)]
        assert not crossed, (line.ends, crossed)


@every_case
def test_no_line_passes_through_a_label_that_stands_free(case):
    figure = _seen(case, "light")
    points = {s.id for s in figure.spots}
    free = [t for t in figure.texts if t.owner not in points and t.said != "…"]
    for line in figure.lines:
        for t in free:
            x0, y0, x1, y1 = t.box
            assert not any(x0 < x < x1 and y0 < y < y1 for x, y in line.places), (line.title, t.said)


@every_case
def test_exactly_one_path_a_panel_is_highlighted_and_its_printed_length_is_that_of_breadth_first_search(case):
    figure, models = _seen(case, "light"), _comparison(case).models
    printed = [int(m[1]) for t in figure.texts if (m := re.search(r"to token 1: (\d+) hops?$", t.said))]
    assert printed == [_hops(m.flow.edges) for m in models]
    for k in range(len(models)):
        path = dict(s.ends for s in figure.shafts if "path" in s.names and s.id.startswith(f"shaft_p{k}_"))
        n = len(_comparison(case).tokens)
        at, steps = f"p{k}_L0_1", 0
        while at in path:
            at, steps = path.pop(at), steps + 1
        assert at == f"p{k}_x0_1"
        assert not path, "nothing else is highlighted"
        elided = n > 24 and models[k].recurs
        assert steps == (printed[k] - n + 8 if elided else printed[k])
    halos = [line for line in figure.lines if "halo" in line.names]
    paths = [s for s in figure.lines if {"shaft", "path"} <= s.names]
    assert len(halos) == len(paths)
    assert all(h.width > max(s.width for s in paths) for h in halos)


def _hops(edges) -> int:
    """Breadth-first search, once more and by hand."""
    distance, queue = {LOSS: 0}, deque([LOSS])
    while queue:
        p = queue.popleft()
        for a, b in edges:
            if a == p and b not in distance:
                distance[b] = distance[p] + 1
                queue.append(b)
    return distance[Point("x", 0, 0)]


@every_theme
@every_case
def test_width_and_colour_say_the_bin_of_the_measured_norm(case, theme):
    figure, models = _seen(case, theme), _comparison(case).models
    unit = None
    for s in figure.shafts:
        k = int(s.id.removeprefix("shaft_p")[0])
        (bin_,) = (int(name[-1]) for name in s.names if name.startswith("gradient"))
        assert s.colour == COLOURS[theme][f"gradient{bin_}"]
        width = s.width / BIN_WIDTHS[4 - bin_]
        unit = width if unit is None else unit
        assert width == pytest.approx(unit, abs=0.03)
        norm = _measured(models[k], *s.ends)
        assert bin_ == sum(norm >= bound for bound in BINS)


def _measured(model, tail: str, head: str) -> float:
    """The norm on the edge between two drawn points; into and out of a gap it is that of the step at its end."""
    a, b = _point(tail), _point(head)
    if isinstance(a, str):
        a = Point("h", b.layer, b.position + 1)
    if isinstance(b, str):
        b = Point("h", a.layer, a.position - 1)
    return model.flow.edges[a, b]


def _point(name: str):
    role, layer, position = re.fullmatch(r"p\d+_([Lxyhg])(\d+)_(\d+|gap)", name).groups()
    return "gap" if position == "gap" else LOSS if role == "L" else Point(role, int(layer), int(position) - 1)


@every_case
def test_every_measured_edge_between_shown_positions_is_drawn_once(case):
    figure, c = _seen(case, "light"), _comparison(case)
    n = len(c.tokens)
    shown = range(n) if n <= 24 else [0, 1, 2, *range(n - 4, n)]
    for k, m in enumerate(c.models):
        both = {e: g for e, g in m.flow.edges.items() if all(p == LOSS or p.position in shown for p in e)}
        drawn = [tuple(map(_point, s.ends)) for s in figure.shafts if s.id.startswith(f"shaft_p{k}_")]
        assert Counter(e for e in drawn if "gap" not in e) == Counter(e for e, g in both.items() if g > 0)
        gaps = sum("gap" in e for e in drawn)
        assert gaps == (2 * len({e[0].layer for e in both if e[0].role == "h"}) if n > 24 else 0)
    zero = [line for line in figure.lines if "zero" in line.names]
    in_models = sum(
        g == 0 and all(p == LOSS or p.position in shown for p in e) for m in c.models for e, g in m.flow.edges.items()
    )
    assert len(zero) == in_models + 1, "and the legend's"
    assert all("nothing" in line.title for line in zero[:-1])


@every_case
def test_the_percentages_under_the_tokens_are_the_measured_ones(case):
    figure, c = _seen(case, "light"), _comparison(case)
    for k, m in enumerate(c.models):
        tokens = [s for s in figure.spots if s.id.startswith(f"p{k}_x0_")]
        assert tokens
        for token in tokens:
            (said,) = (t.said for t in figure.texts if abs(t.middle - token.at[0]) < 1.5
                       and re.fullmatch(r"<?[\d.]+%|0", t.said) and 0 < t.box[1] - token.at[1] < 60)  # fmt: skip
            measured = 100 * m.flow.arriving[_point(token.id).position]
            if said.startswith("<"):
                assert 0 < measured < float(said[1:-1])
            elif said == "0":
                assert measured == 0
            else:
                digits = len(said.split(".")[1].rstrip("%")) if "." in said else 0
                assert abs(float(said.rstrip("%")) - measured) <= 0.5001 * 10**-digits


@every_case
def test_ids_are_unique(case):
    ids = Counter(e.get("id") for e in _seen(case, "light").root.iter() if e.get("id"))
    assert ids
    assert max(ids.values()) == 1, ids.most_common(2)


@every_case
def test_the_style_sheet_alone_turns_the_light_figure_into_the_dark_one(case):
    """Every coloured element has a class that the dark style sheet knows, and gets the colour of the dark theme."""
    c = _comparison(case)
    auto, dark = seen.styled(c.svg("auto")), ET.fromstring(c.svg("dark"))
    pairs = list(zip(auto.iter(), dark.iter(), strict=True))
    coloured = 0
    for a, d in pairs:
        assert a.tag == d.tag
        for colour in ("fill", "stroke"):
            if d.get(colour) and not (colour == "stroke" and d.get("stroke") == "none"):
                assert a.get(colour) == d.get(colour), (a.attrib, d.attrib)
                coloured += 1
    assert coloured > 50
    assert seen.styled(c.svg("auto")).find(f"{NS}style") is not None


def test_the_light_figure_has_no_dark_style_sheet_and_the_automatic_one_has():
    c = _comparison("2 tokens")
    assert "prefers-color-scheme" in Seen(c.svg()).style()
    assert "prefers-color-scheme" not in Seen(c.svg("light")).style()


def test_above_24_tokens_the_first_three_and_the_last_four_are_shown():
    figure = _seen("40 tokens", "light")
    words = [t.said for t in figure.texts if t.said.startswith("word")]
    assert words == [f"word{k}" for k in (1, 2, 3, 37, 38, 39, 40)] * 2
    assert len([t for t in _seen("24 tokens", "light").texts if t.said.startswith("word")]) == 48


def test_words_are_shown_as_they_are():
    shown = [t.said for t in _seen("hostile", "light").texts]
    assert [w for w in ("<b>x</b>", '"q"', "'p'", "\\n", "\\l", "&amp;", "a␀b", "%") if w not in shown] == []
    assert "안녕하세요" in [t.said for t in _seen("Korean", "light").texts]


def test_the_figure_says_itself_to_screen_readers():
    root = _seen("as shipped", "light").root
    assert root.get("role") == "img"
    assert "12 hops" in root.findtext(f"{NS}desc", "")
    assert "RNN and Self-attention" in root.findtext(f"{NS}title", "")
