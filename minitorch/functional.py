"""How does a Module become a function of its parameters?  It runs with other tensors in their place.

    f = functional(model)          f(parameters, *args)  =  model(*args) with those parameters

A transform that is given a Module as an argument differentiates by its parameters.  They are a dict by path, so that
every transform takes them as it takes any tree and knows nothing of Modules.
Nothing is written to the module: the tensors are exchanged as operations take them, hence also where a parameter is
tied, and another thread that runs the same module does not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from minitorch.intercept import substitute
from minitorch.tensor import Tensor
from minitorch.trees import Tree, TreeError, aligned, leaves, rebuild


class HasParameters(Protocol):
    """A module: it can be called, and its parameters have paths."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """(path, parameter) for each parameter."""
        ...


def functional(module: HasParameters) -> Callable[..., Any]:
    """The module as a function `f(parameters, *args, **kwargs)`.

    Args:
        module: what `named_parameters()` and a call are defined for.

    Returns:
        A function whose first argument is a dict by path, as of `named_parameters()`: Tensors, arrays, or what
        transforms put in their place.  A parameter that it does not name keeps the module's own value.

    Raises:
        TreeError: a path that the module does not have, or another shape; raised when the function is called.

    >>> import minitorch as mt
    >>> layer = mt.nn.Linear(2, 1, bias=False)
    >>> f = functional(layer)
    >>> mt.grad(f({"weight": (w := mt.tensor([[1.0, 2.0]], requires_grad=True))}, [3.0, 4.0]).sum(), w)
    Tensor([[3., 4.]], dtype=float32)
    """

    def call(parameters: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        with substitute(_exchange(module, parameters)):
            return module(*args, **kwargs)

    return call


def _exchange(module: HasParameters, parameters: Mapping[str, Any]) -> dict[int, Any]:
    """What stands for the module's own parameters, as `substitute` takes it."""
    own = dict(module.named_parameters())
    if unknown := [path for path in parameters if path not in own]:
        raise TreeError(f"no parameter is called {unknown}; {type(module).__name__} has {list(own)}.")
    for path, given in parameters.items():
        if np.shape(given) != own[path].shape:
            raise TreeError(
                f"parameters[{path!r}] has shape {np.shape(given)}, but that of {type(module).__name__} has "
                f"{own[path].shape}; they must be equal."
            )
    return {id(own[path]): Tensor(x) if isinstance(x, np.ndarray) else x for path, x in parameters.items()}


def with_parameters(
    function: Callable[..., Any], args: tuple[Tree, ...]
) -> tuple[Callable[..., Any], tuple[Tree, ...]]:
    """The same function of trees of tensors alone, with its arguments: each Module among them has become the dict of
    its parameters.  The function is called with the Module itself, in which the dict's entries stand for its own.

    >>> import minitorch as mt
    >>> layer = mt.nn.Linear(2, 1, bias=False)
    >>> f, args = with_parameters(lambda layer, x: layer(x), (layer, 1.0))
    >>> [*args[0]], f({"weight": mt.tensor([[1.0, 2.0]])}, mt.tensor([3.0, 4.0]))
    (['weight'], Tensor([11.], dtype=float32))
    """
    flat = leaves(args)
    if not any(map(_is_module, flat)):
        return function, args

    def on_parameters(*given: Tree) -> Any:
        back: list[Any] = []
        instead: dict[int, Any] = {}
        for x, part in zip(flat, aligned(args, given), strict=True):
            back.append(x if _is_module(x) else part)
            more = _exchange(x, part) if _is_module(x) else {}
            if not instead.keys().isdisjoint(more):
                raise TreeError(
                    f"a parameter of this {type(x).__name__} is also that of another argument, and its derivative "
                    "would belong to both. Put the modules into one Module?"
                )
            instead |= more
        with substitute(instead):
            return function(*rebuild(args, back))

    return on_parameters, rebuild(args, [_parameters(x) if _is_module(x) else x for x in flat])


def _is_module(x: Any) -> bool:
    return callable(x) and hasattr(x, "named_parameters")


def _parameters(module: HasParameters) -> dict[str, Any]:
    """By path, taken by an operation: where a transform further out has exchanged them it gives what stands for them,
    and nowhere the parameter itself, which would be exchanged for what it is the value of."""
    return {path: p.reshape(p.shape) for path, p in module.named_parameters()}
