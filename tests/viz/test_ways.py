"""Are ways found that are hard to find: several recurrences, hidden positions, weights that are zero?"""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from transformer import RNN, EncoderBlock, MultiHeadAttention
from viz.errors import InputError
from viz.flow import measure, probe
from viz.points import Point

pytestmark = pytest.mark.usefixtures("float64")
N, D = 7, 6


def _vjp(f: mt.Module, x: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The engine's gradient of one sentence, without tiles."""
    leaf = mt.tensor(x[None], requires_grad=True)
    return mt.grad(f(leaf), leaf, g[None]).numpy()[0]


def _row(i: int, g: np.ndarray, n: int = N) -> np.ndarray:
    """g on row i alone."""
    return np.eye(n)[:, [i]] * g


class Both(nn.Module):
    """One recurrence forwards, one backwards, in one layer."""

    def __init__(self):
        self.f, self.b, self.d_in = RNN(D, D), RNN(D, D), D

    def forward(self, x):
        return self.f(x) + self.b(x[:, ::-1])[:, ::-1]


class Stacked(nn.Module):
    """A recurrence over another, in one layer."""

    def __init__(self):
        self.first, self.second, self.d_in = RNN(D, D), RNN(D, D), D

    def forward(self, x):
        return self.second(mt.tanh(self.first(x)))


class Interleaved(nn.Module):
    """Both directions in one loop."""

    def __init__(self):
        self.f, self.b, self.d_in = nn.Linear(D, D), nn.Linear(D, D), D

    def forward(self, x):
        n, f, b, fs, bs = x.shape[1], 0.0, 0.0, [], []
        for t in range(n):
            with mt.step(t):
                f, b = mt.tanh(x[:, t] + self.f(f + x[:, t])), mt.tanh(x[:, n - 1 - t] + self.b(b + x[:, n - 1 - t]))
            fs.append(f)
            bs.insert(0, b)
        return mt.stack(fs, axis=1) + mt.stack(bs, axis=1)


class Skipping(nn.Module):
    """A recurrence that also reads the state before the last one."""

    def __init__(self, back: int = 2):
        self.W, self.back, self.d_in = nn.Linear(D, D), back, D

    def forward(self, x):
        states = []
        for t in range(x.shape[1]):
            with mt.step(t):
                h = x[:, t] if t == 0 else x[:, t] + self.W(states[-1])
                states.append(mt.tanh(h if t < self.back else h + 0.5 * states[-self.back]))
        return mt.stack(states, axis=1)


class Window(nn.Module):
    """Attention to the last few positions only."""

    def __init__(self, size: int, d: int = D):
        self.inner, self.size, self.d_in = MultiHeadAttention(d), size, d

    def forward(self, x):
        k = np.arange(x.shape[1])
        return self.inner(x, (k[:, None] >= k) & (k[:, None] - k < self.size))


def _numbers(n: int, d: int = D) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((n, d))


@pytest.mark.parametrize("model", [Both, Interleaved])
@pytest.mark.parametrize("n", [1, 2, 6])
def test_two_recurrences_in_one_layer_have_states_of_their_own(model, n):
    """A gradient cannot change from one to the other, so token 1 is n states away from the last output."""
    structure = probe(model(), _numbers(n))
    assert structure.hops == tuple(range(n + 2, 2, -1))
    assert {p.track for e in structure.edges for p in e if p.role == "h"} == {0, 1}
    between = [e for e in structure.edges if e[0].role == e[1].role == "h"]
    assert len(between) == 2 * (n - 1)
    assert all(a.track == b.track and a.position == b.position + 1 for a, b in between)


def test_norms_of_two_recurrences_in_one_layer_are_those_of_each_alone():
    model, x, readout = Both(), _numbers(N), np.ones(D)
    flow = measure(model, x, readout, probe(model, x))
    for track, part, inputs in ((0, model.f, x), (1, model.b, x[::-1])):
        g = _row(N - 1 if track == 0 else 0, readout)
        dx = _vjp(part, inputs, g)
        for t in range(N):
            token = t if track == 0 else N - 1 - t
            edge = Point("h", 1, t, track), Point("x", 0, token)
            assert flow.edges[edge] == pytest.approx(np.linalg.norm(dx[t]), rel=1e-12)


@pytest.mark.parametrize("n", [2, 6, 40])
def test_a_recurrence_over_another_in_one_layer_equals_two_layers(n):
    model, x, readout = Stacked(), _numbers(n), np.ones(D)
    structure = probe(model, x, [0, 1, n - 1])
    assert structure.hops == tuple(range(n + 2, 2, -1))
    flow = measure(model, x, readout, structure)
    second_in = mt.tanh(model.first(mt.tensor(x[None]))).numpy()[0]
    d_in = _vjp(model.second, second_in, _row(n - 1, readout, n))
    h = model.first(mt.tensor(x[None])).numpy()[0]
    down = flow.edges[Point("h", 1, 0, 1), Point("h", 1, 0, 0)]
    assert down == pytest.approx(np.linalg.norm(d_in[0] * (1 - np.tanh(h[0]) ** 2)), rel=1e-12)


def test_a_skip_in_a_recurrence_shortens_the_way():
    structure = probe(Skipping(), _numbers(9))
    assert structure.hops[0] == 1 + 4 + 1
    assert all(h is not None for h in structure.hops)


def test_norms_between_states_that_are_not_shown_count_ways_by_other_operations_too():
    class Beside(nn.Module):
        def forward(self, x):
            h, beside, states = 0.0, 0.0, []
            for t in range(x.shape[1]):
                with mt.step(t):
                    h = mt.tanh(x[:, t] + 0.5 * h + beside)
                beside = mt.tanh(0.5 * h)  # outside of the step
                states.append(h)
            return mt.stack(states, axis=1)

    x, readout = _numbers(12), np.ones(D)
    some, every = (measure(Beside(), x, readout, probe(Beside(), x, shown)) for shown in ([0, 11], None))
    hidden = Point("h", 1, 6), Point("h", 1, 5)
    assert some.edges[hidden] == pytest.approx(every.edges[hidden], rel=1e-12)


def test_values_that_a_state_is_read_by_twice_add_up_before_the_norm_is_taken():
    class Twice(nn.Module):
        def forward(self, x):
            h, states = x[:, 0], []
            for t in range(x.shape[1]):
                with mt.step(t):
                    h = mt.tanh(x[:, t] + 0.5 * h - 0.4 * h)
                states.append(h)
            return mt.stack(states, axis=1)

    x, readout = _numbers(3), np.ones(D)
    flow = measure(Twice(), x, readout, probe(Twice(), x))
    h = Twice()(mt.tensor(x[None])).numpy()[0]
    expected = np.linalg.norm(0.1 * (1 - h[2] ** 2))
    assert flow.edges[Point("h", 1, 2), Point("h", 1, 1)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [25, 60])
def test_paths_lead_through_positions_that_are_not_shown(n):
    model = nn.Sequential([Window(8) for _ in range(9)])
    structure = probe(model, _numbers(n), [0, 1, 2, n - 4, n - 3, n - 2, n - 1])
    everything = probe(model, _numbers(n))
    assert structure.hops == everything.hops
    assert structure.hops == tuple(10 if n - 1 - t <= 9 * 7 else None for t in range(n))
    path = structure.path
    assert path is not None
    assert all(a.position - b.position < 8 for a, b in itertools.pairwise(path[1:]))
    flow = measure(model, _numbers(n), np.ones(D), structure)
    assert all(flow.edges[e] > 0 for e in itertools.pairwise(path))


def test_512_positions_are_searched_in_seconds():
    start = time.perf_counter()
    assert probe(MultiHeadAttention(8, causal=True), _numbers(512, 8), [0, 511]).hops == (2,) * 512
    assert probe(RNN(8, 8), _numbers(512, 8), [0, 511]).hops[0] == 513
    assert probe(EncoderBlock(8, RNN(8, 8)), _numbers(512, 8), [0, 511]).hops[0] == 514
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize("zero", ["W_v", "W_o", "W_q"])
def test_weights_that_are_zero_hide_no_way_and_carry_nothing(zero):
    class Around(nn.Module):
        def __init__(self):
            self.inner, self.d_in = MultiHeadAttention(D, causal=True), D
            linear = getattr(self.inner, zero)
            linear.weight = nn.Parameter(np.zeros((D, D)))

        def forward(self, x):
            return x + self.inner(x)

    model, x = Around(), _numbers(N)
    structure = probe(model, x)
    assert structure.hops == (2,) * N
    flow = measure(model, x, np.ones(D), structure)
    carried = flow.edges[Point("y", 1, N - 1), Point("x", 0, 0)]
    assert carried == 0 if zero != "W_q" else carried > 0
    assert not getattr(model.inner, zero).weight.numpy().any(), "the model is as it was"


def test_a_model_that_cannot_be_copied_is_looked_at_as_it_is():
    model = MultiHeadAttention(D, causal=True)
    model.file = (k for k in range(3))  # type: ignore[attr-defined]
    assert probe(model, _numbers(3)).hops == (2, 2, 2)


@pytest.mark.parametrize("shift", [1, -1])
def test_a_time_step_that_is_no_position_is_refused(shift):
    class Shifted(nn.Module):
        def forward(self, x):
            h = 0.0
            for t in range(x.shape[1]):
                with mt.step(t + shift):
                    h = mt.tanh(x[:, t] + 0.5 * h)
            return x + h.reshape(-1, 1, D)

    with pytest.raises(InputError, match=r"marks time step -?\d, but there are 7 positions; steps count from 0"):
        probe(Shifted(), _numbers(N))
