"""What is a model made of?  Modules: parameters with names, and a call that is traced under the module's path."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import ShapeError
from minitorch.ops.indexing import embedding
from minitorch.ops.linalg import matmul
from minitorch.primitive import Array
from minitorch.random import generator
from minitorch.shapes import Shape
from minitorch.tensor import Parameter, Tensor

__all__ = [
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "ModuleList",
    "Parameter",
    "Sequential",
    "orthogonal",
    "uniform",
]


class Module:
    """Base of all layers: assign Parameters and Modules as attributes, define `forward`, call the object.

    What runs inside a call is recorded under the module's path: its class name at the top, below that the attribute
    names.

    >>> class Net(Module):
    ...     def __init__(self):
    ...         self.inner = Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.inner(x)
    >>> [(name, p.shape) for name, p in Net().named_parameters()]
    [('inner.weight', (3, 2)), ('inner.bias', (2,))]
    """

    _name: str | None = None  # the attribute under which a parent holds this module

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Module) and value._name is None:
            value._name = name
        if isinstance(value, Parameter) and value.name is None:
            value.name = name
        object.__setattr__(self, name, value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; each subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with modes.scope(self._name or type(self).__name__):
            return self.forward(*args, **kwargs)

    def children(self) -> Iterator[tuple[str, Module]]:
        """(attribute name, module) for the modules right below this one."""
        return ((k, v) for k, v in vars(self).items() if isinstance(v, Module))

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) for each parameter, once, in the order of assignment."""
        seen: set[int] = set()
        for path, p in self._all_parameters(prefix):
            if id(p) not in seen:
                seen.add(id(p))
                yield path, p

    def _all_parameters(self, prefix: str) -> Iterator[tuple[str, Parameter]]:
        dot = prefix + "." if prefix else ""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield dot + name, value
        for name, child in self.children():
            yield from child._all_parameters(dot + name)

    def parameters(self) -> Iterator[Parameter]:
        """Each parameter once."""
        return (p for _, p in self.named_parameters())

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            p.grad = None

    def __repr__(self) -> str:
        count = sum(p.size for p in self.parameters())
        shapes = ", ".join(f"{name} {p.shape}" for name, p in self.named_parameters())
        return f"{type(self).__name__}({count:,} parameters: {shapes})"


class ModuleList(Module):
    """Modules by number; their parameters are found under `0`, `1`, ...

    >>> [name for name, _ in ModuleList([Linear(1, 1, bias=False), Linear(1, 1, bias=False)]).named_parameters()]
    ['0.weight', '1.weight']
    """

    def __init__(self, modules: Iterable[Module] = ()):
        self._modules = list(modules)
        for k, m in enumerate(self._modules):
            m._name = str(k)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_name":  # operations of an entry are drawn under `layers.0`, not under `0`
            for k, m in enumerate(self._modules):
                m._name = f"{value}.{k}"

    def children(self) -> Iterator[tuple[str, Module]]:
        """("0", first module), ("1", second module), ..."""
        return ((str(k), m) for k, m in enumerate(self._modules))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __getitem__(self, k: int) -> Any:
        return self._modules[k]


class Sequential(ModuleList):
    """Modules one after the other: the output of each is the input of the next.

    >>> Sequential([Linear(2, 3), Linear(3, 1)])(np.ones((4, 2), np.float32)).shape
    (4, 1)
    """

    __setattr__ = Module.__setattr__  # its own call opens its scope, so that its entries keep their numbers

    def forward(self, x: Any) -> Any:
        """x through all of them."""
        for m in self._modules:
            x = m(x)
        return x


def uniform(shape: Shape, bound: float) -> np.ndarray:
    """Independent entries from U(-bound, bound), in the default dtype."""
    return generator().uniform(-bound, bound, shape).astype(modes.current().dtype)


def orthogonal(n: int) -> np.ndarray:
    """A random orthogonal n x n matrix, uniform over the group (Saxe et al. 2013, arXiv 1312.6120), in the default
    dtype.

    >>> Q = orthogonal(4).astype(float)
    >>> bool(np.allclose(Q @ Q.T, np.eye(4), atol=1e-6))
    True
    """
    q, r = np.linalg.qr(generator().standard_normal((n, n)))
    return (q * np.sign(np.diag(r))).astype(modes.current().dtype)  # fixing the signs makes the distribution uniform


class Linear(Module):
    """y = x W + b: (..., d_in) -> (..., d_out).

    Args:
        d_in, d_out: sizes of the last axis before and after.
        bias: whether to add b.

    W has shape (d_in, d_out).  W and b start from U(-1/sqrt(d_in), 1/sqrt(d_in)), PyTorch's default.
    """

    def __init__(self, d_in: int, d_out: int, bias: bool = True):
        bound = 1 / math.sqrt(d_in) if d_in else 0.0
        self.weight = Parameter(uniform((d_in, d_out), bound))
        self.bias = Parameter(uniform((d_out,), bound)) if bias else None

    def forward(self, x: Array) -> Tensor:
        """x (..., d_in) -> (..., d_out)."""
        y = matmul(x, self.weight)
        return y if self.bias is None else y + self.bias


class Embedding(Module):
    """A vector for each of N tokens: integer ids (...) -> (..., d).  The table starts from a standard normal
    distribution."""

    def __init__(self, N: int, d: int):
        self.weight = Parameter(generator().standard_normal((N, d)).astype(modes.current().dtype))

    def forward(self, ids: Array | Sequence[Any]) -> Tensor:
        """ids (...) of integers in 0 ... N-1 -> (..., d)."""
        return embedding(self.weight, np.asarray(ids))


class LayerNorm(Module):
    """y = gamma (x - mean) / sqrt(var + eps) + beta over the last axis (Ba et al. 2016, arXiv 1607.06450, eq. 4)."""

    def __init__(self, d: int, eps: float = 1e-5):
        dtype = modes.current().dtype
        self.eps = eps
        self.gamma, self.beta = Parameter(np.ones(d, dtype)), Parameter(np.zeros(d, dtype))

    def forward(self, x: Tensor) -> Tensor:
        """x (..., d) -> (..., d)."""
        if x.shape[-1:] != self.gamma.shape:
            raise ShapeError(
                f"LayerNorm: the last axis of {x.shape} should be {self.gamma.size}, as gamma and beta are."
            )
        centred = x - x.mean(axis=-1, keepdims=True)
        var = (centred * centred).mean(axis=-1, keepdims=True)
        return centred / (var + self.eps).sqrt() * self.gamma + self.beta
