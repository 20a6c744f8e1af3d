"""Are the values the same in every way to ask for them?  Plain arrays, dtypes, layouts in memory, NumPy's namesake."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import GradientError
from minitorch.modes import no_grad
from minitorch.ops.movement import broadcast_to
from minitorch.tensor import Tensor, plain
from minitorch.testing.case import Case
from minitorch.testing.outcome import CheckFailed, NotMade, agree, worst_of


def plain_arrays(case: Case) -> None:
    """Plain arrays in give plain arrays out, of the values and dtypes that Tensors give; the inputs are left alone."""
    args = case.plain()
    outs = case.call(args)
    for k, (x, before) in enumerate(zip(args, case.inputs, strict=True)):
        if not np.array_equal(x, before, equal_nan=np.asarray(x).dtype.kind == "f"):
            raise CheckFailed(f"it writes to its {case.said(k)}")
    for i, (array, tensor) in enumerate(zip(outs, case.call(case.tensors()), strict=True)):
        if not isinstance(array, np.ndarray | np.generic):
            raise CheckFailed(f"output {i} of plain arrays is a {type(array).__name__}, wanted an array")
        if not isinstance(tensor, Tensor):
            raise CheckFailed(f"output {i} of Tensors is a {type(tensor).__name__}, wanted a Tensor")
        if array.dtype != tensor.dtype:
            raise CheckFailed(f"output {i} is {array.dtype} of plain arrays and {tensor.dtype} of Tensors")
        agree(tensor.numpy(), array, 0.0, f"output {i} of Tensors and of plain arrays")


def no_tape(case: Case) -> None:
    """Nothing is recorded under no_grad, nor by an operation of which no input requires a gradient."""
    with no_grad():
        quiet = {"under no_grad": case.call(case.tensors())}
    if case.record is not None:  # a function may have parameters of its own
        quiet["though no input requires a gradient"] = case.call(case.tensors([]))
    for said, outs in quiet.items():
        if any(o.requires_grad or not o.is_leaf for o in outs):
            raise CheckFailed(f"{said}, a call was recorded")


def float32(case: Case) -> float:
    """float32 in gives float32 out, also from each rule, with the values and the gradients of float64, rounded."""
    outs = case.smooth(case.tensors(dtype=np.float32))
    if wrong := [f"{o.dtype}" for o in outs if o.dtype != np.float32]:
        raise CheckFailed(f"of float32 inputs it gives {wrong[0]}: an array or np.float64 in the forward function?")
    errors = [
        agree(plain(narrow).astype(float), plain(wide), 1e-5, f"output {i} in float32")
        for i, (narrow, wide) in enumerate(zip(outs, case.smooth(case.tensors()), strict=True))
    ]
    gs = case.cotangents(3)
    exact = case.pull(case.tensors(), gs)
    rounded = case.pull(case.tensors(dtype=np.float32), gs)
    for k, wide, narrow in zip(case.varied, exact, rounded, strict=True):
        if (wide.dtype, narrow.dtype) != (np.float64, np.float32):
            raise CheckFailed(f"{case.said(k)}: gradients {wide.dtype} and {narrow.dtype}, wanted float64 and float32")
        errors.append(agree(narrow.astype(float), wide, 1e-5, f"the gradient in float32: {case.said(k)}"))
    return worst_of(errors)


def rules(case: Case) -> None:
    """Each rule gives an array for each of its inputs, that sums to its shape; float32 where all is float32."""
    for dtype in (np.float64, np.float32):
        _, call = case.recorded(dtype)
        gs = [np.ones(s, d) for s, d in zip(call.shapes, call.dtypes, strict=True)]
        for rule in case.rules():
            for k, g in case.apply(rule, gs, call.values()):
                if k not in case.varied:
                    continue
                said = f"the rule of {case.said(k)}"
                if not isinstance(g, np.ndarray | np.generic):
                    raise CheckFailed(f"{said} gives a {type(g).__name__} from plain arrays, wanted an array")
                if not _sums_to(g.shape, np.shape(case.inputs[k])):
                    raise CheckFailed(f"{said} gives shape {g.shape}")
                if g.dtype != dtype and all(d == dtype for d in call.dtypes if d.kind == "f"):
                    raise CheckFailed(f"{said} gives {g.dtype} from {np.dtype(dtype)}: a constant array in the rule?")


def _sums_to(found: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether undoing broadcasting turns one shape into the other."""
    try:
        return np.broadcast_shapes(found, shape) == found
    except ValueError:
        return False


LAYOUTS = ("transposed", "strided", "reversed", "broadcast")


def layouts(case: Case) -> float:
    """The layout of the inputs in memory changes neither values nor gradients."""
    errors = []
    gs = case.cotangents(4)
    for layout in LAYOUTS:
        args = case.tensors()
        laid = [_laid_out(a, layout) if k in case.varied else a for k, a in enumerate(args)]
        args = [_row_major(b) if k in case.varied else b for k, b in enumerate(laid)]
        for i, (view, row) in enumerate(zip(case.smooth(laid), case.smooth(args), strict=True)):
            errors.append(agree(view.numpy(), row.numpy(), 1e-12, f"output {i} of {layout} inputs"))
        for k, view, row in zip(case.varied, case.pull(laid, gs), case.pull(args, gs), strict=True):
            errors.append(agree(view, row, 1e-12, f"the gradient of {layout} inputs: {case.said(k)}"))
    return worst_of(errors)


def _row_major(x: Tensor) -> Tensor:
    return Tensor(np.array(x.numpy(), order="C"), requires_grad=True)


def _laid_out(x: Tensor, layout: str) -> Tensor:
    """A view that requires a gradient: the values of x in another layout, or rows that share their memory."""
    if layout == "transposed":
        return Tensor(np.array(x.numpy().T, order="C"), requires_grad=True).T
    if not x.ndim:
        return x
    if layout == "reversed":
        return Tensor(x.numpy()[::-1].copy(), requires_grad=True)[::-1]
    if layout == "strided":
        return Tensor(np.repeat(x.numpy(), 2, axis=0), requires_grad=True)[::2]
    return broadcast_to(x[:1], x.shape) if x.shape[0] else x


def numpy_namesake(case: Case) -> None:
    """np.<name> of Tensors is the operation: the same values and gradients, on the tape."""
    function = getattr(np, case.name, None)
    if not callable(function) or isinstance(function, type):
        raise NotMade(f"NumPy has no function {case.name}")

    def through_numpy(*args: Any, **static: Any) -> Any:
        p = case.record
        given = (args,) if p is not None and p.variadic else args
        try:
            return function(*given, **static)
        except TypeError:  # NumPy calls its arguments otherwise, or takes them by position only
            return function(*given, *static.values())

    other = Case(through_numpy, case.inputs, case.static)
    try:
        outs = other.call(case.tensors())
    except GradientError as error:
        raise NotMade(str(error).splitlines()[0]) from None
    except (TypeError, ValueError) as error:
        raise NotMade(f"np.{case.name} takes other arguments: {error}") from None
    for i, (out, wanted) in enumerate(zip(outs, case.call(case.tensors()), strict=True)):
        if not isinstance(out, Tensor):
            raise CheckFailed(f"output {i} of np.{case.name} is a {type(out).__name__}, wanted a Tensor")
        agree(out.numpy(), wanted.numpy(), 0.0, f"output {i} of np.{case.name}")
        if out.requires_grad != wanted.requires_grad:
            raise CheckFailed(f"np.{case.name} of Tensors is not on the tape")
    if any(o.requires_grad for o in outs):
        gs, args = case.cotangents(5), case.tensors()
        theirs = case.gradients([o for o in other.call(args) if o.dtype.kind == "f"], args, gs)
        for k, a, b in zip(case.varied, theirs, case.pull(args, gs), strict=True):
            agree(a, b, 0.0, f"the gradient of np.{case.name}: {case.said(k)}")
