"""Where does training start?  Random values whose spread keeps signals and gradients of one size through the layers.

    Glorot and Bengio 2010 ("Xavier"), eq. 16:   Var W = 2 / (fan_in + fan_out)
    He et al. 2015 ("Kaiming"), eq. 10:          Var W = gain^2 / fan_in
    Saxe et al. 2013 (arXiv 1312.6120):          W orthogonal: no direction grows or shrinks

Names that end in an underscore are PyTorch's; they fill a tensor in place and return it.  The other two return arrays.
All draw from the one generator that `minitorch.seed` starts, in float64, and round to the dtype at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from minitorch import modes
from minitorch.arguments import check_numbers, check_sizes
from minitorch.errors import DtypeError, OperandError, ShapeError
from minitorch.nn.state import write
from minitorch.random import generator
from minitorch.shapes import Shape
from minitorch.tensor import Tensor

T = TypeVar("T", bound=Tensor)
Mode = Literal["fan_in", "fan_out"]


def uniform(shape: Shape, bound: float) -> np.ndarray:
    """Independent entries from U(-bound, bound), in the default dtype."""
    check_numbers("uniform", 0.0, bound=bound)
    return generator().uniform(-bound, bound, shape).astype(modes.current().dtype)


def normal(shape: Shape, std: float = 1.0) -> np.ndarray:
    """Independent entries from N(0, std^2), in the default dtype."""
    return (generator().standard_normal(shape) * std).astype(modes.current().dtype)


def orthogonal(n: int) -> np.ndarray:
    """A random orthogonal n x n matrix, uniform over the group (Saxe et al. 2013, arXiv 1312.6120), in the default
    dtype.

    >>> Q = orthogonal(4).astype(float)
    >>> bool(np.allclose(Q @ Q.T, np.eye(4), atol=1e-6))
    True
    """
    check_sizes("orthogonal", 0, n=n)
    return _orthonormal(n, n).astype(modes.current().dtype)


def _orthonormal(rows: int, columns: int) -> np.ndarray:
    """Orthonormal columns, uniformly distributed; rows >= columns."""
    q, r = np.linalg.qr(generator().standard_normal((rows, columns)))
    return q * np.sign(np.diag(r))  # fixing the signs makes the distribution uniform


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0) -> T:
    """Fill with U(a, b)."""
    check_numbers("uniform_", a=a, b=b)
    if a > b:
        raise OperandError(f"uniform_: a={a} is larger than b={b}; the interval goes from a to b.")
    return _filled(tensor, lambda shape: generator().uniform(a, b, shape))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0) -> T:
    """Fill with N(mean, std^2)."""
    check_numbers("normal_", mean=mean)
    check_numbers("normal_", 0.0, std=std)
    return _filled(tensor, lambda shape: mean + std * generator().standard_normal(shape))


def constant_(tensor: T, val: float) -> T:
    """Fill with one number.

    >>> constant_(Tensor([0.0, 0.0]), 2).numpy().tolist()
    [2.0, 2.0]
    """
    check_numbers("constant_", val=val)
    return _filled(tensor, lambda shape: np.full(shape, val))


def zeros_(tensor: T) -> T:
    """Fill with zeros."""
    return constant_(tensor, 0)


def ones_(tensor: T) -> T:
    """Fill with ones."""
    return constant_(tensor, 1)


def xavier_uniform_(tensor: T, gain: float = 1.0) -> T:
    """Fill with U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)), for layers that are about linear near 0 (Glorot and
    Bengio 2010, eq. 16).  See `fans`."""
    bound = gain * math.sqrt(6 / _at_least_1(sum(fans(_of(tensor).shape))))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: T, gain: float = 1.0) -> T:
    """Fill with N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010).  See `fans`."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / _at_least_1(sum(fans(_of(tensor).shape)))))


def kaiming_uniform_(tensor: T, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Fill with U(-b, b), b = gain sqrt(3 / fan), for layers before a rectifier (He et al. 2015, eq. 10).

    Args:
        tensor: at least 2 axes; see `fans`.
        a: the slope of the leaky rectifier below 0; 0 is a ReLU.
        mode: "fan_in" keeps the size of signals forward, "fan_out" that of gradients backward.
        nonlinearity: what follows the layer; see `calculate_gain`.
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(tensor: T, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: str = "leaky_relu") -> T:
    """Fill with N(0, std^2), std = gain / sqrt(fan) (He et al. 2015, eq. 10).  Arguments as for
    `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity))


def orthogonal_(tensor: T, gain: float = 1.0) -> T:
    """Fill with gain times orthonormal rows or columns, whichever are fewer; axes after the first are taken as one.

    >>> W = orthogonal_(Tensor(np.zeros((2, 3)))).numpy()
    >>> bool(np.allclose(W @ W.T, np.eye(2)))
    True
    """
    fans(_of(tensor).shape)
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    q = _orthonormal(rows, columns) if rows >= columns else _orthonormal(columns, rows).T
    return _filled(tensor, lambda shape: gain * q.reshape(shape))


def fans(shape: Shape) -> tuple[int, int]:
    """How many inputs an output is the sum of, and how many outputs an input goes to.

    A matrix is (d_out, d_in), as `nn.Linear` has it: y = x W^T.  With more axes it is the weight of a convolution:
    (channels out, channels in, *kernel).

    Raises:
        ShapeError: fewer than 2 axes.

    >>> fans((3, 5)), fans((8, 4, 3))
    ((5, 3), (12, 24))
    """
    if len(shape) < 2:
        raise ShapeError(f"an initialiser of shape {shape}: fans need at least 2 axes. Use uniform_ or zeros_?")
    kernel = math.prod(shape[2:])
    return shape[1] * kernel, shape[0] * kernel


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much a layer's weights must be larger because of what follows it; PyTorch's table.

    >>> calculate_gain("relu") == math.sqrt(2)
    True
    """
    slope = 0.01 if param is None else param
    gains = dict.fromkeys(("linear", "identity", "sigmoid", "conv1d"), 1.0)
    gains |= {"tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4, "leaky_relu": math.sqrt(2 / (1 + slope**2))}
    if nonlinearity not in gains:
        raise OperandError(f"no gain is known for nonlinearity={nonlinearity!r}; it can be {', '.join(gains)}.")
    return gains[nonlinearity]


def _kaiming_std(tensor: Tensor, a: float, mode: Mode, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise OperandError(f"mode={mode!r}; it can be 'fan_in' or 'fan_out'.")
    fan = fans(_of(tensor).shape)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(_at_least_1(fan))


def _of(tensor: T) -> T:
    if not isinstance(tensor, Tensor):
        raise DtypeError(f"an initialiser of a {type(tensor).__name__}; it fills a Tensor in place. Use nn.Parameter?")
    return tensor


def _at_least_1(fan: int) -> int:
    return max(fan, 1)  # a tensor without entries has no fan, and nothing to fill


def _filled(tensor: T, values: Callable[[Shape], Any]) -> T:
    write(tensor, values(_of(tensor).shape))
    return tensor
