"""Do the words in title, panel and caption say what was measured, and no more?"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

import minitorch as mt
import viz
from minitorch import nn
from transformer import RNN, EncoderBlock, MultiHeadAttention
from viz import claims
from viz.measure import measure_models

TOKENS = ["the", "animal", "did", "not", "cross"]


def _pair() -> tuple[RNN, MultiHeadAttention]:
    return RNN(8, 8), MultiHeadAttention(8, 2, causal=True)


def _builders():
    return (lambda: RNN(8, 8)), (lambda: MultiHeadAttention(8, 2, causal=True))


def _titles(c: viz.Comparison) -> list[str]:
    return [claims.title(m).split(": ")[-1] for m in c.models]


class Skip(mt.Module):
    """An RNN with a way around it, to every position from the last one."""

    d_in = 8

    def __init__(self):
        self.rnn = RNN(8, 8)

    def forward(self, x):
        return self.rnn(x) + x.mean(axis=1, keepdims=True)


def test_titles_say_only_what_the_hops_say():
    attention = lambda: MultiHeadAttention(8, causal=True)
    three = nn.Sequential([attention() for _ in range(3)])
    c = viz.compare(three, nn.Sequential([RNN(8, 8), attention()]), TOKENS, seeds=1)
    assert _titles(c) == ["through 3 layers to every token", "through 2 layers to every token"]
    c = viz.compare(Skip(), nn.Sequential([attention(), RNN(8, 8)]), TOKENS, seeds=1, names=("skip", "over"))
    assert [m.hops for m in c.models] == [(2,) * 5, (3,) * 5]
    assert _titles(c) == ["straight to every token", "through 2 layers to every token"]
    c = viz.compare(RNN(8, 8), EncoderBlock(8, RNN(8, 8)), TOKENS, seeds=1)
    assert _titles(c) == ["back through every time step"] * 2
    c = viz.compare(nn.Sequential([Half(), attention()]), Half(), TOKENS, seeds=1, names=("over", "half"))
    assert [m.hops for m in c.models] == [(3,) * 5, (4, 4, 4, 3, 2)]
    assert _titles(c) == ["through 2 layers to every token", "half"]


class Half(mt.Module):
    """Two steps for five positions: the gradient goes through some states only."""

    d_in = 8

    def forward(self, x):
        h = None
        for t, some in enumerate((x[:, :3], x[:, 3:])):
            with mt.step(t):
                for k in reversed(range(some.shape[1])):
                    h = some[:, k] if h is None else mt.tanh(some[:, k] + h)
        return x * 0.5 + h.reshape(-1, 1, 8)


def _said(arriving: list[float]) -> str:
    (m,) = measure_models({"A": MultiHeadAttention(8)}, ["w"] * len(arriving), seeds=1)
    return claims.claim(replace(m, flow=replace(m.flow, arriving=np.array(arriving))))


@pytest.mark.parametrize(
    ("arriving", "said"),
    [
        ([0.5], ""),
        ([0.04, 0.5], "4.0% at the earlier token"),
        ([0.04, 0.041, 0.5], "about 4.0% at every earlier token"),
        ([0.02, 0.04, 0.5], "between 2.0% and 4.0% at earlier tokens"),
        ([1e-9, 1e-8, 0.5], "below 0.001% at every earlier token"),
        ([1e-9, 0.04, 0.5], "at most 4.0% at earlier tokens"),
        ([0.0, 0.0, 0.5], "0 at every earlier token"),
    ],
)
def test_the_claim_says_which_tokens_it_is_about(arriving, said):
    assert _said(arriving) == said


def test_each_step_back_is_counted_within_one_recurrence():
    c = viz.compare(nn.Sequential([RNN(8, 8), RNN(8, 8)]), RNN(8, 8), TOKENS, seeds=1)
    path, edges = c.models[0].path, c.models[0].flow.edges
    kept = [
        edges[b, d] / edges[a, b]
        for a, b, d in zip(path, path[1:], path[2:], strict=False)
        if a.role == b.role == d.role == "h" and a.layer == b.layer == d.layer
    ]
    assert claims.percent(float(np.exp(np.mean(np.log(kept))))) in claims.claim(c.models[0])


def test_a_softmax_is_named_as_the_reason_only_where_it_is():
    class Dead(mt.Module):
        """A weight that is multiplied by zero, beside attention."""

        d_in = 8

        def __init__(self):
            self.inner, self.unused = MultiHeadAttention(8), nn.Linear(8, 8, bias=False)

        def forward(self, x):
            return self.inner(x) + self.unused(x) * 0.0

    c = viz.compare(Dead(), RNN(8, 8), "alone", seeds=2)
    assert dict(c.models[0].zero_gradients) == {
        "inner.W_q.weight": True, "inner.W_k.weight": True, "unused.weight": False,
    }  # fmt: skip
    softmax = "a softmax over one entry is 1 whatever its score, so no gradient passes it."
    assert (
        c.caption[2:]
        == [
            f"Dead: inner.W_q, inner.W_k get exactly zero gradient: {softmax}",
            "Dead: unused gets exactly zero gradient.",
            "RNN: W_h gets exactly zero gradient.",
        ][: len(c.caption) - 2]
    )
    longer = viz.compare(Dead(), RNN(8, 8), "two words", seeds=2)
    assert dict(longer.models[0].zero_gradients) == {"unused.weight": False}


def test_a_gradient_that_is_zero_for_one_seed_only_is_not_said_to_be_zero():
    first = np.random.default_rng(0).random()

    class Sometimes(mt.Module):
        d_in = 4

        def __init__(self):
            self.W, self.on = nn.Parameter(np.ones(4)), float(mt.random.generator().random() != first)

        def forward(self, x):
            return x.mean(axis=1, keepdims=True) + x * self.W * self.on

    c = viz.compare(Sometimes, RNN(4, 4), "a b", seeds=9)
    assert not c.models[0].zero_gradients


class Loop(mt.Module):
    """A recurrence that does not mark its steps."""

    d_in = 8

    def forward(self, x):
        h, states = 0.0, []
        for t in range(x.shape[1]):
            h = mt.tanh(x[:, t] + 0.5 * h)
            states.append(h)
        return mt.stack(states, axis=1)


def test_a_recurrence_without_marked_steps_is_noticed_and_told_how_to_mark_them():
    c = viz.compare(Loop(), nn.Sequential([RNN(8, 8), MultiHeadAttention(8, causal=True)]), TOKENS, seeds=1)
    assert [m.unmarked for m in c.models] == [True, False]
    assert "Loop looks recurrent" in c.caption[-1]
    assert "`with mt.step(t):`" in c.caption[-1]
    assert _titles(c)[0] == "Loop", "and nothing is claimed about its way"
    assert not any("looks recurrent" in line for line in viz.compare(*_pair(), TOKENS, seeds=1).caption)


def test_a_model_for_one_length_only_can_be_compared():
    class Fixed(mt.Module):
        d_in = 8

        def forward(self, x):
            assert x.shape[1] == 5, "five positions"
            return x + x.mean(axis=1, keepdims=True)

    c = viz.compare(Fixed(), RNN(8, 8), TOKENS, seeds=1)
    assert c.models[0].growth is None
    assert c.models[0].hops == (2,) * 5


def test_where_weights_are_from_is_said_for_each_model():
    c = viz.compare(RNN(8, 8), lambda: MultiHeadAttention(8), TOKENS, seeds=1)
    assert "weights of RNN as given, of MultiHeadAttention drawn for each seed" in c.caption[0]


def test_comparing_leaves_the_users_random_numbers_alone():
    mt.seed(5)
    viz.compare(*_builders(), TOKENS, seeds=1)
    after = mt.random.generator().random()
    assert after == mt.seed(5).random()


def test_weights_of_zero_are_drawn_as_a_way_without_gradient():
    attention = MultiHeadAttention(8, causal=True)
    attention.W_v.weight = nn.Parameter(np.zeros((8, 8)))

    class Around(mt.Module):
        d_in = 8

        def __init__(self):
            self.inner = attention

        def forward(self, x):
            return x + self.inner(x)

    c = viz.compare(Around(), RNN(8, 8), TOKENS, seeds=1)
    assert c.models[0].hops == (2,) * 5
    assert claims.percent(float(c.models[0].flow.arriving[0])) == "0"
    lines = [g for g in ET.fromstring(c.svg()).iter() if "halo" in (g.get("class") or "").split()]
    assert len(lines) == 2 + 6 + 1, "the path is highlighted although nothing goes along it"


def test_the_way_a_figure_takes_through_positions_that_it_leaves_out_is_drawn_through_a_gap():
    class Window(mt.Module):
        d_in = 8

        def __init__(self):
            self.inner = MultiHeadAttention(8)

        def forward(self, x):
            k = np.arange(x.shape[1])
            return self.inner(x, (k[:, None] >= k) & (k[:, None] - k < 12))

    c = viz.compare(nn.Sequential([Window() for _ in range(4)]), RNN(8, 8), [f"w{k}" for k in range(40)], seeds=1)
    assert c.models[0].hops == (5,) * 40
    shafts = [
        g.get("id", "")
        for g in ET.fromstring(c.svg()).iter()
        if {"shaft", "path"} <= set((g.get("class") or "").split())
    ]
    at, steps, path = (
        "p0_L0_1",
        0,
        dict(re.findall(r"shaft_(p0_\w\d_(?:\d+|gap))_(p0_\w\d_(?:\d+|gap))", " ".join(shafts))),
    )
    while at in path:
        at, steps = path.pop(at), steps + 1
    assert (at, steps, path) == ("p0_x0_1", 5, {})
