"""Is a Graph plain, frozen data that is the same for every run of the same program?"""

from __future__ import annotations

import dataclasses
import json
import weakref

import numpy as np
import pytest

import minitorch as mt


def run():
    x = mt.tensor([1.0, 2.0], requires_grad=True, name="x")
    w = mt.Parameter([[1.0], [2.0]], name="w")
    with mt.scope("layer"), mt.step(0):
        h = mt.tanh(x @ w)
    return mt.concatenate([h, h * 2, x[np.array([0, 0])]]).sum()


def test_two_runs_of_one_program_give_equal_graphs():
    mt.exp(mt.tensor(1.0, requires_grad=True))  # what ran between them does not matter
    first, second = mt.Graph.of(run()), mt.Graph.of(run())
    assert first == second
    assert hash(first) == hash(second)
    assert first.to_json() == second.to_json()


def test_it_is_frozen():
    graph = mt.Graph.of(run())
    for record, name in ((graph, "root"), (graph.nodes[0], "op"), (graph.edges[0], "source")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, name, None)


def test_ids_are_positions_and_every_edge_points_forward():
    graph = mt.Graph.of(run())
    assert [n.id for n in graph.nodes] == list(range(len(graph)))
    assert [e.id for e in graph.edges] == list(range(len(graph.edges)))
    assert all(e.source < e.target for e in graph.edges)
    assert graph.root == len(graph) - 1


def test_into_and_out_of_list_every_edge_once():
    graph = mt.Graph.of(run())
    assert sorted(e.id for es in graph.into for e in es) == sorted(e.id for es in graph.out_of for e in es)
    assert all(e.target == k for k, es in enumerate(graph.into) for e in es)
    assert all(e.source == k for k, es in enumerate(graph.out_of) for e in es)


def test_it_says_what_ran():
    graph = mt.Graph.of(run())
    assert [n.op or n.name for n in graph.nodes] == [
        *("x", "w", "matmul", "tanh", "multiply", "getitem", "concatenate", "sum")
    ]
    assert [e.input for e in graph.into[6]] == ["parts[0]", "parts[1]", "parts[2]"]
    assert (graph.nodes[3].scope, graph.nodes[3].step, graph.nodes[3].shapes) == ("layer", 0, ((1,),))
    assert [n.is_leaf for n in graph.nodes] == [True, True] + [False] * 6


def test_json_round_trips():
    graph = mt.Graph.of(run())
    read = json.loads(graph.to_json())
    assert read["root"] == graph.root
    assert [n["op"] for n in read["nodes"]] == [n.op for n in graph.nodes]
    assert [tuple(n["shapes"][0]) for n in read["nodes"]] == [n.shapes[0] for n in graph.nodes]
    assert [mt.Edge(**e) for e in read["edges"]] == list(graph.edges)


def test_it_holds_no_arrays_not_even_an_index():
    x = mt.tensor(np.ones((3, 4)), requires_grad=True)
    graph = mt.Graph.of(x[:, np.array([0, 1, 1])])
    assert graph.nodes[1].static == {"index": (slice(None), "int64[3]")}


def test_it_keeps_nothing_alive():
    x = mt.tensor([1.0], requires_grad=True)
    graph = mt.Graph.of(mt.exp(x))
    leaf = weakref.ref(x)
    del x
    assert leaf() is None
    assert len(graph) == 2


def test_as_text_it_is_a_table():
    x = mt.tensor([1.0, 2.0], requires_grad=True, name="x")
    with mt.scope("net"), mt.step(3):
        y = x * x
    assert str(mt.Graph.of(y)).splitlines() == ["0  x         (2,)", "1  multiply  (2,)  <- a: 0, b: 0  net step 3"]


def test_a_second_output_is_named_on_the_edge():
    x = mt.tensor([1.0, 2.0], requires_grad=True)
    _, lse = mt.ops.fused._log_softmax(x)
    graph = mt.Graph.of(lse * 2)
    assert [(e.source, e.output) for e in graph.edges] == [(0, 0), (1, 1)]
    assert graph.nodes[1].shapes == ((2,), ())


def test_a_leaf_is_a_graph_of_one_node_and_a_constant_none():
    assert len(mt.Graph.of(mt.tensor(1.0, requires_grad=True))) == 1
    with pytest.raises(mt.GradientError, match="does not require a gradient, so nothing was recorded"):
        mt.Graph.of(mt.tensor(1.0))


def test_64_diamonds_are_65_nodes():
    y = mt.tensor(1.0, requires_grad=True)
    for _ in range(64):
        y = y + y
    assert (len(mt.Graph.of(y)), len(mt.Graph.of(y).edges)) == (65, 128)
