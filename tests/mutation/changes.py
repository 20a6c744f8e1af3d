"""In which ways can a rule be wrong?  Changes of one node of its syntax tree, each with its kind.

A wrong sign, a dropped term or factor, another constant (with axes and keepdims), swapped operands, a call that is lost
(a transposition, a reduction, a reshape), a comparison or a choice turned round, a gradient that is zero.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

Change = tuple[str, ast.AST]

_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_ORDERED = (ast.Sub, ast.Div, ast.MatMult, ast.FloorDiv, ast.Mod, ast.Pow)  # operators that do not commute
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_PAIRS = [("sin", "cos"), ("sinh", "cosh"), ("sum", "mean"), ("tril", "triu"), ("cumsum", "cumprod"), ("min", "max")]
_NAMESAKES = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
_OF_TWO = {"matmul", "masked_product", "sampled_product", "_over_seen", "_share", "conv1d_valid", "power", "_log_share"}
_OF_TWO |= {"weights_by_values", "weights_by_rows", "queries_by_keys", "_part_of", "_scale_back", "_shifted"}


def changed(tree: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    """A copy of the tree with another node in one place."""
    return copy.deepcopy(tree, {id(old): new})


def changes(node: ast.AST) -> Iterator[Change]:
    """The wrong nodes that may stand in the place of this one."""
    match node:
        case ast.BinOp(left, operator, right):
            yield from (("dropped term", left), ("dropped term", right))
            if other := _OPERATORS.get(type(operator)):
                kind = "wrong sign" if isinstance(operator, ast.Add | ast.Sub) else "other operator"
                yield kind, ast.BinOp(left, other(), right)
            if isinstance(operator, _ORDERED):
                yield "swapped operands", ast.BinOp(right, operator, left)
        case ast.UnaryOp(_, operand):
            yield "wrong sign", operand
        case ast.Constant(value):
            yield from (("other constant", ast.Constant(v)) for v in _constants(value))
        case ast.Compare(left, [operator], right):
            yield from (("comparison", ast.Compare(left, [other()], right)) for other in _COMPARISONS[type(operator)])
        case ast.BoolOp(operator, values):
            yield "comparison", ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            yield from (("dropped term", v) for v in values)
        case ast.IfExp(_, body, orelse):
            yield from (("choice", body), ("choice", orelse))
        case ast.Call():
            yield from _of_call(node)
        case ast.Subscript(value, _, ast.Load()):
            yield "lost call", value
        case ast.Slice(lower, upper, step):
            if lower:
                yield "dropped term", ast.Slice(None, upper, step)
            if upper:
                yield "dropped term", ast.Slice(lower, None, step)
        case ast.comprehension(target, source, [_, *_], is_async):
            yield "dropped term", ast.comprehension(target, source, [], is_async)
        case ast.Lambda():
            yield from ((kind, changed(node, node.body, new)) for kind, new in _of_result(node.body))
        case ast.Return(value) | ast.Expr(ast.Yield(value)) if value is not None:
            yield from ((kind, changed(node, value, new)) for kind, new in _of_result(value))
        case ast.AugAssign(target, operator, value):
            if other := _OPERATORS.get(type(operator)):
                yield "wrong sign", ast.AugAssign(target, other(), value)
            yield "dropped term", ast.Pass()
        case ast.Expr(ast.Call()):
            yield "dropped term", ast.Pass()
        case ast.If(_, body, orelse):
            yield from (("choice", ast.If(ast.Constant(v), body, orelse)) for v in (True, False))


def _constants(value: object) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1] if value > 1 else [value + 1]
    return [value * 2 or 1.0] if isinstance(value, float) else []


def _of_call(call: ast.Call) -> Iterator[Change]:
    """The call lost, its arguments swapped or left out, another function called."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    method = of is not None and not (isinstance(of, ast.Name) and of.id in ("np", "math"))
    first = of if method else call.args[0] if call.args else None
    if name == "where":
        condition, a, b = call.args
        yield from (("choice", a), ("choice", b), ("choice", ast.Call(call.func, [condition, b, a], call.keywords)))
    elif first is not None and not isinstance(first, ast.Starred):
        yield "lost call", first
    if name in _OF_TWO and not method:
        a, b, *rest = call.args
        yield "swapped operands", ast.Call(call.func, [b, a, *rest], call.keywords)
    for k in (k for k in call.keywords if k.arg != "strict"):
        yield "axis", ast.Call(call.func, call.args, [other for other in call.keywords if other is not k])
    if isinstance(call.func, ast.Name) and name in _NAMESAKES:
        yield "other function", ast.Call(ast.Name(_NAMESAKES[name], ast.Load()), call.args, call.keywords)


def _of_result(value: ast.expr) -> Iterator[Change]:
    """What a rule gives, or each part of it: its negative, and zero."""
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [getattr(value, "elt", value)]
    for part in parts:
        yield "wrong sign", changed(value, part, ast.UnaryOp(ast.USub(), part))
        yield "zero", changed(value, part, ast.BinOp(part, ast.Mult(), ast.Constant(0)))
