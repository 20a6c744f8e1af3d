"""What is the derivative of a function?  Transforms take a function and give one, over trees of Tensors.

    grad, value_and_grad    f -> df/dx                       reverse mode: one sweep, f is a scalar
    vjp                     f, x -> f(x), c -> J^T c         reverse mode
    jacobian, hessian       f -> dy/dx, d^2y/dx^2            row by row, or column by column
    hvp                     f, x, v -> H v                   forward over reverse (Pearlmutter 1994)

They compose with each other, with `jvp` and with the tape in any order.  Whether a result can be differentiated further
is not a flag: it can wherever something outside depends on it, and costs nothing where nothing does.  An argument that
the function does not use has derivative zero; a Module as an argument stands for the dict of its parameters.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from minitorch import reverse
from minitorch.argnums import Argnums, Chosen, chosen
from minitorch.dual import Dual, StandIn, arguments, outputs, requires_grad, split
from minitorch.errors import ArgumentError, GradientError, OperandError
from minitorch.forward import jvp
from minitorch.functional import with_parameters
from minitorch.ops.movement import stack
from minitorch.primitive import Array
from minitorch.pullback import Run, cotangent, cut, grad_of_duals
from minitorch.tensor import Tensor, wrap
from minitorch.trees import Tree, TreeError, aligned, flatten, leaves, rebuild


@overload
def grad(
    output: Tensor,
    inputs: Tree,
    gradient: Array | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> Any: ...
@overload
def grad(
    output: Callable[..., Any], inputs: Argnums = 0, *, argnums: Argnums | None = None, has_aux: bool = False
) -> Callable[..., Any]: ...
def grad(
    output: Any, inputs: Any = 0, gradient: Any = None, *, argnums: Any = None, has_aux: bool = False, **flags: Any
) -> Any:
    """Of a function: its gradient function, as in JAX.  Of a Tensor: the derivative by `inputs`, as in PyTorch.

    `grad(f, argnums=0)` gives a function of f's arguments that returns df/d(argument), in the containers of that
    argument; a tuple of them for several argnums.  With `has_aux`, f returns (value, aux), and the result is (gradient,
    aux).  `grad(output, inputs, ...)` is `minitorch.reverse.grad`: see there for its arguments.  Its inputs may be a
    tree; the gradients stand in the same containers, in a tuple for a list.

    Raises:
        TreeError: a leaf of the argument is not floating-point, or one of the inputs is no Tensor; names the path.
        GradientError: f does not return a scalar; what `minitorch.reverse.grad` raises.
        ArgumentError: an argument that belongs to the other use, or to none.

    >>> import minitorch as mt
    >>> grad(lambda p: (p["w"] * p["w"]).sum())({"w": mt.tensor([1.0, 2.0])})
    {'w': Tensor([2., 4.], dtype=float32)}
    >>> grad(grad(lambda x: x**3))(2.0)
    Tensor(12., dtype=float32)
    >>> x = mt.tensor(3.0, requires_grad=True)
    >>> grad(x * x, x)
    Tensor(6., dtype=float32)
    """
    if unknown := [f"{name}=" for name in flags if name not in _FLAGS]:
        said = {"grad_outputs=": "The cotangent is called gradient=."}.get(unknown[0], f"It takes {', '.join(_FLAGS)}.")
        raise ArgumentError(f"grad has no argument {unknown[0]}. {said}")
    if isinstance(output, Tensor | StandIn):
        if isinstance(inputs, int) or argnums is not None:
            raise GradientError("grad(tensor) needs the inputs to differentiate by. Write grad(tensor, inputs)?")
        return _gradients(output, inputs, gradient, flags)
    if not callable(output):
        raise GradientError(f"grad of a {type(output).__name__}; it takes a function, or a Tensor and its inputs.")
    if isinstance(inputs, Tensor | StandIn) or gradient is not None or flags:
        raise GradientError("grad of a function is a function: call it with the inputs. Write grad(f)(x)?")
    return _gradient_function(output, inputs if argnums is None else argnums, has_aux)


_FLAGS = ("gradient", "create_graph", "retain_graph", "allow_unused")


def _gradients(output: Any, inputs: Tree, gradient: Any, flags: dict[str, Any]) -> Tree:
    """The derivatives of a Tensor by each leaf of a tree of Tensors."""
    tree = inputs if isinstance(inputs, Tensor | StandIn | dict | list | tuple) else tuple(inputs)
    for path, x in flatten(tree):
        if not isinstance(x, Tensor | StandIn):
            raise TreeError(f"inputs{path} is a {type(x).__name__}; a derivative is taken by Tensors. Give one?")
    wanted = tuple(leaves(tree))
    by_tape = not any(isinstance(x, Dual) for x in (output, gradient, *wanted))
    by: Callable[..., tuple[Any, ...]] = reverse.grad if by_tape else grad_of_duals
    found = rebuild(tree, by(output, wanted, gradient, **flags))
    return tuple(found) if type(found) is list else found


def _gradient_function(function: Callable[..., Any], argnums: Argnums, has_aux: bool) -> Callable[..., Any]:
    both = value_and_grad(function, argnums, has_aux)

    @functools.wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def value_and_grad(function: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function of f's arguments that returns (f's value, its gradient).

    Args:
        function: returns a Tensor with one entry; or (such a Tensor, anything else) with `has_aux`.
        argnums: the position of the argument to differentiate by, or several; the others may be anything.  An argument
            is a tree of floating-point Tensors, arrays and numbers; a Module stands for the dict of its parameters, by
            path, and its gradient is such a dict.
        has_aux: return ((value, aux), gradient).

    Raises:
        TreeError: a leaf of the argument is not floating-point; names the path.
        GradientError: f does not return a scalar.

    >>> import minitorch as mt
    >>> value_and_grad(lambda x, n: (x**n).sum())(mt.tensor([1.0, 2.0]), 3)
    (Tensor(9., dtype=float32), Tensor([ 3., 12.], dtype=float32))
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        by = chosen(function, argnums, args, kwargs)
        run = Run(by.function, by.arguments, by.positions, has_aux)
        if len(run.outs) != 1 or run.outs[0].size != 1:
            shapes = ", ".join(str(o.shape) for o in run.outs)
            raise GradientError(
                f"grad of a function that returned {shapes or 'no tensor'}; a gradient is of a scalar. "
                "Sum it, or use jacobian?"
            )
        ones = wrap(np.ones(run.outs[0].shape, run.outs[0].dtype))
        found = tuple(run.pull([ones], run.differentiable, retain_graph=run.differentiable))
        value = run.value if run.differentiable else rebuild(run.value, map(cut, run.outs))
        return (value, run.aux) if has_aux else value, by.alone(found)

    return wrapped


def vjp(function: Callable[..., Tree], *primals: Tree, has_aux: bool = False) -> Any:
    """Run f, and return its value with the function `cotangent -> cotangents of the primals`.

    Args:
        function: takes trees of Tensors, gives a tree of Tensors; or (such a tree, anything else) with `has_aux`.
        primals: one tree of floating-point Tensors, arrays and numbers per argument.
        has_aux: return (value, pull, aux).

    Returns:
        (value, pull).  `pull(cotangent)` takes a tree like the value, None for parts whose cotangent is zero, and gives
        a tuple of trees like the primals; it can be called again.  What it gives can be differentiated if something
        outside depends on it; `create_graph=True` or `False` decides otherwise.

    Raises:
        TreeError: a leaf is not floating-point, or a cotangent does not fit the value; names the path.

    >>> value, pull = vjp(lambda a, b: a * b, [2.0, 3.0], [5.0, 7.0])
    >>> pull([1.0, 0.0])
    (Tensor([5., 0.], dtype=float32), Tensor([2., 0.], dtype=float32))
    >>> value, pull = vjp(lambda p: p["a"] * p["b"], {"a": 2.0, "b": 5.0})
    >>> pull(1.0)
    ({'a': Tensor(5., dtype=float32), 'b': Tensor(2., dtype=float32)},)
    """
    run = Run(*with_parameters(function, primals), range(len(primals)), has_aux)

    def pull(given: Tree, *, create_graph: bool | None = None) -> tuple[Tree, ...]:
        parts = aligned(run.value, given, name="the value", other_name="the cotangent")
        cs = [cotangent(path, o, c) for (path, _), o, c in zip(flatten(run.value), run.outs, parts, strict=True)]
        create = run.differentiable or any(requires_grad(c) for c in cs) if create_graph is None else create_graph
        return tuple(run.pull(cs, create))

    return (run.value, pull, run.aux) if has_aux else (run.value, pull)


def jacobian(
    function: Callable[..., Tree], argnums: Argnums = 0, mode: str = "reverse", has_aux: bool = False
) -> Callable[..., Tree]:
    """A function of f's arguments that returns all of df/d(argument).

    For an output of shape (m...) and an input of shape (n...): shape (m..., n...), entry [i, j] = dy_i/dx_j.  With
    trees: in the containers of the output, at each leaf the containers of the argument.

    Args:
        function: takes and gives trees of Tensors; or gives (such a tree, anything else) with `has_aux`.
        argnums: the position of the argument, or several (then a tuple stands at each output).
        mode: "reverse" runs f once and sweeps once per entry of the output; "forward" runs f once per entry of the
            argument and keeps no tape.
        has_aux: return (jacobian, aux).

    Raises:
        TreeError: a leaf is not floating-point; names the path.
        OperandError: the mode is neither.

    >>> jacobian(lambda x: x * x)([1.0, 2.0])
    Tensor([[2., 0.], [0., 4.]], dtype=float32)
    """
    if mode not in ("reverse", "forward"):
        raise OperandError(f"jacobian: mode is {mode!r}; it can be 'reverse' or 'forward'")

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        by = chosen(function, argnums, args, kwargs)
        value, aux, blocks = (_rows if mode == "reverse" else _columns)(by, has_aux)
        inside = by.alone(by.arguments)
        found = rebuild(value, [rebuild(inside, block) for block in blocks])
        return (found, aux) if has_aux else found

    return wrapped


def hessian(
    function: Callable[..., Any], argnums: Argnums = 0, mode: str = "reverse", has_aux: bool = False
) -> Callable[..., Tree]:
    """A function of f's arguments that returns all second derivatives of f, which gives a scalar.

    For an argument of shape (n...): shape (n..., n...); with trees, in its containers twice.  `mode` says how the
    gradient is differentiated, see `jacobian`.  With `has_aux`, f returns (scalar, aux), and the result is (hessian,
    aux).

    >>> hessian(lambda x: (x * x * x).sum())([1.0, 2.0])
    Tensor([[ 6.,  0.], [ 0., 12.]], dtype=float32)
    """
    return jacobian(grad(function, argnums, has_aux=has_aux), argnums, mode, has_aux)


def hvp(function: Callable[..., Any], primals: Sequence[Tree], tangents: Sequence[Tree]) -> tuple[Tree, ...]:
    """The second derivatives of f, which gives a scalar, applied to `tangents`: H v, without ever forming H.

    Args:
        function: returns a Tensor with one entry.
        primals, tangents: one tree per argument, as for `jvp`.  An argument whose tangent is None is held constant.

    Returns:
        One tree per argument, in its containers; None for an argument that is held constant.

    >>> hvp(lambda x, n: (x**n).sum(), ([1.0, 2.0], 3), ([1.0, 0.0], None))
    (Tensor([6., 0.], dtype=float32), None)
    """
    primals, tangents = arguments(primals, "primals"), arguments(tangents, "tangents")
    moved = tuple(k for k, t in enumerate(tangents) if t is not None)
    _, found = jvp(grad(function, moved), primals, tangents)
    each = iter(found)
    return tuple(None if t is None else next(each) for t in tangents)


# -- rows and columns --------------------------------------------------------------------------------------------------


def _rows(by: Chosen, has_aux: bool) -> tuple[Tree, Any, list[list[Any]]]:
    """The value, the aux, and for each output its derivatives by each leaf of the arguments, swept entry by entry."""
    run, blocks = Run(by.function, by.arguments, by.positions, has_aux), []
    for k, out in enumerate(run.outs):
        rows = []
        for e in _units(out):
            cs = [e if i == k else None for i in range(len(run.outs))]
            rows.append(leaves(tuple(run.pull(cs, run.differentiable))))
        blocks.append([_joined([r[j] for r in rows], 0, out, x) for j, x in enumerate(run.leaves)])
    return run.value, run.aux, blocks


def _columns(by: Chosen, has_aux: bool) -> tuple[Tree, Any, list[list[Any]]]:
    """The same, one jvp for each entry of each leaf."""
    f, primals = by.function, by.arguments
    inputs = [x if isinstance(x, Tensor | StandIn) else Tensor(x) for x in leaves(primals)]
    result, columns = f(*rebuild(primals, inputs)), []
    value, aux = split(result) if has_aux else (result, None)
    for k, x in enumerate(inputs):
        units = ([e if i == k else None for i in range(len(inputs))] for e in _units(x))
        tangents = (jvp(f, rebuild(primals, inputs), rebuild(primals, u), has_aux=has_aux)[1] for u in units)
        columns.append(list(map(leaves, tangents)))
    outs = outputs(value)
    blocks = [
        [_joined([c[i] for c in columns[j]], -1, out, x) for j, x in enumerate(inputs)] for i, out in enumerate(outs)
    ]
    return value, aux, blocks


def _units(like: Any) -> Iterator[Tensor]:
    """The unit vectors of this shape, each made when it is asked for."""
    for i in range(like.size):
        e = np.zeros(like.size, like.dtype)
        e[i] = 1
        yield wrap(e.reshape(like.shape))


def _joined(parts: list[Any], axis: int, out: Any, x: Any) -> Any:
    """Rows (axis 0) or columns (axis -1) as one array: the output's axes, then the argument's."""
    shape = (*out.shape, *x.shape)
    return stack(parts, axis=axis).reshape(shape) if parts else wrap(np.zeros(shape, x.dtype))
