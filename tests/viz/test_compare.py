"""Can anyone compare two models of their own, in three lines, and is told what is wrong with them?"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
import viz
from minitorch import nn
from transformer import RNN, EncoderBlock, MultiHeadAttention
from viz import dot
from viz.measure import embed

TOKENS = ["the", "animal", "did", "not", "cross"]


def _pair() -> tuple[RNN, MultiHeadAttention]:
    return RNN(8, 8), MultiHeadAttention(8, 2, causal=True)


def test_modules_are_measured_with_the_weights_that_they_have():
    rnn, attention = _pair()
    c = viz.compare(rnn, attention, TOKENS, seeds=1)
    assert [m.name for m in c.models] == ["RNN", "MultiHeadAttention"]
    assert [m.hops[0] for m in c.models] == [6, 2]
    x, readout = embed(TOKENS, 8, 0)
    for measured, model in zip(c.models, (rnn, attention), strict=True):
        leaf = mt.tensor(x[None], requires_grad=True)
        (model(leaf)[0, -1] * readout).sum().backward()
        assert leaf.grad is not None
        expected = np.linalg.norm(leaf.grad.numpy()[0], axis=1) / np.linalg.norm(readout)
        np.testing.assert_allclose(measured.flow.arriving, expected, rtol=1e-5)
    assert "weights as given" in c.caption[0]


def test_several_seeds_give_the_geometric_mean():
    one = [viz.compare(*_builders(), TOKENS, seeds=k) for k in (1, 2)]
    builder = _builders()[0]
    x, readout = embed(TOKENS, 8, 1)
    mt.seed(1)
    with mt.default_dtype(np.float64):
        model = builder()
    leaf = mt.tensor(x[None], requires_grad=True)
    (model(leaf)[0, -1] * readout).sum().backward()
    assert leaf.grad is not None
    second = np.linalg.norm(leaf.grad.numpy()[0], axis=1) / np.linalg.norm(readout)
    np.testing.assert_allclose(one[1].models[0].flow.arriving, np.sqrt(one[0].models[0].flow.arriving * second))
    assert "weights drawn for each seed" in one[0].caption[0]


def _builders():
    return (lambda: RNN(8, 8)), (lambda: MultiHeadAttention(8, 2, causal=True))


def test_comparing_changes_no_model_and_the_same_run_gives_the_same_numbers():
    rnn, attention = _pair()
    before = [p.numpy().copy() for m in (rnn, attention) for p in m.parameters()]
    a, b = (viz.compare(rnn, attention, TOKENS, seeds=2) for _ in range(2))
    assert a.to_dict() == b.to_dict()
    assert a.dot() == b.dot()
    after = [p for m in (rnn, attention) for p in m.parameters()]
    assert all(np.array_equal(p.numpy(), q) and p.grad is None for p, q in zip(after, before, strict=True))


def test_it_displays_itself_in_a_notebook_and_saves_itself(tmp_path: Path):
    c = viz.compare(*_pair(), " ".join(TOKENS), seeds=1)
    assert ET.fromstring(c._repr_svg_() or "").tag.endswith("svg")
    html = c._repr_html_()
    assert "<svg" in html
    assert "<html" not in html
    for suffix in (".svg", ".png", ".dot", ".html"):
        target = c.save(tmp_path / f"c{suffix}")
        assert target.stat().st_size > 1000
    with pytest.raises(viz.InputError, match=r"'\.gif'"):
        c.save(tmp_path / "c.gif")
    assert len(list(tmp_path.iterdir())) == 4


def test_without_an_engine_it_displays_the_dot_text(monkeypatch):
    c = viz.compare(*_pair(), TOKENS, seeds=1)
    monkeypatch.setattr(dot, "engine_for", _no_engine)
    assert c._repr_svg_() is None
    assert "digraph" in c._repr_html_()
    with pytest.raises(viz.LayoutError):
        c.svg()


def _no_engine(format, source=""):
    raise viz.LayoutError("no engine")


def test_names_are_numbered_if_equal_and_taken_if_given():
    rnn = RNN(4, 4)
    assert [m.name for m in viz.compare(rnn, RNN(4, 4), "a b", seeds=1).models] == ["RNN 1", "RNN 2"]
    given = viz.compare(rnn, rnn, "a b", seeds=1, names=("<b>", "\\N & \\G"))
    said = [t.text for t in ET.fromstring(given.svg()).iter() if t.tag.endswith("text")]
    assert any(t.startswith("<b>: ") for t in said if t)
    assert any(t.startswith("\\N & \\G: ") for t in said if t)


def test_two_given_names_that_are_equal_are_still_two_models():
    c = viz.compare(RNN(4, 4), MultiHeadAttention(4), "a b", seeds=1, names=("same", "same"))
    assert [m.hops[0] for m in c.models] == [3, 2]


@pytest.mark.parametrize(
    "model",
    [lambda: nn.Sequential([RNN(4, 4), RNN(4, 4)]), lambda: EncoderBlock(4, RNN(4, 4), norm="pre"),
     lambda: nn.Sequential([EncoderBlock(4, MultiHeadAttention(4, 2, causal=True)) for _ in range(3)])],
)  # fmt: skip
@pytest.mark.parametrize("n", [1, 3, 30])
def test_stacks_and_blocks_are_drawn_at_any_length(model, n):
    c = viz.compare(model(), RNN(4, 4), [f"w{k}" for k in range(n)], seeds=1)
    assert ET.fromstring(c.svg()).tag.endswith("svg")


def test_tokens_may_be_hostile():
    tokens = ["<script>", '"', "a\nb", "\x00", "\ud83d", "", " ", "😀", "한국어"]
    c = viz.compare(*_pair(), tokens, seeds=1)
    assert "<script" not in c._repr_html_()
    assert "a↵b" in c.svg()
    assert c._repr_html_().encode()
