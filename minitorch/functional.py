"""How does a Module become a function of its parameters?  It runs with other tensors in their place.

    f = functional(model)          f(parameters, *args)  =  model(*args) with those parameters

The parameters are a dict by path, so that every transform takes them as it takes any tree and knows nothing of Modules.
Nothing is written to the module: the tensors are exchanged as operations take them, hence also where a parameter is
tied, and another thread that runs the same module does not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from minitorch.intercept import substitute
from minitorch.tensor import Tensor
from minitorch.trees import TreeError


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
        own = dict(module.named_parameters())
        if unknown := [path for path in parameters if path not in own]:
            raise TreeError(f"no parameter is called {unknown}; {type(module).__name__} has {list(own)}.")
        for path, given in parameters.items():
            if np.shape(given) != own[path].shape:
                raise TreeError(
                    f"parameters[{path!r}] has shape {np.shape(given)}, but that of {type(module).__name__} has "
                    f"{own[path].shape}; they must be equal."
                )
        instead = {id(own[path]): Tensor(x) if isinstance(x, np.ndarray) else x for path, x in parameters.items()}
        with substitute(instead):
            return module(*args, **kwargs)

    return call
