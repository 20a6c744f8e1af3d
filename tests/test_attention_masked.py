"""Does anything leak out of a masked key or value, in values or gradients?"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import minitorch as mt
from minitorch.ops import attention_chunked
from minitorch.ops.attention_products import masked_product, sampled_product
from tests import attention_reference as reference
from tests.test_attention_op import SOME, draw, run, sdpa, tri

rng = np.random.default_rng(6)
methods = pytest.mark.parametrize("method", ["dense", "chunked"])
bads = pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(attention_chunked, "_ROWS", 2)
    monkeypatch.setattr(attention_chunked, "_ENTRIES", 1)


def compared(arrays, seen, method, **options):
    """Values and gradients, ours beside those of the reference, which never touches a masked key."""
    g = rng.standard_normal((*np.broadcast_shapes(arrays[0].shape[:-1], seen.shape[:-1]), arrays[2].shape[-1]))
    with np.errstate(invalid="ignore"):  # infinities that are seen
        ours = [run(arrays, method=method, **options), *run(arrays, g, method=method, **options)]
        theirs = [reference.attention(*arrays, seen), *reference.attention(*arrays, seen, g=g)[:3]]
    return list(zip(ours, theirs, strict=True))


HIDDEN = SOME.copy()
HIDDEN[:, 1] = False  # a key that nobody sees; others are seen by some


@methods
@bads
@pytest.mark.parametrize("which", ["K", "V", "both", "one entry of V"])
def test_what_nobody_sees_reaches_nothing(bad, which, method):
    arrays = draw((5, 3), (6, 3), (6, 2))
    if which in ("K", "both"):
        arrays[1][1] = bad
    if which in ("V", "both"):
        arrays[2][1] = bad
    if which == "one entry of V":
        arrays[2][1, 0] = bad
    for ours, theirs in compared(arrays, HIDDEN, method, mask=HIDDEN):
        assert np.isfinite(ours).all()
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


@methods
@bads
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_some_see_reaches_exactly_those_and_the_gradients_that_come_from_them(bad, place, method):
    arrays = draw((5, 3), (6, 3), (6, 2))
    k = 3 if place == 0 else int(np.flatnonzero(SOME.any(0) & ~SOME.all(0))[0])
    arrays[place][k] = bad
    found = compared(arrays, SOME, method, mask=SOME)
    for ours, theirs in found:
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)
    touched = np.arange(5) == k if place == 0 else SOME[:, k]
    if np.isnan(bad):  # an infinite key may have the score -inf, and weight 0
        assert np.array_equal(~np.isfinite(found[0][0]).all(-1), touched)


@methods
@bads
@pytest.mark.parametrize("place", [1, 2])
def test_under_causality_a_bad_key_reaches_the_present_and_the_future_alone(bad, place, method):
    arrays = draw((6, 3), (6, 3), (6, 2))
    arrays[place][3] = bad
    found = compared(arrays, tri(6, 6), method, causal=True)
    for ours, theirs in found:
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)
    assert np.isfinite(found[0][0][:3]).all()
    if np.isnan(bad) or place == 2:
        assert not np.isfinite(found[0][0][3:]).any()


@methods
def test_several_bad_keys_and_heads_that_share_them_leak_nothing(method):
    Q, K, V = draw((2, 4, 5, 3), (2, 2, 6, 3), (2, 2, 6, 2))
    seen = rng.random((2, 4, 5, 6)) < 0.5
    K[0, 1, 2], V[1, 0, [3, 4], 0], Q[1, 2, 0] = np.nan, np.inf, np.nan
    for ours, theirs in compared([Q, K, V], seen, method, mask=seen):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


@methods
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_query_that_sees_no_key_gives_zeros_and_sends_zeros_whatever_stands_there(place, method):
    arrays = draw((5, 3), (6, 3), (6, 2))
    arrays[place][:] = np.nan
    g = rng.standard_normal((5, 2))
    none = np.zeros((5, 6), bool)
    assert not run(arrays, mask=none, method=method).any()
    assert not any(d.any() for d in run(arrays, g, mask=none, method=method))


@methods
def test_causal_queries_before_the_first_key_see_nothing_under_an_additive_mask_too(method):
    arrays = draw((5, 3), (2, 3), (2, 2))
    bias = np.array([-np.inf, 0.0])
    O = run(arrays, mask=bias, causal=True, method=method)
    assert not O[:3].any()
    assert np.isnan(O[3]).all()  # it sees one key, of weight exp(-inf) / exp(-inf)
    np.testing.assert_allclose(O[4], arrays[2][1], rtol=1e-13)


@methods
def test_the_gradient_of_an_additive_mask_is_zero_where_causality_hides_the_key(method):
    Q, K, V = draw((6, 3), (4, 3), (4, 2))
    bias = rng.standard_normal((6, 4))
    bias[1], K[2] = -np.inf, np.nan  # the second query sees no key, and only the last two see the NaN
    g = rng.standard_normal((6, 2))
    dQ, _, _, dbias = run([Q, K, V, bias], g, causal=True, method=method)
    assert not dbias[~tri(6, 4)].any()
    assert np.isnan(dbias[4:][tri(6, 4)[4:]]).all()
    assert np.isfinite(dbias[:4]).all()
    assert not dQ[:2].any()
    bias, K = bias[:, :2], K[:2]
    assert all(np.isfinite(d).all() for d in run([Q[:4], K, V[:2], bias[:4]], g[:4], causal=True, method=method))


@pytest.mark.parametrize("product", ["sampled", "masked"])
def test_the_products_sum_the_terms_that_are_seen_and_no_others(product):
    values = np.array([0.0, 1.0, -2.0, np.inf, -np.inf, np.nan])
    a, b = rng.choice(values, (40, 5), p=[0.2, 0.3, 0.3, 0.1, 0.05, 0.05]), rng.choice(values, (40, 5))
    seen = rng.random((40, 40)) < 0.1
    with np.errstate(invalid="ignore"):
        if product == "sampled":
            wanted = np.array([[sum(a[i] * b[j]) if seen[i, j] else 0.0 for j in range(40)] for i in range(40)])
            found = sampled_product(a, b, seen)
        else:
            a = rng.choice(values, (40, 40))
            wanted = np.array([[sum(a[i, seen[i]] * y[seen[i]]) for y in b.T] for i in range(40)])
            found = masked_product(a, b, seen)
    np.testing.assert_array_equal(found, wanted)
    assert all(check(found).any() for check in (np.isnan, np.isposinf, np.isneginf, np.isfinite))


@methods
@bads
def test_a_bad_number_in_an_additive_mask_counts_only_where_causality_shows_it(bad, method):
    arrays = draw((4, 3), (4, 3), (4, 2))
    bias = np.zeros((4, 4))
    bias[0, 1:], bias[1, 3] = bad, bad
    expected = reference.attention(*arrays, tri(4, 4))
    np.testing.assert_allclose(run(arrays, mask=bias, causal=True, method=method), expected, rtol=1e-12)


@methods
def test_an_additive_mask_follows_the_formula(method):
    Q, K, V = draw((2, 3), (4, 3), (4, 2))
    V[1] = np.nan
    bias = np.array([0.0, -np.inf, 0.0, 0.0])
    assert np.isnan(run([Q, K, V], mask=bias, method=method)).all()  # 0 * NaN
    assert np.isnan(run(draw((2, 3), (4, 3), (4, 2)), mask=np.full(4, -np.inf), method=method)).all()


@methods
@pytest.mark.parametrize("place", [1, 2])
def test_masked_numbers_so_large_that_products_overflow_leak_nothing(place, method):
    arrays = [a.astype(np.float32) for a in draw((4, 3), (6, 3), (6, 2))]
    arrays[place][4] = -3e38
    Q, K, V = (mt.tensor(a, requires_grad=True) for a in arrays)
    O = sdpa(Q, K, V, tri(6, 6)[:4], method=method)
    found = [O, *mt.grad((O * O).sum(), [Q, K, V])]
    few = [mt.tensor(a[:4], requires_grad=True) for a in arrays]
    P = sdpa(*few, causal=True)
    for ours, theirs in zip(found, [P, *mt.grad((P * P).sum(), few)], strict=True):
        np.testing.assert_allclose(ours.numpy()[:4], theirs.numpy(), rtol=1e-4, atol=1e-5)
        assert not ours.numpy()[4:].any()


@methods
def test_second_derivatives_and_tangents_see_nothing_of_a_masked_nan_either(method):
    Q, K, V = draw((5, 3), (6, 3), (6, 2))
    K[1], V[1] = np.nan, np.nan
    others = [0, 2, 3, 4, 5]
    v = rng.standard_normal((5, 3))

    def f(K, V, seen):
        return lambda Q: mt.sin(sdpa(Q, K, V, seen, method=method)).sum()

    with_nan, without = f(K, V, HIDDEN), f(K[others], V[others], HIDDEN[:, others])
    for g in (lambda f: mt.hvp(f, (Q,), (v,))[-1], lambda f: mt.jvp(mt.grad(f), (Q,), (v,))[1]):
        ours, theirs = (x[0] if isinstance(x, tuple) else x for x in map(g, (with_nan, without)))
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10, atol=1e-12)

    def by_keys(K, V, seen):
        leaves = [mt.tensor(a, requires_grad=True) for a in (Q, K, V)]
        first = mt.grad(mt.sin(sdpa(*leaves, seen, method=method)).sum(), leaves, create_graph=True)
        rows = [first[0], *(d[others] if len(d) == 6 else d for d in first[1:])]
        return [d.numpy() for d in mt.grad(sum((d * d).sum() for d in rows), leaves)]

    ours, theirs = by_keys(K, V, HIDDEN), by_keys(K[others], V[others], HIDDEN[:, others])
    assert not ours[1][1].any()
    assert not ours[2][1].any()
    for a, b in zip([ours[0], ours[1][others], ours[2][others]], theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@methods
def test_numbers_that_are_finite_take_the_plain_products(method, monkeypatch):
    from minitorch.ops import attention_products

    def refuse(*args):
        raise AssertionError("the exact products ran")

    monkeypatch.setattr(attention_products, "masked_product", refuse)
    monkeypatch.setattr(attention_products, "sampled_product", refuse)
    arrays = [a.astype(np.float32) for a in draw((4, 6, 3), (4, 6, 3), (4, 6, 2))]
    g = rng.standard_normal((4, 6, 2))
    for options in ({"causal": True}, {"mask": HIDDEN[[0, 1, 2, 3, 4, 4]]}):
        assert all(np.isfinite(d).all() for d in run(arrays, g, method=method, **options))


@methods
def test_anomaly_mode_has_nothing_to_say_about_a_boolean_mask(method):
    with mt.detect_anomaly():
        assert all(
            np.isfinite(d).all() for d in run(draw((5, 3), (6, 3), (6, 2)), np.ones((5, 2)), mask=SOME, method=method)
        )


def test_in_blocks_a_row_of_minus_infinity_alone_gives_nan_and_no_warning():
    Q = mt.tensor(np.eye(3), requires_grad=True)
    M = np.zeros((3, 3))
    M[1] = -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        O = mt.scaled_dot_product_attention(Q, np.eye(3), np.eye(3), M, method="chunked")
        g = mt.grad(O.sum(), Q).numpy()
    assert np.isnan(g).all(axis=1).tolist() == [False, True, False]
