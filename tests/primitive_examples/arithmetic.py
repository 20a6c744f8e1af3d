"""Entry by entry: arithmetic, functions, choices and comparisons."""

from __future__ import annotations

import numpy as np

from tests.primitive_examples.making import UNARY_SHAPES, Row, apart, binary, inner, positive, signed, unary

_mask = np.array([[True], [False], [True]])
_comparison: list[Row] = [((signed(2, 3), signed(3)), {})]
_around_1 = np.array([[-2.0, -0.4], [0.4, 2.0]])
_ORDERS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")

TABLE: dict[str, list[Row]] = {
    "add": binary(signed),
    "subtract": binary(signed),
    "multiply": [
        *binary(signed),
        ((signed(2, 3), 2.0), {}),
        ((3, signed(2)), {}),
        ((signed(2), np.array([1, 2])), {}),
    ],
    "divide": [*binary(signed), ((1.0, signed(2, 3)), {}), ((signed(2), 4), {})],
    "floor_divide": _comparison,
    "remainder": [*binary(lambda *s: 5 * positive(*s), positive), ((signed(2, 3), 0.7), {}), ((-2.5, signed(3)), {})],
    "negative": unary(signed),
    "positive": unary(signed),
    "power": [
        *binary(positive, signed),
        ((signed(2, 3), 3), {}),
        ((signed(2, 3), -2), {}),
        ((signed(3), np.array([0, 1, 2])), {}),
        ((positive(3), 0.5), {}),
        ((2.0, signed(3)), {}),
        ((0.5, signed(3)), {}),
        ((2, signed(3)), {}),
    ],
    "exp": unary(signed),
    "log": unary(positive),
    "tanh": unary(signed),
    "sqrt": unary(positive),
    "absolute": unary(signed),
    "sign": unary(signed),
    "relu": unary(signed),
    **{name: unary(signed) for name in ("isnan", "isinf", "isfinite")},
    "astype": [((signed(2, 3),), {"dtype": np.dtype("float64")})],
    "where": [
        ((_mask, signed(3, 1), signed(1, 4)), {}),
        ((_mask[:, 0], signed(), signed(2, 3)), {}),
        ((_mask, signed(3, 2), 0.0), {}),
        ((_mask[:, 0], signed(2, 3), signed()), {}),
        ((np.array([1.0, 0.0]) > 0, 0, signed(2)), {}),
    ],
    "maximum": apart(),
    "minimum": apart(),
    **dict.fromkeys((*_ORDERS, "logical_and", "logical_or"), _comparison),
    **{name: unary(signed) for name in ("expm1", "square", "sin", "cos", "tan", "arctan", "sinh", "cosh")},
    **{name: unary(signed) for name in ("sigmoid", "softplus", "log_sigmoid", "silu", "floor", "ceil")},
    **{name: unary(inner) for name in ("arcsin", "arccos", "log1p", "arctanh")},
    **{name: unary(signed) for name in ("arcsinh", "exp2", "cbrt", "trunc")},
    **{name: unary(positive) for name in ("log2", "log10")},
    **{name: [*binary(signed), ((signed(3), 0.5), {})] for name in ("arctan2", "hypot")},
    "arccosh": [((1.2 + positive(*s),), {}) for s in UNARY_SHAPES],
    "tan": unary(inner),
    "rsqrt": unary(positive),
    "reciprocal": unary(signed),
    "logaddexp": [*binary(signed), ((signed(3), 0.5), {})],
    "swiglu": binary(signed),
    "clip": [
        ((_around_1,), {"min": -1.0, "max": 1.0}),
        ((_around_1,), {"max": 1}),
        ((_around_1,), {"min": -1}),
        ((signed(0, 2),), {"min": 0.0}),
        ((signed(2),), {}),
    ],
    "huber": [((_around_1,), {}), ((_around_1,), {"delta": 0.25}), ((signed(),), {"delta": 2.0})],
    "round": [*unary(signed), ((signed(3),), {"decimals": 1})],
    "leaky_relu": [*unary(signed), ((signed(3),), {"negative_slope": 0.2})],
    "elu": [*unary(signed), ((_around_1,), {"alpha": 0.5})],
    "gelu": [*unary(signed), ((signed(2, 3),), {"approximate": "tanh"}), ((signed(),), {"approximate": "tanh"})],
    "erf": [*unary(signed), ((signed(2, 3) * 2,), {})],
    "xlogx": unary(positive),
    **{name: [((np.array([4, 1]), 5), {})] for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    "invert": [((np.array([[True], [False]]),), {})],
    "logical_not": [((signed(2),), {})],
}
