"""Random formulas, the same ones written differently, and others that look alike.

A formula is a tree of tuples, written as text in the formula language; what is rewritten here is rewritten on these
trees, by code that shares nothing with the calculus.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Tree = tuple[Any, ...]
ARRAYS = {"A": "nm", "B": "mn", "C": "nn", "x": "n", "y": "m", "z": "n"}
FUNCTIONS = ("exp", "tanh", "sigmoid", "sin")


@dataclass
class Maker:
    """Draws formulas in free indices i (over n) and j (over m); every sum has letters of its own."""

    random: random.Random
    count: int = 0

    def letter(self) -> str:
        self.count += 1
        return f"s{self.count}"

    def formula(self, depth: int, scope: dict[str, str]) -> Tree:
        if depth == 0 or self.random.random() < 0.1:
            return self.entry(scope)
        kind = self.random.choice(["+", "+", "*", "*", "*", "sum", "sum", "sum", "call", "power", "number"])
        if kind in "+*":
            return (kind, self.formula(depth - 1, scope), self.formula(depth - 1, scope))
        if kind == "sum":
            letter, size = self.letter(), self.random.choice("nm")
            return (
                "sum",
                letter,
                size,
                ("*", self.entry({letter: size}), self.formula(depth - 1, {**scope, letter: size})),
            )
        if kind == "call":
            return ("call", self.random.choice(FUNCTIONS), self.formula(depth - 1, scope))
        if kind == "power":
            return ("power", self.formula(depth - 1, scope), 2)
        return ("*", ("number", self.random.choice([2, 3, -1])), self.formula(depth - 1, scope))

    def entry(self, scope: dict[str, str]) -> Tree:
        fitting = [(name, sizes) for name, sizes in ARRAYS.items() if all(s in scope.values() for s in sizes)]
        if not fitting:
            return ("number", 2)
        name, sizes = self.random.choice(fitting)
        return ("entry", name, *(self.random.choice([i for i, s in scope.items() if s == size]) for size in sizes))


def text(tree: Tree) -> str:
    """The formula as text."""
    kind = tree[0]
    if kind == "entry":
        return f"{tree[1]}[{','.join(tree[2:])}]"
    if kind == "number":
        return f"({tree[1]})"
    if kind == "delta":
        return f"delta({tree[1]},{tree[2]})"
    if kind == "sum":
        return f"(sum_{tree[1]} ({text(tree[3])}))"
    if kind == "call":
        return f"{tree[1]}({text(tree[2])})"
    if kind == "power":
        return f"({text(tree[1])})**{tree[2]}"
    return f"({text(tree[1])} {kind} {text(tree[2])})"


def children(tree: Tree) -> Iterator[int]:
    return (k for k, part in enumerate(tree) if isinstance(part, tuple))


def everywhere(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The tree with a change applied to every part, the innermost first."""
    parts = [everywhere(part, change) if isinstance(part, tuple) else part for part in tree]
    return change(tuple(parts))


def rewritten(tree: Tree, maker: Maker) -> Tree:
    """The same formula in another form: renamed, reordered, distributed, with deltas, sums exchanged and split."""

    def change(part: Tree) -> Tree:
        chosen = maker.random.random() < 0.7
        if part[0] in "+*" and chosen:
            part = (part[0], part[2], part[1])
        if part[0] == "*":
            part = maker.random.choice(SAME_PRODUCT)(part, maker)
        if part[0] == "sum":
            part = renamed(part, maker)
            part = maker.random.choice(SAME)(part, maker)
        if part[0] == "entry" and maker.random.random() < 0.2:
            return through_delta(part, maker)
        if part[0] == "call" and part[1] == "exp" and part[2][0] == "+" and chosen:
            return ("*", ("call", "exp", part[2][1]), ("call", "exp", part[2][2]))
        if part[0] == "power" and chosen:
            return ("*", part[1], part[1])
        return part

    return everywhere(tree, change)


def renamed(part: Tree, maker: Maker) -> Tree:
    """A sum over another letter."""
    _, letter, size, body = part
    new = maker.letter()
    return ("sum", new, size, substituted(body, letter, new))


def substituted(tree: Tree, old: str, new: str) -> Tree:
    def swap(part: Tree) -> Tree:
        named = part[0] in ("entry", "delta")
        return tuple(new if named and k and word == old else word for k, word in enumerate(part))

    return everywhere(tree, swap)


def as_it_is(part: Tree, maker: Maker) -> Tree:
    return part


def split(part: Tree, maker: Maker) -> Tree:
    """The sum of a product with a sum, term by term."""
    _, letter, size, body = part
    if body[0] == "*" and body[2][0] == "+":
        one, other = (("*", body[1], term) for term in body[2][1:])
        return ("+", ("sum", letter, size, one), renamed(("sum", letter, size, other), maker))
    return part


def exchanged(part: Tree, maker: Maker) -> Tree:
    """The two sums of a nested sum in the other order."""
    _, letter, size, body = part
    if body[0] == "*" and body[2][0] == "sum":
        _, inner, inner_size, rest = body[2]
        return ("sum", inner, inner_size, ("sum", letter, size, ("*", body[1], rest)))
    return part


def through_delta(part: Tree, maker: Maker) -> Tree:
    """An entry as a sum over a delta."""
    name, first = part[1], part[2]
    letter = maker.letter()
    return ("sum", letter, ARRAYS[name][0], ("*", ("delta", first, letter), ("entry", name, letter, *part[3:])))


def taken_out(part: Tree, maker: Maker) -> Tree:
    """What does not depend on the summed letter, before the sum."""
    _, letter, size, body = part
    if body[0] == "*" and not reads(body[2], letter):
        return ("*", body[2], ("sum", letter, size, body[1]))
    return part


def taken_in(part: Tree, maker: Maker) -> Tree:
    """A factor before a sum, inside it."""
    _, factor, total = part
    if total[0] == "sum":
        _, letter, size, body = renamed(total, maker)
        return ("sum", letter, size, ("*", factor, body))
    return part


def distributed(part: Tree, maker: Maker) -> Tree:
    _, factor, total = part
    return ("+", ("*", factor, total[1]), ("*", factor, total[2])) if total[0] == "+" else part


def reads(tree: Tree, letter: str) -> bool:
    return letter in tree[1:] or any(reads(tree[k], letter) for k in children(tree))


SAME = [as_it_is, split, exchanged, taken_out]
SAME_PRODUCT = [as_it_is, taken_in, distributed]


def altered(tree: Tree, maker: Maker) -> Tree:
    """Another formula that looks alike: one part is changed."""
    places = list(_paths(tree))
    while True:
        path = maker.random.choice(places)
        new = _altered_part(_at(tree, path), maker)
        if new is not None:
            return _put(tree, path, new)


def _altered_part(part: Tree, maker: Maker) -> Tree | None:
    kind = part[0]
    if kind == "entry":
        alike = [n for n, s in ARRAYS.items() if s == ARRAYS[part[1]] and n != part[1]]
        return (
            ("entry", maker.random.choice(alike), *part[2:])
            if alike
            else ("entry", part[1], *reversed(part[2:]))
            if (ARRAYS[part[1]] == "nn" and part[2] != part[3])
            else ("*", ("number", 2), part)
        )
    if kind in "+*":
        return ("*" if kind == "+" else "+", part[1], part[2])
    if kind == "power":
        return ("power", part[1], 3)
    if kind == "call":
        return ("call", maker.random.choice([f for f in FUNCTIONS if f != part[1]]), part[2])
    return None


def _paths(tree: Tree) -> Iterator[tuple[int, ...]]:
    yield ()
    for k in children(tree):
        for rest in _paths(tree[k]):
            yield (k, *rest)


def _at(tree: Tree, path: tuple[int, ...]) -> Tree:
    return _at(tree[path[0]], path[1:]) if path else tree


def _put(tree: Tree, path: tuple[int, ...], new: Tree) -> Tree:
    if not path:
        return new
    return (*tree[: path[0]], _put(tree[path[0]], path[1:], new), *tree[path[0] + 1 :])
