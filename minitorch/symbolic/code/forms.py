r"""What becomes of a value when a constant is taken off the exponents in it?

A factor, or something added: with $E_{ij} = e^{A_{ij} - c_i}$

$$ e^{A_{ij}} = E_{ij}\,e^{c_i}, \quad Z_i = \sum_j e^{A_{ij}} = Z'_i\,e^{c_i}, \quad \log Z_i = \log Z'_i + c_i , $$

so every value is ``rest * exp(power) + added``, found from the inside outwards, and proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from sympy import Add, Expr, Mul, Pow, S, Symbol, exp, expand_log, log

from minitorch.symbolic.binders import close, is_leaf, opened, rebuild, replace, swap
from minitorch.symbolic.code.line import Line
from minitorch.symbolic.expression import Binder, Entry, MaxOver, Sum, free
from minitorch.symbolic.normal import normal_form
from minitorch.symbolic.program import Definition
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.saved import instance_of


class NotInvariant(Exception):
    """A factor exp(c) does not come out of an expression, or reaches an output."""


@dataclass(frozen=True)
class Form:
    """A value as ``rest * exp(power) + added``: multiples of the shift's constant, at least one of which is 0."""

    rest: Expr
    power: Expr = S.Zero
    added: Expr = S.Zero

    @property
    def whole(self) -> Expr:
        return self.rest * exp(self.power) + self.added

    @property
    def plain(self) -> Expr:
        """The value itself, as it would be computed.

        Raises:
            NotInvariant: it has a factor, which might overflow.
        """
        if self.power != 0:
            raise NotInvariant
        return self.rest + self.added

    def said(self, name: str) -> tuple[str, ...]:
        """What a reader of the code has to know."""
        said = f"the formula's own {name} is this"
        if self.power != 0:
            return (f"{said} times exp({_maxima(self.power)})",)
        return (f"{said} plus {_maxima(self.added)}",) if self.added != 0 else ()


@dataclass(frozen=True)
class Shift:
    """A pattern ``exp(argument)``, and what takes its place.

    Attributes:
        constant: what is taken off the exponents of a row.
        less: the argument less the constant; ``shifted`` is its exponential.
        forms: of the definitions that are changed, so far.
    """

    argument: Expr
    constant: Entry
    less: Entry
    shifted: Entry
    forms: dict[str, tuple[Definition, Form]] = field(default_factory=dict)

    def lines(self, remark: str) -> list[Line]:
        """The definitions of the row's maximum, of the shifted exponents and of their exponentials."""
        over = [i for i in self.less.indices if i not in self.constant.indices]
        largest = Definition(self.constant, close(MaxOver, self.argument, over))
        less = Definition(self.less, self.argument - self.constant)
        shifted = Definition(self.shifted, exp(self.less))
        helpers = [Line(d, d, helper=True) for d in (largest, less)]
        return [*helpers, Line(shifted, shifted, (remark,), helper=True)]

    def instance(self, pattern: Expr, meant: Expr, part: Expr) -> Expr | None:
        """``meant`` at the indices at which a part is the pattern, if it is."""
        renaming = instance_of(part, pattern, self.less.indices)
        return None if renaming is None else swap(meant, renaming)

    def known(self, e: Expr) -> Form | None:
        """The form of an exponential that is shifted, or of a definition that was changed."""
        value = self.instance(_exp(self.argument), self.shifted, e)
        if value is not None:
            return Form(value, cast(Expr, self.instance(_exp(self.argument), self.constant, e)))
        if not isinstance(e, Entry) or e.name not in self.forms:
            return None
        definition, form = self.forms[e.name]
        there = dict(zip(definition.indices, e.indices, strict=True))
        return Form(e, swap(form.power, there), swap(form.added, there))

    def form(self, e: Expr) -> Form:
        """The form of any expression.

        Raises:
            NotInvariant: a factor does not come out of it.
        """
        known = self.known(e)
        if known is not None:
            return known
        if is_leaf(e):
            return Form(e)
        if isinstance(e, Sum):
            return self.total(e)
        if isinstance(e, Add):
            return self.addition(e)
        parts = [self.form(cast(Expr, part)) for part in e.args] if not isinstance(e, Binder) else []
        if isinstance(e, Mul):
            return _product(parts)
        if isinstance(e, Pow) and parts[0].power != 0 and e.exp.is_number:
            return Form(Pow(parts[0].rest, e.exp), e.exp * parts[0].power)
        if isinstance(e, log) and parts[0].added == 0:
            return Form(_log(parts[0].rest), added=parts[0].power)
        if isinstance(e, exp):
            return self.exponential(cast(Expr, e.args[0]))
        return Form(rebuild(e, lambda part: self.form(part).plain))

    def total(self, e: Sum) -> Form:
        body, bound = opened(e)
        form = self.form(body)
        if free(form.power) & set(bound):
            raise NotInvariant
        rest = form.rest if form.power != 0 else form.plain
        return Form(close(Sum, rest, bound), form.power)

    def addition(self, e: Add) -> Form:
        """A sum of terms: the constants that are added cancel against those in the exponents, or are left over."""
        terms = [cast(Expr, term) for term in e.args]
        forms = [self.form(term) for term in terms]
        if any(form.power != forms[0].power for form in forms):
            raise NotInvariant
        less = [self.exponent(term) or form for term, form in zip(terms, forms, strict=True)]
        chosen = less if Add(*(form.added for form in less)) == 0 else forms
        return Form(Add(*(f.rest for f in chosen)), forms[0].power, cast(Expr, Add(*(f.added for f in chosen))))

    def exponential(self, argument: Expr) -> Form:
        """The form of an exponential: a constant that is added to its argument is a factor of it."""
        scale, rest = argument.as_coeff_Mul()
        known = self.known(_exp(rest))
        if known is not None and scale.is_Integer:
            return Form(known.rest**scale, scale * known.power)
        forms = [self.exponent(term) or self.form(term) for term in Add.make_args(argument)]
        if any(form.power != 0 for form in forms):
            raise NotInvariant
        return Form(_exp(Add(*(form.rest for form in forms))), cast(Expr, Add(*(form.added for form in forms))))

    def exponent(self, term: Expr) -> Form | None:
        """The form of a multiple of the argument, in terms of the argument less the constant."""
        scale, rest = term.as_coeff_Mul()
        value = self.instance(self.argument, self.less, rest)
        if value is None:
            return None
        return Form(scale * value, added=scale * cast(Expr, self.instance(self.argument, self.constant, rest)))

    def proof(self, before: Expr, form: Form) -> str:
        """What proves that an expression has a form, for every constant.

        Raises:
            NotInvariant: nothing does.
        """

        def written_out(part: Expr) -> Expr | None:
            known = self.known(part) if isinstance(part, Entry) else None
            return None if known is None else known.whole

        def defined(part: Expr) -> Expr | None:
            less = self.argument - self.constant
            return self.instance(self.less, less, part) or self.instance(self.shifted, _exp(less), part)

        claimed = replace(form.whole, defined)
        verdict = prove_equal(_logs_apart(replace(before, written_out)), _logs_apart(claimed))
        if not verdict.holds:
            raise NotInvariant
        return verdict.kind


def _product(parts: Sequence[Form]) -> Form:
    """A number takes what is added along; beside an array it is written out."""
    added = [form for form in parts if form.added != 0]
    others = [form for form in parts if form.added == 0]
    if len(added) == 1 and all(form.rest.is_number for form in others):
        scale = Mul(*(form.rest for form in others))
        return Form(scale * added[0].rest, added=scale * added[0].added)
    rests = [form.rest if form.added == 0 else form.plain for form in parts]
    return Form(Mul(*rests), cast(Expr, Add(*(form.power for form in parts))))


def _logs_apart(e: Expr) -> Expr:
    """The logarithms of positive products as sums: the prover takes a logarithm as it is."""

    def change(part: Expr) -> Expr | None:
        return cast(Expr, expand_log(_log(normal_form(part.args[0])))) if isinstance(part, log) else None

    return replace(e, change)


def _maxima(e: Expr) -> str:
    """A multiple of the row's maximum, in words; the code may have no name for it."""
    return str(e.as_coeff_Mul()[0] * Symbol("max"))


def _exp(e: Expr) -> Expr:
    return cast(Expr, exp(e))


def _log(e: Expr) -> Expr:
    return cast(Expr, log(e))
