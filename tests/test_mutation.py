"""Does a wrong rule die, and a right one live?  A few mistakes, planted; `python -m tests.mutation` plants them all."""

from __future__ import annotations

import ast
import inspect

import pytest

from tests.mutation.changes import changed, changes
from tests.mutation.equivalent import EQUIVALENT, fits
from tests.mutation.mutants import installed, mutants
from tests.mutation.sites import sites
from tests.mutation.verdict import first_failure
from tests.test_every_primitive import PRIMITIVES


@pytest.mark.parametrize(
    ("op", "after"),
    [
        ("tanh", "lambda g, out: g * (1 + out * out)"),
        ("subtract", "lambda g: g"),
        ("softmax", "lambda g, S, *, axis: S * (g - sum(g * S, axis=axis))"),
        ("multiply", "lost for input 0 of multiply"),
    ],
)
def test_a_planted_mistake_fails_the_examination_and_the_right_rule_passes_it(op, after):
    planted = [m for m in mutants([op]) if m.after == after and m.site.name != "forward._pull"]
    assert len(planted) == 1
    with installed(planted[0]):
        assert first_failure([op]) is not None
    assert first_failure([op]) is None


def test_every_rule_of_every_operation_is_found():
    found = {s.function for s in sites()}
    rules = [r for p in PRIMITIVES.values() for r in p.rules]
    assert {inspect.unwrap(f) for r in rules for f in (r.fn, r.add) if f is not None} <= found


def test_helpers_that_only_rules_call_are_found_and_others_are_not():
    names = {s.name for s in sites()}
    assert {"reduce.spread", "select._share", "linalg._rows"} <= names
    assert not {"statistics._centred", "gathering._grid", "contraction._terms"} & names  # forward functions call them


def test_what_is_listed_as_equivalent_is_one_mutant_each():
    every = mutants()
    for name, entries in EQUIVALENT.items():
        for entry in entries:
            assert [fits(entry, m.before, m.after) for m in every if m.site.name == name].count(True) == 1, entry


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("g - h", ["g", "h", "g + h", "h - g"]),
        ("a @ b", ["a", "b", "b @ a"]),
        ("-g", ["g"]),
        ("x >= 0", ["x > 0", "x < 0", "x >= 1"]),
        ("where(c, g, 0)", ["g", "0", "where(c, 0, g)", "where(c, g, 1)"]),
        ("sum(g, axis=-1, keepdims=True)", ["g", "mean(g, axis=-1, keepdims=True)", "sum(g, axis=1, keepdims=True)"]),
        ("g.reshape(s)", ["g"]),
    ],
)
def test_the_ways_in_which_an_expression_is_made_wrong(text, wrong):
    tree = ast.parse(text, mode="eval").body
    found = {ast.unparse(changed(tree, node, new)) for node in ast.walk(tree) for _, new in changes(node)}
    assert set(wrong) <= found
