"""Are the numbers in the figure the engine's gradients, and those of backpropagation written by hand?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from transformer import RNN, EncoderBlock, MultiHeadAttention
from viz.errors import InputError
from viz.flow import arriving, geometric_mean, geometric_mean_of, measure, probe, relative
from viz.layer_flow import LayerFlow
from viz.lengths import LENGTHS
from viz.paths import path_to, search
from viz.points import LOSS, TOKENS, Flow, Point

pytestmark = pytest.mark.usefixtures("float64")
N, D = 7, 6
MODELS = {
    "RNN": lambda: RNN(D, D),
    "two RNNs": lambda: nn.Sequential([RNN(D, D), RNN(D, D)]),
    "attention": lambda: MultiHeadAttention(D, 2, causal=True),
    "attention without a mask": lambda: MultiHeadAttention(D, 2),
    "three attentions": lambda: nn.Sequential([MultiHeadAttention(D, 1, causal=True) for _ in range(3)]),
    "RNN over attention": lambda: nn.Sequential([MultiHeadAttention(D, 1, causal=True), RNN(D, D)]),
    "attention over RNN": lambda: nn.Sequential([RNN(D, D), MultiHeadAttention(D, 1, causal=True)]),
    "block of RNN": lambda: EncoderBlock(D, RNN(D, D)),
    "block of RNN, norm before": lambda: EncoderBlock(D, RNN(D, D), norm="pre"),
    "block of attention": lambda: EncoderBlock(D, MultiHeadAttention(D, 2, causal=True)),
    "block of attention, norm before": lambda: EncoderBlock(D, MultiHeadAttention(D, 2, causal=True), norm="pre"),
    "two blocks of RNN": lambda: nn.Sequential([EncoderBlock(D, RNN(D, D)), EncoderBlock(D, RNN(D, D))]),
}


def _run(name: str, n: int = N):
    """A model, its input, the read-out and the flow measured."""
    rng = np.random.default_rng(5)
    model, x, readout = MODELS[name](), rng.standard_normal((n, D)), rng.standard_normal(D)
    return model, x, readout, measure(model, x, readout, probe(model, x))


def _vjp(f: mt.Module, x: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The engine's gradient of one sentence, without tiles."""
    leaf = mt.tensor(x[None], requires_grad=True)
    return mt.grad(f(leaf), leaf, g[None]).numpy()[0]


def _row(i: int, g: np.ndarray, n: int = N) -> np.ndarray:
    """g on row i alone."""
    return np.eye(n)[:, [i]] * g


@pytest.mark.parametrize("name", MODELS)
def test_arriving_norms_are_those_of_the_rows_of_the_engines_gradient(name):
    model, x, readout, flow = _run(name)
    whole = _vjp(model, x, _row(N - 1, readout))
    np.testing.assert_allclose(flow.arriving, np.linalg.norm(whole, axis=1), rtol=1e-12)
    np.testing.assert_allclose(arriving(model, x, readout), flow.arriving / np.linalg.norm(readout), rtol=1e-12)


@pytest.mark.parametrize("name", ["RNN", "two RNNs"])
def test_edges_between_states_equal_backpropagation_through_time_by_hand(name):
    model, x, readout, flow = _run(name)
    layers = list(model) if isinstance(model, nn.Sequential) else [model]
    inputs = [x]
    for layer in layers:
        inputs.append(layer(mt.tensor(inputs[-1][None])).numpy()[0])
    g = _row(N - 1, readout)
    for k in range(len(layers), 0, -1):
        W_x, W_h, _ = (p.numpy() for p in layers[k - 1].parameters())
        h, dx, dh = inputs[k], np.zeros((N, D)), np.zeros(D)
        for t in reversed(range(N)):
            da = (g[t] + dh) * (1 - h[t] ** 2)
            dx[t], dh = da @ W_x.T, da @ W_h.T
            role = "x" if k == 1 else "h"
            assert flow.edges[Point("h", k, t), Point(role, k - 1, t)] == pytest.approx(
                np.linalg.norm(dx[t]), rel=1e-12
            )
            if t:
                measured = flow.edges[Point("h", k, t), Point("h", k, t - 1)]
                assert measured == pytest.approx(np.linalg.norm(dh), rel=1e-12)
        g = dx
    assert len(flow.edges) == 1 + len(layers) * (N + N - 1), "the loss's edge, and no others"


@pytest.mark.parametrize("name", ["attention", "attention without a mask", "three attentions", "block of attention",
                                  "block of attention, norm before"])  # fmt: skip
def test_edges_from_outputs_to_inputs_equal_one_row_at_a_time(name):
    model, x, readout, flow = _run(name)
    layers = list(model) if isinstance(model, nn.Sequential) else [model]
    inputs = [x]
    for layer in layers:
        inputs.append(layer(mt.tensor(inputs[-1][None])).numpy()[0])
    g, expected = _row(N - 1, readout), {(LOSS, Point("y", len(layers), N - 1)): np.linalg.norm(readout)}
    for k in range(len(layers), 0, -1):
        for i in range(N):
            parts = np.linalg.norm(_vjp(layers[k - 1], inputs[k - 1], _row(i, g[i])), axis=1)
            seen = range(N) if name == "attention without a mask" else range(i + 1)
            for j in seen:
                expected[Point("y", k, i), Point("x" if k == 1 else "y", k - 1, j)] = parts[j]
        g = _vjp(layers[k - 1], inputs[k - 1], g)
    assert set(flow.edges) == set(expected)
    for edge, value in expected.items():
        assert flow.edges[edge] == pytest.approx(value, rel=1e-11, abs=0), edge


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_edges_of_a_recurrent_block_equal_backpropagation_by_hand(norm):
    """From outputs into the states, back through them, and around them."""
    block = EncoderBlock(D, RNN(D, D), norm=norm)
    rng = np.random.default_rng(5)
    x, readout = rng.standard_normal((N, D)), rng.standard_normal(D)
    flow = measure(block, x, readout, probe(block, x))
    before = block.norm_1(mt.tensor(x)).numpy() if norm == "pre" else x
    h = block.mixer(mt.tensor(before[None])).numpy()[0]
    around, states = mt.tensor(x[None], requires_grad=True), mt.tensor(h[None], requires_grad=True)
    y = around + states if norm == "pre" else block.norm_1(around + states)
    inner = block.norm_2(y) if norm == "pre" else y
    z = y + block.feedforward(inner) if norm == "pre" else block.norm_2(y + block.feedforward(y))
    d_around, d_states = (d.numpy()[0] for d in mt.grad(z, [around, states], _row(N - 1, readout)[None]))
    last = Point("y", 1, N - 1)
    assert flow.edges[last, Point("x", 0, N - 1)] == pytest.approx(np.linalg.norm(d_around[-1]), rel=1e-12)
    assert flow.edges[last, Point("h", 1, N - 1)] == pytest.approx(np.linalg.norm(d_states[-1]), rel=1e-12)
    W_x, W_h, _ = (p.numpy() for p in block.mixer.parameters())
    dh = np.zeros(D)
    for t in reversed(range(N)):
        da = (d_states[t] + dh) * (1 - h[t] ** 2)
        leaf = mt.tensor(x[t], requires_grad=True)
        to_x = mt.grad(block.norm_1(leaf), leaf, da @ W_x.T).numpy() if norm == "pre" else da @ W_x.T
        dh = da @ W_h.T
        assert flow.edges[Point("h", 1, t), Point("x", 0, t)] == pytest.approx(np.linalg.norm(to_x), rel=1e-11)
        if t:
            assert flow.edges[Point("h", 1, t), Point("h", 1, t - 1)] == pytest.approx(np.linalg.norm(dh), rel=1e-12)


@pytest.mark.parametrize("name", ["attention", "three attentions", "block of attention", "RNN over attention"])
def test_contributions_of_all_rows_add_up_to_the_whole_gradient(name):
    model, x, _, _ = _run(name)
    g = np.random.default_rng(2).standard_normal((N, D))
    for layer in list(model) if isinstance(model, nn.Sequential) else [model]:
        flow = LayerFlow(layer, x, TOKENS)
        y, leaf = flow._run(N)
        tiles = mt.grad(y, leaf, np.eye(N)[..., None] * g).numpy()
        np.testing.assert_allclose(tiles.sum(0), _vjp(layer, x, g), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(flow.cotangent(g), _vjp(layer, x, g), rtol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_the_loss_sends_exactly_nothing_from_outputs_that_it_does_not_read(name):
    model, _, readout, flow = _run(name)
    top = len(model) if isinstance(model, nn.Sequential) else 1
    assert flow.edges[LOSS, next(b for a, b in flow.edges if a == LOSS)] == pytest.approx(np.linalg.norm(readout))
    unread = [g for (a, _), g in flow.edges.items() if a.role == "y" and a.layer == top and a.position < N - 1]
    assert all(g == 0.0 for g in unread)
    if "y" in {a.role for (a, _) in flow.edges if a.layer == top}:
        assert unread, "ways that exist and carry nothing are edges too"
    assert all(g > 0 for (a, _), g in flow.edges.items() if a.position == N - 1)


@pytest.mark.parametrize("n", LENGTHS)
def test_an_rnn_over_n_tokens_is_n_plus_1_hops_long(n):
    model, x = RNN(4, 4), np.random.default_rng(0).standard_normal((n, 4))
    assert probe(model, x).hops == tuple(range(n + 1, 1, -1))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("n", LENGTHS)
def test_attention_in_l_layers_is_l_plus_1_hops_long_whatever_n(n, layers):
    x = np.random.default_rng(0).standard_normal((n, 4))
    model = nn.Sequential([MultiHeadAttention(4, 1, causal=True) for _ in range(layers)])
    structure = probe(model, x)
    assert structure.hops == (layers + 1,) * n
    assert len(structure.edges) == 1 + layers * n * (n + 1) // 2


@pytest.mark.parametrize(
    ("name", "hops"),
    [
        ("RNN", range(8, 1, -1)),
        ("attention", [2] * 7),
        ("two RNNs", range(9, 2, -1)),
        ("block of attention", [2] * 7),
    ],
)
def test_hops_to_each_token(name, hops):
    model, x, _, _ = _run(name)
    assert probe(model, x).hops == tuple(hops)
    assert probe(model, x, [0, 3]).hops == tuple(hops), "whatever is shown"


@pytest.mark.parametrize("first", ["ab", "ba"])
def test_the_shortest_path_is_found_whichever_way_is_tried_first(first):
    following = {"s": list(first), "a": ["g"], "b": ["c"], "c": ["g"]}
    ways = lambda points, found: [(p, following.get(p, [])) for p in points]
    assert path_to("g", search("s", ways)) == ["s", "a", "g"]
    assert path_to("s", search("g", ways)) is None


def test_a_block_around_an_rnn_shortens_the_way_only_where_it_goes_around():
    model, x, _, _ = _run("block of RNN")
    structure = probe(model, x)
    assert structure.hops == (*(N + 2 - t for t in range(N - 1)), 2)
    assert [p.role for p in structure.path or ()] == ["L", "y", *["h"] * N, "x"]


def test_a_gradient_too_small_to_be_squared_still_flows():
    x = np.random.default_rng(0).standard_normal((400, 4))
    model = RNN(4, 4)
    model.W_h = nn.Parameter(0.1 * model.W_h.numpy())
    rows = [0, 1, 2, 396, 397, 398, 399]
    flow = measure(model, x, np.ones(4), probe(model, x, rows))
    assert flow.arriving[0] == 0 or flow.arriving[0] < 1e-200  # 1e-400 is no double; 1e-250 is one
    middle = flow.edges[Point("h", 1, 200), Point("h", 1, 199)]
    assert 1e-300 < middle < 1e-160
    assert (Point("h", 1, 1), Point("h", 1, 0)) in flow.edges, "the edge exists, whatever the loss sends along it"


def test_edges_between_chosen_rows_are_those_of_all_rows():
    model, x, readout, flow = _run("three attentions")
    rows = [0, 2, 6]
    some = measure(model, x, readout, probe(model, x, rows))
    inside = {e: g for e, g in flow.edges.items() if all(p == LOSS or p.position in rows for p in e)}
    assert some.edges == pytest.approx(inside, rel=1e-12)
    np.testing.assert_allclose(some.arriving, flow.arriving)


def test_the_geometric_mean_is_zero_where_one_run_sends_nothing():
    assert geometric_mean_of([2.0, 8.0]) == pytest.approx(4.0)
    assert geometric_mean_of([0.0, 8.0]) == 0.0
    np.testing.assert_allclose(geometric_mean_of([[1.0, 4.0, 0.0], [9.0, 1.0, 1.0]]), [3.0, 2.0, 0.0])
    assert geometric_mean_of([1e-300, 1e-310]) == pytest.approx(1e-305, rel=1e-6)
    edge = (LOSS, Point("h", 1, 0))
    flows = [Flow(1, {edge: g}, np.array([g / 2])) for g in (1.0, 16.0)]
    assert geometric_mean(flows).edges == {edge: pytest.approx(4.0)}
    assert geometric_mean(flows).arriving == pytest.approx([2.0])


def test_relative_flow_is_in_units_of_what_enters_at_the_loss():
    _, _, readout, flow = _run("attention")
    unit = relative(flow)
    assert unit.edges[LOSS, Point("y", 1, N - 1)] == 1.0
    np.testing.assert_allclose(unit.arriving * np.linalg.norm(readout), flow.arriving)


def test_a_layer_that_gives_no_row_for_each_token_is_refused():
    class Last(mt.Module):
        def forward(self, x):
            return x[:, -1]

    with pytest.raises(InputError, match=r"Last made \(1, 6\) of \(1, 7, 6\)"):
        probe(Last(), np.ones((N, D)))
