r"""Which value is computed twice, and can be computed once?

$x_{ie} - m_i$ in a variance and $x_{ij} - m_i$ after it are the same array: expressions are compared up to the letters
of their indices.  What occurs at least twice and costs a pass over an array becomes a line of its own; so does a
product of two factors of a longer product, if it is no larger than one of them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace as replace_fields
from typing import cast

from sympy import Add, Expr, Mul, Pow, S, exp

from minitorch.symbolic.binders import is_leaf, opened, rename, replace
from minitorch.symbolic.code.line import Line
from minitorch.symbolic.code.names import free_name
from minitorch.symbolic.expression import Array, Binder, Delta, Entry, Index, free, remember
from minitorch.symbolic.letters import choose
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.selection import Selected

_PLACE = "@"  # canonical indices of a shared value; no letter of a formula


def shared(lines: Sequence[Line], taken: Collection[str], notation: Notation) -> list[Line]:
    """The lines with helper lines for what they have in common."""
    lines = list(lines)
    while pattern := _most_worthwhile(lines):
        taken = {*taken, *(line.name for line in lines)}
        lines = _with_helper(lines, pattern, taken, notation)
    return lines


def without_single_helpers(lines: Sequence[Line]) -> list[Line]:
    """The lines without the helpers that only one place reads: they are written there."""
    lines = list(lines)
    for name in [line.name for line in lines if line.helper]:
        helper = next(line for line in lines if line.name == name)
        if sum(_count(line.value, name) for line in lines) == 1:
            lines = [_inlined(line, helper) for line in lines if line is not helper]
    return lines


def _inlined(line: Line, helper: Line) -> Line:
    """A line with a helper written out, in its comment as well if that names the helper."""
    if not _count(line.value, helper.name):
        return line
    shown = Definition(line.shown.target, inline(line.shown.value, [helper.definition]))
    changed = line.with_value(inline(line.value, [helper.definition]), helper.remarks)
    return replace_fields(changed, shown=shown)


def _count(e: Expr, name: str) -> int:
    if isinstance(e, Entry):
        return int(e.name == name)
    return sum(_count(cast(Expr, part), name) for part in e.args)


def _most_worthwhile(lines: Sequence[Line]) -> Expr | None:
    """The largest value that occurs twice, in canonical indices; products of two factors last."""
    whole = Counter(canonical(part) for line in lines for part in _parts(line.value) if _costs(part))
    pairs = Counter(canonical(pair) for line in lines for part in _parts(line.value) for pair in _pairs(part))
    for counts in (whole, pairs):
        repeated = [part for part, count in counts.items() if count > 1]
        if repeated:
            return max(repeated, key=lambda part: (_size(part), counts[part], str(part)))
    return None


def _parts(e: Expr) -> Iterator[Expr]:
    """Every expression inside, where it stands: binders are opened.  A root stands for all its odd powers."""
    yield _root(e)
    if is_leaf(e) or isinstance(e, Selected):
        return
    inside = (opened(e)[0],) if isinstance(e, Binder) else cast("tuple[Expr, ...]", e.args)
    for part in inside:
        yield from _parts(part)


def _root(e: Expr) -> Expr:
    """x**(-1/2) for x**(k/2) with odd k, which is a power of it."""
    half = isinstance(e, Pow) and e.exp.is_Rational and cast(Pow, e).exp.q == 2  # type: ignore[attr-defined]
    return Pow(e.base, -S.Half) if isinstance(e, Pow) and half else e


def _pairs(e: Expr) -> Iterator[Expr]:
    """Products of two factors that are no larger than one of them."""
    if isinstance(e, Mul) and len(e.args) > 2:
        arrays = [cast(Expr, f) for f in e.args if free(cast(Expr, f)) and not isinstance(f, Delta | Index)]
        for a, b in itertools.combinations(arrays, 2):
            if free(a) <= free(b) or free(b) <= free(a):
                yield a * b


def _costs(e: Expr) -> bool:
    """Whether computing an expression takes a pass over an array that is worth saving."""
    if is_leaf(e) or not _is_array(e):
        return False
    arrays = [cast(Expr, part) for part in e.args if _is_array(cast(Expr, part))]
    if isinstance(e, Mul):
        return len(arrays) > 1
    if isinstance(e, Add):
        return len(arrays) > 1 or not is_leaf(arrays[0])
    if isinstance(e, Pow) and e.exp == 2:
        return not is_leaf(e.base)
    return True


def _is_array(e: Expr) -> bool:
    return bool(free(e)) or e.has(Binder)


def _size(e: Expr) -> int:
    return 1 + sum(_size(cast(Expr, part)) for part in e.args) if not is_leaf(e) else 1


@remember
def canonical(e: Expr) -> Expr:
    """An expression with canonical free indices: equal for two that differ in letters only."""
    return min((rename(e, order) for order in _orders(e)), key=str)


def _orders(e: Expr) -> Iterator[dict[Index, Index]]:
    groups: dict[str, list[Index]] = {}
    for index in sorted(free(e), key=str):
        groups.setdefault(str(index.dimension), []).append(index)
    choices = [itertools.permutations(groups[size]) for size in sorted(groups)]
    for choice in itertools.product(*choices):
        ordered = [index for group in choice for index in group]
        yield {index: Index(f"{_PLACE}{k}", index.dimension) for k, index in enumerate(ordered)}


def _with_helper(lines: Sequence[Line], pattern: Expr, taken: Collection[str], notation: Notation) -> list[Line]:
    known = next((line for line in lines if not is_leaf(line.value) and canonical(line.value) == pattern), None)
    helper = known.definition if known else _helper(pattern, taken, notation, lines)
    entry = rename(helper.target, next(o for o in _orders(helper.value) if rename(helper.value, o) == pattern))

    def change(part: Expr) -> Expr | None:
        if isinstance(part, Selected):
            return part  # it names the maximum that it is about
        root = _root(part)
        if not is_leaf(part) and canonical(root) == pattern:
            found = _put(entry, root, pattern)
            return found if root is part else Pow(found, -2 * cast(Pow, part).exp)
        for pair in _pairs(part):
            if canonical(pair) == pattern:
                rest = Mul(*(cast(Expr, f) for f in part.args if f not in Mul.make_args(pair)))
                return _put(entry, pair, pattern) * replace(rest, change)
        return None

    changed = [line if line is known else line.with_value(replace(line.value, change)) for line in lines]
    first = next(k for k, (old, new) in enumerate(zip(lines, changed, strict=True)) if old.value != new.value)
    before = changed[:first]
    if known is None:
        return [*before, Line(helper, helper, helper=True), *changed[first:]]
    return [*before, *([] if known in before else [known]), *(line for line in changed[first:] if line is not known)]


def _helper(pattern: Expr, taken: Collection[str], notation: Notation, lines: Sequence[Line]) -> Definition:
    """A definition of a shared value, with letters and a name; its axes as the first reader has them, if it has."""
    value = rename(pattern, _letters(pattern, notation))
    indices = _natural(value)
    for line in lines:
        part = next((p for p in _parts(line.value) if not is_leaf(p) and canonical(p) == pattern), None)
        if part is not None:
            order = next(order for order in _orders(part) if rename(part, order) == pattern)
            there = {_letters(pattern, notation)[place]: index for index, place in order.items()}
            if set(there.values()) <= set(line.definition.indices):
                indices = tuple(sorted(indices, key=lambda i: line.definition.indices.index(there[i])))
            break
    return Definition(Array(free_name(_name(value), taken), tuple(i.dimension for i in indices))[indices], value)


def _put(entry: Expr, part: Expr, pattern: Expr) -> Expr:
    """The helper's entry at the indices that a part has."""
    order = next(order for order in _orders(part) if rename(part, order) == pattern)
    return rename(entry, {place: index for index, place in order.items()})


def _letters(pattern: Expr, notation: Notation) -> dict[Index, Index]:
    letters: dict[Index, Index] = {}
    for place in sorted(free(pattern), key=str):
        letters[place] = choose(place, notation.indices, {i.name for i in letters.values()})
    return letters


def _natural(value: Expr) -> tuple[Index, ...]:
    """The indices in the order in which the largest array inside has them."""
    entries = sorted(value.atoms(Entry), key=lambda e: (-len(set(e.indices)), str(e)))
    seen = [i for e in entries for i in e.indices if i in free(value)]
    return tuple(dict.fromkeys([*seen, *sorted(free(value), key=str)]))


def _name(value: Expr) -> str:
    """What to call a shared value: ``x_minus_m``, ``exp_A``, ``G_weight``; ``t`` if it has no short name."""
    parts = [part.name if isinstance(part, Entry) else "" for part in value.args]
    if isinstance(value, Add) and len(parts) == 2:
        plain = [term.as_coeff_Mul() for term in value.args]
        plain.sort(key=lambda pair: -pair[0])  # type: ignore[operator]
        (first, a), (second, b) = plain
        if isinstance(a, Entry) and isinstance(b, Entry) and first == 1 and abs(second) == 1:  # type: ignore[arg-type]
            return f"{a.name}_{'plus' if second == 1 else 'minus'}_{b.name}"
    if isinstance(value, Mul) and all(parts):
        return "_".join(part.name for part in sorted(value.args, key=lambda e: (-len(free(e)), str(e))))  # type: ignore
    if isinstance(value, Pow) and value.exp == -S.Half:
        return "r"
    inside = {e.name for e in value.atoms(Entry)}
    if (value.is_Function or isinstance(value, exp)) and len(inside) == 1:
        return f"{type(value).__name__.lower()}_{inside.pop()}"
    return "t"
