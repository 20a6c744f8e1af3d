"""How is a cotangent pulled back through a function of trees?  Reverse mode, also where values carry tangents.

For a dual output y + e y' and cotangent c + e c' the product rule holds, since (y, c) -> dL/dx is bilinear:

    pull(y + e y', c + e c')  =  pull(y, c) + e (pull(y', c) + pull(y, c'))

The leaves are Tensors of the run's own under the tangents of the arguments, so that what else the function does with an
argument is no derivative by it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minitorch import modes, reverse
from minitorch.dual import Dual, StandIn, dtype_of, outputs, requires_grad, split
from minitorch.ops.elementwise import positive
from minitorch.reach import reach
from minitorch.tensor import Tensor, plain, source, wrap
from minitorch.trees import Tree, TreeError, flatten, leaves, rebuild


class Run:
    """One run of a function on arguments of its own, from which cotangents can be pulled back."""

    def __init__(
        self,
        function: Callable[..., Any],
        primals: tuple[Tree, ...],
        names: Sequence[Any],
        has_aux: bool,
        shared: bool = False,  # whether the function is known not to write to its arguments, which are then not copied
    ):
        outside = modes.current().grad_enabled
        with modes.enable_grad():
            paths = [(f"argument {n}{path}", x) for n, t in zip(names, primals, strict=True) for path, x in flatten(t)]
            pairs = [_leaf(x, path, outside, shared) for path, x in paths]
            self.primals, self.leaves = primals, [leaf for leaf, _ in pairs]
            result = function(*rebuild(primals, [stand_in for _, stand_in in pairs]))
        value, self.aux = split(result) if has_aux else (result, None)
        self.outs = outputs(value)
        self.value = rebuild(value, self.outs)
        self.differentiable = outside and _others(self.outs, self.leaves)

    def pull(self, cs: Sequence[Any], create_graph: bool, retain_graph: bool = True) -> Iterator[Tree]:
        """The cotangents of the primals, one tree each."""
        pairs = [(y, c) for y, c in zip(self.outs, cs, strict=True) if c is not None]
        found = iter(_pulled(pairs, self.leaves, create_graph, retain_graph))
        for tree in self.primals:
            gs = [next(found) for _ in leaves(tree)]
            yield rebuild(tree, gs)


def _leaf(x: Any, path: str, outside: bool, shared: bool) -> tuple[Tensor, Any]:
    """A Tensor of its own for x, in memory of its own unless `shared`, and what stands for x in the function: the same
    under x's tangents."""
    if isinstance(x, Dual):
        leaf, inner = _leaf(x.value, path, outside, shared)
        return leaf, Dual(x.level, inner, x.tangent)
    dtype = dtype_of(x)
    if dtype is None or dtype.kind != "f":
        raise TreeError(
            f"{path} is {dtype or 'a ' + type(x).__name__}; derivatives are taken of floating-point numbers. "
            "Make it a float, or pass it as another argument?"
        )
    if (
        isinstance(x, Tensor) and x.requires_grad and outside
    ):  # what else f does with x is no derivative by this argument
        leaf = x.reshape(x.shape) if shared else positive(x)
    else:
        leaf = x.detach().requires_grad_() if isinstance(x, Tensor) and shared else Tensor(plain(x), requires_grad=True)
    return leaf, leaf


def _pulled(pairs: Sequence[tuple[Any, Any]], wanted: Sequence[Tensor], create: bool, retain: bool) -> list[Any]:
    """Sum of <y, c> over the pairs, differentiated by each wanted Tensor; zeros where nothing arrives."""
    duals = [x.level for pair in pairs for x in pair if isinstance(x, Dual)]
    if duals:
        level = max(duals)
        halves = [(_parts(y, level), _parts(c, level)) for y, c in pairs]
        value = _pulled([(y, c) for (y, _), (c, _) in halves], wanted, create, True)
        crossed = [(dy, c) for (_, dy), (c, _) in halves if dy is not None]
        crossed += [(y, dc) for (y, _), (_, dc) in halves if dc is not None]
        tangent = _pulled(crossed, wanted, create, True)
        return [Dual(level, v, t) for v, t in zip(value, tangent, strict=True)]
    pairs = [(y, c) for y, c in pairs if requires_grad(y)]
    found: Sequence[Any] = [None] * len(wanted)
    if pairs and wanted:
        y, c = pairs[0]
        if len(pairs) > 1:
            with modes.enable_grad():
                y, c = functools.reduce(lambda a, b: a + b, ((y * c).sum() for y, c in pairs)), None
        found = reverse.grad(y, wanted, c, create_graph=create, retain_graph=retain, allow_unused=True)
    return [wrap(np.zeros(x.shape, x.dtype)) if g is None else g for g, x in zip(found, wanted, strict=True)]


def _parts(x: Any, level: Any) -> tuple[Any, Any]:
    """(value, tangent) at this level; a tangent of zero is None."""
    return (x.value, x.tangent) if isinstance(x, Dual) and x.level == level else (x, None)


def grad_of_duals(
    output: Any,
    inputs: Sequence[Any],
    gradient: Any = None,
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """`reverse.grad` inside jvp, by several inputs: the gradients carry their tangents."""
    bases = [_base(x) for x in inputs]
    flags = {"retain_graph": True, "allow_unused": allow_unused}
    used = reverse.grad(_base(output), bases, _base(gradient), **flags)  # raises what there is to raise
    c = wrap(np.ones(output.shape, output.dtype)) if gradient is None else gradient
    found = _pulled([(output, c)], bases, create_graph, True)
    return tuple(None if u is None else g for u, g in zip(used, found, strict=True))


def _base(x: Any) -> Any:
    return _base(x.value) if isinstance(x, Dual) else x


def _others(outs: Sequence[Any], own: Sequence[Tensor]) -> bool:
    """Whether what was computed depends on a leaf besides our own: somebody outside may differentiate it further."""
    ours = {id(x) for x in own}
    roots = [t for o in outs for t in _tensors(o) if t.requires_grad]
    return any(id(leaf) not in ours for r in roots for leaf in reach(source(r))[1])


def _tensors(x: Any) -> list[Tensor]:
    return [*_tensors(x.value), *_tensors(x.tangent)] if isinstance(x, Dual) else [x]


def cut(x: Any) -> Any:
    """The same value without a tape; tangents stay."""
    return Dual(x.level, cut(x.value), cut(x.tangent)) if isinstance(x, Dual) else x.detach()


def cotangent(path: str, out: Any, c: Any) -> Any:
    if c is None or isinstance(c, StandIn):
        return c
    c = c if isinstance(c, Tensor) else Tensor(np.asarray(c, out.dtype))
    if c.shape != out.shape:
        raise TreeError(
            f"the cotangent{path} has shape {c.shape}, but the value{path} has {out.shape}; they must be equal."
        )
    return c
