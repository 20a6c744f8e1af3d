"""What is an operation?  One frozen record: what it computes, its derivative rules, and its formula.

    mul = primitive(formula="out[...] = a[...] * b[...]",
                    vjp={"a": lambda g, b: g * b, "b": lambda g, a: g * a})(forward)

A rule belongs to one input, or to a group of inputs that share work.  Its parameter names say what it needs: first the
cotangents (one per output), then inputs or outputs by name, which are kept for it, or `<input>_shape`, which is free;
after the `*`, static arguments.  What a call saves, what memory counts and what an in-place write may not touch are all
read off those names; there is no second list.  An input that has no derivative says so: its rule is `None`.

Rules are written with operators and public operations.  On plain arrays they run without a tape; on Tensors they are
recorded like anything else, so second derivatives need no further code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias

import numpy as np

from minitorch.errors import MinitorchError, RegistrationError
from minitorch.explain import REFUSED, Explanation, explained, named
from minitorch.misread import check_flags, checked, misread
from minitorch.options import NO_DATA, PLAIN, no_data, settled
from minitorch.record import Record
from minitorch.shapes import Shape, broadcast_mismatch
from minitorch.signature import EMPTY, OfFunction, Parameter, parameters

if TYPE_CHECKING:  # the class is defined later; only the type checker looks ahead
    from minitorch.tensor import Tensor

P = ParamSpec("P")
Array: TypeAlias = "Tensor | np.ndarray | np.generic | float"
"""What an operation takes where it takes data."""

Formula = str | Callable[[Mapping[str, int], Mapping[str, Any]], str | None]
"""Index notation, or a function that gives it: (rank of each input, static arguments) -> text, or None if it cannot."""

REGISTRY: dict[str, Primitive[...]] = {}
COMPOSITES: dict[str, Composite[...]] = {}

REFUSALS = (ValueError, IndexError, TypeError, OverflowError)
"""What NumPy raises for arguments that it cannot take."""

HANDLERS: dict[type, Callable[[Primitive[...], tuple[Any, ...], dict[str, Any]], Any]] = {}
"""Who takes over when an argument is not a plain array.  A class that records (Tensor) enters itself here."""


class Rule(Record):
    """The derivative rule of one input, or of several that share work."""

    inputs: tuple[str, ...]  # whose gradients it returns, in this order
    needs: tuple[str, ...]  # its parameters after the cotangents, in order
    keeps: tuple[str, ...]  # those of them that must be saved
    static: tuple[str, ...]  # the static arguments that it reads
    fn: Callable[..., Any]
    add: Callable[..., None] | None = None  # the same, added into an array that is given first


class Primitive(Record, Generic[P]):
    """One operation.  Call it with arrays and get arrays; call it with a Tensor among them and the call is recorded."""

    name: str
    forward: Callable[..., Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    static: Mapping[str, Any]  # static arguments and their defaults
    rules: tuple[Rule, ...]
    plans: dict[int | tuple[int, int], Any]  # empty at first; see plan.py; read off the other fields
    formula: Formula | None = None
    explain: Explanation | None = None
    variadic: bool = False  # its only input stands for any number of arrays
    differentiable: frozenset[str] = frozenset()
    differentiable_bits: int = 0  # the same by position, as a bit set

    def __call__(self, *args: P.args, **static: P.kwargs) -> Tensor:
        if len(args) != len(self.inputs) and not self.variadic:
            args, static = self._bind(args, static)  # type: ignore[assignment]
        for option, value in static.items():
            if type(value) not in PLAIN:
                static[option] = settled(self.name, option, value)
        for arg in args:
            handler = HANDLERS.get(type(arg))
            if handler is not None:
                return handler(self, args, static)
        return self.compute(args, static)

    def _bind(self, args: tuple[Any, ...], static: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort out static arguments given by position and inputs given by keyword."""
        n = len(self.inputs)
        if len(args) > n:
            check_flags(self.name, self.static, args[n:])
        if n < len(args) <= n + len(self.static) and not static:
            return args[:n], dict(zip(self.static, args[n:], strict=False))
        if wrong := misread(self.name, self.forward, args, static):
            raise wrong
        bound = inspect.signature(self.forward).bind(*args, **static).arguments
        inputs = tuple(bound.pop(name) for name in self.inputs)
        return inputs, bound

    def compute(self, arrays: tuple[Any, ...] | list[Any], static: Mapping[str, Any]) -> Any:
        """Run the forward function on plain arrays; what NumPy complains about becomes an error that names the
        operation, the shapes and the user's line."""
        for array in arrays:
            if type(array) in NO_DATA:
                raise no_data(self.name, array)
        try:
            return self.forward(*arrays, **static)
        except REFUSALS as error:
            raise self.refusal(arrays, static, error) from None

    def refusal(self, arrays: Sequence[Any], static: Mapping[str, Any], error: Exception) -> Exception:
        """The error to raise for one that the forward function raised."""
        if isinstance(error, REFUSED):  # by an operation inside: who called this one knows nothing of it
            return error.about(self.name)
        if isinstance(error, MinitorchError):
            return error
        if isinstance(error, TypeError) and (wrong := misread(self.name, self.forward, arrays, static)):
            return wrong
        shapes = [tuple(getattr(a, "shape", ())) for a in arrays]
        return explained(self.name, self.explain, shapes, static, error)

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.inputs)})>"


class Composite(Record, Generic[P]):
    """A function of other operations that has a formula of its own, so that it can be derived, proved and printed."""

    name: str
    function: Callable[P, Tensor]
    formula: Formula

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Tensor:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<composite {self.name}>"


for _cls, _name in ((Primitive, "forward"), (Composite, "function")):
    _cls.__doc__ = OfFunction(_cls.__doc__, _name, inspect.getdoc)  # type: ignore[assignment]
    _cls.__signature__ = OfFunction(None, _name, inspect.signature)  # type: ignore[attr-defined]


def elementwise_mismatch(*shapes: Shape, **static: Any) -> str | None:
    """Why operands of an elementwise operation do not broadcast."""
    reason = broadcast_mismatch(shapes)
    shown = " and ".join(map(str, shapes))
    return f"shapes {shown} do not broadcast: {reason}. Reshape one, or make that axis 1?" if reason else None


def primitive(
    *,
    vjp: Mapping[str | tuple[str, ...], Callable[..., Any] | None],
    add: Mapping[str, Callable[..., None]] | None = None,
    outputs: tuple[str, ...] = ("out",),
    formula: Formula | None = None,
    explain: Explanation | None = None,
    name: str | None = None,
) -> Callable[[Callable[P, Any]], Primitive[P]]:
    """Register an operation: decorate its forward function, and give the rules beside it.

    Args:
        vjp: for each input (or tuple of inputs that share work) its rule, or None where there is no derivative.
        add: for an input whose gradient is mostly zeros, a function that takes an array, and then what its rule takes,
            and adds the rule's result into it: reading n parts of an array then costs n parts, not n arrays.
        outputs: their names; a value that a rule wants besides the result is an output too.  If it depends smoothly on
            the inputs, it has a cotangent of its own in the rules; treated as a constant it would make second
            derivatives wrong.
        formula: what it computes, in index notation (see `minitorch.symbolic.parse`).
        explain: says which shapes do not fit and why; called only when the forward function has failed.
        name: how it is called in graphs and messages; the function's own name unless given.

    Raises:
        RegistrationError: an input without a rule, a rule for an unknown input or with an unknown need, a name that is
            used twice.

    >>> import minitorch as mt, numpy as np
    >>> @primitive(vjp={"x": lambda g, x: g * (x + x)}, formula="out[...] = x[...]**2", name="doctest_square")
    ... def square(x):
    ...     return x * x
    >>> x = mt.tensor([3.0], requires_grad=True)
    >>> mt.grad(square(x).sum(), x)
    Tensor([6.], dtype=float32)
    """

    def register(forward: Callable[P, Any]) -> Primitive[P]:
        p = _build(name or forward.__name__, forward, vjp, add or {}, outputs, formula, explain)
        if p.name in REGISTRY:
            raise RegistrationError(f"primitive {p.name!r} is registered twice; give one of them another name")
        REGISTRY[p.name] = p
        return p

    return register


def composite(*, formula: Formula) -> Callable[[Callable[P, Tensor]], Composite[P]]:
    """Attach a formula to a function that is written with public operations, and register it by its name.  An input
    without indices that the function has a number for, such as `eps`, is a setting."""

    def register(function: Callable[P, Tensor]) -> Composite[P]:
        if function.__name__ in COMPOSITES:
            raise RegistrationError(f"composite {function.__name__!r} is registered twice; rename one")
        c = Composite(function.__name__, named(checked(function)), formula)
        COMPOSITES[c.name] = c
        return c

    return register


def _is_input(p: Parameter) -> bool:
    annotated = p.annotation in (EMPTY, Array, "Array")
    return annotated and p.default is EMPTY and p.kind is not inspect.Parameter.KEYWORD_ONLY


def _build(
    name: str,
    forward: Callable[..., Any],
    vjp: Mapping[str | tuple[str, ...], Callable[..., Any] | None],
    add: Mapping[str, Callable[..., None]],
    outputs: tuple[str, ...],
    formula: Formula | None,
    explain: Explanation | None,
) -> Primitive[...]:
    taken = parameters(forward)
    inputs = tuple(p.name for p in taken if _is_input(p))
    static = {p.name: p.default for p in taken if not _is_input(p)}
    variadic = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in taken)
    if variadic and len(inputs) > 1:
        raise RegistrationError(f"{name}: *{inputs[-1]} stands beside {list(inputs[:-1])}; make it the only input")
    rules, covered = [], set()
    for key, fn in vjp.items():
        group = key if isinstance(key, tuple) else (key,)
        if unknown := [i for i in group if i not in inputs]:
            raise RegistrationError(
                f"{name}: a rule for {unknown}, but its inputs are {list(inputs)}; rename the rule's key"
            )
        covered.update(group)
        if fn is not None:
            rules.append(
                _rule(name, group, fn, add.get(group[0]) if len(group) == 1 else None, inputs, outputs, static)
            )
    if unknown := [i for i in add if (i,) not in [r.inputs for r in rules]]:
        raise RegistrationError(f"{name}: `add` for {unknown}, which has no rule of its own; give it one in vjp")
    if missing := [i for i in inputs if i not in covered]:
        raise RegistrationError(f"{name}: no rule for {missing}; give one, or None if it has no derivative")
    differentiable = frozenset(i for r in rules for i in r.inputs)
    bits = sum(1 << k for k, i in enumerate(inputs) if i in differentiable)
    return Primitive(
        name=name,
        forward=forward,
        inputs=inputs,
        outputs=outputs,
        static=MappingProxyType(static),
        rules=tuple(rules),
        plans={},
        formula=formula,
        explain=explain,
        variadic=variadic,
        differentiable=differentiable,
        differentiable_bits=-1 if variadic and differentiable else bits,
    )


def _rule(
    name: str,
    group: tuple[str, ...],
    fn: Callable[..., Any],
    add: Callable[..., None] | None,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    static: Mapping[str, Any],
) -> Rule:
    taken, of = parameters(fn), inspect.Parameter
    positional = [p.name for p in taken if p.kind in (of.POSITIONAL_OR_KEYWORD, of.POSITIONAL_ONLY)]
    if len(positional) < len(outputs):
        raise RegistrationError(
            f"{name}: the rule for {group} takes {positional}; it must start with one cotangent per output"
        )
    needs = tuple(positional[len(outputs) :])
    shapes = {f"{i}_shape" for i in inputs}
    keeps = tuple(n for n in needs if n not in shapes)
    if unknown := [k for k in keeps if k not in inputs and k not in outputs]:
        raise RegistrationError(
            f"{name}: the rule for {group} asks for {unknown}; it can have {[*inputs, *outputs, *sorted(shapes)]}"
        )
    reads = tuple(p.name for p in taken if p.kind is of.KEYWORD_ONLY)
    if unknown := [s for s in reads if s not in static]:
        raise RegistrationError(
            f"{name}: the rule for {group} reads {unknown}; its static arguments are {list(static)}"
        )
    if add is not None and [p.name for p in parameters(add)][1:] != [p.name for p in taken]:
        raise RegistrationError(f"{name}: `add` for {group} takes other arguments than an array and those of its rule")
    return Rule(group, needs, keeps, reads, fn, add)
