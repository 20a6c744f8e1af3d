"""Who watches the gradient at a layer's doors?  Two gates, through which its inputs and outputs pass unchanged.

    x -> [gate] -> forward -> [gate] -> y         going back, the second gate sees dL/dy, and then the first one dL/dx

A gate is an operation with a rule of its own: all gradients of one side arrive there together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from minitorch.errors import GradientError
from minitorch.ops.dtype import shape_of
from minitorch.ops.elementwise import positive
from minitorch.primitive import Primitive, Rule
from minitorch.tensor import Tensor, plain, wrap
from minitorch.trees import leaves, rebuild

BackwardHook = Callable[[Any, tuple[Any, ...], tuple[Any, ...]], Any]
"""(module, gradients of the inputs, gradients of the outputs) -> None, or other gradients of the inputs."""


class Watch:
    """One call of a module whose gradients somebody wants to see."""

    def __init__(self, module: Any, pre_hooks: Sequence[Callable[..., Any]], hooks: Sequence[BackwardHook]):
        self.module, self.pre_hooks, self.hooks = module, pre_hooks, hooks
        self.grad_output: tuple[Any, ...] = ()
        self.inputs: list[bool] = []  # for each positional argument, whether its gradient passes the gate

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those Tensors that require a gradient through the gate."""
        self.inputs = [_varies(x) for x in args]
        passed = iter(_through([x for x in args if _varies(x)], self._back_at_inputs))
        return tuple(next(passed) if varies else x for x, varies in zip(args, self.inputs, strict=True))

    def leave(self, out: Any) -> Any:
        """What the module gives, its Tensors through the gate."""
        found = leaves(out)
        passed = iter(_through([x for x in found if _varies(x)], self._back_at_outputs))
        return rebuild(out, [next(passed) if _varies(x) else x for x in found])

    def _back_at_outputs(self, gs: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.pre_hooks:
            gs = self._instead(hook(self.module, gs), gs, "Tensor of the output")
        self.grad_output = gs
        if not any(self.inputs):  # nothing will arrive there
            self._ask(tuple(None for _ in self.inputs))
        return gs

    def _back_at_inputs(self, gs: tuple[Any, ...]) -> tuple[Any, ...]:
        arrived = iter(gs)
        found = self._ask(tuple(next(arrived) if varies else None for varies in self.inputs))
        return tuple(g for g, varies in zip(found, self.inputs, strict=True) if varies)

    def _ask(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            given = hook(self.module, grad_input, self.grad_output)
            grad_input = self._instead(given, grad_input, "positional argument")
        return grad_input

    def _instead(self, given: Any, gs: tuple[Any, ...], each: str) -> tuple[Any, ...]:
        """What takes the place of the gradients: what a hook returned, unless that is None."""
        if given is None:
            return gs
        given = given if isinstance(given, tuple) else (given,)
        shapes = [[None if g is None else shape_of(g) for g in some] for some in (given, gs)]
        if shapes[0] != shapes[1]:
            raise GradientError(
                f"a backward hook of {type(self.module).__name__} returned gradients of shapes {shapes[0]}, "
                f"wanted {shapes[1]}, one for each {each}."
            )
        return given


def _varies(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _through(tensors: list[Tensor], watch: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Sequence[Tensor]:
    if not tensors:
        return ()
    out = _gate(len(tensors))(*tensors, watch=watch)
    return out if isinstance(out, tuple) else (out,)


def _passed(*xs: np.ndarray, watch: Any) -> Any:
    return xs if len(xs) > 1 else next(iter(xs))


@functools.cache
def _gate(count: int) -> Primitive[...]:
    """The operation that gives its `count` inputs; not in the registry, since its rule is somebody's function."""
    names = tuple(f"x{k}" for k in range(count))
    return Primitive(
        name="gate",
        forward=_passed,
        inputs=names,
        outputs=tuple(f"out{k}" for k in range(count)),
        static=MappingProxyType({"watch": None}),
        rules=(Rule(names, (), (), ("watch",), lambda *gs, watch: _pulled(gs, watch)),),
        plans={},
        differentiable=frozenset(names),
        differentiable_bits=(1 << count) - 1,
    )


def _pulled(gs: tuple[Any, ...], watch: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Any:
    """The gate's rule: hooks see Tensors, and copies, since the gradients may stand at other places too."""
    tensors = tuple(positive(g) if isinstance(g, Tensor) else wrap(np.array(g)) for g in gs)
    found = watch(tensors)
    if not any(isinstance(g, Tensor) for g in gs):
        found = tuple(np.asarray(plain(g)) for g in found)
    return found if len(found) > 1 else next(iter(found))
