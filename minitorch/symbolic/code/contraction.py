r"""Is a sum a matrix product, the sum of a row, or an ``einsum``?

$\sum_k a_{ik} b_{kj}$ is ``a @ b``; a sum over a product that is no larger than one of its factors,
$\sum_j P_{ij} D_{ij}$, is ``(P * D).sum(axis=1)``; whatever else has several factors is an ``einsum``, which never
forms the product.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Protocol

from sympy import Expr, Mul

from minitorch.symbolic.binders import opened
from minitorch.symbolic.code.layout import MUL, Code, Order, pattern, placed, stretched
from minitorch.symbolic.code.lookup import looked_up
from minitorch.symbolic.expression import Binder, Entry, Index, Sum, free


class Lower(Protocol):
    """Turns expressions into code."""

    def code(self, e: Expr, order: Order) -> Code: ...
    def raw(self, e: Entry) -> str: ...
    def letter(self, index: Index, taken: Sequence[str]) -> str: ...


def reduction(e: Binder, order: Order, lower: Lower, mean: bool = False) -> Code:
    """The code of a sum or maximum, aligned with ``order``.

    Arguments:
        mean: divide by the number of terms; only for what :func:`adds_up` says is the sum of one array.
    """
    body, bound = opened(e)
    if isinstance(e, Sum):
        body, bound = looked_up(body, bound)
        if not bound:
            return lower.code(body, order)
        operands = operands_of(body)
        if len(operands) > 1:
            return _product(operands, bound, order, lower)
    return _along_axes(body, bound, order, lower, "mean" if mean else "sum" if isinstance(e, Sum) else "max")


def adds_up(e: Sum) -> bool:
    """Whether a sum adds up the entries of one array, rather than contracting several."""
    body, bound = opened(e)
    return len(operands_of(body)) == 1 and looked_up(body, bound)[1] == bound


def _along_axes(body: Expr, bound: Sequence[Index], order: Order, lower: Lower, how: str) -> Code:
    axes = natural(body, order)
    array = lower.code(body, axes).within(3)
    kept = tuple(i for i in axes if i not in bound)
    if not kept:
        return Code(f"{array}.{how}()")
    over = [k for k, i in enumerate(axes) if i in bound]
    axis = f"axis={over[0] if len(over) == 1 else tuple(over)}"
    wanted = pattern(kept, order)
    stays = tuple(i in kept for i in axes)
    stays = stays[stays.index(True) :]
    if [i for i in order if i in kept] == list(kept) and wanted == stays and not all(wanted):
        return Code(f"{array}.{how}({axis}, keepdims=True)")
    return placed(Code(f"{array}.{how}({axis})"), kept, order)


def natural(e: Expr, order: Order) -> Order:
    """All free indices, in the order in which the largest array inside has them; the others of ``order`` first."""
    entries = sorted(e.atoms(Entry), key=lambda entry: (-len(set(entry.indices) & free(e)), str(entry)))
    largest = tuple(dict.fromkeys(i for i in entries[0].indices if i in free(e))) if entries else ()
    others = sorted(free(e) - set(largest), key=lambda i: (order.index(i) if i in order else len(order), str(i)))
    return (*others, *largest)


def operands_of(body: Expr) -> list[Expr]:
    """The factors of a product, multiplied together where that makes nothing larger."""
    factors = sorted(Mul.make_args(body), key=lambda f: (-len(free(f)), str(f)))
    if len(factors) == 2 and (free(factors[0]) != free(factors[1]) or len(free(factors[0])) == 1):
        return factors  # a matrix times a vector, or two vectors
    groups: list[Expr] = []
    for factor in factors:
        holders = [g for g in groups if free(factor) <= free(g)]
        if holders:
            holder = min(holders, key=lambda g: len(free(g)))
            groups[groups.index(holder)] = holder * factor
        else:
            groups.append(factor)
    return groups


def _product(operands: list[Expr], bound: Sequence[Index], order: Order, lower: Lower) -> Code:
    left_over = frozenset().union(*map(free, operands)) - set(bound)
    kept = tuple(i for i in order if i in left_over)
    if len(operands) == 2 and len(bound) == 1:
        for left, right in (operands, operands[::-1]):
            orders = _matrix_orders(free(left), free(right), bound[0], kept)
            if orders:
                written = [lower.code(e, o) for e, o in zip((left, right), orders, strict=True)]
                second = written[1].text if written[1].level > MUL else f"({written[1].text})"
                code = Code(f"{written[0].within(MUL)} @ {second}", MUL, product=True)
                return stretched(code, pattern(kept, order)) if kept else code
    return placed(_einsum(operands, kept, lower), kept, order)


def _matrix_orders(
    left: frozenset[Index], right: frozenset[Index], k: Index, kept: Order
) -> tuple[Order, Order] | None:
    """The axes of two operands of ``@`` that gives the axes ``kept``; None if it cannot."""
    if right == {k}:
        return (*kept, k), (k,)
    if left == {k}:
        return (k,), (*kept[:-1], k, kept[-1])
    if len(kept) < 2 or kept[-2] not in left - right or kept[-1] not in right - left:
        return None
    *lead, a, b = kept
    leads = [tuple(i for i in lead if i in side) for side in (left, right)]
    if any(tuple(lead[len(lead) - len(part) :]) != part for part in leads):
        return None
    return (*leads[0], a, k), (*leads[1], k, b)


def _einsum(operands: Sequence[Expr], kept: Order, lower: Lower) -> Code:
    letters: dict[Index, str] = {}

    def word(indices: Sequence[Index]) -> str:
        for index in indices:
            if index not in letters:
                wanted = lower.letter(index, list(letters.values()))
                spare = (c for c in string.ascii_letters if c not in letters.values())
                single = len(wanted) == 1 and wanted in string.ascii_letters and wanted not in letters.values()
                letters[index] = wanted if single else next(spare)
        return "".join(letters[index] for index in indices)

    word(kept)
    words, arrays = [], []
    for operand in operands:
        whole = type(operand) is Entry
        axes = operand.indices if whole else natural(operand, kept)
        words.append(word(axes))
        arrays.append(lower.raw(operand) if whole else lower.code(operand, axes).text)
    best = ", optimize=True" if len(operands) > 2 else ""
    return Code(f'np.einsum("{",".join(words)}->{word(kept)}", {", ".join(arrays)}{best})')
