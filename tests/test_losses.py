"""Do losses count what they should?  Ignored rows, weights, smoothing, probabilities, masked classes."""

from __future__ import annotations

import re

import numpy as np
import pytest

import minitorch as mt

rng = np.random.default_rng(5)
X = rng.standard_normal((4, 3))
LOGP = X - np.log(np.exp(X).sum(-1, keepdims=True))


@pytest.mark.parametrize("loss", [mt.cross_entropy, mt.nll_loss])
@pytest.mark.parametrize("more", [{}, {"weight": [1.0, 2.0, 3.0]}])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_loss_of_which_every_target_is_ignored_is_0_with_gradient_0(loss, more, reduction):
    x = mt.tensor(X, requires_grad=True)
    out = loss(x, np.full(4, -100), reduction, **more)
    assert out.item() == 0.0
    assert not mt.grad(out, x).numpy().any()


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_an_ignored_row_reaches_nothing_whatever_stands_in_it(smoothing):
    x = X.copy()
    x[1] = [np.nan, np.inf, -np.inf]
    a = mt.tensor(x, requires_grad=True)
    out = mt.cross_entropy(a, [0, 7, 2, 1], ignore_index=7, label_smoothing=smoothing)
    g = mt.grad(out, a).numpy()
    assert not g[1].any()
    rest = mt.tensor(X[[0, 2, 3]], requires_grad=True)
    alone = mt.cross_entropy(rest, [0, 2, 1], label_smoothing=smoothing)
    assert out.item() == alone.item()
    np.testing.assert_array_equal(g[[0, 2, 3]], mt.grad(alone, rest).numpy())
    per_row = mt.cross_entropy(mt.tensor(x), [0, 7, 2, 1], "none", ignore_index=7).numpy()
    assert per_row[1] == 0.0
    np.testing.assert_allclose(per_row[[0, 2, 3]], -LOGP[[0, 2, 3], [0, 2, 1]])


def test_label_smoothing_of_0_is_none_and_of_1_forgets_the_target():
    targets = [0, 1, 2, 0]
    plain = mt.cross_entropy(X, targets).item()
    assert mt.cross_entropy(X, targets, label_smoothing=0.0).item() == plain
    assert mt.cross_entropy(X, targets, label_smoothing=1.0).item() == pytest.approx(-LOGP.mean())
    half = mt.cross_entropy(X, targets, label_smoothing=0.5).item()
    assert half == pytest.approx((plain - LOGP.mean()) / 2)


def test_class_weights_weigh_the_losses_and_their_mean():
    weight, targets = np.array([1.0, 10.0, 0.0]), np.array([0, 1, 2, 1])
    losses = -LOGP[np.arange(4), targets] * weight[targets]
    assert mt.cross_entropy(X, targets, weight=weight).item() == pytest.approx(losses.sum() / 21)
    np.testing.assert_allclose(mt.nll_loss(LOGP, targets, "none", weight=weight), losses)
    assert mt.cross_entropy(X, targets, weight=np.zeros(3)).item() == 0.0  # weights that leave nothing


def test_one_hot_probabilities_are_class_indices():
    targets = [0, 2, 1, 1]
    indices = mt.cross_entropy(X, targets, label_smoothing=0.1).item()
    assert mt.cross_entropy(X, np.eye(3)[targets], label_smoothing=0.1).item() == pytest.approx(indices)


def test_a_class_of_probability_0_may_have_a_logit_of_minus_infinity():
    x = mt.tensor(np.array([[0.0, -np.inf, 0.0]]), requires_grad=True)
    loss = mt.cross_entropy(x, np.array([[0.5, 0.0, 0.5]]))
    assert loss.item() == pytest.approx(np.log(2))
    assert mt.grad(loss, x).numpy().tolist() == [[0.0, 0.0, 0.0]]
    assert mt.cross_entropy(x, [0]).item() == pytest.approx(np.log(2))


def test_the_target_probabilities_have_a_derivative_too():
    q = rng.dirichlet(np.ones(3), 4)
    assert mt.gradcheck(lambda x, p: mt.cross_entropy(x, p, label_smoothing=0.2), X, q) < 1e-8
    assert mt.gradcheck(lambda x, p: mt.kl_div(x, p, "batchmean"), LOGP, q + 0.3, order=2) < 1e-8


@pytest.mark.parametrize("more", [{"weight": [1.0, 2.0, 3.0]}, {"ignore_index": 1}, {"label_smoothing": 0.3}])
def test_every_option_has_the_derivatives_of_central_differences(more):
    for order in (1, 2):
        assert mt.gradcheck(lambda x: mt.cross_entropy(x, [0, 1, 2, 1], **more), X, order=order) < 1e-7


def test_float32_logits_give_a_float32_loss_whatever_the_weights_are():
    x = mt.tensor(X, dtype=np.float32)
    for targets in ([0, 1, 2, 0], np.eye(3)[[0, 1, 2, 0]]):
        for more in ({}, {"weight": [1.0, 2.0, 3.0]}, {"label_smoothing": 0.5}):
            assert mt.cross_entropy(x, targets, **more).dtype == np.float32


def test_huge_logits_of_a_binary_loss_neither_overflow_nor_lose_their_gradient():
    x = mt.tensor(np.array([1e4, -1e4]), requires_grad=True)
    loss = mt.binary_cross_entropy_with_logits(x, [0.0, 1.0], "sum")
    assert loss.item() == 2e4
    assert mt.grad(loss, x).numpy().tolist() == [1.0, -1.0]


def test_a_divergence_from_a_target_with_zeros_is_finite_and_so_is_its_gradient():
    logp = mt.tensor(np.log([[0.5, 0.5]]), requires_grad=True)
    q = mt.tensor(np.array([[1.0, 0.0]]), requires_grad=True)
    loss = mt.kl_div(logp, q, "sum")
    assert loss.item() == pytest.approx(np.log(2))
    gx, gq = mt.grad(loss, [logp, q])
    assert gx.numpy().tolist() == [[-1.0, 0.0]]
    assert gq.numpy().tolist() == [
        [1 - np.log(0.5), -np.log(0.5)]
    ]  # t log t has gradient 0 at 0, and -t logp has -logp
    with np.errstate(divide="ignore"):
        assert mt.kl_div(np.log([[1.0, 0.0]]), np.array([[1.0, 0.0]]), "sum").item() == 0.0


@pytest.mark.parametrize("loss", [mt.mse_loss, mt.huber_loss, mt.binary_cross_entropy_with_logits, mt.kl_div])
def test_the_mean_over_nothing_is_0(loss):
    x = mt.tensor(np.ones((0, 2)), requires_grad=True)
    out = loss(x, np.ones((0, 2)))
    assert out.item() == 0.0
    assert mt.grad(out, x).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mt.nll_loss(X, [0, 1]), "nll_loss: logits (4, 3) need targets (4,)"),
        (lambda: mt.nll_loss(X, [0, 1, 2, 3]), "nll_loss: target 3 is outside 0 ... 2"),
        (lambda: mt.cross_entropy(X, [0, 1, 2, 1], weight=[1.0]), "cross_entropy: weight (1,) for logits (4, 3)"),
        (lambda: mt.cross_entropy(X, [0, 1, 2, 1], label_smoothing=2), "label_smoothing is 2"),
        (lambda: mt.mse_loss(X, X, "batchmean"), "mse_loss: reduction is 'batchmean'"),
        (lambda: mt.kl_div(X, X, "all"), "'batchmean' or 'none'"),
    ],
)
def test_a_loss_says_what_it_wanted(call, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        call()


def leaves(*arrays, dtype=np.float64):
    return [mt.tensor(a, dtype=dtype, requires_grad=True) for a in arrays]


@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 3.0]])
def test_cross_entropy_is_differentiated_by_a_target_of_0_too(weight):
    x, q = leaves([[1.0, 2.0, 3.0]], [[0.0, 1.0, 0.0]])
    logp = mt.log_softmax(x.detach()).numpy()
    (g,) = mt.grad(mt.cross_entropy(x, q, weight=weight), [q], create_graph=True)
    np.testing.assert_allclose(g.numpy(), -logp * (1 if weight is None else weight), rtol=1e-15)
    (mixed,) = mt.grad(g[0, 0], [x])
    factor = 1 if weight is None else weight[0]
    np.testing.assert_allclose(mixed.numpy(), factor * (np.exp(logp) - [1, 0, 0]), rtol=1e-14)


def test_kl_div_has_its_mixed_derivative_at_a_target_of_0_too():
    logp, q = leaves(np.log([0.5, 0.5]), [1.0, 0.0])
    (g,) = mt.grad(mt.kl_div(logp, q, "sum"), [q], create_graph=True)
    assert mt.grad(g.sum(), [logp])[0].numpy().tolist() == [-1.0, -1.0]


def test_a_class_without_probability_that_is_impossible_counts_for_nothing():
    x, q = leaves([[0.0, -np.inf]], [[1.0, 0.0]])
    gx, gq = mt.grad(mt.cross_entropy(x, q), [x, q])
    assert gx.numpy().tolist() == gq.numpy().tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("delta", [0, -1.0, float("nan")])
def test_huber_loss_needs_a_positive_delta(delta):
    with pytest.raises(mt.OperandError, match=r"huber_loss: delta is .*; it is more than 0"):
        mt.huber_loss(mt.ones(2), mt.ones(2), delta=delta)


def test_unknown_reductions_and_too_much_smoothing_are_operand_errors():
    x = mt.ones((2, 3))
    with pytest.raises(mt.OperandError, match="mse_loss: reduction is 'average'; it can be"):
        mt.mse_loss(x, x, "average")
    with pytest.raises(mt.OperandError, match="cross_entropy: label_smoothing is 2; it can be from 0 to 1"):
        mt.cross_entropy(x, [0, 1], label_smoothing=2)
