"""Does every entry go where NumPy's goes, and does every cotangent come back?  Chains of movements, and joining."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch as mt
from tests.property.reference import close, positions, pulled, put_back
from tests.property.strategies import arrays, one_axis, seeds, shapes, signed, some_axes


def _factored(n: int) -> st.SearchStrategy[tuple[int, ...]]:
    if n == 0:
        return st.sampled_from([(0,), (2, 0), (0, 1, 3)])
    pairs = [(a, n // a) for a in range(1, n + 1) if n % a == 0]
    return st.sampled_from([(n,), (-1,), *pairs, *((1, a, b) for a, b in pairs), *((a, -1) for a, _ in pairs)])


@st.composite
def _paddings(draw: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    mode = draw(st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]))
    if mode != "constant" and 0 in shape:
        mode = "constant"
    widths = [(draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in shape]
    return {"pad_width": widths, "mode": mode}


# The movements, with the number of axes that each needs.
MOVEMENTS = {"reshape": 0, "transpose": 0, "expand_dims": 0, "squeeze": 0, "flip": 0, "tile": 0, "broadcast_to": 0}
MOVEMENTS |= {"repeat": 0, "roll": 0, "swapaxes": 1, "moveaxis": 1, "pad": 1, "diagonal": 2}


@st.composite
def steps(draw: Any, shape: tuple[int, ...], only: str | None = None) -> tuple[str, dict[str, Any]]:
    """A movement that an array of this shape allows, and its arguments."""
    rank = len(shape)
    name = only or draw(st.sampled_from([name for name, least in MOVEMENTS.items() if rank >= least]))
    match name:
        case "reshape":
            return name, {"shape": draw(_factored(int(np.prod(shape))))}
        case "transpose":
            return name, {"axes": draw(st.none() | st.permutations(range(-rank, 0)).map(tuple))}
        case "expand_dims":
            return name, {"axis": draw(st.integers(-rank - 1, rank) | st.just((0, -1)))}
        case "squeeze":
            ones = [a - rank * (a % 2) for a, n in enumerate(shape) if n == 1]
            return name, {"axis": draw(st.sampled_from([None, tuple(ones), *ones]))}
        case "flip":
            return name, {"axis": draw(some_axes(rank))}
        case "tile":
            return name, {
                "reps": draw(st.integers(0, 2) | st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple))
            }
        case "broadcast_to":
            front = draw(st.lists(st.integers(0, 2), max_size=2))
            return name, {"shape": (*front, *(draw(st.integers(0, 3)) if n == 1 else n for n in shape))}
        case "repeat":
            axis = draw(st.none() | one_axis(rank)) if rank else None
            n = int(np.prod(shape)) if axis is None else shape[axis]
            return name, {
                "repeats": draw(st.integers(0, 2) | st.lists(st.integers(0, 2), min_size=n, max_size=n)),
                "axis": axis,
            }
        case "roll":
            return name, {"shift": draw(st.integers(-5, 5)), "axis": draw(st.none() | one_axis(rank)) if rank else None}
        case "swapaxes":
            return name, {"axis1": draw(one_axis(rank)), "axis2": draw(one_axis(rank))}
        case "moveaxis":
            return name, {"source": draw(one_axis(rank)), "destination": draw(one_axis(rank))}
        case "diagonal":
            first, second = draw(st.permutations(range(-rank, 0)))[:2]
            return name, {"offset": draw(st.integers(-4, 4)), "axis1": first, "axis2": second}
    return name, draw(_paddings(shape))


def moved(x: Any, name: str, arguments: dict[str, Any], library: Any) -> Any:
    if name in ("reshape", "broadcast_to", "expand_dims", "tile") and library is np:  # NumPy calls some otherwise
        return getattr(np, name)(x, *arguments.values())
    return getattr(library, name)(x, **arguments)


@given(st.data(), seeds)
@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_movement_is_numpys_and_each_cotangent_returns_to_where_its_entry_came_from(name, data, seed):
    x = signed(seed, data.draw(shapes(min_dims=MOVEMENTS[name], max_dims=4)))
    _, arguments = data.draw(steps(x.shape, name))
    value, (found,), g = pulled(lambda t: moved(t, name, arguments, mt), x)
    np.testing.assert_array_equal(value, moved(x, name, arguments, np))
    where = moved(positions(x.shape) + 1, name, arguments, np)  # 0 is what padding adds
    close(found.ravel(), put_back(where, g, (x.size + 1,))[1:])


@given(st.data(), seeds)
def test_a_chain_of_movements_is_numpys_and_each_cotangent_returns_to_where_its_entry_came_from(data, seed):
    shape = data.draw(shapes(max_dims=3, max_side=3))
    x = signed(seed, shape)
    chain, y, where = [], x, positions(shape) + 1
    for _ in range(data.draw(st.integers(1, 4))):
        name, arguments = data.draw(steps(y.shape))
        y, where = moved(y, name, arguments, np), moved(where, name, arguments, np)
        chain.append((name, arguments))
        if y.size > 300 or y.ndim > 5:
            break

    def run(t):
        for name, arguments in chain:
            t = moved(t, name, arguments, mt)
        return t

    value, (found,), g = pulled(run, x)
    np.testing.assert_array_equal(value, y)
    close(found.ravel(), put_back(where, g, (x.size + 1,))[1:])


@given(st.data(), seeds)
@pytest.mark.parametrize("name", ["concatenate", "stack"])
def test_joined_parts_are_numpys_and_each_gets_its_piece_of_the_cotangent(name, data, seed):
    shape = data.draw(shapes(min_dims=int(name == "concatenate"), max_dims=3, max_side=3))
    rank = len(shape) + (name == "stack")
    axis = data.draw(one_axis(rank))
    sizes = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    kinds = [shape] * len(sizes)
    if name == "concatenate":
        a = axis % rank
        kinds = [(*shape[:a], n, *shape[a + 1 :]) for n in sizes]
    parts = [signed(seed + k, s) for k, s in enumerate(kinds)]
    starts = np.cumsum([0, *(p.size for p in parts)])
    where = getattr(np, name)([positions(p.shape) + s for p, s in zip(parts, starts, strict=False)], axis=axis)
    value, found, g = pulled(lambda *ts: getattr(mt, name)(ts, axis=axis), *parts)
    np.testing.assert_array_equal(value, getattr(np, name)(parts, axis=axis))
    wanted = put_back(where, g, (int(starts[-1]),))
    for k, f in enumerate(found):
        close(f.ravel(), wanted[starts[k] : starts[k + 1]])


@given(st.data(), arrays(shapes(min_dims=1, max_dims=3)))
def test_split_gives_numpys_pieces_and_takes_back_their_cotangents(data, x):
    axis = data.draw(one_axis(x.ndim))
    n = x.shape[axis]
    equal = st.sampled_from([k for k in range(1, max(n, 1) + 1) if n % k == 0])
    cuts = data.draw(equal | st.lists(st.integers(0, n), max_size=3).map(sorted))
    pieces = np.split(x, cuts, axis)
    t = mt.tensor(x, requires_grad=True)
    found = mt.split(t, cuts, axis)
    assert len(found) == len(pieces)
    for k, (f, p) in enumerate(zip(found, pieces, strict=True)):
        np.testing.assert_array_equal(f.numpy(), p)
        g = signed(k, p.shape)
        where = np.split(positions(x.shape), cuts, axis)[k]
        close(mt.grad(f, t, g, retain_graph=True).numpy(), put_back(where, g, x.shape))


@given(st.data(), arrays(shapes(min_dims=1, max_dims=3)))
def test_triangles_diagonals_and_their_sums_are_numpys(data, x):
    k = data.draw(st.integers(-4, 4))
    pairs = [("tril", np.tril), ("triu", np.triu)] * (x.ndim > 1) + [("diag", np.diag)] * (x.ndim < 3)
    for name, reference in pairs:
        value, (found,), g = pulled(lambda t, name=name: getattr(mt, name)(t, k=k), x)
        np.testing.assert_array_equal(value, reference(x, k))
        close(found.ravel(), put_back(reference(positions(x.shape) + 1, k), g, (x.size + 1,))[1:])
    if x.ndim > 1:
        value, (found,), g = pulled(lambda t: mt.trace(t, offset=k), x)
        close(value, np.trace(x, k))
        diagonal = np.diagonal(positions(x.shape), k)
        close(found, put_back(diagonal, np.broadcast_to(g[..., None], diagonal.shape), x.shape))
