"""Is every contraction a sum of products?  Matrix products of every rank, and Einstein's notation with any letters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch as mt
from tests.property.reference import close, pulled
from tests.property.strategies import broadcastable, one_axis, seeds, shapes, signed, subscripts


def summed(text: str, operands: list[np.ndarray], g: np.ndarray | None = None) -> Any:
    """einsum by loops over all letters; with g, the gradients of <g, einsum> by each operand."""
    left, out = text.split("->")
    terms = left.split(",")
    sizes: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for c, n in zip(term, x.shape, strict=True):
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    letters = list(sizes)
    value = np.zeros([sizes[c] for c in out])
    back = [np.zeros_like(x) for x in operands]
    for place in np.ndindex(*sizes.values()):
        at = dict(zip(letters, place, strict=True))
        where = [
            tuple(at[c] if n > 1 else 0 for c, n in zip(t, x.shape, strict=True))
            for t, x in zip(terms, operands, strict=True)
        ]
        entries = [float(x[w]) for x, w in zip(operands, where, strict=True)]
        o = tuple(at[c] for c in out)
        value[o] += np.prod(entries)
        if g is not None:
            for k, w in enumerate(where):
                back[k][w] += g[o] * np.prod(entries[:k] + entries[k + 1 :])
    return value if g is None else (value, back)


@given(subscripts(), seeds)
def test_einsum_is_the_sum_of_products_and_so_are_its_gradients(drawn, seed):
    text, kinds = drawn
    operands = [signed(seed + k, s) for k, s in enumerate(kinds)]
    value, found, g = pulled(lambda *ts: mt.einsum(text, *ts), *operands)
    expected, back = summed(text, operands, g)
    close(value, expected)
    close(np.einsum(text, *map(mt.tensor, operands)).numpy(), expected)
    for f, b in zip(found, back, strict=True):
        close(f, b)


@given(st.data(), seeds)
def test_einsum_reads_ellipses_and_unwritten_outputs_as_numpy_does(data, seed):
    first, second = data.draw(broadcastable())
    n, m, k = (data.draw(st.integers(0, 3)) for _ in range(3))
    a, b = signed(seed, (*first, n, m)), signed(seed + 1, (*second, m, k))
    text = data.draw(
        st.sampled_from(["...ij,...jk->...ik", "...ij,...jk", "...ij,...jk->k...", "... ij, ... jk -> ... i"])
    )
    value, found, g = pulled(lambda s, t: mt.einsum(text, s, t), a, b)
    close(value, np.einsum(text, a, b))
    for x, f, other in ((a, found[0], lambda d: (d, b)), (b, found[1], lambda d: (a, d))):
        d = signed(seed + 2, x.shape)  # linear in each operand: <g, f(d)> is <gradient, d>
        close((f * d).sum(), (g * np.einsum(text, *other(d))).sum())


@given(st.data(), seeds)
@pytest.mark.parametrize("ranks", [(a, b) for a in (1, 2, 3, 4) for b in (1, 2, 3, 4)], ids=str)
def test_matmul_of_every_pair_of_ranks_is_einsum(ranks, data, seed):
    batch = data.draw(broadcastable())
    first, second = (s[max(0, len(s) - max(0, r - 2)) :] for s, r in zip(batch, ranks, strict=True))
    first, second = (1,) * (ranks[0] - 2 - len(first)) + first, (1,) * (ranks[1] - 2 - len(second)) + second
    n, m, k = (data.draw(st.integers(0, 3)) for _ in range(3))
    a = signed(seed, (m,) if ranks[0] == 1 else (*first, n, m))
    b = signed(seed + 1, (m,) if ranks[1] == 1 else (*second, m, k))
    value, found, g = pulled(mt.matmul, a, b)
    np.testing.assert_array_equal((mt.tensor(a) @ b).numpy(), value)
    letters = "uvw"
    left = letters[2 - len(first) : 2] * (ranks[0] > 1) + "i" * (ranks[0] > 1) + "j"
    right = letters[2 - len(second) : 2] * (ranks[1] > 1) + "j" + "k" * (ranks[1] > 1)
    out = "".join(sorted({*left, *right} - {*"ijk"})) + "i" * (ranks[0] > 1) + "k" * (ranks[1] > 1)
    expected, back = summed(f"{left},{right}->{out}", [a, b], g)
    close(value, np.matmul(a, b))
    close(value, expected)
    close(found[0], back[0])
    close(found[1], back[1])


@given(st.data(), seeds)
def test_tensordot_dot_and_outer_are_numpys_and_linear_in_each_operand(data, seed):
    a = signed(seed, data.draw(shapes(max_dims=3, max_side=3)))
    shared = data.draw(st.lists(one_axis(a.ndim), max_size=2, unique_by=lambda x: x % a.ndim)) if a.ndim else []
    own = list(data.draw(shapes(max_dims=2, max_side=2)))
    places = data.draw(st.permutations(range(len(own) + len(shared))))[: len(shared)]
    shape: list[int] = list(own)
    for place, axis in sorted(zip(places, shared, strict=True)):
        shape.insert(place, a.shape[axis])
    b = signed(seed + 1, tuple(shape))
    pairs = [("tensordot", (shared, list(places))), ("outer", None)]
    if a.ndim and b.ndim and a.shape[-1] == b.shape[max(-2, -b.ndim)]:
        pairs.append(("dot", None))
    for name, axes in pairs:
        more = {} if axes is None else {"axes": axes}
        value, found, g = pulled(lambda s, t, name=name, more=more: getattr(mt, name)(s, t, **more), a, b)
        close(value, getattr(np, name)(a, b, **more))
        for k, x in enumerate((a, b)):
            d = signed(seed + 2, x.shape)
            along = getattr(np, name)(*((d, b) if k == 0 else (a, d)), **more)
            close((found[k] * d).sum(), (g * along).sum())
