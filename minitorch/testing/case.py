"""What is examined?  One call of an operation, and the ways in which a check runs it.

Floating arrays among the inputs are differentiated; integers, booleans and Python numbers are passed on as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from minitorch.call import Call
from minitorch.primitive import Primitive, Rule
from minitorch.reverse import grad
from minitorch.tensor import Tensor
from minitorch.tensor import plain as array_of

Function = Callable[..., tuple[Tensor, ...]]


@dataclass(frozen=True, eq=False)
class Case:
    """One call of an operation: a primitive, or any function of arrays."""

    operation: Callable[..., Any]
    inputs: tuple[Any, ...]
    static: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, operation: Callable[..., Any], inputs: Sequence[Any], static: Mapping[str, Any]) -> Case:
        """The call with what a user gives: Tensors, arrays of any dtype, lists; numbers alone become arrays."""
        numbers = not any(hasattr(x, "dtype") or isinstance(x, list) for x in inputs)
        arrays = []
        for x in map(array_of, inputs):
            a = np.array(x) if numbers or isinstance(x, np.ndarray | np.generic | list) else x
            arrays.append(np.asarray(a, np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a)
        return cls(operation, tuple(arrays), dict(static))

    @property
    def name(self) -> str:
        """How messages call the operation."""
        return getattr(self.operation, "name", None) or getattr(self.operation, "__name__", "function")

    @property
    def record(self) -> Primitive[...] | None:
        """The operation's record, if it has one of its own."""
        return self.operation if isinstance(self.operation, Primitive) else None

    @cached_property
    def floating(self) -> list[int]:
        """The positions of the floating arrays, which are made Tensors."""
        return [k for k, x in enumerate(self.inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]

    @cached_property
    def varied(self) -> list[int]:
        """The positions of the inputs that are differentiated: floating ones, of which no rule says None."""
        p = self.record
        return [k for k in self.floating if p is None or self.input_name(k) in p.differentiable]

    @property
    def arrays(self) -> list[np.ndarray]:
        """The inputs that are differentiated."""
        return [self.inputs[k] for k in self.varied]

    def input_name(self, k: int) -> str:
        """What the record calls input k; all parts of a variadic input have one name."""
        p = self.record
        return f"input {k}" if p is None else p.inputs[0] if p.variadic else p.inputs[k]

    def said(self, k: int) -> str:
        """Input k as messages name it."""
        name = "" if self.record is None else f" ({self.input_name(k)})"
        return f"input {k}{name} of shape {np.shape(self.inputs[k])}"

    def with_inputs(self, changed: Mapping[int, Any]) -> Case:
        """The same call with other arrays at some positions."""
        return Case(self.operation, tuple(changed.get(k, x) for k, x in enumerate(self.inputs)), self.static)

    def __str__(self) -> str:
        shapes = ",".join(str(np.shape(x)).replace(" ", "") for x in self.inputs)
        return self.name + shapes + "".join(f",{k}={v}" for k, v in self.static.items())

    # -- the ways to run it --------------------------------------------------------------------------------------------

    def call(self, args: Iterable[Any]) -> tuple[Any, ...]:
        """Its outputs, as a tuple."""
        out = self.operation(*args, **self.static)
        return tuple(out) if isinstance(out, tuple | list) else (out,)

    def tensors(self, wanted: Sequence[int] | None = None, dtype: Any = None) -> list[Any]:
        """The inputs, as Tensors where they are floating (where none is, all); those in `wanted` require a gradient."""
        wanted = self.varied if wanted is None else wanted
        other = (lambda x: x) if self.floating else Tensor
        return [
            Tensor(x, requires_grad=k in wanted, dtype=dtype) if k in self.floating else other(x)
            for k, x in enumerate(self.inputs)
        ]

    def plain(self) -> list[Any]:
        """The inputs, arrays copied: an operation that writes to them harms no other check."""
        return [x.copy() if isinstance(x, np.ndarray) else x for x in self.inputs]

    def smooth(self, args: Iterable[Any]) -> tuple[Any, ...]:
        """Its floating outputs."""
        return tuple(o for o in self.call(args) if o.dtype.kind == "f")

    @property
    def function(self) -> Function:
        """The operation as a function of the differentiated arrays alone; only floating outputs, as a tuple."""

        def function(*arrays: Any) -> tuple[Tensor, ...]:
            args = self.tensors([])
            for k, a in zip(self.varied, arrays, strict=True):
                args[k] = a
            return self.smooth(args)

        return function

    def directions(self, seed: int, dtype: Any = np.float64) -> list[Tensor]:
        """A random direction for each differentiated array."""
        rng = np.random.default_rng(seed)
        return [Tensor(rng.standard_normal(a.shape), dtype=dtype) for a in self.arrays]

    def cotangents(self, seed: int) -> list[np.ndarray]:
        """A random cotangent for each floating output."""
        rng = np.random.default_rng(seed)
        return [np.asarray(rng.standard_normal(o.shape)) for o in self.smooth(self.tensors([]))]

    def pull(self, args: Sequence[Any], gs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The gradients of <outputs, gs> by the differentiated inputs, all rules involved; zeros where unused."""
        return self.gradients(self.smooth(args), args, gs)

    def gradients(self, outs: Sequence[Tensor], args: Sequence[Any], gs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The gradients of <outs, gs> by the differentiated ones of `args`."""
        return self.gradients_of(contracted(outs, gs), args)

    def gradients_of(self, scalar: Tensor, args: Sequence[Any]) -> list[np.ndarray]:
        """The gradients of a scalar by the differentiated ones of `args`; zeros where it does not depend on one."""
        wanted = [args[k] for k in self.varied]
        found = grad(scalar, wanted, allow_unused=True)
        return [np.zeros(x.shape, x.dtype) if g is None else g.numpy() for g, x in zip(found, wanted, strict=True)]

    # -- its rules, one by one -----------------------------------------------------------------------------------------

    def recorded(self, dtype: Any = None) -> tuple[list[Any], Call]:
        """The inputs as Tensors that all require a gradient, and what the tape keeps of the call."""
        args = self.tensors(dtype=dtype)
        origin = self.call(args)[0]._origin
        assert origin is not None
        return args, origin.call

    def rules(self) -> Iterator[Rule]:
        """The rules of its differentiated inputs."""
        assert self.record is not None
        names = {self.input_name(k) for k in self.varied}
        return (r for r in self.record.rules if names & set(r.inputs))

    def apply(self, rule: Rule, gs: Sequence[Any], kept: Mapping[str, Any]) -> list[tuple[int, Any]]:
        """(position of an input, what the rule gives for it), from plain arrays."""
        p = self.record
        assert p is not None
        shapes = [np.shape(x) for x in self.inputs]
        if p.variadic:
            free: dict[str, Any] = {f"{p.inputs[0]}_shape": tuple(shapes)}
        else:
            free = {f"{name}_shape": s for name, s in zip(p.inputs, shapes, strict=True)}
        static = {**p.static, **self.static}
        result = rule.fn(*gs, *(({**free, **kept})[n] for n in rule.needs), **{s: static[s] for s in rule.static})
        if p.variadic:
            return list(enumerate(result))
        parts = result if len(rule.inputs) > 1 else (result,)
        return [(p.inputs.index(name), part) for name, part in zip(rule.inputs, parts, strict=True)]


def contracted(outs: Sequence[Tensor], gs: Sequence[np.ndarray]) -> Tensor:
    """The scalar <outs, gs>."""
    total = None
    for o, g in zip(outs, gs, strict=True):
        part = (o * g.astype(o.dtype)).sum()
        total = part if total is None else total + part
    assert total is not None, "no output is floating"
    return total
