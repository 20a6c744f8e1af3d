r"""Which NumPy expression computes an index expression?

Indices become axes (:mod:`minitorch.symbolic.code.layout`), sums become products of matrices or sums over an axis
(:mod:`minitorch.symbolic.code.contraction`), and everything else is elementwise arithmetic, written in the order in
which one writes it by hand: $P \odot (D - \ldots)$ is ``P * (D - ...)``, $E_{ij} / Z_i$ is ``E / Z[:, None]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sympy import Add, Expr, Integer, Mul, Pow, Rational, S, Symbol, pi

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import swap
from minitorch.symbolic.code.contraction import reduction
from minitorch.symbolic.code.layout import ADD, ATOM, MUL, POWER, Code, Order, Pattern, pattern, placed
from minitorch.symbolic.code.lookup import Looked, between_places
from minitorch.symbolic.code.names import Names
from minitorch.symbolic.code.quotient import factor_rank, is_number, means_of, one_root, sides
from minitorch.symbolic.code.scalars import decimal, number
from minitorch.symbolic.code.vocabulary import FUNCTIONS, HELPERS, OF_NUMBERS
from minitorch.symbolic.expression import Binder, Delta, Entry, Index, Sum, free
from minitorch.symbolic.functions import step
from minitorch.symbolic.letters import choose
from minitorch.symbolic.selection import Selected


class Lowering:
    """Writes expressions, and remembers what they need.

    Attributes:
        sizes: the dimensions that are used as numbers.
        helpers: the functions that are used and that NumPy does not have.
        patterns: for every array that may have axes of size 1 (`narrow`), how it stood where it was read.
    """

    def __init__(self, names: Names, indices: Sequence[Index], narrow: Mapping[str, Pattern]):
        self.names, self.indices, self.narrow = names, indices, narrow
        self.sizes: dict[Symbol, None] = {}
        self.helpers: dict[str, None] = {}
        self.patterns: dict[str, set[Pattern]] = {}

    def letter(self, index: Index, taken: Sequence[str]) -> str:
        """The letter of an index in an einsum."""
        return index.name if index in self.indices else choose(index, self.indices, taken).name

    def size(self, dimension: Expr) -> Code:
        """A dimension as a number."""
        if isinstance(dimension, Symbol):
            self.sizes.setdefault(dimension)
            return Code(self.names.dimension(dimension.name))
        return self.code(dimension, ())

    def raw(self, e: Entry) -> str:
        """An array with all its axes, as an einsum takes it."""
        axes = tuple(dict.fromkeys(e.indices))
        return self.entry(e, axes).text if len(axes) == len(e.indices) else self.names.array(e.name)

    def code(self, e: Expr, order: Order) -> Code:
        """An expression's value, aligned with the axes ``order``."""
        if isinstance(e, Looked):
            return self.looked(e, order)
        if isinstance(e, Entry):
            return self.entry(e, order)
        if isinstance(e, Selected):
            return self.selected(e, order)
        if isinstance(e, Index):
            return placed(Code(f"np.arange({self.size(e.dimension).text})"), (e,), order)
        if isinstance(e, Symbol):
            return self.size(e)
        if isinstance(e, Delta):
            return self.delta(e, order)
        if isinstance(e, Binder):
            return reduction(e, order, self)
        if isinstance(e, Add):
            return self.total(e, order)
        if isinstance(e, Rational) and (isinstance(e, Integer) or decimal(e)):
            return Code(number(e))
        if isinstance(e, Mul | Rational):
            return self.product(e, order)
        if isinstance(e, Pow):
            return self.power(e, order)
        return self.leaf(e, order)

    def leaf(self, e: Expr, order: Order) -> Code:
        if e == pi or e == S.Exp1:
            return Code("math.pi" if e == pi else "math.e")
        if not e.args:
            return Code(number(e))
        if isinstance(e, step):
            return Code(f"np.heaviside({self.code(cast(Expr, e.args[0]), order).text}, 0)")
        name = FUNCTIONS.get(type(e))
        if name is None:
            raise FormulaError(f"code: {type(e).__name__} in {e} has no NumPy function. Leave it out of the formula.")
        if name in HELPERS:
            self.helpers.setdefault(name)
        elif is_number(e):
            name = OF_NUMBERS.get(name, name.replace("np.", "math."))
        return Code(f"{name}({', '.join(self.code(cast(Expr, a), order).text for a in e.args)})")

    def entry(self, e: Entry, order: Order) -> Code:
        name, axes = self.names.array(e.name), list(e.indices)
        while len(set(axes)) < len(axes):
            twice = next(i for i in axes if axes.count(i) > 1)
            first, second = [k for k, i in enumerate(axes) if i == twice][:2]
            which = "" if len(axes) == 2 else f", axis1={first}, axis2={second}"
            name = f"np.diagonal({name}{which})"
            axes = [i for k, i in enumerate(axes) if k not in (first, second)] + [twice]
        wanted = pattern(axes, order)
        in_order = [i for i in order if i in axes] == axes
        self.patterns.setdefault(e.name, set()).add(wanted if in_order else (True,) * len(axes))
        narrow = self.narrow.get(e.name)
        if narrow and in_order and narrow == wanted:
            return Code(name)
        if narrow:
            name += f"[{', '.join(':' if there else '0' for there in narrow)}]"
        return placed(Code(name), axes, order)

    def looked(self, e: Looked, order: Order) -> Code:
        """An array at computed places; whole axes after the last of them are left as they are."""
        whole = e.whole
        lead = tuple(i for i in order if any(i in free(place) for place in e.indices[:whole]))
        places = [self.code(place, lead).text for place in e.indices[:whole]]
        array = self.exact(e)
        if not e.inside:
            self.helpers.setdefault("_at")
        text = f"{array}[{', '.join(places)}]" if e.inside else f"_at({', '.join([array, *places])})"
        return placed(Code(text), (*lead, *e.indices[whole:]), order)

    def exact(self, e: Looked) -> str:
        """The whole array that is looked into."""
        name, narrow = self.names.array(e.name), self.narrow.get(e.name)
        self.patterns.setdefault(e.name, set()).add((True,) * len(e.indices))
        return f"{name}[{', '.join(':' if there else '0' for there in narrow)}]" if narrow else name

    def selected(self, e: Selected, order: Order) -> Code:
        """Whether an index is where a maximum is taken."""
        (summed,) = e.largest.bound
        axes = tuple(i for i in order if i in free(e))
        body = swap(e.largest.body, {summed: e.index})
        self.helpers.setdefault("_shares")
        return placed(Code(f"_shares({self.code(body, axes).text}, axis={axes.index(e.index)})"), axes, order)

    def comparison(self, e: Expr, order: Order) -> Code:
        """A condition as an array of booleans: a step or a delta between computed places."""
        if isinstance(e, step):
            return Code(f"({self.code(cast(Expr, e.args[0]), order).within(MUL)} > 0)")
        terms = Add.make_args(cast(Expr, e.args[0]))
        both = [Add(*(t for t in terms if not _negative(t))), -Add(*(t for t in terms if _negative(t)))]
        left, right = (self.code(cast(Expr, side), order).within(MUL) for side in both)
        return Code(f"({left} == {right})")

    def delta(self, e: Delta, order: Order) -> Code:
        if between_places(e):
            return Code(f"{self.comparison(e, order).text}.astype(float)")
        a, b = cast("tuple[Index, Index]", e.args)
        return placed(Code(f"np.eye({self.size(a.dimension).text})"), (a, b), order)

    def total(self, e: Add, order: Order) -> Code:
        terms = sorted(
            cast("tuple[Expr, ...]", e.args), key=lambda t: (_negative(t), _number_rank(t), -_size(t), str(t))
        )
        first = self.code(terms[0], order)
        parts = [first.text]
        for term in terms[1:]:
            minus = _negative(term)
            parts.append(("- " if minus else "+ ") + self.code(-term if minus else term, order).within(MUL))
        return Code(" ".join(parts), ADD, tuple(parts))

    def product(self, e: Expr, order: Order) -> Code:
        diagonal = self.diagonal(e, order)
        if diagonal is not None:
            return diagonal
        coefficient, factors = e.as_coeff_mul()
        if coefficient.is_negative:
            turned = next((f for f in factors if isinstance(f, Add) and any(map(_negative, f.args))), None)
            if turned is None:
                inner = self.code(-e, order)
                first = inner.within(MUL)
                return Code(f"-{first}", MUL, (f"-{inner.parts[0]}", *inner.parts[1:]) if inner.parts else ())
            coefficient, factors = -coefficient, [-f if f is turned else f for f in factors]
        above, below = sides(cast(Rational, coefficient), cast("Sequence[Expr]", factors))
        above, below, means = means_of(above, below)
        return self.quotient(above, below, means, order)

    def diagonal(self, e: Expr, order: Order) -> Code | None:
        """A vector times a delta of two axes: the matrix with that diagonal."""
        deltas = [f for f in Mul.make_args(e) if isinstance(f, Delta) and set(f.args) == set(order)]
        if len(order) != 2 or len(deltas) != 1:
            return None
        vector = Mul(*(f for f in Mul.make_args(e) if f is not deltas[0]))
        if len(free(vector)) != 1:
            return None
        return Code(f"np.diag({self.code(vector, tuple(free(vector))).text})")

    def quotient(self, above: list[Expr], below: list[Expr], means: Sequence[Expr], order: Order) -> Code:
        """A product over a product; ``means`` are sums above that are to be divided by their number of terms."""
        above, below = one_root(above, below)
        jumps = [f for f in above if isinstance(f, step) or between_places(f)]
        plain = [f for f in above if f not in jumps]
        if not any(free(f) for f in plain):
            jumps, plain = [], above  # a comparison alone would be a boolean
        written = [self.mean_or_code(f, f in means, order) for f in sorted(plain, key=factor_rank)]
        written.sort(key=lambda c: not c.product)  # a matrix product first needs no brackets
        alone = len(written) + len(jumps) == 1 and all(not free(f) for f in below)
        texts = [written[0].text if alone and written[0].level >= MUL else _factor(c) for c in written[:1]]
        texts += [_factor(c) for c in written[1:]]
        texts += [self.comparison(f, order).text for f in jumps]
        parts = texts[:1] or ["1"]
        parts += [f"* {text}" for text in texts[1:]]
        divisor = self.divisor(below, order)
        parts += [f"/ {divisor}"] if divisor else []
        if len(parts) == 1:
            return written[0] if written else Code(parts[0])
        return Code(" ".join(parts), MUL, tuple(parts))

    def mean_or_code(self, f: Expr, mean: bool, order: Order) -> Code:
        return reduction(cast(Sum, f), order, self, mean=True) if mean else self.code(f, order)

    def divisor(self, below: list[Expr], order: Order) -> str:
        written = [self.code(f, order) for f in sorted(below, key=factor_rank)]
        if len(written) == 1:
            return written[0].within(POWER)
        return f"({' * '.join(_factor(c) for c in written)})" if written else ""

    def power(self, e: Pow, order: Order) -> Code:
        base, exponent = e.base, e.exp
        if exponent.is_Rational and exponent.is_negative:
            return self.product(e, order)
        if exponent == S.Half:
            inside = self.code(base, order).text
            return Code(f"{'math' if is_number(base) else 'np'}.sqrt({inside})")
        bottom, top = self.code(base, order), self.code(exponent, order)
        simple = all(text.replace(".", "").isidentifier() or text.isdigit() for text in (bottom.text, top.text))
        raised = top.within(POWER)
        if isinstance(exponent, Rational) and not isinstance(exponent, Integer):
            raised, simple = repr(float(exponent)), bottom.text.isidentifier()
        return Code(f"{bottom.within(ATOM)}{'**' if simple else ' ** '}{raised}", POWER)


def _factor(code: Code) -> str:
    return f"({code.text})" if code.product else code.within(MUL)


def _negative(e: Any) -> bool:
    return bool(e.as_coeff_Mul()[0].is_negative)


def _number_rank(e: Expr) -> int:
    """Whole numbers before everything, what is no array after it: 1 + x, but v + eps."""
    if isinstance(e, Integer):
        return 0
    return 1 if free(e) or e.has(Binder) else 2


def _size(e: Expr) -> int:
    return 1 + sum(_size(cast(Expr, a)) for a in e.args) if e.args and not isinstance(e, Entry) else 1
