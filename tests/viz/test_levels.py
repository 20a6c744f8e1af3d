"""Do the levels show modules as modules, in frames, with few boxes, and never a cycle?"""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import minitorch as mt
import viz
from minitorch import Edge, Graph, Node, nn
from tests.viz.seen import acyclic
from transformer import RNN, EncoderBlock, MultiHeadAttention
from viz.cuts import MOST_NODES
from viz.levels import View, view


def _blocks(count: int) -> mt.Tensor:
    blocks = nn.Sequential([EncoderBlock(8, MultiHeadAttention(8, 2)) for _ in range(count)])
    return (blocks(mt.tensor(np.ones((1, 4, 8), np.float32))) ** 2).sum()


def _framed(v: View) -> dict[str, list[str]]:
    """Path of frames -> the labels of the boxes that stand in it."""
    path = {"": ""}
    for f in v.frames:
        path[f.id] = f"{path[f.parent]}/{f.label}"
    found: dict[str, list[str]] = {p: [] for p in path.values() if p}
    for b in v.boxes:
        found.setdefault(path[b.frame], []).append(b.label)
    return found


def _node(k: int, scope: str = "", step: int | None = None, *, leaf: bool = False, name: str | None = None) -> Node:
    return Node(k, None if leaf else "op", ((),), ("float32",), scope, step, name)


def test_three_encoder_blocks_are_three_frames_with_their_modules_in_at_most_60_boxes():
    drawing = viz.draw(_blocks(3))
    assert drawing.level == "module"
    inside = ["mixer", "add", "norm_1", "feedforward", "add", "norm_2"]
    assert _framed(drawing.view) == {
        "/Sequential": [], **{f"/Sequential/Sequential.{k}": inside for k in range(3)}, "": ["power", "sum"]
    }  # fmt: skip


def test_ten_blocks_are_one_box_each_and_a_hundred_leave_out_the_middle():
    ten, hundred = viz.draw(_blocks(10), "module").view, viz.draw(_blocks(100), "module").view
    assert _framed(ten)["/Sequential"] == [f"Sequential.{k}" for k in range(10)]
    assert len(hundred.boxes) <= MOST_NODES
    assert [b.detail for b in hundred.boxes if b.kind == "gap"] == ["Sequential.3 … Sequential.95"]
    shown = [p for p in _framed(hundred) if p.count("/") == 2]
    assert shown == [f"/Sequential/Sequential.{k}" for k in (0, 1, 2, 96, 97, 98, 99)]
    assert acyclic(hundred)


def test_a_list_of_modules_is_not_taken_for_one_module():
    class Model(mt.Module):
        def __init__(self):
            self.layers = nn.ModuleList([EncoderBlock(4, MultiHeadAttention(4)) for _ in range(12)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    v = viz.draw(Model()(mt.tensor(np.ones((1, 2, 4), np.float32))).sum(), "module").view
    assert _framed(v)["/Model/layers"] == [f"layers.{k}" for k in range(12)]


def test_at_model_level_a_model_is_one_box():
    assert [b.label for b in viz.draw(_blocks(3), "model").view.boxes] == ["Sequential", "power", "sum"]
    rnn = RNN(3, 3)(mt.tensor(np.ones((1, 12, 3), np.float32)))
    assert [b.label for b in viz.draw(rnn.sum(), "model").view.boxes] == ["RNN, 12 steps", "sum"]


def test_at_op_level_frames_are_nested_as_the_modules_are_with_their_parameters():
    v = viz.draw(EncoderBlock(4, MultiHeadAttention(4))(mt.tensor(np.ones((1, 2, 4), np.float32))).sum(), "op").view
    assert _framed(v)["/EncoderBlock/mixer/W_q"] == ["weight", "linear_map"]
    assert _framed(v)["/EncoderBlock"] == ["add", "add"]
    assert _framed(v)["/EncoderBlock/feedforward"] == ["relu"]


def test_a_module_that_is_called_again_has_a_frame_for_each_call():
    class Twice(mt.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            return self.inner(mt.tanh(self.inner(x)))

    v = viz.draw(Twice()(mt.tensor(np.ones((1, 2), np.float32))).sum(), "op").view
    assert [f.label for f in v.frames] == ["Twice", "inner", "inner"]
    assert _framed(v)["/Twice"] == ["weight", "bias", "tanh"], "what both calls share stands around them"


def test_parameters_of_all_time_steps_of_a_call_are_one_box_and_its_arrows_carry_all_their_norms():
    loss = RNN(3, 3)(mt.tensor(np.ones((1, 12, 3), np.float32)))[:, -1].sum()
    v, run = viz.draw(loss, "module").view, mt.trace_gradients(loss)
    (shared,) = (b for b in v.boxes if b.kind == "parameter")
    assert shared.label.split(", ") == [n.name for n in run.graph.nodes if n.is_leaf]
    last = next(b.id for b in v.boxes if b.label == "RNN, step 12")
    nodes = run.graph.nodes
    norms = [run.norms[e.id] for e in run.graph.edges if nodes[e.source].is_leaf and nodes[e.target].step == 11]
    (arrow,) = (a for a in v.arrows if (a.source, a.target) == (shared.id, last))
    assert arrow.norm == pytest.approx(math.hypot(*norms))


def test_hundreds_of_plain_operations_keep_their_ends_and_the_op_level_shows_all():
    y = mt.tensor(np.ones(3), requires_grad=True, name="x")
    for _ in range(200):
        y = mt.tanh(y * 0.9)
    drawing = viz.draw(y.sum())
    assert len(drawing.view.boxes) == MOST_NODES
    assert [b.detail for b in drawing.view.boxes if b.kind == "gap"] == ["343 operations"]
    assert drawing.view.boxes[0].label == "x"
    assert drawing.view.boxes[-1].id == drawing.view.root
    assert acyclic(drawing.view)
    assert len(viz.draw(y.sum(), "op").view.boxes) == 402


def test_hundreds_of_leaves_are_not_hundreds_of_boxes():
    v = viz.draw(mt.stack([mt.tensor(1.0, requires_grad=True, name=f"x{k}") for k in range(300)]).sum()).view
    assert len(v.boxes) == MOST_NODES
    assert [b.detail for b in v.boxes if b.kind == "gap"] == ["243 leaves"]


def test_two_cells_that_feed_each_other_leave_out_one_middle_and_make_no_cycle():
    class Cells(mt.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, h):
            for t in range(20):
                with mt.step(t):
                    h = self.b(mt.tanh(self.a(h)))
            return h

    for level in ("op", "module"):
        v = viz.draw(Cells()(mt.tensor(np.ones((1, 2), np.float32))).sum(), level).view
        assert [b.detail for b in v.boxes if b.kind == "gap"] == ["steps 4 … 16"]
        assert acyclic(v)


@pytest.mark.parametrize("level", ["layer", "", "Module", 2])
def test_an_unknown_level_is_refused_with_those_that_are_known(level):
    with pytest.raises(viz.InputError, match=rf"level is {level!r}; known are 'op', 'module', 'model'\."):
        viz.draw(mt.tensor(1.0, requires_grad=True), level)


@pytest.mark.parametrize(
    ("thing", "said"),
    [(np.ones((2, 3)), r"numpy\.ndarray and shape \(2, 3\)"), (3.0, "float"), ("loss", "str"), (nn.Linear, "type")],
)
def test_what_is_no_tensor_is_refused_with_its_type(thing, said):
    with pytest.raises(viz.InputError, match=rf"^draw: got an object of type {said};.*minitorch Tensor"):
        viz.draw(thing)


@pytest.mark.parametrize("steps", [range(20), range(19, -1, -1)])
def test_a_recurrence_is_shortened_whichever_way_it_runs_and_for_each_call(steps):
    nodes = [_node(k, "RNN", t) for k, t in enumerate([*steps, *steps])]
    graph = Graph(tuple(nodes), tuple(Edge(k, k, 0, k + 1, "x") for k in range(39)), 39)
    low, high = sorted((steps[3], steps[-5]))
    v = view(graph, "op")
    assert [b.detail for b in v.boxes if b.kind == "gap"] == [f"steps {low + 1} … {high + 1}"] * 2
    assert len(v.boxes) == 16


@pytest.mark.parametrize("seed", range(60))
def test_no_graph_at_any_level_has_a_cycle_and_each_node_is_in_one_box(seed):
    """Random graphs: modules that come back, steps that jump, leaves that anything uses."""
    r = random.Random(seed)
    scopes = ["", "A", "A.b", "A.b.c", "A.0", "A.1.d", "A.2", "B", "A.10.d.e"]
    count = r.choice([5, 30, 150])
    nodes, edges = [], []
    scope, step = "", None
    for k in range(count):
        if r.random() < 0.4:
            scope, step = r.choice(scopes), r.choice([None, *range(r.choice([2, 30]))])
        leaf = k == 0 or r.random() < 0.2
        nodes.append(_node(k, leaf=True, name=r.choice([None, "w"])) if leaf else _node(k, scope, step))
        for source in set() if leaf else {r.randrange(k) for _ in range(3)}:
            edges.append(Edge(len(edges), source, 0, k, "x"))
    graph = Graph(tuple(nodes), tuple(edges), count - 1)
    for level in ("op", "module", "model"):
        v = view(graph, level)
        ids = [b.id for b in v.boxes]
        assert len(ids) == len(set(ids))
        assert acyclic(v)
        assert level == "op" or len(ids) <= MOST_NODES
        assert {b.frame for b in v.boxes} <= {"", *(f.id for f in v.frames)}
