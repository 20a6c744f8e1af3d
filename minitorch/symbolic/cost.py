r"""What does a formula cost: arithmetic forward and backward, and memory kept in between, as functions of its sizes?

$$ O_{ic} = \sum_j P_{ij} V_{jc} \;\text{takes}\; 2\,n\,m\,d_v \;\text{operations.} $$

Conventions.  A multiplication and an addition are one operation each, so a product of matrices takes two for every
pair of entries that meet.  A subtraction, division, root, exponential, logarithm, comparison or other scalar function
is one; a whole power is its multiplications; a sign, a look-up and what is made of sizes alone cost nothing.  Every
definition is computed as it is written, constant factors outside its sums, what occurs twice in it once.  Kept is what
the derived backward pass reads of what the forward pass computed; inputs are alive anyway.

Source: Griewank and Walther, *Evaluating Derivatives* (2008), section 4; the orders of growth
are those of Vaswani et al. 2017 (arXiv 1706.03762), table 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sympy import Add, Expr, Integer, Mul, Poly, Pow, S, expand, sympify

from minitorch.symbolic.binders import is_leaf, opened
from minitorch.symbolic.calculus import contract, hoist
from minitorch.symbolic.code.contraction import operands_of
from minitorch.symbolic.code.gradients import kept
from minitorch.symbolic.code.lookup import looked_up
from minitorch.symbolic.expression import Binder, Delta, Entry, Index, Sum, dimension, free, names
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.selection import Selected


@dataclass(frozen=True)
class Row:
    """What one definition costs.

    Attributes:
        name: what it defines.
        dimensions: of the array.
        flops: all its operations.
        products: those of them in sums of products of several arrays, such as matrix products.
        kept: the bytes of the array, if the backward pass reads it; else 0.
        backward: whether it belongs to the backward pass.
    """

    name: str
    dimensions: tuple[Expr, ...]
    flops: Expr
    products: Expr
    kept: Expr
    backward: bool


@dataclass(frozen=True)
class Costs:
    """What a program costs, definition by definition; as text, a table."""

    rows: tuple[Row, ...]

    @property
    def forward(self) -> Expr:
        """Operations of the forward pass."""
        return _total(row.flops for row in self.rows if not row.backward)

    @property
    def backward(self) -> Expr:
        """Operations of the backward pass, the forward pass not among them."""
        return _total(row.flops for row in self.rows if row.backward)

    @property
    def kept(self) -> Expr:
        """Bytes kept between the two."""
        return _total(row.kept for row in self.rows)

    @property
    def products(self) -> Expr:
        """Operations of the forward pass in products of arrays."""
        return _total(row.products for row in self.rows if not row.backward)

    def at(self, **sizes: str | int) -> Costs:
        """The same at other sizes: numbers, or further dimensions, such as ``at(m="n", d_k=64)``."""
        meant = {dimension(k): dimension(v) if isinstance(v, str) else Integer(v) for k, v in sizes.items()}

        def put(e: Expr) -> Expr:
            return cast(Expr, expand(e.xreplace(cast("dict[Any, Any]", meant))))

        return Costs(
            tuple(
                replace(
                    row,
                    dimensions=tuple(map(put, row.dimensions)),
                    flops=put(row.flops),
                    products=put(row.products),
                    kept=put(row.kept),
                )
                for row in self.rows
            )
        )

    def __str__(self) -> str:
        cells = [("", "array", "operations", "bytes kept")]
        for row in self.rows:
            phase = "backward" if row.backward else "forward"
            shape = f"{row.name} ({', '.join(map(str, row.dimensions))})"
            cells.append((phase, shape, str(row.flops), str(row.kept)))
        cells.append(("total", "forward", str(self.forward), str(self.kept)))
        if any(row.backward for row in self.rows):
            cells.append(("total", "backward", str(self.backward), ""))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells)


def costs(program: Program, output: str | None = None, wrt: Sequence[str] | None = None, itemsize: Any = 4) -> Costs:
    """What a program costs forward, backward and in memory, in terms of its dimensions.

    Arguments:
        output: the defined name that is computed and differentiated, and what it needs; the last one unless given.
        wrt: the inputs to differentiate by; all numbers that the output depends on unless given, none if empty.
        itemsize: bytes of one number, or a symbol for it.

    Raises:
        FormulaError: a name is unknown, or the output does not depend on it.

    Example:
        >>> from minitorch.symbolic import parse
        >>> print(costs(parse("x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z")))
                  array     operations  bytes kept
        forward   Z ()      2*n         0
        forward   S (n)     2*n         4*n
        backward  dx (n)    4*n         0
        total     forward   4*n         4*n
        total     backward  4*n
    """
    target = output or program.outputs[-1]
    program.definition(target)
    needed = _needed(program, target)
    if wrt is None:
        wrt = [e.name for e in program.entries if e.name in needed and e.values is None]
    saved = kept(program, target, wrt) if wrt else ()
    size = cast(Expr, sympify(itemsize))
    forward = [d for d in program.definitions if d.name in needed]
    rows = [_row(d, size if d.name in saved else S.Zero, False) for d in forward]
    back = program.vjp(target, wrt).definitions if wrt else ()
    return Costs((*rows, *(_row(d, S.Zero, True) for d in back)))


def leading(cost: Expr) -> Expr:
    """The terms of a polynomial in sizes that no other term outgrows, without their numbers: its order of growth.

    >>> n, d = dimension("n"), dimension("d")
    >>> leading(2 * n**2 * d + 3 * n**2 + n * d)
    d*n**2
    >>> leading(4 * n * d**2 + n**2)
    d**2*n + n**2
    """
    symbols = sorted(cost.free_symbols, key=str)
    if not symbols:
        return S.One
    powers = Poly(cost, *symbols).monoms()
    largest = [p for p in powers if not any(q != p and all(a <= b for a, b in zip(p, q, strict=True)) for q in powers)]
    return Add(*(Mul(*(Pow(cast(Expr, s), k) for s, k in zip(symbols, p, strict=True))) for p in largest))


def _total(parts: Iterable[Expr]) -> Expr:
    return cast(Expr, expand(Add(*parts)))


def _needed(program: Program, target: str) -> set[str]:
    needed = {target}
    for definition in reversed(program.definitions):
        if definition.name in needed:
            needed |= names(definition.value)
    return needed


def _row(definition: Definition, itemsize: Expr, backward: bool) -> Row:
    counted = _Count()
    counted.visit(hoist(contract(definition.value)))
    sizes = definition.target.dimensions
    flops, products = (cast(Expr, expand(e)) for e in (counted.flops, counted.products))
    return Row(definition.name, sizes, flops, products, cast(Expr, expand(itemsize * Mul(*sizes))), backward)


class _Count:
    """Counts the operations of an expression, each part once."""

    def __init__(self) -> None:
        self.flops: Expr = S.Zero
        self.products: Expr = S.Zero
        self.seen: set[Expr] = set()

    def visit(self, e: Expr) -> None:
        if e in self.seen or (is_leaf(e) and not isinstance(e, Delta)) or not e.has(Entry, Index):
            return
        self.seen.add(e)
        if isinstance(e, Sum):
            self.total(e)
            return
        if isinstance(e, Selected):
            self.visit(e.largest)
        inside = (opened(e)[0],) if isinstance(e, Binder) else () if isinstance(e, Selected | Delta) else e.args
        for part in inside:
            self.visit(_numerator(cast(Expr, part)) if isinstance(e, Mul) else cast(Expr, part))
        over = cast("tuple[Index, ...]", e.bound) if isinstance(e, Binder) else ()
        self.flops += operations(e) * _volume((*free(e), *over))

    def total(self, e: Sum) -> None:
        """A sum of products: one operation for each factor and term, after what makes the factors."""
        body, bound = looked_up(*opened(e))
        if not bound:
            self.visit(body)
            return
        operands = operands_of(body)
        for operand in operands:
            self.visit(operand)
        count = len(operands) * _volume((*free(body), *bound))
        self.flops += count
        self.products += count if len(operands) > 1 else S.Zero


def operations(e: Expr) -> int:
    """How many operations a node takes for each value: factors or terms less one, one for a function."""
    if isinstance(e, Add):
        return len(e.args) - 1
    if isinstance(e, Mul):
        number, factors = e.as_coeff_Mul()[0], [f for f in e.args if cast(Expr, f).has(Entry, Index)]
        scaled = any(not f.has(Entry, Index) for f in e.args if f is not number) or abs(number) != 1  # type: ignore
        divided = all(_numerator(cast(Expr, f)) is not f for f in factors) and not scaled
        return len(factors) + scaled - 1 + divided
    if isinstance(e, Pow) and e.exp.is_Integer:
        whole = int(e.exp)
        return abs(whole) - (whole > 0)
    return 2 if isinstance(e, Pow) and e.exp.is_Rational and e.exp.is_negative else 1


def _numerator(factor: Expr) -> Expr:
    """A factor without its being divided by: the division is counted in the product."""
    base, power = factor.as_base_exp()
    return Pow(base, -power) if isinstance(factor, Pow) and power.is_Rational and power.is_negative else factor


def _volume(indices: Iterable[Index]) -> Expr:
    return Mul(*(index.dimension for index in set(indices)))
