r"""In which words does each step of a derivation follow?

In those of *this* step: which array is read by which, which delta leaves which term of which sum, which saved value is
equal to what.  The letters are those that the equation beside the words is printed with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from sympy import Add, Expr, Function, Mul, Pow, Symbol, exp

from minitorch.symbolic.expression import Binder, Delta, Entry, Index, Partial, Sum, free, names
from minitorch.symbolic.phrase import Maths, Phrase, listed
from minitorch.symbolic.places import Placed
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition


def of_chain_rule(notation: Notation, source: Entry, chain: Expr, partials: Sequence[Partial]) -> Phrase:
    """Through which arrays a change reaches the loss; ``chain`` has its letters."""
    way = listed([notation.maths(p.of) for p in partials])
    first = Phrase(Maths("L", "L"), " depends on ", notation.maths(source), " through ", way)
    if len(partials) > 1:
        return Phrase(first, "; what comes back through each is added up.")
    entry = partials[0].of
    weight = next(e for e in sorted(chain.atoms(Entry), key=str) if e.indices == entry.indices and e != entry)
    said = Phrase(" alone. The gradient that arrives there, ", notation.maths(weight), ", times the partial derivative")
    return Phrase(first, said, ", summed over all its entries." if chain.has(Sum) else ".")


def of_derivative(notation: Notation, function: Expr, source: Entry) -> Phrase:
    """Which rules were used, and where a delta comes from; ``function`` has its letters."""
    rules = list(dict.fromkeys(_rules(notation, function, source)))
    found = sorted((e for e in function.atoms(Entry) if e.name == source.name), key=str)
    parts = (
        [Phrase("By ", listed(rules), ". ")] if rules else [Phrase("Linear in ", notation.maths(_bare(source)), ". ")]
    )
    if source.indices:
        deltas = [notation.equality(Partial(e, source), _agreement(e, source)) for e in found]
        parts += ["One entry by another is 1 where their indices agree, else 0: ", listed(deltas), "."]
    return Phrase(*parts)


def of_contraction(notation: Notation, before: Expr) -> Phrase:
    """Which term each delta leaves of which sum; ``before`` has its letters."""
    kept = list(dict.fromkeys(_met(before)))
    said = [
        Phrase(notation.maths(delta), " leaves one term of the sum over ", notation.maths(gone), ", that with ",
               notation.equality(gone, other))
        for delta, gone, other in kept
    ]  # fmt: skip
    return Phrase(listed(said, "; "), ".")


def of_saved(notation: Notation, used: Sequence[tuple[Definition, Expr, Expr]]) -> Phrase:
    """Which equalities replaced what was computed already."""
    said = [
        Phrase(notation.equality(factor, saved, definition.indices), " by the definition of ",
               notation.maths(_bare(definition.target)))
        for definition, factor, saved in used
    ]  # fmt: skip
    return Phrase("The forward pass has these values: ", listed(dict.fromkeys(said)), ".")


def of_collecting(notation: Notation, after: Expr, beside: Sequence[Index]) -> Phrase:
    """What was written in front."""
    if isinstance(after, Mul):
        inside = [f for f in after.args if isinstance(f, Add | Binder)]
        front = Mul(*(cast(Expr, f) for f in after.args if f not in inside))
        if inside and not front.is_number:
            shown = notation.maths(front, beside)
            if any(isinstance(f, Add) for f in inside):
                return Phrase("The common factor ", shown, " is written in front of the bracket.")
            return Phrase("The factor ", shown, " does not depend on the summation index and is written in front.")
    return Phrase("What the terms have in common is written once.")


def of_substitution(notation: Notation, gone: Sequence[Definition]) -> Phrase:
    """Which gradients were written out."""
    them = listed([notation.maths(d.target) for d in gone])
    return Phrase(them, " is" if len(gone) == 1 else " are", " written out, since nothing else needs it.")


def _rules(notation: Notation, function: Expr, source: Entry) -> Iterator[str | Phrase]:
    """The rules of differentiation that stand between a function and the entries of an array, outermost first."""
    if source.name not in names(function) or isinstance(function, Entry):
        return
    parts = [cast(Expr, a) for a in function.args if not isinstance(a, Index)]
    reading = [part for part in parts if source.name in names(part)]
    if isinstance(function, Mul) and len(reading) > 1:
        yield "the product rule"
    if isinstance(function, Pow | Function | exp):
        yield Phrase(_known_derivative(notation, function, source))
    for part in reading:
        yield from _rules(notation, part, source)


def _known_derivative(notation: Notation, function: Expr, source: Entry) -> Maths:
    """``(tanh(u))' = 1 - tanh(u)**2``, by SymPy's own table."""
    letters = [Symbol(letter, real=True) for letter in "uvw"[: len(function.args)]]
    arguments = [
        letter if source.name in names(cast(Expr, a)) or free(cast(Expr, a)) else a
        for letter, a in zip(letters, function.args, strict=True)
    ]
    inner = cast(Expr, function.func(*arguments))
    by = next(k for k, a in enumerate(function.args) if source.name in names(cast(Expr, a)))
    outer = inner.diff(letters[by]) if isinstance(function, Pow | exp) else cast(Function, inner).fdiff(by + 1)
    left, right = notation.maths(inner), notation.maths(cast(Expr, outer))
    if len(letters) == 1 or isinstance(function, Pow):
        return Maths(f"({left.text})' = {right.text}", rf"({left.latex})' = {right.latex}")
    letter = letters[by].name
    return Maths(
        f"∂{left.text}/∂{letter} = {right.text}", rf"\partial {left.latex} / \partial {letter} = {right.latex}"
    )


def _met(expression: Expr) -> Iterator[tuple[Delta, Index, Expr]]:
    """Every delta under a sum over one of its indices: the delta, the index that goes, and what it is equal to."""
    for total in sorted(expression.atoms(Sum), key=str):
        for delta in sorted(total.body.atoms(Delta), key=str):
            if met := delta.renaming(frozenset(total.bound)):
                yield delta, *met


def _agreement(entry: Entry, by: Entry) -> Expr:
    """The derivative of an entry by another one of its array."""
    return Mul(*(Delta(_place(a), b) for a, b in zip(entry.indices, by.indices, strict=True)))


def _place(index: Index) -> Expr:
    """What stands on an axis: an index, or the place that is shown instead of it."""
    return index.place if isinstance(index, Placed) else index


def _bare(entry: Entry) -> Entry:
    """The array itself."""
    return Entry(entry.symbol)
