"""Which indices are summed?  Einstein's notation, and the products that are cases of it.

    einsum("ik,kj->ij", a, b):   out_ij = sum_k a_ik b_kj

The derivative by an operand is an einsum too: that of the cotangent and the other operands.  A letter that stands in
this operand alone gets a vector of ones; one that stands in it twice (a diagonal) gets a unit matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, ShapeError
from minitorch.explain import named
from minitorch.ops.dtype import shape_of
from minitorch.ops.elementwise import multiply
from minitorch.ops.linalg import matmul
from minitorch.ops.movement import reshape
from minitorch.options import settled
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape, normalize_axes

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"  # importing `string` would compile its templates


def _back(g, subscripts: str, k: int, others: Sequence[Any], shapes: Sequence[Shape]):
    """The derivative by operand k: of all the operands the shapes are known, and of the others the values."""
    labels, out = _terms(subscripts)
    sizes: dict[str, int] = {}
    for letters, shape in zip(labels, shapes, strict=True):
        for letter, n in zip(letters, shape, strict=True):
            sizes[letter] = n if sizes.get(letter, 1) == 1 else sizes[letter]
    parts, terms = [g, *others], [out, *labels[:k], *labels[k + 1 :]]
    spare = (letter for letter in _LETTERS if letter not in sizes)
    others_have = {  # letters that the cotangent and the other operands have in full; where they have 1, it stretches
        *out,
        *(c for j in range(len(labels)) if j != k for c, n in zip(labels[j], shapes[j], strict=True) if n == sizes[c]),
    }
    target = ""
    for letter in labels[k]:
        if letter in target:  # a diagonal: the second axis agrees with the first
            again = next(spare)
            target += again
            parts.append(np.eye(sizes[letter], dtype=g.dtype))
            terms.append(letter + again)
            continue
        target += letter
        if letter not in others_have:  # summed in this operand alone
            parts.append(np.ones(sizes[letter], g.dtype))
            terms.append(letter)
    return _any_einsum(parts, f"{','.join(terms)}->{target}")


def _terms(subscripts: str) -> tuple[list[str], str]:
    left, out = subscripts.split("->")
    return left.split(","), out


def _any_einsum(operands: Sequence[Any], subscripts: str) -> Any:
    """By the record for so many operands: of one and of two, only what is needed is kept."""
    if len(operands) > 2:
        return _einsum(*operands, subscripts=subscripts)
    of = _einsum_of_two if len(operands) == 2 else _einsum_of_one
    return of(*operands, subscripts=subscripts)


def _mismatch(*shapes: Shape, subscripts: str) -> str | None:
    """Which letter stands for two sizes."""
    seen: dict[str, tuple[int, int]] = {}
    for k, (letters, shape) in enumerate(zip(_terms(subscripts)[0], shapes, strict=True)):
        for letter, n in zip(letters, shape, strict=True):
            j, m = seen.get(letter, (k, n))
            if 1 not in (m, n) and m != n:
                return (
                    f"{letter!r} is {m} in operand {j} {shapes[j]} and {n} in operand {k} {shapes[k]} ({subscripts}). "
                    "Give one another letter?"
                )
            seen[letter] = (j, m) if m != 1 else (k, n)
    return None


def _formula(names: Sequence[str]):
    """einsum's own letters, as i0, i1, ..., with the sum written out."""

    def formula(ranks, static):
        labels, out = _terms(static["subscripts"])
        letters = {c: f"i{k}" for k, c in enumerate(dict.fromkeys("".join(labels)))}

        def entry(name: str, axes: str) -> str:
            return f"{name}[{','.join(letters[c] for c in axes)}]" if axes else name

        over = ",".join(i for c, i in letters.items() if c not in out)
        product = " * ".join(map(entry, names, labels))
        return f"{entry('out', out)} = {f'sum_{{{over}}} ' if over else ''}{product}"

    return formula


@primitive(
    name="einsum_of_one",
    formula=_formula(["x"]),
    vjp={"x": lambda g, x_shape, *, subscripts: _back(g, subscripts, 0, [], [x_shape])},
    explain=_mismatch,
)
def _einsum_of_one(x: Array, *, subscripts: str):
    return np.array(np.einsum(subscripts, np.asarray(x)))  # of its own: NumPy's is a writeable view of x


@primitive(
    name="einsum_of_two",
    formula=_formula(["a", "b"]),
    vjp={
        "a": lambda g, b, a_shape, *, subscripts: _back(g, subscripts, 0, [b], [a_shape, shape_of(b)]),
        "b": lambda g, a, b_shape, *, subscripts: _back(g, subscripts, 1, [a], [shape_of(a), b_shape]),
    },
    explain=_mismatch,
)
def _einsum_of_two(a: Array, b: Array, *, subscripts: str):
    return np.einsum(subscripts, np.asarray(a), np.asarray(b), optimize=True)


def _einsum_rule(g, operands, *, subscripts):
    shapes = [shape_of(o) for o in operands]
    return [_back(g, subscripts, k, [*operands[:k], *operands[k + 1 :]], shapes) for k in range(len(operands))]


@primitive(name="einsum", vjp={"operands": _einsum_rule}, explain=_mismatch)
def _einsum(*operands: Array, subscripts: str):
    return np.einsum(subscripts, *map(np.asarray, operands), optimize=True)


@named
def einsum(subscripts: str, *operands: Array) -> Any:
    """The sum of products that `subscripts` describes, as `np.einsum`: "ij,jk->ik", "ii->i", "...ij,...jk" and so on.

    Without "->", letters that stand once remain, in alphabetical order.

    Raises:
        ShapeError: the subscripts do not fit the operands, or a letter stands for two sizes.

    >>> float(einsum("ii", np.eye(3)))
    3.0
    """
    if not isinstance(subscripts, str):
        raise ArgumentError(
            f"einsum: the subscripts are a {type(subscripts).__name__}; text such as 'ij,jk->ik' comes first, then the "
            "operands."
        )
    return _any_einsum(operands, _explicit(subscripts, [len(shape_of(o)) for o in operands]))


def _explicit(subscripts: str, ranks: Sequence[int]) -> str:
    """The subscripts with every ellipsis and the output written out.

    >>> _explicit("...ij,...jk", [3, 2])
    'aij,jk->aik'
    """
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ShapeError(f"einsum: {subscripts!r} describes {len(terms)} operands, but {len(ranks)} are given.")
    counts = []
    for k, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        named, dots = len(term.replace("...", "", 1)), "..." in term
        if rank < named or (rank > named and not dots):
            raise ShapeError(f"einsum: operand {k} has {rank} axes, but {term!r} in {subscripts!r} names {named}.")
        counts.append(rank - named if dots else 0)
    spare = [letter for letter in _LETTERS if letter not in text]
    extra = "".join(spare[: max(counts, default=0)])
    terms = [t.replace("...", extra[len(extra) - n :], 1) for t, n in zip(terms, counts, strict=True)]
    if not arrow:
        named = "".join(left.replace("...", "").split(","))
        out = "..." + "".join(sorted(letter for letter in set(named) if named.count(letter) == 1))
    out = out.replace("...", extra, 1)
    everything = "".join(terms)
    wrong = [c for c in everything + out if c not in _LETTERS]
    wrong += [c for c in out if c not in everything or out.count(c) > 1]
    if wrong:
        raise ShapeError(
            f"einsum: {wrong[0]!r} has no meaning in {subscripts!r}; the output takes letters of the input."
        )
    return f"{','.join(terms)}->{out}"


@named
def tensordot(a: Array, b: Array, axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2) -> Any:
    """The sum over pairs of axes: the last `axes` of a with the first of b, or (axes of a, axes of b).

    >>> tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    rank, other = len(shape_of(a)), len(shape_of(b))
    axes = settled("tensordot", "axes", axes)
    axes = axes.tolist() if isinstance(axes, np.ndarray) else axes
    if isinstance(axes, int):
        axes = (tuple(range(rank - axes, rank)), tuple(range(axes)))
    of_a, of_b = (
        normalize_axes(tuple(x) if isinstance(x, Sequence) else x, n) for x, n in zip(axes, (rank, other), strict=True)
    )
    if len(of_a) != len(of_b) or not {*of_a} <= {*range(rank)} or not {*of_b} <= {*range(other)}:
        raise ShapeError(f"tensordot: shapes {shape_of(a)} and {shape_of(b)} have no such pairs of axes: {axes}.")
    for i, j in zip(of_a, of_b, strict=True):
        m, n = shape_of(a)[i], shape_of(b)[j]
        if m != n:
            raise ShapeError(
                f"tensordot: axis {i} of the left {shape_of(a)} is {m}, axis {j} of the right {shape_of(b)} is {n}; "
                "they are summed together. Choose other axes?"
            )
    left = _LETTERS[:rank]
    right = list(_LETTERS[rank : rank + other])
    for i, j in zip(of_a, of_b, strict=True):
        right[j] = left[i]
    out = [c for k, c in enumerate(left) if k not in of_a] + [c for k, c in enumerate(right) if k not in of_b]
    return _einsum_of_two(a, b, subscripts=f"{left},{''.join(right)}->{''.join(out)}")


@named
def dot(a: Array, b: Array) -> Any:
    """NumPy's dot: a product with a scalar, `a @ b` for vectors and matrices, else the sum over the last axis of a and
    the last but one of b."""
    if not len(shape_of(a)) or not len(shape_of(b)):
        return multiply(a, b)
    return matmul(a, b) if len(shape_of(b)) <= 2 else tensordot(a, b, (-1, -2))


@primitive(
    name="outer",
    formula="out[i,j] = a[i] * b[j]",
    vjp={"a": lambda g, b: g @ b, "b": lambda g, a: a @ g},
)
def _outer(a: Array, b: Array):
    return np.outer(np.asarray(a), np.asarray(b))


@named
def outer(a: Array, b: Array) -> Any:
    """a_i b_j: the products of all pairs; arrays of other ranks are flattened first.

    >>> outer(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[3., 4.],
           [6., 8.]])
    """
    a, b = (x if len(shape_of(x)) == 1 else reshape(x, (-1,)) for x in (a, b))
    return _outer(a, b)
