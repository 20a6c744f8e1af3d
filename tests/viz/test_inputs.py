"""Is everything that cannot be compared refused in one sentence, with what to do next?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
import viz
from minitorch import nn
from transformer import RNN, MultiHeadAttention

TOKENS = ["the", "animal", "did", "not", "cross"]


def _pair() -> tuple[RNN, MultiHeadAttention]:
    return RNN(8, 8), MultiHeadAttention(8, 2, causal=True)


class Mine(mt.Module):
    """A layer of somebody else's."""

    def __init__(self, run):
        self.run = run

    def forward(self, x):
        return self.run(x)


def test_a_module_without_d_in_says_how_to_give_the_width():
    mine = Mine(mt.tanh)
    with pytest.raises(viz.InputError, match=r"Mine has no attribute d_in; .*compare\(\.\.\., width=32\)"):
        viz.compare(mine, mine, TOKENS)


def test_a_module_that_mixes_nothing_has_no_way_to_the_first_token():
    mine = Mine(mt.tanh)
    with pytest.raises(viz.InputError, match=r"Mine 1: no gradient can go from the last position to the first token"):
        viz.compare(mine, mine, TOKENS, seeds=1, width=4)
    assert viz.compare(mine, mine, "alone", seeds=1, width=4).models[0].hops == (2,)


@pytest.mark.parametrize(
    "run",
    [lambda x: x[:, -1], lambda x: x.sum(), lambda x: x[:, :3], lambda x: x.swapaxes(0, 1), lambda x: x.reshape(5, 8)],
)
def test_a_wrong_output_shape_names_the_module_and_both_shapes(run):
    with pytest.raises(viz.InputError, match=r"Mine made \(.*\) of \(1, 5, 8\); .* give a Tensor \(batch, n, d\)"):
        viz.compare(Mine(run), RNN(8, 8), TOKENS, seeds=1, width=8)


def test_a_time_major_recurrence_is_told_to_keep_the_batch_first():
    W = mt.tensor(np.eye(4), requires_grad=True)

    def run(x):
        x, h, states = x.swapaxes(0, 1), None, []  # (n, batch, d)
        for t in range(x.shape[0]):
            with mt.step(t):
                h = mt.tanh(x if h is None else x + (h @ W))  # the whole sequence in each step, batch on axis 1
            states.append(h[t])
        return mt.stack(states, axis=1)

    with pytest.raises(mt.ShapeError, match=r"a recurrence hands on a value of shape .* needs the batch on axis 0"):
        viz.compare(Mine(run), RNN(4, 4), TOKENS, seeds=1, width=4)


def test_a_width_that_the_model_does_not_take_names_op_and_shapes():
    with pytest.raises(mt.ShapeError, match=r"\(1, 5, 5\).* 8"):
        viz.compare(RNN(8, 8), MultiHeadAttention(8), TOKENS, seeds=1, width=5)


def test_two_models_of_different_width_are_refused_or_told_apart():
    with pytest.raises(mt.MinitorchError, match=r"8.*4|4.*8"):
        viz.compare(RNN(8, 8), RNN(4, 4), TOKENS, seeds=1)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([], "empty"),
        ("", "empty"),
        ("  ", "empty"),
        (["w"] * 513, "513 tokens; the limit is 512"),
        ([1, 2], "a token is 1"),
    ],
)
def test_tokens_that_cannot_be_compared_are_refused(tokens, said):
    with pytest.raises(viz.InputError, match=said):
        viz.compare(*_pair(), tokens)


def test_no_seeds_measure_nothing():
    with pytest.raises(viz.InputError, match="0 seeds; a measurement needs at least 1"):
        viz.compare(*_pair(), TOKENS, seeds=0)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Mine(lambda x: (x, x)), r"Mine made a tuple of \(1, 5, 8\); .* give a Tensor \(batch, n, d\)"),
        (Mine(lambda x: x.numpy()), r"Mine made a ndarray of \(1, 5, 8\)"),
        (Mine(lambda x: mt.tensor(x.numpy())), r"left: its output does not depend on its input .* \.numpy\(\)"),
        (nn.Sequential([]), "Sequential has no layers, so there is nothing to measure"),
        (RNN(8, 4), r"left makes outputs of width 4 of inputs of width 8; .* Put nn\.Linear\(4, 8\) behind it"),
        (RNN, "RNN is a function that takes arguments. Give a Module, or a function without arguments"),
        (lambda x: x, "<lambda> is a function that takes arguments"),
        (lambda: 3, "a function that should build a model made a int, not a Module"),
        (3, "a model is 3, a int. Give a Module"),
        (None, "a model is None"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_a_model_that_cannot_be_measured_is_refused_with_a_next_step(model, said, swapped):
    pair = (RNN(8, 8), model) if swapped else (model, RNN(8, 8))
    names = ("right", "left") if swapped else ("left", "right")
    with pytest.raises(viz.InputError, match=said) as caught:
        viz.compare(*pair, TOKENS, seeds=1, width=8, names=names)
    assert "\n" not in str(caught.value), "no line of the user's is to blame"


@pytest.mark.parametrize("names", [("a", "b", "c"), ("a",), "ab", (1, 2), 3])
def test_names_that_are_not_two_texts_are_refused(names):
    with pytest.raises(viz.InputError, match=r"Give (two texts: )?names=\('left', 'right'\)"):
        viz.compare(*_pair(), TOKENS, seeds=1, names=names)


def test_an_unknown_theme_is_refused(tmp_path: Path):
    c = viz.compare(*_pair(), TOKENS, seeds=1)
    for draw in (
        c.dot,
        c.svg,
        *(lambda theme, s=s: c.save(tmp_path / f"f{s}", theme=theme) for s in (".svg", ".html")),
    ):
        with pytest.raises(viz.InputError, match="the theme 'blue'; known are auto, light, dark"):
            draw(theme="blue")  # type: ignore[call-arg]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("width", [0, -3, 2.5, "8"])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(viz.InputError, match=r"has the width .*; say how wide its inputs are"):
        viz.compare(*_pair(), TOKENS, seeds=1, width=width)
