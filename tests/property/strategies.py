"""What is drawn?  Shapes with axes of size 0 and 1, arrays, axes, indices of every kind, and subscripts."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

Shape = tuple[int, ...]
seeds = st.integers(0, 2**32 - 1)


def shapes(min_dims: int = 0, max_dims: int = 4, min_side: int = 0, max_side: int = 4) -> st.SearchStrategy[Shape]:
    """Shapes, sizes 0 and 1 among them; 0 is rarer, or most arrays would be empty."""
    sizes = st.sampled_from([n for n in (3, 2, 4, 3, 2, 4, 1, 0) if min_side <= n <= max_side])
    return st.integers(min_dims, max_dims).flatmap(lambda rank: st.tuples(*[sizes] * rank))


def broadcastable(count: int = 2) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Shapes that broadcast with each other."""
    drawn = hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=3)
    return drawn.map(lambda found: found.input_shapes)


def signed(seed: int, shape: Shape, dtype: Any = np.float64) -> np.ndarray:
    """Entries of magnitude 0.3 to 1.5 and either sign, no two of them equal."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.uniform(0.3, 1.5, shape) * rng.choice([-1.0, 1.0], shape), dtype)


@st.composite
def arrays(draw: Any, of: st.SearchStrategy[Shape] | None = None) -> np.ndarray:
    """An array of a drawn shape."""
    return signed(draw(seeds), draw(shapes() if of is None else of))


def one_axis(rank: int) -> st.SearchStrategy[int]:
    """An axis, counted from either end; there must be one."""
    return st.integers(-rank, rank - 1)


def some_axes(rank: int) -> st.SearchStrategy[Any]:
    """None, an axis, or a tuple of axes, negative ones and the empty tuple among them."""
    tuples = st.permutations(range(rank)).flatmap(
        lambda order: st.integers(0, rank).map(lambda n: tuple(a - rank * (a % 2) for a in order[:n]))
    )
    return st.one_of(st.none(), tuples, *([one_axis(rank)] if rank else []))


def slices(n: int) -> st.SearchStrategy[slice]:
    """Any slice of an axis of size n, with steps of either sign."""
    bound = st.none() | st.integers(-n - 2, n + 2)
    step = st.none() | st.integers(-3, 3).filter(bool)
    return st.builds(slice, bound, bound, step)


@st.composite
def indices(draw: Any, shape: Shape) -> Any:
    """An index of an array of this shape: slices, integers, arrays of integers, masks, None and Ellipsis, mixed."""
    rng = np.random.default_rng(draw(seeds))
    if draw(st.integers(0, 7)) == 0:  # one mask for all axes
        return rng.random(shape) < 0.5
    together = draw(st.sampled_from([(3,), (), (1,), (2, 3)]))  # the shape to which the arrays broadcast
    parts: list[Any] = []
    for n in shape:
        kind = draw(st.sampled_from(["slice", "integers", "integer", "list", "mask"]))
        if kind == "slice" or not n:
            parts.append(draw(slices(n)))
        elif kind == "integer":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "integers":
            parts.append(rng.integers(-n, n, together))
        elif kind == "list" and together == (3,):
            parts.append(rng.integers(-n, n, 3).tolist())
        elif kind == "mask" and together == (1,):
            parts.append(np.arange(n) == rng.integers(0, n))
        else:
            parts.append(draw(slices(n)))
    if draw(st.booleans()):  # the last axes may go without saying, and so may any others under an Ellipsis
        start = draw(st.integers(0, len(parts)))
        stop = draw(st.integers(start, len(parts)))
        parts[start:stop] = [Ellipsis]
    elif draw(st.booleans()):
        parts = parts[: draw(st.integers(0, len(parts)))]
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return parts[0] if len(parts) == 1 and draw(st.booleans()) else tuple(parts)


@st.composite
def subscripts(draw: Any, max_operands: int = 3) -> tuple[str, list[Shape]]:
    """Einstein's notation and shapes that fit it: repeated letters, sums within an operand, sizes 0, and 1 that
    stretches."""
    letters = ascii_lowercase[: draw(st.integers(1, 4))]
    sizes = {c: draw(st.integers(0, 3)) for c in letters}
    terms, found = [], []
    for _ in range(draw(st.integers(1, max_operands))):
        term = "".join(draw(st.lists(st.sampled_from(letters), max_size=3)))
        stretched = {c for c in set(term) if term.count(c) == 1 and draw(st.integers(0, 4)) == 0}
        terms.append(term)
        found.append(tuple(1 if c in stretched else sizes[c] for c in term))
    used = sorted(set("".join(terms)))
    out = "".join(draw(st.lists(st.sampled_from(used), unique=True))) if used else ""
    return f"{','.join(terms)}->{out}", found
