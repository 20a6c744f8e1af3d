"""Which wrong rules are there, and how does one take the place of the right one?  As other code of the same function.

Reverse and forward mode undo broadcasting in one place for all operations.  There the mutants are: for this input of
this operation it is lost, or a mean instead of a sum, or along the wrong axes.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from minitorch import forward, sweep
from minitorch.primitive import elementwise_mismatch
from minitorch.testing import Case
from tests.mutation.changes import changed, changes
from tests.mutation.sites import Site, definition_of, sites
from tests.primitive_examples import EXAMPLES
from tests.test_every_primitive import PRIMITIVES


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change of one function."""

    site: Site
    kind: str
    line: int
    before: str  # the statement, or the first line of one that has a body
    after: str
    tree: ast.Lambda | ast.FunctionDef
    ops: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.site.name}: {self.before}  =>  {self.after}"

    def code(self) -> CodeType:
        """The changed function, compiled in its own module."""
        names = dict(vars(self.site.module))
        if isinstance(self.tree, ast.Lambda):
            body: ast.stmt = ast.Assign([ast.Name("mutant", ast.Store())], self.tree)
        else:
            body, names["mutant"] = self.tree, None
        future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
        module = ast.fix_missing_locations(ast.Module([future, body], []))
        exec(compile(module, str(self.site.module.__file__), "exec"), names)
        return names["mutant" if isinstance(self.tree, ast.Lambda) else self.tree.name].__code__


@contextmanager
def installed(mutant: Mutant | None) -> Iterator[None]:
    """The function computes what the mutant computes; None changes nothing."""
    if mutant is None:
        yield
        return
    function: Any = mutant.site.function
    right, function.__code__ = function.__code__, mutant.code()
    try:
        yield
    finally:
        function.__code__ = right


def mutants(only: Collection[str] = ()) -> list[Mutant]:
    """All mutants of the rules of all operations, or of some."""
    ops = set(only or PRIMITIVES)
    found = [m for s in sites() if ops & set(s.ops) for m in of_site(s)]
    found += [m for op, k in stretched(ops) for m in _of_unbroadcasting(op, k)]
    return list({m.key: m for m in found}.values())


def of_site(site: Site) -> Iterator[Mutant]:
    """The mutants of one function; each that reads differently, once."""
    seen = {ast.unparse(site.node)}
    for part in _parts(site.node):
        for node in _own(part):
            for kind, new in changes(node):
                if node is site.node and isinstance(new, ast.Lambda):
                    tree, statement = new, new
                else:
                    tree, statement = changed(site.node, node, new), changed(part, node, new)
                if (text := ast.unparse(tree)) not in seen:
                    seen.add(text)
                    assert isinstance(tree, ast.Lambda | ast.FunctionDef)
                    line = getattr(node, "lineno", part.lineno)
                    yield Mutant(site, kind, line, _shown(part), _shown(statement), tree, site.ops)


def _parts(node: ast.Lambda | ast.FunctionDef) -> list[ast.Lambda | ast.stmt]:
    """A lambda; or each statement in a function's body, at any depth, but for its docstring."""
    if isinstance(node, ast.Lambda):
        return [node]
    inside = [n for s in node.body for n in ast.walk(s) if isinstance(n, ast.stmt)]
    return [s for s in inside if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]


def _own(part: ast.AST) -> Iterator[ast.AST]:
    """A statement and the expressions in it, without those of statements inside it, parameters, annotations, and
    `strict`, which asserts."""
    if isinstance(part, ast.keyword) and part.arg == "strict":
        return
    yield part
    for name, value in ast.iter_fields(part):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.stmt):
                continue
            if name not in ("args", "annotation") or isinstance(part, ast.Call):
                yield from _own(child)


def _shown(statement: ast.AST) -> str:
    return (ast.unparse(ast.fix_missing_locations(statement)).splitlines() or [""])[0]


# -- broadcasting ------------------------------------------------------------------------------------------------------

_WRONG = {
    "lost": "{x}",
    "a mean": "sum_to({x}, {shape}) * float(np.prod({shape}) / max(np.prod({x}.shape), 1))",
    "along the wrong axes": "sum_to({x}.transpose(), {shape})",
}
_PLACES: list[tuple[FunctionType, str, str, str, str]] = [
    (sweep._fitted, "call.primitive.name", "k", "part", "like.shape"),
    (forward._pull, "p.name", "k", "r", "args[k].shape"),  # type: ignore[list-item]
]


def stretched(ops: Collection[str]) -> list[tuple[str, int]]:
    """(operation, position of an input) where an example broadcasts, or where the operation is known to."""
    found = set()
    for p in (PRIMITIVES[op] for op in ops):
        if p.explain is elementwise_mismatch:
            found |= {(p.name, k) for k, name in enumerate(p.inputs) if name in p.differentiable}
    with np.errstate(all="ignore"):
        for case in (e for e in EXAMPLES if e.name in ops and e.varied):
            found |= {(case.name, k) for k in _stretched_in(case)}
    return sorted(found)


def _stretched_in(case: Case) -> Iterator[int]:
    _, call = case.recorded()
    gs = [np.ones(s, d) for s, d in zip(call.shapes, call.dtypes, strict=True)]
    for rule in case.rules():
        for k, g in case.apply(rule, gs, call.values()):
            if k in case.varied and g.shape != np.shape(case.inputs[k]):
                yield k


def _of_unbroadcasting(op: str, k: int) -> Iterator[Mutant]:
    for function, name, position, x, shape in _PLACES:
        site = definition_of(function, (op,))
        (right,) = (n for n in ast.walk(site.node) if isinstance(n, ast.Call) and _calls(n, "sum_to"))
        for what, text in _WRONG.items():
            wrong = ast.parse(text.format(x=x, shape=shape), mode="eval").body
            test = ast.parse(f"{name} == {op!r} and {position} == {k}", mode="eval").body
            tree = changed(site.node, right, ast.IfExp(test, wrong, right))
            assert isinstance(tree, ast.FunctionDef)
            after = f"{what} for input {k} of {op}"
            yield Mutant(site, "unbroadcast", right.lineno, ast.unparse(right), after, tree, (op,))


def _calls(node: ast.Call, name: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == name
