r"""What is an index expression?

A *scalar that depends on named indices*, built on SymPy:

$$ P_{ij} = \frac{\exp A_{ij}}{\sum_k \exp A_{ik}} $$

Products, broadcasting, diagonals and elementwise functions are then ordinary SymPy arithmetic.  Four nodes are new:
an :class:`Index` with a dimension, the :class:`Entry` of an array, the Kronecker :class:`Delta`, and the
:class:`Binder` (:class:`Sum`, :class:`MaxOver`) that closes an expression over an index.

Source: the summation convention of tensor calculus, with every sum written out (Einstein 1916, section 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sympy import Add, Expr, Integer, S, Symbol, expand, sympify

from minitorch.errors import FormulaError

# Expressions are immutable and hashed, so facts about them are worth remembering; bounded, so that a long run
# does not grow without end.
remember = lru_cache(maxsize=1 << 16)

BOUND_MARK = "#"  # first character of a bound index inside a closed binder: no letter of a formula can meet it
FRESH_MARK = "~"  # separates a letter from the number that makes it new


def dimension(name: str) -> Symbol:
    """The symbol of a dimension: a positive integer of unknown size."""
    return Symbol(name, integer=True, positive=True)


class _Over(Symbol):
    """A symbol with the dimension that it, or what it names, runs over."""

    __slots__ = ("dimension",)
    dimension: Expr

    def __new__(cls, name: str, size: Any) -> Any:
        return _one(cls, name, sympify(size))

    def __getnewargs_ex__(self) -> Any:
        return (self.name, self.dimension), {}

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*super()._hashable_content(), self.dimension)


@remember
def _one(kind: type[_Over], name: str, size: Expr) -> _Over:
    """The one symbol of a kind with this name and dimension: identical ones are found without being compared."""
    self = cast(Any, Symbol).__xnew__(kind, name, integer=True, nonnegative=True)
    self.dimension = size
    return self


class Index(_Over):
    """A named index with the dimension it runs over.

    Example:
        >>> i = Index("i", dimension("n"))
        >>> i.name, str(i.dimension)
        ('i', 'n')
    """

    __slots__ = ()

    @property
    def bound(self) -> bool:
        """Whether this is the canonical name of a closed binder's index."""
        return self.name.startswith(BOUND_MARK)


class Places(_Over):
    """The name of an array whose entries are indices over a dimension, such as the words of a sentence."""

    __slots__ = ()


class Entry(Expr):
    """The entry ``x[i,j]`` of an array; without indices, a real scalar.

    Whether the array is positive, or holds indices, is carried by its name's symbol.
    """

    is_commutative = True
    is_real = True

    @property
    def symbol(self) -> Symbol:
        return cast(Symbol, self.args[0])

    @property
    def name(self) -> str:
        return self.symbol.name

    @property
    def indices(self) -> tuple[Index, ...]:
        return cast("tuple[Index, ...]", self.args[1:])

    @property
    def dimensions(self) -> tuple[Expr, ...]:
        return tuple(index.dimension for index in self.indices)

    @property
    def values(self) -> Expr | None:
        """The dimension over which an index array's entries run; None for an array of numbers."""
        return self.symbol.dimension if isinstance(self.symbol, Places) else None

    def _eval_is_positive(self) -> bool | None:
        return self.symbol.is_positive

    def _eval_is_integer(self) -> bool | None:
        return self.symbol.is_integer

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}[{','.join(i.name for i in self.indices)}]" if self.indices else self.name


class Delta(Expr):
    r"""The Kronecker delta: 1 where two places meet, else 0.

    A place is an index, or arithmetic of indices, sizes and entries of index arrays; so a shift and a lookup are sums,

    $$ x_{t-k} = \sum_s \delta_{s,\,t-k}\,x_s, \qquad E_{v_i e} = \sum_v \delta_{v,\,v_i}\,E_{ve}, $$

    and what lies outside an array counts as 0.  Between two indices over one dimension it is kept as these two;
    otherwise as the distance of the two places, and 0.

    Example:
        >>> n = dimension("n"); s, t, k = (Index(letter, n) for letter in "stk")
        >>> Delta(s, t - k) == Delta(t, s + k), Delta(s + 1, s), Delta(t, s)
        (True, 0, delta(s,t))
        >>> Delta(s, t - k)
        delta(k + s - t,0)
    """

    is_commutative = True
    is_real = True
    is_nonnegative = True

    def __new__(cls, a: Any, b: Any) -> Any:
        distance = expand(a - b)
        if distance.is_number:
            return Integer(distance == 0)
        terms = Add.make_args(distance)
        ahead, behind = ([t for t in map(sign, terms) if isinstance(t, Index)] for sign in (lambda t: t, lambda t: -t))
        if len(terms) == 2 and ahead and behind and ahead[0].dimension == behind[0].dimension:
            # Bound indices last, so that contracting a delta keeps the letter that the reader knows.
            return Expr.__new__(cls, *sorted((ahead[0], behind[0]), key=lambda i: (i.bound, i.name)))
        return Expr.__new__(cls, -distance if distance.could_extract_minus_sign() else distance, S.Zero)

    def renaming(self, bound: Iterable[Index]) -> tuple[Index, Index] | None:
        """One of the ``bound`` indices and the other one that it equals, if this is a delta between two indices."""
        if not isinstance(self.args[1], Index):
            return None
        a, b = cast("tuple[Index, Index]", self.args)
        return next(((i, other) for i, other in ((a, b), (b, a)) if i in bound), None)

    def _eval_power(self, exponent: Any) -> Any:
        return self if exponent.is_positive else None

    def _sympystr(self, printer: Any) -> str:
        return f"delta({','.join(map(printer._print, self.args))})"


class Binder(Expr):
    """An expression closed over some of its indices; build it with :func:`minitorch.symbolic.binders.close`."""

    is_commutative = True
    is_real = True

    @property
    def body(self) -> Expr:
        return cast(Expr, self.args[0])

    @property
    def bound(self) -> tuple[Index, ...]:
        return cast("tuple[Index, ...]", self.args[1:])


class Sum(Binder):
    r"""The sum of its body over its bound indices."""

    def _eval_is_positive(self) -> bool | None:
        return True if self.body.is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.body.is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        return f"sum_{{{','.join(i.name for i in self.bound)}}}({printer._print(self.body)})"


class MaxOver(Binder):
    """The largest value of its body over its bound indices."""

    def _sympystr(self, printer: Any) -> str:
        return f"max_{{{','.join(i.name for i in self.bound)}}}({printer._print(self.body)})"


class Partial(Expr):
    """A partial derivative of one entry by another that has been written down but not yet worked out."""

    is_commutative = True
    is_real = True

    @property
    def of(self) -> Entry:
        return cast(Entry, self.args[0])

    @property
    def by(self) -> Entry:
        return cast(Entry, self.args[1])

    def _sympystr(self, printer: Any) -> str:
        return f"d {self.of}/d {self.by}"


@dataclass(frozen=True)
class Array:
    """A named array with symbolic dimensions, indexed into entries; ``values`` is what an index array's run over.

    Example:
        >>> n = dimension("n")
        >>> print(Array("x", (n,))[Index("i", n)])
        x[i]

    Raises:
        FormulaError: an index has another dimension than the axis it stands on, or there are too few or too many.
    """

    name: str
    dimensions: tuple[Expr, ...] = ()
    positive: bool = False
    values: Expr | None = None

    def __getitem__(self, indices: Index | tuple[Index, ...]) -> Entry:
        given = indices if isinstance(indices, tuple) else (indices,)
        if len(given) != len(self.dimensions):
            raise FormulaError(
                f"{self.name}: got {len(given)} indices ({', '.join(i.name for i in given)}), wanted "
                f"{len(self.dimensions)}, one for each dimension {tuple(map(str, self.dimensions))}."
            )
        for axis, (index, size) in enumerate(zip(given, self.dimensions, strict=True)):
            if index.dimension != size:
                raise FormulaError(
                    f"{self.name}: axis {axis} has dimension {size}, but index {index.name} runs over "
                    f"{index.dimension}. Use an index over {size} there."
                )
        return Entry(self.symbol, *given)

    @property
    def symbol(self) -> Symbol:
        if self.values is not None:
            return Places(self.name, self.values)
        return Symbol(self.name, positive=True) if self.positive else Symbol(self.name, real=True)


@remember
def free(expression: Expr) -> frozenset[Index]:
    """The indices that an expression depends on and does not bind."""
    if isinstance(expression, Index):
        return frozenset([expression])
    if isinstance(expression, Binder):
        return free(expression.body) - frozenset(expression.bound)
    return frozenset().union(*(free(cast(Expr, a)) for a in expression.args))


@remember
def names(expression: Expr) -> frozenset[str]:
    """The names of the arrays that an expression reads."""
    if isinstance(expression, Entry):
        return frozenset([expression.name])
    return frozenset().union(*(names(cast(Expr, a)) for a in expression.args))


@remember
def dimensions(expression: Expr) -> frozenset[Symbol]:
    """The dimension symbols that an expression mentions, in its indices or as numbers."""
    if isinstance(expression, Index):
        return cast("frozenset[Symbol]", frozenset(expression.dimension.free_symbols))
    if isinstance(expression, Entry):
        sizes = [i.dimension for i in expression.indices] + ([] if expression.values is None else [expression.values])
        return cast("frozenset[Symbol]", frozenset().union(*(size.free_symbols for size in sizes)))
    if isinstance(expression, Symbol):
        return frozenset([expression])
    return frozenset().union(*(dimensions(cast(Expr, a)) for a in expression.args))


def size_of(size: Expr, sizes: Mapping[Symbol, int]) -> int:
    """The number that a dimension stands for at given sizes."""
    return sizes[size] if isinstance(size, Symbol) else int(cast(Expr, size.xreplace(cast("dict[Any, Any]", sizes))))
