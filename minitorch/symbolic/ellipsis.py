r"""Which indices does ``...`` stand for?

``out[...,i,j] = sum_k a[...,i,k] b[...,k,j]`` is one formula for every rank.  With the ranks known, ``...`` becomes the
leading indices, aligned at the right as NumPy broadcasts: an array with fewer of them has the last ones.

Source: NumPy, *Broadcasting*, general broadcasting rules.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from minitorch.symbolic.nodes import Formula, Line, Node, walk
from minitorch.symbolic.tokens import Token, fail


def expand_ellipsis(formula: Formula, ranks: Mapping[str, int] | None) -> Formula:
    """The formula with every ``...`` written out.

    Raises:
        FormulaError: an input written with ``...`` has no rank, or fewer axes than the indices that are named.
    """
    nodes = [n for line in formula.lines for n in (*walk(line.target), *walk(line.value))] + list(formula.header or ())
    dotted = [n for n in nodes if n.ellipsis]
    if not dotted:
        return formula
    defined = {line.target.word for line in formula.lines}
    if ranks is None:
        alone = all(not n.indices for n in dotted)
        counts = dict.fromkeys((n.word for n in dotted), int(alone))
        letters = _letters(nodes, "i", int(alone))
    else:
        counts = {n.word: _leading(formula.text, n, ranks) for n in dotted if n.word not in defined}
        most = max(counts.values(), default=0)
        counts |= {n.word: most for n in dotted if n.word in defined}
        letters = _letters(nodes, "b", most)
    lines = tuple(Line(_expand(s.target, counts, letters), _expand(s.value, counts, letters)) for s in formula.lines)
    header = None if formula.header is None else tuple(_expand(n, counts, letters) for n in formula.header)
    return Formula(formula.text, header, lines)


def _leading(text: str, node: Node, ranks: Mapping[str, int]) -> int:
    named = len(node.indices or ())
    if node.word not in ranks:
        raise fail(
            text, node.position, f"{node.word} has '...' but no rank was given. Pass ranks={{'{node.word}': ...}}."
        )
    if ranks[node.word] < named:
        raise fail(
            text, node.position, f"{node.word} has rank {ranks[node.word]}, wanted at least {named}. Pass more axes."
        )
    return ranks[node.word] - named


def _letters(nodes: list[Node], first: str, count: int) -> list[str]:
    """``count`` index letters that the formula does not use: the first one, or numbered ones."""
    taken = {n.word for n in nodes} | {t.text for n in nodes for t in n.indices or ()}
    candidates = itertools.chain([first] if count == 1 else [], (f"{first}{k}" for k in itertools.count(1)))
    return list(itertools.islice((c for c in candidates if c not in taken), count))


def _expand(node: Node, counts: Mapping[str, int], letters: list[str]) -> Node:
    parts = tuple(_expand(part, counts, letters) for part in node.parts)
    if not node.ellipsis:
        return replace(node, parts=parts)
    leading = letters[len(letters) - counts[node.word] :]
    tokens = tuple(Token("name", letter, node.position) for letter in leading)
    return replace(node, parts=parts, ellipsis=False, indices=tokens + (node.indices or ()))
