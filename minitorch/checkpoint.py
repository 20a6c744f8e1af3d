"""How is memory saved by computing twice?  Keep only the inputs of a part, and run it again in the backward pass.

A part with inputs x and hundreds of intermediate values leaves one operation on the tape, which keeps x.  Its rule runs
the part again, with the same random numbers, default dtype and scope, and pulls the cotangents back (Griewank & Walther
2000; Chen et al. 2016, arXiv 1604.06174).  Tensors that the part uses without being given them, such as the parameters
of a Module, are found while it runs and are inputs like the others.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from minitorch import modes, random
from minitorch.dual import Dual, Level, StandIn, new_level, requires_grad
from minitorch.errors import GradientError, InPlaceError
from minitorch.intercept import Proceed, intercept, substitute
from minitorch.primitive import Primitive, Rule
from minitorch.pullback import Run
from minitorch.tensor import Tensor, plain, wrap
from minitorch.trees import Tree, leaves, rebuild
from minitorch.versions import version


def checkpoint(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """`function(*args, **kwargs)`, of which the backward pass keeps only the inputs and computes the rest again.

    Args:
        function: takes and gives trees; must give the same when it is run again: random numbers of `minitorch.random`
            are repeated, but what it writes to is written to twice.
        args, kwargs: trees whose Tensors are inputs, as are Tensors that the function closes over.

    Returns:
        What the function returns; its floating-point Tensors are on the tape.  Derivatives of any order are right; a
        second derivative records the second run, so it saves nothing there.  Inside `jvp` the function simply runs:
        forward mode keeps nothing.

    Raises:
        InPlaceError: the function writes to one of its arguments.
        GradientError: in the backward pass, if the second run gives other shapes or dtypes than the first.

    >>> import minitorch as mt, numpy as np
    >>> x = mt.tensor(np.ones(10), requires_grad=True)
    >>> part = lambda x: mt.exp(mt.tanh(mt.exp(x)))
    >>> mt.memory.saved_bytes(part(x)), mt.memory.saved_bytes(checkpoint(part, x))
    (240, 0)
    """
    flat = leaves((args, kwargs))
    if any(isinstance(x, StandIn) for x in flat):
        return function(*args, **kwargs)
    places = [k for k, x in enumerate(flat) if isinstance(x, Tensor | np.ndarray)]
    watch = _Watch(new_level(), {id(flat[k]) for k in places})
    before = [version(plain(x)) for x in flat]
    start = random.generator().bit_generator.state
    with modes.no_grad(), intercept(watch):
        result = function(*args, **kwargs)
    if before != [version(plain(x)) for x in flat]:
        raise InPlaceError("checkpoint: the function writes to its input, so that it cannot run again. Copy it first?")
    if watch.tangents:
        random.generator().bit_generator.state = start
        return function(*args, **kwargs)
    inputs, outs = [flat[k] for k in places] + list(watch.found.values()), leaves(result)
    where = [k for k, o in enumerate(outs) if isinstance(o, Tensor) and o.dtype.kind == "f"]
    if not (modes.current().grad_enabled and where and any(map(requires_grad, inputs))):
        return result
    part = _Part(
        function=function,
        skeleton=rebuild((args, kwargs), range(len(flat))),
        constants={k: x for k, x in enumerate(flat) if k not in places},
        places=places,
        found=list(watch.found.values()),
        classes=[(isinstance(x, Tensor), x.dtype) for x in inputs],
        varied=[k for k, x in enumerate(inputs) if requires_grad(x)],
        where=where,
        results=[(outs[k].shape, outs[k].dtype) for k in where],
        start=start,
        state=modes.current(),
    )
    for k, o in zip(where, part.recorded(inputs, [plain(outs[k]) for k in where]), strict=True):
        outs[k] = o
    return rebuild(result, outs)


@functools.cache
def _primitive(inputs: int, outputs: int, varied: tuple[int, ...]) -> Primitive[...]:
    """The operation "run this part" for so many inputs and results; not in the registry, since it is no function of
    arrays alone."""
    names = tuple(f"x{k}" for k in range(inputs))
    changing = tuple(names[k] for k in varied)
    rule = Rule(changing, names, names, ("part",), lambda *values, part: part.rule(*values))
    return Primitive(
        name="checkpoint",
        forward=lambda *_, part: part.ready,
        inputs=names,
        outputs=tuple(f"out{k}" for k in range(outputs)),
        static=MappingProxyType({"part": None}),
        rules=(rule,),
        differentiable=frozenset(changing),
        differentiable_bits=sum(1 << k for k in varied),
    )


class _Watch:
    """Finds the variables that a function uses without being given them: not its inputs, and not made while it runs."""

    def __init__(self, began: Level, given: set[int]):
        self.began, self.given = began, given
        self.found: dict[int, Tensor] = {}
        self.tangents = False  # whether it uses a dual of a jvp that began before
        self._made: dict[int, weakref.ref[Tensor]] = {}

    def __call__(self, p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any], proceed: Proceed) -> Any:
        for a in args:
            if isinstance(a, Dual):
                self.tangents = self.tangents or a.level < self.began
            elif isinstance(a, Tensor) and a.requires_grad and id(a) not in self.given and not self._is_made(a):
                self.found[id(a)] = a
        result = proceed(p, args, static)
        for o in result if isinstance(result, tuple) else (result,):
            if isinstance(o, Tensor) and o.requires_grad:
                self._made[id(o)] = weakref.ref(o)
        return result

    def _is_made(self, x: Tensor) -> bool:
        made = self._made.get(id(x))
        return made is not None and made() is x


@dataclass(eq=False, repr=False)
class _Part:
    """What it takes to run the function again.  The values of its inputs are kept by the tape, not here."""

    function: Callable[..., Any]
    skeleton: Tree  # the containers of the arguments around numbers
    constants: dict[int, Any]  # arguments that are no arrays, by those numbers
    places: list[int]  # the numbers of those that are
    found: list[Tensor]  # further inputs
    classes: list[tuple[bool, np.dtype]]  # of each input: whether it is a Tensor, and its dtype
    varied: list[int]  # the inputs that require a gradient
    where: list[int]  # which leaves of the result are floating-point Tensors
    results: list[tuple[tuple[int, ...], np.dtype]]  # their shapes and dtypes
    start: Any  # of the random numbers
    state: modes.State
    ready: Any = None  # the results of the first run, on their way to the tape

    def __repr__(self) -> str:
        return getattr(self.function, "__qualname__", type(self.function).__name__)

    def recorded(self, inputs: Sequence[Any], arrays: Sequence[np.ndarray]) -> Sequence[Tensor]:
        """The results, as those of one operation on the inputs."""
        self.ready = tuple(arrays) if len(arrays) > 1 else arrays[0]
        outs = _primitive(len(inputs), len(arrays), tuple(self.varied))(*inputs, part=self)
        self.ready = None  # or the record would hold its own results
        return outs if isinstance(outs, tuple) else (outs,)

    def rule(self, *values: Any) -> Any:
        """The cotangents of the varied inputs, from those of the results and from all inputs."""
        gs, xs = values[: len(self.where)], list(values[len(self.where) :])
        for k, (is_tensor, dtype) in enumerate(self.classes):
            x = xs[k] if isinstance(xs[k], Tensor) or not is_tensor else wrap(xs[k])
            xs[k] = x if x.dtype == dtype else x.astype(dtype)
        state = self.state
        then = {"scope": state.scope, "step": state.step, "dtype": state.dtype, "module": lambda _: state.module}
        with modes.Mode(**then), random.fork(0) as generator:
            generator.bit_generator.state = self.start
            run = Run(lambda *varied: self._again(xs, varied), tuple(xs[k] for k in self.varied), self.varied, False)
        cotangents = [g if isinstance(g, Tensor) else wrap(g) for g in gs]
        pulled = list(run.pull(cotangents, run.differentiable, retain_graph=run.differentiable))
        if not any(isinstance(v, Tensor) for v in values):  # on plain arrays a rule gives plain arrays
            pulled = [plain(g) for g in pulled]
        return tuple(pulled) if len(pulled) > 1 else pulled[0]

    def _again(self, xs: list[Any], varied: Sequence[Any]) -> list[Any]:
        now = list(xs)
        for k, x in zip(self.varied, varied, strict=True):
            now[k] = x
        given = {**self.constants, **dict(zip(self.places, now, strict=False))}
        args, kwargs = rebuild(self.skeleton, [given[k] for k in range(len(given))])
        found = {id(x): y for x, y in zip(self.found, now[len(self.places) :], strict=True)}
        with substitute(found):
            outs = leaves(self.function(*args, **kwargs))
        again = [outs[k] for k in self.where if k < len(outs)]
        if (got := [(getattr(o, "shape", None), getattr(o, "dtype", None)) for o in again]) != self.results:
            raise GradientError(
                f"checkpoint: run again, the function gave {got} instead of {self.results}. "
                "Does it depend on something that has changed since?"
            )
        return again
