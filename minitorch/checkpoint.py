"""How is memory saved by computing twice?  Keep only the inputs of a part, and run it again in the backward pass.

A part with inputs x and hundreds of intermediate values leaves one operation on the tape, which keeps x.  Its rule runs
the part again, with the same random numbers, default dtype, scope and training modes, and pulls the cotangents back
(Griewank & Walther 2000; Chen et al. 2016, arXiv 1604.06174).  Tensors that the part uses without being given them,
such as the parameters of a Module, are found while it runs and are inputs like the others (`reads.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from minitorch import modes, random
from minitorch.dual import StandIn, requires_grad
from minitorch.errors import GradientError, InPlaceError
from minitorch.intercept import standing_for, substitute
from minitorch.primitive import Primitive, Rule
from minitorch.pullback import Run
from minitorch.reads import Noted, Reads, check_constants, trained_as
from minitorch.record import Record
from minitorch.tensor import Tensor, plain, wrap
from minitorch.trees import Tree, leaves, rebuild
from minitorch.versions import owner, version


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
        InPlaceError: the function writes to one of its arguments; in the backward pass, if a constant that it reads
            without being given it was written to since.
        GradientError: in the backward pass, if the second run gives other shapes, dtypes or values than the first.

    >>> import minitorch as mt, numpy as np
    >>> x = mt.tensor(np.ones(10), requires_grad=True)
    >>> part = lambda x: mt.exp(mt.tanh(mt.exp(x)))
    >>> mt.memory.saved_bytes(part(x)), mt.memory.saved_bytes(checkpoint(part, x))
    (240, 0)
    """
    flat = leaves((args, kwargs))
    if any(isinstance(standing_for(x), StandIn) for x in flat):
        return function(*args, **kwargs)
    places = [k for k, x in enumerate(flat) if isinstance(x, Tensor | np.ndarray)]
    reads = Reads([flat[k] for k in places])
    before = [version(plain(x)) for x in flat]
    start = random.generator().bit_generator.state
    with modes.no_grad(), reads.looking():
        result = function(*args, **kwargs)
    if before != [version(plain(x)) for x in flat]:
        raise InPlaceError("checkpoint: the function writes to its input, so that it cannot run again. Copy it first?")
    if reads.tangents:
        random.generator().bit_generator.state = start
        return function(*args, **kwargs)
    found, outs = list(reads.found.values()), leaves(result)
    inputs = [standing_for(x) for x in (*(flat[k] for k in places), *found)]
    where = [k for k, o in enumerate(outs) if isinstance(o, Tensor) and o.dtype.kind == "f"]
    if not (modes.current().grad_enabled and where and any(map(requires_grad, inputs))):
        return result
    part = _Part(
        function=function,
        skeleton=rebuild((args, kwargs), range(len(flat))),
        constants={k: x for k, x in enumerate(flat) if k not in places},
        places=places,
        found=found,
        noted=reads.constants(outs),
        training=reads.training(),
        classes=[(isinstance(x, Tensor), x.dtype) for x in inputs],
        varied=[k for k, x in enumerate(inputs) if requires_grad(x)],
        where=where,
        results=[(outs[k].shape, outs[k].dtype) for k in where],
        samples=[_sample(outs[k]) for k in where],
        start=start,
        state=modes.current(),
        ready=[],
    )
    arrays = [plain(outs[k]) for k in where]
    arrays = [a if reads.made(a) and _first(k, arrays) else a.copy() for k, a in enumerate(arrays)]
    for k, o in zip(where, part.recorded(inputs, arrays), strict=True):
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
        forward=lambda *_, part: part.ready[0],
        inputs=names,
        outputs=tuple(f"out{k}" for k in range(outputs)),
        static=MappingProxyType({"part": None}),
        rules=(rule,),
        plans={},
        differentiable=frozenset(changing),
        differentiable_bits=sum(1 << k for k in varied),
    )


class _Part(Record):
    """What it takes to run the function again.  The values of its inputs are kept by the tape, not here."""

    function: Callable[..., Any]
    skeleton: Tree  # the containers of the arguments around numbers
    constants: dict[int, Any]  # arguments that are no arrays, by those numbers
    places: list[int]  # the numbers of those that are
    found: list[Tensor]  # further inputs
    noted: list[Noted]  # constants that it reads besides
    training: list[tuple[Any, bool]]  # the modes of the modules that it calls
    classes: list[tuple[bool, np.dtype]]  # of each input: whether it is a Tensor, and its dtype
    varied: list[int]  # the inputs that require a gradient
    where: list[int]  # which leaves of the result are floating-point Tensors
    results: list[tuple[tuple[int, ...], np.dtype]]  # their shapes and dtypes
    samples: list[np.ndarray]  # some of their values
    start: Any  # of the random numbers
    state: modes.State
    ready: list[Any]  # the results of the first run, on their way to the tape

    def __repr__(self) -> str:
        return getattr(self.function, "__qualname__", type(self.function).__name__)

    def recorded(self, inputs: Sequence[Any], arrays: Sequence[np.ndarray]) -> Sequence[Tensor]:
        """The results, as those of one operation on the inputs."""
        self.ready.append(tuple(arrays) if len(arrays) > 1 else arrays[0])
        outs = _primitive(len(inputs), len(arrays), tuple(self.varied))(*inputs, part=self)
        self.ready.clear()  # or the record would hold its own results
        return outs if isinstance(outs, tuple) else (outs,)

    def rule(self, *values: Any) -> Any:
        """The cotangents of the varied inputs, from those of the results and from all inputs."""
        gs, xs = values[: len(self.where)], list(values[len(self.where) :])
        for k, (is_tensor, dtype) in enumerate(self.classes):
            x = xs[k] if isinstance(xs[k], Tensor) or not is_tensor else wrap(xs[k])
            xs[k] = x if x.dtype == dtype else x.astype(dtype)
        state = self.state
        then = {"scope": state.scope, "step": state.step, "dtype": state.dtype, "module": lambda _: state.module}
        check_constants(self.noted, "checkpoint")
        with modes.Mode(**then), random.fork(0) as generator, trained_as(self.training):
            generator.bit_generator.state = self.start
            varied = tuple(xs[k] for k in self.varied)
            run = Run(lambda *varied: self._again(xs, varied), varied, self.varied, has_aux=False, shared=True)
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
            raise _changed(f"{got} instead of {self.results}")
        for before, now in zip(self.samples, map(_sample, again), strict=True):
            tolerance = np.sqrt(np.finfo(now.dtype).eps)  # an array in another layout in memory may be summed otherwise
            off = ~np.isclose(now, before, tolerance, tolerance * np.abs(before).max(initial=0.0), equal_nan=True)
            if off.any():
                raise _changed(f"other values, {now[off][0]:.6g} instead of {before[off][0]:.6g}")
        return again


def _changed(what: str) -> GradientError:
    return GradientError(
        f"checkpoint: run again, the function gave {what}. Does it depend on something that has changed since?"
    )


def _sample(result: Any) -> np.ndarray:
    """Some values of a result, by which another one is told from it: at most 64, spread evenly."""
    flat = result.numpy().reshape(-1)
    return flat[:: max(1, -(-flat.size // 64))].copy()


def _first(k: int, arrays: Sequence[np.ndarray]) -> bool:
    """Whether no earlier array is in the same memory."""
    return all(owner(a) is not owner(arrays[k]) for a in arrays[:k])
