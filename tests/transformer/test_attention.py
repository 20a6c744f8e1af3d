"""Is attention the equation of the paper, with every kind of mask?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from tests.transformer import loops
from transformer import causal_mask, scaled_dot_product_attention


@pytest.fixture
def QKV(rng):
    """Queries (5, 3), keys (6, 3), values (6, 2), large enough that the factor 1/sqrt(d_k) matters."""
    return [2 * rng.standard_normal(shape) for shape in ((5, 3), (6, 3), (6, 2))]


def _run(arrays, g=None, **options):
    """The output, and for a cotangent g the gradients."""
    leaves = [mt.tensor(a, requires_grad=True) for a in arrays]
    O = scaled_dot_product_attention(*leaves, **options)
    return O.numpy() if g is None else [d.numpy() for d in mt.grad(O, leaves, g)]


def test_it_equals_a_softmax_written_row_by_row(QKV):
    np.testing.assert_allclose(_run(QKV), loops.attention(*QKV, np.ones((5, 6), bool)), rtol=1e-13)


def test_scores_of_standard_normal_vectors_have_variance_one(rng):
    d_k = 64
    Q, K = rng.standard_normal((2, 1000, d_k))
    weights = _run([Q[:200], K, np.eye(1000)])
    assert np.log(weights).var(-1).mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("n", "m"), [(6, 6), (3, 6), (1, 6)])
def test_causal_queries_see_themselves_and_the_past_aligned_at_the_end(QKV, n, m):
    Q, K, V = QKV[1][:n], QKV[1], QKV[2]
    sees = np.array([[j <= i + (m - n) for j in range(m)] for i in range(n)])
    np.testing.assert_allclose(_run([Q, K, V], causal=True), loops.attention(Q, K, V, sees), rtol=1e-13)
    assert np.array_equal(causal_mask(n, m) == 0, sees)


def test_an_additive_mask_is_added_to_the_scores(QKV, rng):
    extra = rng.standard_normal((5, 6))
    expected = loops.attention(*QKV, np.ones((5, 6), bool), extra)
    np.testing.assert_allclose(_run(QKV, mask=extra), expected, rtol=1e-13)


def test_additive_and_causal_masks_combine(QKV, rng):
    extra = rng.standard_normal((5, 6))
    expected = loops.attention(*QKV, np.tri(5, 6, 1, dtype=bool), extra)
    np.testing.assert_allclose(_run(QKV, mask=extra, causal=True), expected, rtol=1e-13)


def test_a_boolean_mask_is_the_same_as_deleting_the_hidden_keys_row_by_row(QKV, rng):
    sees = rng.random((5, 6)) < 0.5
    sees[2] = False  # a row that sees no key
    sees[3, 4] = True
    g = rng.standard_normal((5, 2))
    np.testing.assert_allclose(_run(QKV, mask=sees), loops.attention(*QKV, sees), rtol=1e-13)
    total = [np.zeros_like(a) for a in QKV]
    for i in range(5):
        keys = np.flatnonzero(sees[i])
        if len(keys):
            dq, dk, dv = _run([QKV[0][i : i + 1], QKV[1][keys], QKV[2][keys]], g[i : i + 1])
            total[0][i] += dq[0]
            total[1][keys] += dk
            total[2][keys] += dv
    for measured, expected in zip(_run(QKV, g, mask=sees), total, strict=True):
        np.testing.assert_allclose(measured, expected, rtol=1e-12, atol=1e-14)


def test_a_query_without_keys_gives_zeros_and_sends_no_gradient_anywhere(QKV):
    sees = np.ones((5, 6), bool)
    sees[2] = False
    assert not _run(QKV, mask=sees)[2].any()
    g = np.zeros((5, 2))
    g[2] = 1.0
    assert not any(d.any() for d in _run(QKV, g, mask=sees))


def test_nothing_is_seen_at_all_where_the_mask_is_false_everywhere(QKV):
    assert not _run(QKV, mask=np.zeros((5, 6), bool)).any()


def test_a_boolean_mask_and_causality_together_may_leave_a_query_without_keys(QKV, rng):
    Q, K, V = QKV[1], QKV[1], QKV[2]
    sees = np.ones((6, 6), bool)
    sees[:, :2] = False
    expected = loops.attention(Q, K, V, sees & np.tri(6, dtype=bool))
    np.testing.assert_allclose(_run([Q, K, V], mask=sees, causal=True), expected, rtol=1e-13)
    assert not expected[:2].any()


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_equal_central_differences(QKV, order):
    sees = np.tri(5, 6, dtype=bool)
    sees[1] = False
    mt.gradcheck(lambda *a: scaled_dot_product_attention(*a, mask=sees), *QKV, order=order)


def test_leading_axes_broadcast(QKV, rng):
    Q = rng.standard_normal((2, 4, 5, 3))
    O = _run([Q, *QKV[1:]])
    for b, h in np.ndindex(2, 4):
        np.testing.assert_allclose(O[b, h], loops.attention(Q[b, h], *QKV[1:], np.ones((5, 6), bool)), rtol=1e-13)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (((5, 3), (6, 4), (6, 2)), r"axis -1 of Q is 3 and of K 4"),
        (((5, 3), (6, 3), (7, 2)), r"axis -2 of K is 6 and of V 7"),
    ],
)
def test_shapes_that_do_not_fit_are_named_with_their_axes(shapes, said):
    with pytest.raises(mt.ShapeError, match=said):
        _run([np.ones(s) for s in shapes])
