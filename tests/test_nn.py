"""Do modules find their parameters, name what they run, and compute what they say?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn


class Block(nn.Module):
    def __init__(self):
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
        self.head = nn.Sequential([nn.Linear(2, 3), nn.LayerNorm(3)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


class Outer(nn.Module):
    def __init__(self):
        self.block = Block()
        self.blocks = nn.ModuleList([nn.ModuleList([nn.Linear(3, 1, bias=False)])])

    def forward(self, x):
        return self.blocks[0][0](self.block(x))


def test_parameters_have_the_path_of_attributes():
    assert [name for name, _ in Outer().named_parameters()] == [
        "block.layers.0.weight",
        "block.layers.0.bias",
        "block.layers.1.weight",
        "block.layers.1.bias",
        "block.head.0.weight",
        "block.head.0.bias",
        "block.head.1.weight",
        "block.head.1.bias",
        "blocks.0.0.weight",
    ]


def test_operations_run_under_the_path_of_their_parameters():
    model = Outer()
    graph = mt.Graph.of(model(mt.tensor(np.ones((1, 2), np.float32))))
    scopes = list(dict.fromkeys(n.scope for n in graph.nodes if n.op))
    assert scopes == [
        "Outer.block.layers.0",
        "Outer.block.layers.1",
        "Outer.block.head.0",
        "Outer.block.head.1",
        "Outer.blocks.0.0",
    ]


def test_a_shared_parameter_is_found_once_and_gets_both_gradients():
    class Tied(nn.Module):
        def __init__(self):
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    model = Tied()
    assert [name for name, _ in model.named_parameters()] == ["a.weight"]
    W, x = model.a.weight.numpy().astype(float), np.array([[1.0, 2.0]])
    model(x).sum().backward()
    ones = np.ones((1, 2))
    np.testing.assert_allclose(model.a.weight.grad.numpy(), (x.T @ (ones @ W)).T + ones.T @ (x @ W.T), rtol=1e-5)


def test_zero_grad_forgets_all_gradients():
    model = Block()
    model(mt.tensor(np.ones((1, 2), np.float32))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_linear_is_x_times_w_transposed_plus_b_over_any_leading_axes():
    with mt.default_dtype(np.float64):
        layer = nn.Linear(3, 2)
    x = np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_allclose(layer(x).numpy(), x @ layer.weight.numpy().T + layer.bias.numpy())
    assert mt.gradcheck(lambda w, b, x: x @ w.T + b, layer.weight, layer.bias, x) < 1e-8


def test_linear_starts_inside_its_bound_and_fills_it():
    mt.seed(0)
    w = np.abs(nn.Linear(100, 100).weight.numpy())
    assert 0.099 < w.max() <= 0.1
    assert w.mean() == pytest.approx(0.05, rel=0.05)


def test_layer_norm_gives_mean_0_and_variance_1_and_its_derivatives_are_right():
    with mt.default_dtype(np.float64):
        norm = nn.LayerNorm(5, eps=0.0)
    x = np.random.default_rng(0).standard_normal((2, 5)) * 3 + 1
    y = norm(mt.tensor(x)).numpy()
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(-1), 1)
    assert mt.gradcheck(norm, x, order=1) < 1e-7
    assert mt.gradcheck(norm, x, order=2) < 1e-7


def test_layer_norm_refuses_another_width():
    with pytest.raises(mt.ShapeError, match=r"LayerNorm: the last axis of \(2, 4\) should be 5"):
        nn.LayerNorm(5)(mt.tensor(np.ones((2, 4))))


def test_embedding_looks_rows_up_and_adds_their_gradients():
    layer = nn.Embedding(4, 2)
    y = layer([[0, 3], [3, 3]])
    np.testing.assert_array_equal(y.numpy(), layer.weight.numpy()[[[0, 3], [3, 3]]])
    y.sum().backward()
    assert layer.weight.grad.numpy()[:, 0].tolist() == [1.0, 0.0, 0.0, 3.0]


def test_the_same_seed_gives_the_same_model_and_another_seed_another():
    models = []
    for seed in (1, 1, 2):
        mt.seed(seed)
        models.append(np.concatenate([p.numpy().ravel() for p in Outer().parameters()]))
    np.testing.assert_array_equal(models[0], models[1])
    assert not np.array_equal(models[0], models[2])


def test_orthogonal_matrices_are_orthogonal():
    with mt.default_dtype(np.float64):
        q = nn.orthogonal(6)
    np.testing.assert_allclose(q.T @ q, np.eye(6), atol=1e-12)


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module does not define forward"):
        nn.Module()()


def test_repr_counts_parameters():
    assert repr(nn.Linear(2, 3)) == "Linear(9 parameters: weight (3, 2), bias (3,))"
