"""Entry by entry: NumPy's values and dtypes for any shapes that broadcast, and the Jacobian written out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch as mt
from tests.property.reference import close, pulled, stretched_back
from tests.property.strategies import broadcastable, seeds, shapes, signed

Function = Callable[..., np.ndarray]
# The derivative of each function of one entry, in NumPy; None where it is 0 or there is none.
UNARY: dict[str, Function | None] = {
    "absolute": np.sign,
    "abs": np.sign,
    "arccos": lambda x: -1 / np.sqrt(1 - x**2),
    "arcsin": lambda x: 1 / np.sqrt(1 - x**2),
    "arctan": lambda x: 1 / (1 + x**2),
    "arccosh": lambda x: 1 / np.sqrt(x**2 - 1),
    "arcsinh": lambda x: 1 / np.sqrt(x**2 + 1),
    "arctanh": lambda x: 1 / (1 - x**2),
    "cbrt": lambda x: 1 / (3 * np.cbrt(x) ** 2),
    "ceil": None,
    "cos": lambda x: -np.sin(x),
    "cosh": np.sinh,
    "exp": np.exp,
    "exp2": lambda x: np.exp2(x) * np.log(2),
    "expm1": np.exp,
    "floor": None,
    "isfinite": None,
    "isinf": None,
    "isnan": None,
    "log": lambda x: 1 / x,
    "log10": lambda x: 1 / (x * np.log(10)),
    "log2": lambda x: 1 / (x * np.log(2)),
    "log1p": lambda x: 1 / (1 + x),
    "logical_not": None,
    "negative": lambda x: -np.ones_like(x),
    "positive": np.ones_like,
    "reciprocal": lambda x: -1 / x**2,
    "round": None,
    "sign": None,
    "sin": np.cos,
    "sinh": np.cosh,
    "sqrt": lambda x: 0.5 / np.sqrt(x),
    "square": lambda x: 2 * x,
    "tan": lambda x: 1 / np.cos(x) ** 2,
    "tanh": lambda x: 1 / np.cosh(x) ** 2,
    "trunc": None,
}
POSITIVE = ("log", "log2", "log10", "sqrt", "arccos", "arcsin", "arctanh", "log1p", "power", "pow")
ONE = np.ones_like
# The derivatives of each function of two entries, by the first and by the second.
BINARY: dict[str, tuple[Function, Function] | None] = {
    "add": (lambda a, b: ONE(a), lambda a, b: ONE(b)),
    "floor_divide": None,
    "remainder": (lambda a, b: ONE(a), lambda a, b: -np.floor(a / b)),
    "subtract": (lambda a, b: ONE(a), lambda a, b: -ONE(b)),
    "multiply": (lambda a, b: b, lambda a, b: a),
    "divide": (lambda a, b: 1 / b, lambda a, b: -a / b**2),
    "power": (lambda a, b: b * a ** (b - 1), lambda a, b: np.log(a) * a**b),
    "pow": (lambda a, b: b * a ** (b - 1), lambda a, b: np.log(a) * a**b),
    "maximum": (lambda a, b: a > b, lambda a, b: b > a),
    "minimum": (lambda a, b: a < b, lambda a, b: b < a),
    "logaddexp": (lambda a, b: 1 / (1 + np.exp(b - a)), lambda a, b: 1 / (1 + np.exp(a - b))),
    "hypot": (lambda a, b: a / np.hypot(a, b), lambda a, b: b / np.hypot(a, b)),
    "arctan2": (lambda a, b: b / (a**2 + b**2), lambda a, b: -a / (a**2 + b**2)),
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")),
    **dict.fromkeys(("logical_and", "logical_or", "floor_divide")),
}
INTEGERS = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}
dtypes = st.sampled_from([np.float32, np.float64])


def drawn(name: str, seed: int, shape: tuple[int, ...], dtype: type = np.float64) -> np.ndarray:
    x = signed(seed, shape, dtype)
    if name == "arccosh":
        return 1 + np.abs(x)
    return np.abs(x) * np.asarray(0.6, dtype) if name in POSITIVE else x


def met(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Where it differs from NumPy: a 0-d float64 does not widen a float32."""
    narrow = np.float32 in (a.dtype, b.dtype)
    return [x.astype(np.float32) if narrow and not x.ndim else x for x in (a, b)]


@given(shapes(), seeds, dtypes)
@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_entry_has_numpys_values_and_its_derivative(name, shape, seed, dtype):
    x = drawn(name, seed, shape, dtype)
    expected = getattr(np, name)(x)
    for out in (getattr(mt, name)(mt.tensor(x)), getattr(np, name)(mt.tensor(x)), getattr(mt, name)(x)):
        assert out.dtype == expected.dtype
        np.testing.assert_array_equal(np.asarray(out), expected)
    if (derivative := UNARY[name]) is not None:
        x = x.astype(np.float64)
        _, (found,), g = pulled(getattr(mt, name), x)
        close(found, g * derivative(x))


@given(broadcastable(), seeds, dtypes, dtypes)
@pytest.mark.parametrize("name", BINARY)
def test_a_function_of_two_entries_has_numpys_values_and_its_jacobian(name, pair, seed, one, other):
    a, b = drawn(name, seed, pair[0], one), drawn(name, seed + 1, pair[1], other)
    expected = getattr(np, name)(*(met(a, b) if BINARY[name] else (a, b)))
    for out in (getattr(mt, name)(mt.tensor(a), mt.tensor(b)), getattr(np, name)(a, mt.tensor(b))):
        assert out.dtype == expected.dtype
        np.testing.assert_array_equal(np.asarray(out), expected)
    if (derivatives := BINARY[name]) is not None:
        a, b = a.astype(np.float64), b.astype(np.float64)
        _, found, g = pulled(getattr(mt, name), a, b)
        for x, f, d in zip((a, b), found, derivatives, strict=True):
            close(f, stretched_back(g * d(*np.broadcast_arrays(a, b)), x.shape))


@given(broadcastable(3), seeds)
def test_where_chooses_as_numpy_does_and_each_side_gets_the_cotangents_of_its_choices(triple, seed):
    a, b = signed(seed, triple[1]), signed(seed + 1, triple[2])
    c = np.random.default_rng(seed).random(triple[0]) < 0.5
    value, found, g = pulled(lambda s, t: mt.where(c, s, t), a, b)
    np.testing.assert_array_equal(value, np.where(c, a, b))
    close(found[0], stretched_back(g * c, a.shape))
    close(found[1], stretched_back(g * ~c, b.shape))


@given(shapes(), seeds, st.floats(-2, 0.1) | st.none(), st.floats(0.2, 2) | st.none())
def test_clip_is_numpys(shape, seed, low, high):
    x = signed(seed, shape)
    value, (found,), g = pulled(lambda t: mt.clip(t, low, high), x)
    np.testing.assert_array_equal(value, x if low is high is None else np.clip(x, low, high))
    close(found, g * ((x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))))


@given(broadcastable(), seeds)
@pytest.mark.parametrize("name", INTEGERS)
def test_bits_are_numpys(name, pair, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 9, pair[0]), rng.integers(0, 9, pair[1])
    np.testing.assert_array_equal(getattr(mt, name)(mt.tensor(a), b).numpy(), INTEGERS[name](a, b))
    np.testing.assert_array_equal(mt.invert(mt.tensor(a)).numpy(), np.invert(a))


# Where else each namesake of NumPy's is compared with it for drawn shapes.
ELSEWHERE = {
    "movement": "broadcast_to concatenate diag diagonal expand_dims flip moveaxis pad repeat reshape roll split squeeze"
    " stack swapaxes tile trace transpose tril triu",
    "reductions": "all amax amin any argmax argmin argsort cumprod cumsum max mean min prod sort std sum var",
    "products": "dot einsum matmul outer tensordot",
    "indexing": "take take_along_axis",
    "here": "astype bitwise_and bitwise_or bitwise_xor clip invert where",
    "creation": "arange eye full full_like linspace ones ones_like zeros zeros_like",
    "interop": "average diff hstack inner ravel vstack",
    "no function of arrays": "from_dlpack load save",
}


def test_every_operation_with_a_namesake_in_numpy_is_compared_with_it():
    names = {n for n in mt.__all__ if callable(f := getattr(np, n, None)) and not isinstance(f, type)}
    compared = {*UNARY, *BINARY, *" ".join(ELSEWHERE.values()).split()}
    assert names == compared


@given(shapes(), seeds, dtypes, dtypes)
def test_astype_is_numpys(shape, seed, one, other):
    x = signed(seed, shape, one)
    out = mt.astype(mt.tensor(x), other)
    assert out.dtype == other
    np.testing.assert_array_equal(out.numpy(), x.astype(other))
