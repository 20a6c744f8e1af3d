"""Are arrows, heads, halos and words where a reader can tell them apart, also in models that are not shipped?"""

from __future__ import annotations

import functools
import math
import re

import pytest

import minitorch as mt
import viz
from minitorch import nn
from tests.viz import seen
from tests.viz.seen import Line, Seen
from tests.viz.test_ways import Both, D, Skipping, Stacked, Window
from transformer import RNN, EncoderBlock, MultiHeadAttention
from viz.study import Options, compare_only

PAIRS = {
    "both directions, and a skip": (Both, Skipping, 10),
    "both directions, odd": (Both, Stacked, 7),
    "long skips": (lambda: Skipping(5), lambda: EncoderBlock(D, Skipping(3)), 11),
    "skips above 24 tokens": (Skipping, Both, 40),
    "windows above 24 tokens": (lambda: nn.Sequential([Window(12) for _ in range(4)]), Stacked, 40),
}
every_pair = pytest.mark.parametrize("case", PAIRS)


@functools.cache
def _comparison(case: str) -> viz.Comparison:
    mt.seed(0)
    left, right, n = PAIRS[case]
    return viz.compare(left, right, [f"w{k}" for k in range(n)], seeds=1, width=D, names=("left", "right"))


@functools.cache
def _seen(case: str) -> Seen:
    return Seen(_comparison(case).svg("light"))


@functools.cache
def _shipped(**options) -> Seen:
    return Seen(compare_only(Options(seeds=2, **options)).svg("light"))


@every_pair
def test_no_line_passes_through_a_foreign_point(case):
    figure = _seen(case)
    lines = [line for line in figure.lines if line.names & {"shaft", "zero"} and line.places[0][1] < _legend_y(figure)]
    assert len(lines) > 20
    for line in lines:
        foreign = [s for s in figure.spots if not any(_touches(s, end) for end in (line.places[0], line.places[-1]))]
        crossed = [s.id for s in foreign if any(s.covers(p) for p in line.places)]
        assert not crossed, (line, crossed)


def _legend_y(figure: Seen) -> float:
    return max(p[3] for p in figure.panels)


def _touches(spot: seen.Spot, end: seen.XY) -> bool:
    """Whether a line that ends there belongs to the spot: shafts end where their heads begin."""
    return math.dist(spot.at, end) < spot.radius + 9


def test_ways_around_in_a_block_are_bent_also_where_nothing_goes_along_them():
    figure = _shipped(block=True)
    zero = [line for line in figure.lines if line.title.startswith("y₁ to x₁: a way that exists")]
    state = figure.spot("p0_h1_1")
    assert zero
    assert not any(state.covers(p) for line in zero for p in line.places if p[0] < figure.panels[0][2])


@every_pair
def test_the_printed_length_is_that_of_the_highlighted_path(case):
    figure = _seen(case)
    printed = [int(m[1]) for t in figure.texts if (m := re.search(r"to token 1: (\d+) hops?$", t.said))]
    assert printed == [m.hops[0] for m in _comparison(case).models]
    for k in range(2):
        path = dict(s.ends for s in figure.shafts if "path" in s.names and s.id.startswith(f"shaft_p{k}_"))
        at, steps = f"p{k}_L0_1", 0
        while at in path:
            at, steps = path.pop(at), steps + 1
        assert (at, path) == (f"p{k}_x0_1", {})
        assert steps == printed[k] or (steps < printed[k] and len(_comparison(case).tokens) > 24)


@every_pair
def test_labels_fit_and_ids_are_unique(case):
    figure = _seen(case)
    at = {s.id: s for s in figure.spots}
    assert len(at) == len(figure.spots)
    for t in figure.texts:
        assert t.owner not in at or t.box[2] - t.box[0] <= 2 * at[t.owner].radius, t


def _length(line: Line) -> float:
    return math.dist(line.places[0], line.places[-1])


@pytest.mark.parametrize("n", [4, 11, 24])
def test_between_neighbouring_states_the_shaft_shows_its_width_and_the_head_is_wider(n):
    figure = _shipped(sentence=" ".join(f"w{k}" for k in range(n)), width=8, rnn_init="orthogonal")
    heads = {e.get("id"): e for e in figure.root.iter() if (e.get("id") or "").startswith("head_p")}
    shown = [s for s in figure.shafts if all("_h1_" in end for end in s.ends)]
    assert len(shown) == n - 1
    for s in shown:
        tail, head = map(figure.spot, s.ends)
        gap = math.dist(tail.at, head.at) - tail.radius - head.radius
        assert _length(s) >= 0.35 * gap, s
        polygon = next(p for p in heads["head_" + s.id.removeprefix("shaft_")].iter(f"{seen.NS}polygon"))
        ys = [float(y) for y in re.findall(r",(-?[\d.]+)", polygon.get("points", ""))]
        assert max(ys) - min(ys) >= 1.15 * s.width, "a head that is no wider than its shaft is none"


@pytest.mark.parametrize("block", [False, True])
def test_the_halo_has_one_width_all_along_the_path(block):
    halos = [line for line in _shipped(block=block).lines if "halo" in line.names]
    assert len({line.width for line in halos}) == 1
    assert len(halos) > 12


@pytest.mark.parametrize("word", ["W" * 20, "M" * 20, "@" * 20, "i" * 80, "internationalization", "%" * 30, "ÄÖ" * 15])
@pytest.mark.parametrize("n", [2, 6, 11, 24])
def test_long_outer_words_keep_clear_of_the_frame(word, n):
    figure = Seen(compare_only(Options(sentence=" ".join([word] * n), seeds=1, width=4)).svg("light"))
    words = [t for t in figure.texts if t.said == word or (t.said.endswith("…") and word.startswith(t.said[:-1]))]
    assert len(words) == 2 * n
    for t in words:
        frame = next(p for p in figure.panels if seen.inside((t.middle, t.box[1], t.middle, t.box[3]), p))
        assert t.box[0] - frame[0] >= 2, t
        assert frame[2] - t.box[2] >= 2, t


def test_long_titles_stay_in_their_panel():
    names = ("an encoder of three layers, each with four heads and a mask", "RNN")
    three = nn.Sequential([MultiHeadAttention(8, 2) for _ in range(3)])
    figure = Seen(viz.compare(three, RNN(8, 8), "a b c", seeds=1, names=names).svg("light"))
    title = next(t for t in figure.texts if t.said.startswith("an encoder"))
    assert any(seen.inside(title.box, p) for p in figure.panels)
    assert title.size >= 7


@pytest.mark.parametrize("options", [{"block": True}, {"layers": 3}, {"layers": 3, "block": True}, {"heads": 4}])
def test_a_caption_that_is_too_long_breaks_between_clauses(options):
    texts = [t.said for t in _shipped(**options).texts]
    price = next(k for k, said in enumerate(texts) if said.startswith("The price"))
    for said in texts[price:]:
        assert said.endswith((";", ".")), said
        assert "bytes" in said, said


def test_the_caption_says_what_was_measured():
    said = " ".join(t.said for t in _shipped().texts)
    assert "width 32, default initialisation, geometric mean over 2 seeds; the loss reads position 11 only" in said
    assert "one seed" in " ".join(compare_only(Options(sentence="a b", seeds=1)).caption)


def test_one_token_gives_a_figure_and_the_caption_says_which_gradients_are_zero_and_why():
    said = " ".join(t.said for t in _shipped(sentence="alone").texts)
    assert "W_q, W_k get exactly zero gradient: a softmax over one entry is 1 whatever its score" in said
