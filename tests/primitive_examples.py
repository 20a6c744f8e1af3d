"""Which calls exercise an operation?  For each primitive, by name, calls at the shapes where engines go wrong.

A row is `(inputs, static arguments)`.  Floating arrays are differentiated; integers, booleans and Python numbers are
passed on as they are.  Entries keep away from kinks and ties, so that differences of step 0.001 are smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_rng = np.random.default_rng(7)


def signed(*shape: int) -> np.ndarray:
    """Entries of magnitude 0.3 to 1.5 and either sign."""
    return np.asarray(_rng.uniform(0.3, 1.5, shape) * _rng.choice([-1.0, 1.0], shape))


def positive(*shape: int) -> np.ndarray:
    """Entries from 0.3 to 1.5."""
    return np.asarray(_rng.uniform(0.3, 1.5, shape))


def distinct(*shape: int) -> np.ndarray:
    """Entries no two of which are closer than 0.1."""
    return np.asarray(_rng.permutation(int(np.prod(shape))).reshape(shape) / 10 - 0.42)


@dataclass(frozen=True)
class Example:
    """One call of a primitive."""

    name: str
    inputs: tuple[Any, ...]
    static: dict[str, Any] = field(default_factory=dict)

    @property
    def varied(self) -> list[int]:
        """The inputs that are differentiated."""
        return [k for k, x in enumerate(self.inputs) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]

    def __str__(self) -> str:
        shapes = ",".join(str(np.shape(x)).replace(" ", "") for x in self.inputs)
        return self.name + shapes + "".join(f",{k}={v}" for k, v in self.static.items())


UNARY_SHAPES = [(), (3,), (2, 3), (0, 2)]
PAIRS = [
    ((), ()),
    ((), (2, 3)),
    ((3,), (2, 3)),
    ((3, 1), (1, 4)),
    ((1,), (0,)),
    ((2, 1, 3), (4, 1)),
    ((1, 1), (3,)),
]
MATMULS = [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((3,), (2, 3, 4)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((2, 3), (4, 3, 2)),
    ((4, 2, 3), (3,)),
    ((4, 2, 3), (3, 2)),
    ((4, 2, 3), (4, 3, 2)),
    ((1, 2, 3), (4, 3, 2)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((4, 3, 2), (2, 1, 2, 3)),
    ((2, 4, 2, 3), (3, 2)),
    ((1, 1, 3), (3, 2)),
    ((3, 4), (4, 0)),
    ((2, 0), (0, 3)),
    ((0, 2, 3), (3, 2)),
]
REDUCTIONS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((), {}),
    ((4,), {}),
    ((2, 3), {}),
    ((2, 3), {"keepdims": True}),
    ((2, 3, 4), {"axis": 0}),
    ((2, 3, 4), {"axis": -1}),
    ((2, 3, 4), {"axis": (0, -1)}),
    ((2, 3, 4), {"axis": (-1, 0), "keepdims": True}),
    ((2, 3), {"axis": -2, "keepdims": True}),
    ((2, 1, 3), {"axis": 1}),
    ((0, 3), {"axis": 1}),
    ((2, 3), {"axis": ()}),
]
EMPTY_REDUCTIONS: list[tuple[tuple[int, ...], dict[str, Any]]] = [((0, 3), {"axis": 0}), ((0,), {})]
OVER_AXIS = [((4,), {}), ((2, 3), {}), ((2, 3), {"axis": 0}), ((2, 3, 2), {"axis": -2}), ((0, 3), {})]
INDICES: list[tuple[tuple[int, ...], Any]] = [
    ((4,), 2),
    ((4,), -1),
    ((4,), slice(None, None, -1)),
    ((4,), slice(0, 0)),
    ((4, 3), (slice(1, None, 2), -1)),
    ((4, 3), (Ellipsis, None, 1)),
    ((4, 3), np.array([0, 0, 2, -1])),
    ((4, 3), [1, 1]),
    ((4, 3), (np.array([0, 0, 3]), np.array([1, 1, 2]))),
    ((4, 3), (slice(None), [[0, 2], [2, 2]])),
    ((4, 3), np.array([True, False, True, True])),
    ((2, 2), np.array([[True, False], [True, True]])),
    ((2, 3, 4), (np.array([0, 1]), slice(None), np.array([3, 3]))),
    ((0, 3), slice(None)),
    ((), ()),
    ((), None),
]


def _unary(make: Callable[..., np.ndarray]) -> list[tuple]:
    return [((make(*s),), {}) for s in UNARY_SHAPES]


def _binary(make: Callable[..., np.ndarray], second: Callable[..., np.ndarray] | None = None) -> list[tuple]:
    return [((make(*a), (second or make)(*b)), {}) for a, b in PAIRS]


def _apart() -> list[tuple]:
    """Operands that differ by at least 0.3 everywhere."""
    return [((signed(*s), np.asarray(2 * np.sign(signed(*t)))), {}) for s, t in PAIRS]


def _put(shape: tuple[int, ...], index: Any) -> tuple:
    return (signed(*np.zeros(shape)[index].shape),), {"index": index, "shape": shape}


_mask = np.array([[True], [False], [True]])
_comparison = [((signed(2, 3), signed(3)), {})]

TABLE: dict[str, list[tuple]] = {
    "add": _binary(signed),
    "subtract": _binary(signed),
    "multiply": [
        *_binary(signed),
        ((signed(2, 3), 2.0), {}),
        ((3, signed(2)), {}),
        ((signed(2), np.array([1, 2])), {}),
    ],
    "divide": [*_binary(signed), ((1.0, signed(2, 3)), {}), ((signed(2), 4), {})],
    "negative": _unary(signed),
    "power": [
        *_binary(positive, signed),
        ((signed(2, 3), 3), {}),
        ((signed(2, 3), -2), {}),
        ((signed(3), np.array([0, 1, 2])), {}),
        ((positive(3), 0.5), {}),
        ((2.0, signed(3)), {}),
    ],
    "exp": _unary(signed),
    "log": _unary(positive),
    "tanh": _unary(signed),
    "sqrt": _unary(positive),
    "absolute": _unary(signed),
    "sign": _unary(signed),
    "relu": _unary(signed),
    "astype": [((signed(2, 3),), {"dtype": np.dtype("float64")})],
    "where": [
        ((_mask, signed(3, 1), signed(1, 4)), {}),
        ((_mask[:, 0], signed(), signed(2, 3)), {}),
        ((_mask, signed(3, 2), 0.0), {}),
        ((np.array([1.0, 0.0]) > 0, 0, signed(2)), {}),
    ],
    "maximum": _apart(),
    "minimum": _apart(),
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), _comparison),
    "sum": [((signed(*s),), static) for s, static in [*REDUCTIONS, *EMPTY_REDUCTIONS]],
    "mean": [((signed(*s),), static) for s, static in REDUCTIONS],
    "max": [((distinct(*s),), static) for s, static in REDUCTIONS],
    "matmul": [((signed(*a), signed(*b)), {}) for a, b in MATMULS],
    "reshape": [
        ((signed(*s),), {"shape": t})
        for s, t in [((2, 3), (3, 2)), ((2, 3), (-1,)), ((), (1, 1)), ((0, 3), (3, 0)), ((4,), (2, -1))]
    ],
    "transpose": [
        ((signed(*s),), {"axes": t})
        for s, t in [((2, 3), None), ((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (-1, 0, -2)), ((), None), ((0, 2), (1, 0))]
    ],
    "swapaxes": [((signed(*s),), {"axis1": 0, "axis2": -1}) for s in [(2, 3), (2, 3, 4), (3,)]],
    "broadcast_to": [
        ((signed(*s),), {"shape": t}) for s, t in [((), (2,)), ((3, 1), (2, 3, 4)), ((1,), (0,)), ((2, 3), (2, 3))]
    ],
    "sum_to": [
        ((signed(*s),), {"shape": t}) for s, t in [((2,), ()), ((2, 3, 4), (3, 1)), ((0,), (1,)), ((2, 3), (2, 3))]
    ],
    "expand_dims": [((signed(*s),), {"axis": a}) for s, a in [((), 0), ((2, 3), -1), ((2, 3), (0, -2)), ((0,), 1)]],
    "squeeze": [
        ((signed(*s),), {"axis": a})
        for s, a in [((1, 2, 1), None), ((1, 2, 1), -1), ((1, 2, 1), (0, 2)), ((1,), None), ((1, 0), 0)]
    ],
    "concatenate": [
        ((signed(2, 3), signed(1, 3)), {}),
        ((signed(2, 3), signed(2, 0), signed(2, 2)), {"axis": -1}),
        ((signed(2),), {"axis": 0}),
    ],
    "stack": [
        ((signed(2, 3), signed(2, 3)), {}),
        ((signed(2, 3), signed(2, 3), signed(2, 3)), {"axis": -1}),
        ((signed(), signed()), {"axis": 0}),
        ((signed(0, 2), signed(0, 2)), {"axis": 1}),
    ],
    "getitem": [((signed(*s),), {"index": index}) for s, index in INDICES],
    "put_into_zeros": [_put(s, index) for s, index in INDICES],
    "embedding": [
        ((signed(4, 3), np.array([[0, 2], [2, 3]])), {}),
        ((signed(4, 3), np.array([], int)), {}),
        ((signed(4, 2), np.array(1)), {}),
    ],
    "softmax": [((signed(*s),), static) for s, static in OVER_AXIS],
    "log_softmax": [((signed(*s),), static) for s, static in OVER_AXIS],
    "cross_entropy": [
        ((signed(2, 3), np.array([2, 0])), {}),
        ((signed(2, 3, 4), np.array([[1, 1, 3], [0, 2, 1]])), {}),
        ((signed(3), np.array(1)), {}),
        ((signed(0, 3), np.array([], int)), {}),
    ],
}

EXAMPLES = [Example(name, *row) for name, rows in TABLE.items() for row in rows]
