"""What is the directional derivative?  A tangent travels with each value, operation by operation, while f runs.

    jvp:  (x, t) -> (f(x), J t)          one operation:  J t = transpose of (g -> J^T g), applied to t

There is no second table of rules.  An operation's rule computes J^T g, which is linear in g.  Run on a stand-in for g
it leaves a few linear operations behind; pulling t back through those, by their own rules, gives J t.  They are dropped
with the next operation, so memory does not grow with depth.  Values may be Tensors on a tape or duals of an outer jvp:
all steps are public operations, so everything nests.  Each jvp has a level of its own, and the innermost is served
first, which is what keeps perturbations apart (Siskind & Pearlmutter 2005; the transposition is that of Radul et al.
2022, arXiv 2204.10923, read backwards).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minitorch import modes
from minitorch.dual import Dual, Level, StandIn, arguments, dtype_of, new_level, outputs, requires_grad, split
from minitorch.functional import with_parameters
from minitorch.intercept import before_the_tape, register
from minitorch.ops.movement import sum_to
from minitorch.primitive import Primitive
from minitorch.tensor import Tensor, plain, wrap
from minitorch.trees import Tree, TreeError, aligned, flatten, leaves, rebuild

_numbers = itertools.count()  # of steps: the order in which they were made


class _Linear(StandIn):
    """A cotangent not known yet: zeros that remember which linear operation made them."""

    __slots__ = ("index", "step")

    def __init__(self, value: Any, step: _Step | None = None, index: int = 0):
        self.value, self.step, self.index = value, step, index


class _Step(NamedTuple):
    """One operation on a cotangent that is not known yet."""

    number: int
    primitive: Primitive[...]
    args: tuple[Any, ...]  # zeros in the place of what is not known
    sources: dict[int, _Linear]  # the unknown ones by position
    static: dict[str, Any]
    outs: list[Any]


# -- one operation -----------------------------------------------------------------------------------------------------


def _push(p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    """Apply `p` to duals: to the values of the innermost level, and its derivative to their tangents."""
    level = max(a.level for a in args if isinstance(a, Dual))
    values = tuple(a.value if isinstance(a, Dual) and a.level == level else a for a in args)
    tangents = {
        k: a.tangent
        for k, a in enumerate(args)
        if isinstance(a, Dual) and a.level == level and _name(p, k) in p.differentiable
    }
    result = p(*values, **static)
    if not tangents or (level.recording and not modes.current().grad_enabled):
        return result
    outs = _listed(result)
    if not any(isinstance(x, StandIn) or requires_grad(x) for x in (*values, *tangents.values())):
        values, outs = tuple(map(plain, values)), list(map(plain, outs))  # on plain arrays the rules are quicker
        tangents = {k: plain(t) for k, t in tangents.items()}
    found = [
        t if t is None or isinstance(t, Tensor | StandIn) else wrap(np.asarray(t))
        for t in _tangents(p, values, static, outs, tangents)
    ]
    if modes.current().anomaly:
        _look_for_anomaly(p, found)
    duals = [o if t is None else Dual(level, o, t) for o, t in zip(_listed(result), found, strict=True)]
    return tuple(duals) if isinstance(result, tuple) else duals[0]


def _look_for_anomaly(p: Primitive[...], tangents: list[Any]) -> None:
    for name, t in zip(p.outputs, tangents, strict=True):
        if t is not None and not np.isfinite(values := t.numpy()).all():
            what = f"the tangent of its {name} of shape {t.shape}"
            raise modes.anomaly_error(p.name, what, values, modes.current().scope)


def _tangents(
    p: Primitive[...], values: tuple[Any, ...], static: dict[str, Any], outs: list[Any], tangents: dict[int, Any]
) -> list[Any]:
    """The tangent of each output, or None for zero: those of the inputs, by position, through the transposed rule."""
    unknown = [_Linear(_zeros(o)) if o.dtype.kind == "f" else _zeros(o) for o in outs]
    pulled = _pull(p, values, {**p.static, **static}, outs, unknown, set(tangents))
    found = _transposed([(r, tangents[k]) for k, r in pulled if isinstance(r, _Linear)])
    return [found.get(id(u)) for u in unknown]


def _pull(
    p: Primitive[...], args: Sequence[Any], static: dict[str, Any], outs: list[Any], gs: list[Any], wanted: set[int]
) -> Iterator[tuple[int, Any]]:
    """(k, cotangent of input k) for the inputs that are wanted, broadcasting and promotion undone."""
    for rule in p.rules:
        where = [list(range(len(args))) if p.variadic else [p.inputs.index(name)] for name in rule.inputs]
        if all(k not in wanted for ks in where for k in ks):
            continue
        needs = [_need(p, args, outs, name) for name in rule.needs]
        result = rule.fn(*gs, *needs, **{s: static[s] for s in rule.static})
        for ks, part in zip(where, result if len(rule.inputs) > 1 else (result,), strict=True):
            for k, r in zip(ks, part if p.variadic else (part,), strict=True):
                if k in wanted:
                    r = r if r.shape == args[k].shape else sum_to(r, args[k].shape)
                    yield k, r if r.dtype == args[k].dtype else r.astype(args[k].dtype)


def _need(p: Primitive[...], args: Sequence[Any], outs: list[Any], name: str) -> Any:
    """What a rule asks for by name: an input, an output or a shape."""
    if name in p.outputs:
        return outs[p.outputs.index(name)]
    if name in p.inputs:
        return tuple(args) if p.variadic else args[p.inputs.index(name)]
    shapes = tuple(getattr(a, "shape", ()) for a in args)  # np.shape would ask the Tensor, and slowly
    return shapes if p.variadic else shapes[p.inputs.index(name.removesuffix("_shape"))]


def _trace(p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    """Apply `p` to a cotangent that is not known: only the shape and dtype of the result are computed, from zeros."""
    sources = {k: a for k, a in enumerate(args) if isinstance(a, _Linear)}
    args = tuple(a.value if isinstance(a, _Linear) else a for a in args)
    result = p(*(a.detach() if isinstance(a, Tensor | StandIn) else a for a in args), **static)
    step = _Step(next(_numbers), p, args, sources, {**p.static, **static}, _listed(result))
    linear = [_Linear(o, step, i) if o.dtype.kind == "f" else o for i, o in enumerate(step.outs)]
    return tuple(linear) if isinstance(result, tuple) else linear[0]


def _transposed(seeds: list[tuple[_Linear, Any]]) -> dict[int, Any]:
    """Pull each seed's cotangent back to the unknowns it was made of: their cotangents by id.  Last made first."""
    steps: dict[int, _Step] = {}
    stack = [linear.step for linear, _ in seeds]
    while stack:
        if (step := stack.pop()) is not None and step.number not in steps:
            steps[step.number] = step
            stack += [source.step for source in step.sources.values()]
    found: dict[Any, Any] = {}
    for linear, cotangent in seeds:
        _add(found, linear, cotangent)
    for number in sorted(steps, reverse=True):
        step = steps[number]
        slots = [(number, i) for i in range(len(step.outs))]
        gs = [found.pop(slot) if slot in found else _zeros(o) for slot, o in zip(slots, step.outs, strict=True)]
        for k, g in _pull(step.primitive, step.args, step.static, step.outs, gs, set(step.sources)):
            _add(found, step.sources[k], g)
    return found


def _add(found: dict[Any, Any], linear: _Linear, g: Any) -> None:
    slot = id(linear) if linear.step is None else (linear.step.number, linear.index)
    found[slot] = found[slot] + g if slot in found else g


def _name(p: Primitive[...], k: int) -> str:
    return p.inputs[0] if p.variadic else p.inputs[k]


def _listed(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def _zeros(like: Any) -> Any:
    zeros = np.zeros(like.shape, like.dtype)
    return wrap(zeros) if isinstance(like, Tensor | StandIn) else zeros


def _handle(p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    args = tuple(a if isinstance(a, _OPERANDS) else np.asarray(a) for a in args)
    return (_trace if any(isinstance(a, _Linear) for a in args) else _push)(p, args, static)


_OPERANDS = (Tensor, StandIn, np.ndarray, int, float)
register(Dual, _handle)
register(_Linear, _handle)


# -- a function ------------------------------------------------------------------------------------------------------


def jvp(
    function: Callable[..., Tree], primals: Sequence[Tree], tangents: Sequence[Tree], *, has_aux: bool = False
) -> Any:
    """f(*primals), and its derivative along `tangents`: J t.  Runs f once, without a tape of its own.

    Args:
        function: takes trees of Tensors, gives a tree of Tensors; or (such a tree, anything else) with `has_aux`.
        primals: one tree per argument, as a tuple or list.  Leaves are Tensors, arrays and numbers; a Module stands
            for the dict of its parameters.
        tangents: the same containers; leaves of the primals' shapes.  None stands for zeros, for a leaf or for a whole
            part; leaves that are not floating-point numbers must have it.
        has_aux: the function returns a pair, and only its first part is differentiated.

    Returns:
        (value, tangent), trees of one structure; with `has_aux` (value, tangent, aux).

    Raises:
        TreeError: tangents do not fit the primals, or an output is not a Tensor; names the path.

    A `no_grad` block inside the function cuts tangents as it cuts gradients (unless jvp itself is called under one).

    >>> import minitorch as mt
    >>> jvp(lambda x, y: {"sum": x + y, "product": x * y}, (3.0, 5.0), (1.0, None))[1]
    {'sum': Tensor(1., dtype=float32), 'product': Tensor(5., dtype=float32)}
    """
    function, primals = with_parameters(function, arguments(primals, "primals"))
    tangents = arguments(tangents, "tangents")
    level = new_level()
    directions = aligned(primals, tangents, name="primals", other_name="tangents")
    duals = [_dual(level, path, x, t) for (path, x), t in zip(flatten(primals), directions, strict=True)]
    with before_the_tape():
        result = function(*rebuild(primals, duals))
    value, aux = split(result) if has_aux else (result, None)
    outs = outputs(value)
    found = [(o.value, o.tangent) if isinstance(o, Dual) and o.level == level else (o, _zeros(o)) for o in outs]
    owned = [t if isinstance(t, StandIn) or t.requires_grad else Tensor(t) for _, t in found]  # no part of a primal
    pair = rebuild(value, [v for v, _ in found]), rebuild(value, owned)
    return (*pair, _without(level, aux)) if has_aux else pair


def _dual(level: Level, path: str, x: Any, t: Any) -> Any:
    dtype = dtype_of(x)
    floating = dtype is not None and dtype.kind == "f"
    if t is not None and not floating:
        raise TreeError(f"primals{path} is {dtype or type(x).__name__}, which has no tangent. Give None for it?")
    x = Tensor(x) if floating and not isinstance(x, Tensor | StandIn) else x
    if t is None:
        return x
    t = t if isinstance(t, Tensor | StandIn) else Tensor(np.asarray(t, x.dtype))
    if t.shape != x.shape:
        raise TreeError(f"tangents{path} has shape {t.shape}, but primals{path} has {x.shape}; they must be equal.")
    return Dual(level, x, t if t.dtype == x.dtype else t.astype(x.dtype))


def _without(level: Level, aux: Tree) -> Tree:
    """aux with values in the place of this level's duals."""
    return rebuild(aux, [a.value if isinstance(a, Dual) and a.level == level else a for a in leaves(aux)])
