"""Where do the rules stand?  In `vjp={...}` and `add={...}` of operations, and in functions that only rules call."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType

import minitorch as mt
from minitorch.primitive import Primitive, Rule
from tests.test_every_primitive import PRIMITIVES

PLACE = Path(mt.__file__).resolve().parent


@dataclass(frozen=True, eq=False)
class Site:
    """A function that computes a derivative, or a part of one."""

    name: str  # as elementwise.divide.vjp.b, or linalg._left
    function: FunctionType
    node: ast.Lambda | ast.FunctionDef
    ops: tuple[str, ...]  # whose rules it serves

    @property
    def module(self) -> ModuleType:
        return sys.modules[self.function.__module__]

    @property
    def file(self) -> str:
        return str(Path(str(self.module.__file__)).resolve().relative_to(PLACE.parent))


def sites() -> list[Site]:
    """All rules, and then the helpers that only rules call."""
    rules = list(_rules())
    by: dict[FunctionType, list[str]] = {}
    nodes = {}
    for op, function, node, name in rules:
        by.setdefault(function, []).append(op)
        nodes[function] = (name, node)
    for function in list(by):
        for helper in _reached(function, nodes[function][1], set()):
            by.setdefault(helper, []).extend(by[function])
            nodes.setdefault(helper, (_full_name(helper), _definition(helper)))
    only = _of_rules_only(set(by), {f for _, f, _, _ in rules})
    found = [Site(nodes[f][0], f, nodes[f][1], tuple(dict.fromkeys(ops))) for f, ops in by.items() if f in only]
    return sorted(found, key=lambda s: (s.file, s.node.lineno, s.node.col_offset))


def definition_of(function: FunctionType, ops: tuple[str, ...]) -> Site:
    """A function of the engine as a site."""
    return Site(_full_name(function), function, _definition(function), ops)


def _rules() -> Iterator[tuple[str, FunctionType, ast.Lambda | ast.FunctionDef, str]]:
    """(operation, function, its syntax, its name) for each rule of each operation."""
    for p in PRIMITIVES.values():
        for rule in p.rules:
            for part, found in (("vjp", rule.fn), ("add", rule.add)):
                function = inspect.unwrap(found) if callable(found) else found
                if not isinstance(function, FunctionType):
                    assert function is None, f"the rule {p.name}.{part} is no function"
                elif function.__name__ != "<lambda>":
                    yield p.name, function, _definition(function), _full_name(function)
                else:
                    name = f"{_short(function)}.{p.name}.{part}.{'.'.join(rule.inputs)}"
                    yield p.name, function, _lambda(p, rule, part), name


def _lambda(p: Primitive[...], rule: Rule, part: str) -> ast.Lambda:
    """The value of the rule's key in the decorator."""
    forward = _definition(p.forward)
    (decorator,) = (d for d in forward.decorator_list if isinstance(d, ast.Call) and _registers(d.func))
    (table,) = (k.value for k in decorator.keywords if k.arg == part and isinstance(k.value, ast.Dict))
    for key, value in zip(table.keys, table.values, strict=True):
        named = ast.literal_eval(key) if key is not None else None
        if named == rule.inputs or (named,) == rule.inputs:
            assert isinstance(value, ast.Lambda)
            return value
    raise LookupError(f"{p.name}: no {part} for {rule.inputs} in the source")


def _registers(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("primitive", "accumulating")


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))


def _definition(function: FunctionType) -> ast.FunctionDef:
    code = inspect.unwrap(function).__code__
    for node in ast.walk(_tree(code.co_filename)):
        if isinstance(node, ast.FunctionDef):
            first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
            if first == code.co_firstlineno and node.name == function.__name__:
                return node
    raise LookupError(f"{function.__module__}.{function.__name__} is not in the source")


def _short(function: FunctionType) -> str:
    return function.__module__.removeprefix("minitorch.").removeprefix("ops.")


def _full_name(function: FunctionType) -> str:
    return f"{_short(function)}.{function.__name__}"


def _functions_named(node: ast.AST, module: ModuleType) -> set[FunctionType]:
    """Functions of the operations' files that the syntax mentions."""
    found = (vars(module).get(n.id) for n in ast.walk(node) if isinstance(n, ast.Name))
    return {f for f in found if isinstance(f, FunctionType) and f.__module__.startswith("minitorch.ops.")}


def _reached(function: FunctionType, node: ast.AST, seen: set[FunctionType]) -> set[FunctionType]:
    for f in _functions_named(node, sys.modules[function.__module__]) - seen:
        seen.add(f)
        _reached(f, _definition(f), seen)
    return seen


def _of_rules_only(candidates: set[FunctionType], rules: set[FunctionType]) -> set[FunctionType]:
    """Those that nobody else calls: no forward function, no formula, nobody outside of the operations."""
    modules = [m for name, m in sorted(sys.modules.items()) if name.startswith("minitorch")]
    users: dict[FunctionType, set[FunctionType | None]] = {}
    for m in modules:
        if not m.__name__.startswith("minitorch.ops."):
            for f in {v for v in vars(m).values() if isinstance(v, FunctionType)} & candidates:
                users.setdefault(f, set()).add(None)
            continue
        for statement in _tree(str(m.__file__)).body:
            user = vars(m).get(getattr(statement, "name", ""))
            for part in _without_rules(statement):
                for f in _functions_named(part, m) & candidates:
                    users.setdefault(f, set()).add(user if isinstance(user, FunctionType) else None)
    kept = set(candidates)
    while outside := {f for f in kept - rules if users.get(f, set()) - kept}:
        kept -= outside
    return kept


def _without_rules(statement: ast.stmt) -> Iterator[ast.AST]:
    """The parts of a statement, without the tables of rules in its decorators."""
    for part in ast.iter_child_nodes(statement):
        if isinstance(part, ast.Call) and _registers(part.func):
            yield from (k.value for k in part.keywords if k.arg not in ("vjp", "add"))
        else:
            yield part
