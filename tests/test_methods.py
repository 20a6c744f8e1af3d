"""Is a method of a Tensor the operation of its name?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.entrywise import Entrywise
from minitorch.methods import Methods

X = np.array([[0.5, -1.5], [2.0, 0.25]])
_TWO = (
    *("add", "sub", "subtract", "mul", "multiply", "div", "divide", "floor_divide", "remainder", "pow", "power"),
    *("eq", "ne", "lt", "le", "gt", "ge", "not_equal", "less", "less_equal", "greater", "greater_equal"),
    *("logical_and", "logical_or", "maximum", "minimum", "logaddexp", "arctan2", "hypot", "matmul", "outer", "dot"),
)
ARGUMENTS = {
    **dict.fromkeys(_TWO, (X,)),
    "chunk": (2,),
    "unflatten": (0, (2, 1)),
    "reshape": (-1,),
    "swapaxes": (0, 1),
    "repeat": (2,),
    "take": ([0, 3],),
    "masked_fill": (X > 0, 1.0),
    "expand_dims": (1,),
    "topk": (1,),
    "astype": (np.float32,),
    "broadcast_to": ((3, 2, 2),),
    "moveaxis": (0, 1),
    "tile": (2,),
    "roll": (1,),
    "split": (2,),
    "unsqueeze": (0,),
    "gather": (1, np.array([[0], [1]])),
    "scatter_add": (1, np.array([[0], [1]]), X[:, :1]),
    "take_along_axis": (np.array([[0], [1]]), 1),
}
OTHER = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "clone": "positive",
    "copy": "positive",
}
ELSEWHERE = ("T", "mT", "ravel", "where", "half", "float", "double", "int", "long", "bool")
NAMES = [n for n in {**vars(Methods), **vars(Entrywise)} if not n.startswith("_") and n not in ELSEWHERE]
POSITIVE = ("log", "log2", "log10", "sqrt", "rsqrt", "log1p", "arccosh", "pow", "power")


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_the_operation_of_its_name(name):
    x = mt.tensor(1 + np.abs(X) if name in POSITIVE else X / 4 if name.startswith("arc") else X, requires_grad=True)
    args = ARGUMENTS.get(name, ())
    found = getattr(x, name)(*args)
    wanted = getattr(mt, OTHER.get(name, name))(x, *args)
    for a, b in zip(*((v if isinstance(v, tuple | list) else (v,)) for v in (found, wanted)), strict=True):
        assert isinstance(a, mt.Tensor)
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert a.requires_grad == b.requires_grad


def test_a_dtype_can_be_asked_for_by_name_and_the_gradient_comes_back_in_its_own():
    x = mt.tensor(X, requires_grad=True)
    for method, dtype in (("half", np.float16), ("float", np.float32), ("double", np.float64)):
        y = getattr(x, method)()
        assert y.dtype == dtype
        assert mt.grad(y.sum(), x).dtype == np.float64
    assert float(x[0, 0]) == 0.5


def test_a_clone_has_memory_of_its_own_and_passes_the_gradient_on():
    x = mt.tensor(X, requires_grad=True)
    y = x.clone()
    assert not np.shares_memory(x.numpy(), y.numpy())
    np.testing.assert_array_equal(mt.grad((y * y).sum(), x).numpy(), 2 * X)


def test_the_last_two_axes_are_exchanged_and_values_come_as_lists():
    x = mt.tensor(np.arange(6.0).reshape(1, 2, 3))
    assert x.mT.shape == (1, 3, 2)
    assert x.mT.tolist() == [[[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]]


def test_flatten_and_ravel_put_all_entries_on_one_axis_even_none():
    assert mt.tensor(X).flatten().numpy().tolist() == mt.tensor(X).ravel().numpy().tolist() == [0.5, -1.5, 2.0, 0.25]
    assert mt.tensor(np.ones((0, 3))).flatten().shape == (0,)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std", "norm", "logsumexp", "any", "all"])
def test_a_reduction_takes_axis_and_keepdims(name):
    found = getattr(mt.tensor(X), name)(axis=-1, keepdims=True)
    np.testing.assert_array_equal(found.numpy(), getattr(mt, name)(X, axis=1, keepdims=True))
    assert found.shape == (2, 1)


def test_conditions_combine_with_and_or_and_not():
    x = mt.tensor([-1.0, 0.5, 2.0])
    assert ((x > 0) & (x < 1)).numpy().tolist() == [False, True, False]
    assert ((x < 0) | (x > 1)).numpy().tolist() == [True, False, True]
    assert (~(x > 0)).numpy().tolist() == [True, False, False]
    assert (np.array([True, True, False]) & (x > 0)).numpy().tolist() == [False, True, False]
    assert (True ^ (x > 0)).numpy().tolist() == [True, False, False]
    assert (6 & mt.tensor([3, 4])).numpy().tolist() == [2, 4]


def test_numpys_trace_is_the_sum_of_the_diagonal():
    x = mt.tensor(X, requires_grad=True)
    assert np.trace(x).item() == x.trace().item() == 0.75
    assert mt.grad(np.trace(x), x).numpy().tolist() == [[1.0, 0.0], [0.0, 1.0]]


# What a user of NumPy and PyTorch reaches for; the second of each pair stands for names that neither has as a method.
NAMES_BY_KIND = {
    "elementwise": (
        "add sub mul div pow neg abs sign exp expm1 log log1p sqrt rsqrt reciprocal square sin cos tan arcsin "
        "arccos arctan sinh cosh tanh sigmoid relu erf maximum minimum logaddexp clip floor round log_sigmoid "
        "softplus leaky_relu elu gelu silu subtract multiply divide negative absolute power floor_divide "
        "remainder clamp isnan isinf isfinite",
        "",
    ),
    "comparisons": (
        "eq ne lt le gt ge less less_equal greater greater_equal not_equal",
        "equal",
    ),
    "reductions": (
        "sum mean prod max min amax amin var std logsumexp norm all any argmax argmin cumsum cumprod sort topk argsort",
        "",
    ),
    "contraction": (
        "matmul dot outer trace diagonal diag tril triu",
        "einsum tensordot",
    ),
    "shape": (
        "reshape transpose permute swapaxes moveaxis squeeze unsqueeze expand_dims broadcast_to flip roll "
        "tile repeat split flatten unflatten chunk unbind",
        "pad concatenate cat stack",
    ),
    "entries": (
        "take take_along_axis gather scatter_add where masked_fill",
        "embedding one_hot",
    ),
    "network": (
        "softmax log_softmax",
        "linear layer_norm rms_norm group_norm dropout glu swiglu cross_entropy nll_loss "
        "binary_cross_entropy_with_logits mse_loss huber_loss kl_div conv1d scaled_dot_product_attention "
        "rotary",
    ),
    "others": (
        "",
        "numel randint manual_seed seed",
    ),
}


@pytest.mark.parametrize("kind", NAMES_BY_KIND)
def test_every_operation_that_users_know_is_in_the_namespace_and_a_method_where_they_expect_it(kind):
    methods, functions = (names.split() for names in NAMES_BY_KIND[kind])
    assert [n for n in (*methods, *functions) if n not in mt.__all__ or not callable(getattr(mt, n))] == []
    assert [n for n in methods if not callable(getattr(mt.Tensor, n, None))] == []


def test_trace_is_the_sum_of_the_diagonal_with_numpys_arguments():
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(mt.trace(mt.tensor(x), 1, 2, -2).numpy(), np.trace(x, 1, 2, -2))
    np.testing.assert_array_equal(mt.trace(mt.tensor(x), offset=-1, axis1=1, axis2=2).numpy(), np.trace(x, -1, 1, 2))


def test_flatten_joins_some_axes_and_unflatten_parts_one():
    x = mt.tensor(np.arange(24.0).reshape(2, 3, 4))
    assert x.flatten(1).shape == (2, 12)
    assert x.flatten(0, 1).shape == (6, 4)
    assert mt.flatten(mt.tensor(3.0)).shape == (1,)
    assert x.flatten(1).unflatten(1, (3, -1)).tolist() == x.tolist()
    with pytest.raises(mt.ShapeError, match=r"^flatten: start_axis 2"):
        x.flatten(2, 0)
    with pytest.raises(mt.ShapeError, match=r"^flatten: "):
        x.flatten(3)


def test_chunk_gives_equal_parts_and_a_shorter_last_one_and_unbind_the_parts_without_the_axis():
    x = mt.tensor(np.arange(10.0).reshape(2, 5), requires_grad=True)
    assert [p.shape for p in x.chunk(3, 1)] == [(2, 2), (2, 2), (2, 1)]
    assert [p.shape for p in mt.chunk(x, 4)] == [(1, 5), (1, 5)]
    assert [p.shape for p in mt.chunk(np.ones((0, 2)), 3)] == [(0, 2)]
    a, b = x.unbind()
    assert mt.grad((a * b).sum(), x).tolist() == [b.tolist(), a.tolist()]
    assert len(x.unbind(-1)) == 5
    with pytest.raises(mt.OperandError, match=r"^chunk: "):
        x.chunk(0)


def test_expand_stretches_without_copying_and_minus_1_keeps_an_axis():
    x = mt.tensor([[1.0], [2.0]], requires_grad=True)
    assert x.expand(3, -1, 4).shape == x.expand((3, 2, 4)).shape == (3, 2, 4)
    assert np.shares_memory(x.expand(-1, 4).numpy(), x.numpy())
    assert mt.grad(x.expand(-1, 4).sum(), x).tolist() == [[4.0], [4.0]]
    for sizes in ((3, 4), (4,), (-1, 2, 4)):
        with pytest.raises(mt.ShapeError):
            x.expand(*sizes)


def test_what_is_not_a_number_can_be_asked_for():
    x = mt.tensor([1.0, np.nan, np.inf, -np.inf], requires_grad=True)
    for name in ("isnan", "isinf", "isfinite"):
        wanted = getattr(np, name)(x.detach().numpy())
        assert getattr(mt, name)(x).tolist() == getattr(x, name)().tolist() == wanted.tolist()
        assert getattr(np, name)(x).tolist() == wanted.tolist()


def test_one_hot_has_a_row_of_integers_for_each_index():
    assert mt.one_hot(mt.tensor([[1], [0]]), 3).tolist() == [[[0, 1, 0]], [[1, 0, 0]]]
    assert mt.one_hot(mt.tensor([2, 0])).shape == (2, 3)
    assert mt.one_hot([1], 2).dtype == np.int64
    for wrong in ([3], [-1]):
        with pytest.raises(mt.OperandError, match=r"^one_hot: "):
            mt.one_hot(wrong, 3)


def test_random_integers_come_from_the_generator_that_seed_starts():
    mt.manual_seed(3)
    drawn = mt.randint(2, 5, (4, 50))
    mt.seed(3)
    assert drawn.tolist() == mt.randint(2, 5, (4, 50)).tolist()
    assert {*drawn.flatten().tolist()} == {2, 3, 4}
    assert mt.randint(3).shape == ()


V, M = mt.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True), mt.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
I = np.int64


@pytest.mark.parametrize(
    ("call", "same"),
    [
        (lambda: mt.tile(V, I(2)), lambda: mt.tile(V, 2)),
        (lambda: mt.tile(V, [2, 1]), lambda: mt.tile(V, (2, 1))),
        (lambda: mt.tile(V, mt.tensor(2)), lambda: mt.tile(V, 2)),
        (lambda: mt.roll(V, [1], axis=0), lambda: mt.roll(V, 1, axis=0)),
        (lambda: mt.roll(M, np.array([1, 1]), axis=(0, 1)), lambda: mt.roll(M, (1, 1), axis=(0, 1))),
        (lambda: mt.repeat(V, [2]), lambda: mt.repeat(V, 2)),
        (lambda: mt.repeat(V, mt.tensor([1, 0, 2, 1])), lambda: mt.repeat(V, [1, 0, 2, 1])),
        (lambda: mt.split(V, I(2))[1], lambda: mt.split(V, 2)[1]),
        (lambda: mt.split(V, mt.tensor([1, 3]))[1], lambda: mt.split(V, [1, 3])[1]),
        (lambda: mt.moveaxis(M, [0], [1]), lambda: mt.moveaxis(M, 0, 1)),
        (lambda: V.reshape(np.array([2, 2])), lambda: V.reshape(2, 2)),
        (lambda: V.reshape(mt.tensor([2, 2])), lambda: V.reshape(2, 2)),
        (lambda: V[mt.tensor(1) :], lambda: V[1:]),
        (lambda: V.clip(mt.tensor(2.0)), lambda: V.clip(2.0)),
        (lambda: mt.sum(M, axis=mt.tensor(1)), lambda: mt.sum(M, axis=1)),
        (lambda: mt.rotary(M, positions=I(3)), lambda: mt.rotary(M, positions=3)),
        (lambda: mt.tensordot(M, M, np.array([[0], [0]])), lambda: mt.tensordot(M, M, ((0,), (0,)))),
        (lambda: mt.cumprod(M[0, 0], axis=0), lambda: mt.cumprod(M[0, :1], axis=0)),
        (lambda: mt.concatenate([M, V], axis=None), lambda: mt.concatenate([M.flatten(), V])),
        (
            lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=(1,), stride=(2,), dilation=[1]),
            lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=1, stride=2),
        ),
        (lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=I(1)), lambda: mt.conv1d(M, mt.ones((1, 2, 1)), padding=1)),
        (lambda: mt.linspace(mt.tensor(0.0), 1, 3) * V[:3], lambda: mt.linspace(0.0, 1, 3) * V[:3]),
    ],
)
def test_options_are_taken_as_numpy_integers_lists_and_tensors_too(call, same):
    found, wanted = call(), same()
    assert found.tolist() == wanted.tolist()
    gs, ws = (mt.grad((y * y).sum(), [V, M], allow_unused=True) for y in (found, wanted))
    for g, w in zip(gs, ws, strict=True):
        assert (g is None) == (w is None)
        assert g is None or g.tolist() == w.tolist()


def test_a_name_that_numpy_and_pytorch_share_means_what_it_means_in_numpy():
    a = np.arange(6.0).reshape(2, 3)
    x, v = mt.tensor(a), mt.tensor(a).reshape(-1)
    assert x.size == a.size
    assert [p.tolist() for p in v.split(2)] == [p.tolist() for p in np.split(a.ravel(), 2)]
    assert [p.tolist() for p in v.split([2, 3])] == [p.tolist() for p in np.split(a.ravel(), [2, 3])]
    assert [p.tolist() for p in v.split(range(2, 6, 2))] == [[0, 1], [2, 3], [4, 5]]
    assert x.transpose(0, 1).shape == a.transpose(0, 1).shape
    assert x.swapaxes(0, 1).shape == (3, 2)
    with pytest.raises(mt.ShapeError, match=r"Use chunk, or give the places where to cut\?"):
        v.split(4)
    assert x.repeat(2).tolist() == a.repeat(2).tolist()
    assert x.tile(2).tolist() == np.tile(a, 2).tolist()
    np.testing.assert_allclose([x.std().item(), x.var().item()], [a.std(), a.var()])
    assert x.max(1).tolist() == a.max(1).tolist()
