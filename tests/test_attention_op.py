"""Does attention equal attention with the masked keys deleted, values and gradients, dense and in blocks?"""

from __future__ import annotations

import re

import numpy as np
import pytest

import minitorch as mt
from minitorch.ops import attention_chunked
from tests import attention_reference as reference
from tests.said import said

rng = np.random.default_rng(5)
sdpa = mt.scaled_dot_product_attention
methods = pytest.mark.parametrize("method", ["dense", "chunked"])


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Blocks of two rows, so that small examples have several."""
    monkeypatch.setattr(attention_chunked, "_ROWS", 2)
    monkeypatch.setattr(attention_chunked, "_ENTRIES", 1)


def draw(*shapes):
    return [1.5 * rng.standard_normal(s) for s in shapes]


def run(arrays, g=None, wanted=None, **options):
    """The output, or for a cotangent g the gradients by Q, K, V (and an additive mask)."""
    leaves = [mt.tensor(a, requires_grad=True) for a in arrays]
    if len(leaves) > 3:
        options["mask"] = leaves[3]
    O = sdpa(*leaves[:3], **options)
    return O.numpy() if g is None else [d.numpy() for d in mt.grad(O, leaves, g)]


def tri(n, m):
    return np.array([[j <= i + (m - n) for j in range(m)] for i in range(n)])


SOME = rng.random((5, 6)) < 0.4
SOME[2], SOME[3, 4] = False, True  # a query without keys
BY_HEAD = rng.random((4, 5, 6)) < 0.5
# name: (shapes of Q, K, V; options for us; what is seen; what is added)
CASES = {
    "plain": (((5, 3), (6, 3), (6, 2)), {}, True, 0.0),
    "causal": (((6, 3), (6, 3), (6, 2)), {"causal": True}, tri(6, 6), 0.0),
    "causal, the last queries": (((3, 3), (7, 3), (7, 2)), {"causal": True}, tri(3, 7), 0.0),
    "causal, one query": (((1, 3), (7, 3), (7, 2)), {"causal": True}, True, 0.0),
    "causal, queries before the first key": (((7, 3), (3, 3), (3, 2)), {"causal": True}, tri(7, 3), 0.0),
    "boolean": (((5, 3), (6, 3), (6, 2)), {"mask": SOME}, SOME, 0.0),
    "boolean, one row for all": (((5, 3), (6, 3), (6, 2)), {"mask": SOME[0]}, SOME[:1], 0.0),
    "boolean, one column for all": (((5, 3), (6, 3), (6, 2)), {"mask": SOME[:, 3:4]}, SOME[:, 3:4], 0.0),
    "boolean, nothing seen": (((5, 3), (6, 3), (6, 2)), {"mask": np.zeros((5, 6), bool)}, False, 0.0),
    "boolean and causal": (((5, 3), (6, 3), (6, 2)), {"mask": SOME, "causal": True}, SOME & tri(5, 6), 0.0),
    "boolean by head": (((2, 4, 5, 3), (2, 4, 6, 3), (2, 4, 6, 2)), {"mask": BY_HEAD}, BY_HEAD, 0.0),
    "a mask with more axes": (((5, 3), (6, 3), (6, 2)), {"mask": BY_HEAD}, BY_HEAD, 0.0),
    "scale": (((5, 3), (6, 3), (6, 2)), {"scale": 0.2}, True, 0.0),
    "softcap": (((5, 3), (6, 3), (6, 2)), {"softcap": 0.8, "causal": True}, tri(5, 6), 0.0),
    "leading axes broadcast": (((2, 1, 5, 3), (4, 6, 3), (2, 1, 6, 2)), {}, True, 0.0),
    "shared keys": (((2, 4, 5, 3), (6, 3), (6, 2)), {"causal": True}, tri(5, 6), 0.0),
    "grouped queries": (((2, 6, 5, 3), (2, 3, 6, 3), (2, 3, 6, 2)), {}, True, 0.0),
    "grouped queries, causal": (((4, 5, 3), (2, 6, 3), (2, 6, 2)), {"causal": True, "softcap": 2.0}, tri(5, 6), 0.0),
    "grouped queries, a mask by head": (((2, 4, 5, 3), (2, 6, 3), (2, 2, 6, 2)), {"mask": BY_HEAD}, BY_HEAD, 0.0),
    "one key head": (((2, 4, 5, 3), (2, 1, 6, 3), (2, 1, 6, 2)), {"mask": SOME}, SOME, 0.0),
    "one query head, masks by head": (((1, 5, 3), (1, 6, 3), (1, 6, 2)), {"mask": BY_HEAD}, BY_HEAD, 0.0),
    "one position, one head": (((1, 1, 3), (1, 1, 3), (1, 1, 2)), {"causal": True}, True, 0.0),
    "no keys": (((5, 3), (0, 3), (0, 2)), {}, True, 0.0),
    "no queries": (((0, 3), (6, 3), (6, 2)), {"causal": True}, True, 0.0),
    "additive": (((5, 3), (6, 3), (6, 2)), {}, True, draw((5, 6))[0]),
    "additive, one number a key": (((5, 3), (6, 3), (6, 2)), {"causal": True}, tri(5, 6), draw((6,))[0]),
    "additive by head, causal": (((4, 7, 3), (2, 3, 3), (2, 3, 2)), {"causal": True}, tri(7, 3), draw((4, 1, 3))[0]),
}
every_case = pytest.mark.parametrize("name", CASES)


def prepared(name):
    shapes, options, seen, bias = CASES[name]
    arrays = draw(*shapes) + ([bias] if np.ndim(bias) else [])
    more = {k: options[k] for k in ("scale", "softcap") if k in options}
    return arrays, options, lambda a, **g: reference.attention(*a[:3], seen, a[3] if len(a) > 3 else 0.0, **more, **g)


@every_case
@methods
def test_its_values_are_those_of_each_query_with_the_masked_keys_deleted(name, method):
    arrays, options, wanted = prepared(name)
    np.testing.assert_allclose(run(arrays, method=method, **options), wanted(arrays), rtol=1e-12, atol=1e-14)


@every_case
@methods
def test_its_gradients_are_those_of_each_query_with_the_masked_keys_deleted(name, method):
    arrays, options, wanted = prepared(name)
    g = rng.standard_normal(wanted(arrays).shape)
    found = run(arrays, g, method=method, **options)
    for ours, theirs in zip(found, wanted(arrays, g=g), strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ["boolean and causal", "softcap", "additive by head, causal", "grouped queries"])
@pytest.mark.parametrize("order", [1, 2])
@methods
def test_its_derivatives_of_both_orders_equal_central_differences(name, order, method):
    arrays, options, _ = prepared(name)

    def f(*a):
        return sdpa(*a[:3], **options, **({"mask": a[3]} if len(a) > 3 else {}), method=method)

    assert mt.gradcheck(f, *arrays, order=order) < 1e-7


@every_case
def test_chunked_tangents_and_second_derivatives_are_the_dense_ones(name):
    arrays, options, wanted = prepared(name)
    g, tangents = rng.standard_normal(wanted(arrays).shape), draw(*(a.shape for a in arrays))

    def f(method):
        def function(*a):
            return sdpa(*a[:3], **options, **({"mask": a[3]} if len(a) > 3 else {}), method=method)

        return function

    dense, chunked = ([t.numpy() for t in mt.jvp(f(m), arrays, tangents)] for m in ("dense", "chunked"))
    np.testing.assert_allclose(chunked, dense, rtol=1e-12, atol=1e-13)
    products = []
    for m in ("dense", "chunked"):
        loss = lambda *a, m=m: (f(m)(*a) * g).sum()
        products.append([h.numpy() for h in mt.hvp(loss, tuple(arrays), tuple(tangents))[-1]])
    for ours, theirs in zip(*reversed(products), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@methods
def test_float32_stays_float32_and_plain_arrays_stay_plain(method):
    Q, K, V = (a.astype(np.float32) for a in draw((5, 3), (6, 3), (6, 2)))
    for mask in (None, SOME, rng.standard_normal((5, 6)), np.float64(0.5)):
        O = sdpa(Q, K, V, mask, causal=True, method=method)
        assert isinstance(O, np.ndarray)
        assert O.dtype == np.float32


# -- heads and the past ------------------------------------------------------------------------------------------------


@methods
def test_query_head_i_uses_key_head_i_over_the_group_size(method):
    Q, K, V = draw((6, 5, 3), (2, 6, 3), (2, 6, 2))
    O = run([Q, K, V], method=method)
    for i in range(6):
        np.testing.assert_allclose(O[i], run([Q[i], K[i // 3], V[i // 3]]), rtol=1e-13)


@methods
@pytest.mark.parametrize("pieces", [[1] * 7, [4, 1, 1, 1], [3, 2, 2], [7]])
def test_cached_decoding_equals_the_full_forward_with_turned_positions(method, pieces):
    q, k, V = draw((2, 4, 7, 6), (2, 2, 7, 6), (2, 2, 7, 3))
    whole = sdpa(mt.rotary(q), mt.rotary(k), V, causal=True, method=method)
    past, at, found = (np.zeros((2, 2, 0, 6)), np.zeros((2, 2, 0, 3))), 0, []
    for count in pieces:
        now = np.s_[..., at : at + count, :]
        K_now, V_now = mt.rotary(k[now], positions=at), V[now]
        found.append(sdpa(mt.rotary(q[now], positions=at), K_now, V_now, causal=True, past=past, method=method))
        past = tuple(np.concatenate([a, b], -2) for a, b in zip(past, (K_now, V_now), strict=True))
        at += count
    np.testing.assert_allclose(np.concatenate(found, -2), whole, rtol=1e-12, atol=1e-14)


@methods
def test_the_past_gets_gradients_like_the_keys_behind_it(method):
    Q, K, V = draw((3, 2), (7, 2), (7, 4))
    g = rng.standard_normal((3, 4))
    leaves = [mt.tensor(a, requires_grad=True) for a in (Q, K[4:], V[4:], K[:4], V[:4])]
    O = sdpa(*leaves[:3], causal=True, past=(leaves[3], leaves[4]), method=method)
    dQ, dK, dV, dK_past, dV_past = (d.numpy() for d in mt.grad(O, leaves, g))
    found = [dQ, np.concatenate([dK_past, dK]), np.concatenate([dV_past, dV])]
    for ours, theirs in zip(found, reference.attention(Q, K, V, tri(3, 7), g=g), strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


@methods
@pytest.mark.parametrize("changed", range(6))
def test_changing_a_future_token_changes_no_past_output(method, changed):
    arrays = draw((2, 6, 3), (2, 6, 3), (2, 6, 2))
    other = [a.copy() for a in arrays]
    for a in other:
        a[:, changed] += 1
    before, after = run(arrays, causal=True, method=method), run(other, causal=True, method=method)
    assert np.array_equal(before[:, :changed], after[:, :changed])
    assert (before[:, changed:] != after[:, changed:]).any(-1).all()


# -- errors ------------------------------------------------------------------------------------------------------------


@methods
@pytest.mark.parametrize(
    ("shapes", "options", "wanted"),
    [
        (((5, 3), (6, 4), (6, 2)), {}, "axis -1 of Q is 3 and of K 4"),
        (((5, 3), (6, 3), (7, 2)), {}, "axis -2 of K is 6 and of V 7"),
        (((3,), (6, 3), (6, 2)), {}, "each must have at least the axes (n, d)"),
        (((6, 5, 3), (4, 6, 3), (4, 6, 2)), {}, "has 6 heads (axis -3) and K (4, 6, 3) has 4, which does not divide 6"),
        (((6, 5, 3), (3, 6, 3), (4, 6, 2)), {}, "has 6 heads (axis -3) and V (4, 6, 2) has 4, which does not divide 6"),
        (((2, 6, 5, 3), (3, 6, 6, 3), (6, 6, 2)), {}, "the leading axes do not broadcast: axis -4 is 2 in the first"),
        (((5, 3), (6, 3), (6, 2)), {"mask": SOME.T}, "the mask (6, 5) does not broadcast to (..., 5, 6)"),
        (((1, 3), (6, 3), (6, 2)), {"mask": SOME}, "the mask (5, 6) does not broadcast to (..., 1, 6)"),
        (((2, 5, 3), (6, 3), (6, 2)), {"mask": BY_HEAD}, "the mask (4, 5, 6) and the scores (2, 5, 6)"),
        (((5, 0), (6, 0), (6, 2)), {}, "Give scale=...?"),
        (((5, 3), (6, 3), (6, 2)), {"past": (np.ones((2, 4)), np.ones((2, 2)))}, "past K (2, 4) and K (6, 3)"),
    ],
)
def test_shapes_that_do_not_fit_are_named_with_their_axes(shapes, options, wanted, method):
    with pytest.raises(mt.ShapeError, match=re.escape(wanted)) as caught:
        run([np.ones(s) for s in shapes], **options, method=method)
    assert said(caught.value).startswith("scaled_dot_product_attention")
    assert "test_attention_op.py" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "wanted"),
    [
        ({"mask": SOME.astype(int)}, mt.DtypeError, "the mask is int64.*mask.astype"),
        ({"softcap": 0.0}, mt.OperandError, "softcap is 0.0"),
        ({"method": "flash"}, mt.ArgumentError, "'flash'; it can be 'dense' or 'chunked'"),
        ({"past": np.ones((6, 3))}, mt.ArgumentError, "past is a ndarray; it takes a pair"),
    ],
)
def test_other_arguments_that_make_no_sense_are_named(options, error, wanted):
    with pytest.raises(error, match=wanted):
        run(draw((5, 3), (6, 3), (6, 2)), **options)


def test_a_learned_scale_is_refused_rather_than_left_without_a_gradient():
    Q, K, V = draw((5, 3), (6, 3), (6, 2))
    with pytest.raises(mt.ArgumentError, match=r"scale is a Tensor; it takes a number\. Multiply Q by it"):
        sdpa(Q, K, V, scale=mt.tensor(0.5, requires_grad=True))
    for number in (np.float64(0.5), 1, 0.5):
        assert sdpa(*(a.astype(np.float32) for a in (Q, K, V)), scale=number).dtype == np.float32
