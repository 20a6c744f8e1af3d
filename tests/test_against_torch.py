"""Are values and gradients those of PyTorch?  Run with `pytest -m torch` where PyTorch is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minitorch as mt

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::UserWarning")]
F = torch.nn.functional

rng = np.random.default_rng(3)
A, B, C = rng.standard_normal((2, 3)), rng.standard_normal((2, 3)), rng.standard_normal((3, 4))
P = np.abs(A) + 0.1
I = rng.uniform(-0.9, 0.9, (2, 3))
X3 = rng.standard_normal((2, 4, 6))
LOGITS, CLASSES = rng.standard_normal((5, 4)), np.array([1, 0, 3, 2, 1])
MIXED = np.array([1, -100, 3, -100, 0])
Q = rng.dirichlet(np.ones(4), 5)
W = np.array([0.5, 2.0, 1.0, 0.25])
T = torch.tensor


def t(a: Any) -> Any:
    return torch.as_tensor(a)


CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = {
    **{
        name: (getattr(mt, name), getattr(torch, name), (A,))
        for name in ("exp", "expm1", "square", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "sigmoid", "erf")
    },
    **{
        name: (getattr(mt, name), getattr(torch, name), (P,))
        for name in ("log", "log1p", "sqrt", "rsqrt", "reciprocal")
    },
    **{name: (getattr(mt, name), getattr(torch, name), (I,)) for name in ("arcsin", "arccos")},
    "relu": (mt.relu, torch.relu, (A,)),
    "absolute": (mt.absolute, torch.abs, (A,)),
    "softplus": (mt.softplus, F.softplus, (A,)),
    "log_sigmoid": (mt.log_sigmoid, F.logsigmoid, (A,)),
    "leaky_relu": (mt.leaky_relu, F.leaky_relu, (A,)),
    "leaky_relu at 0": (mt.leaky_relu, F.leaky_relu, (np.zeros(2),)),
    "elu": (lambda x: mt.elu(x, 0.7), lambda x: F.elu(x, 0.7), (A,)),
    "gelu": (mt.gelu, F.gelu, (A * 3,)),
    "gelu, tanh": (lambda x: mt.gelu(x, "tanh"), lambda x: F.gelu(x, approximate="tanh"), (A * 3,)),
    "silu": (mt.silu, F.silu, (A * 3,)),
    "glu": (mt.glu, F.glu, (X3,)),
    "glu, axis": (lambda x: mt.glu(x, 1), lambda x: F.glu(x, 1), (X3,)),
    "swiglu": (mt.swiglu, lambda a, b: F.silu(a) * b, (A, B)),
    "logaddexp": (mt.logaddexp, torch.logaddexp, (A, B)),
    "maximum": (mt.maximum, torch.maximum, (A, B)),
    "maximum at a tie": (mt.maximum, torch.maximum, (A, A)),
    "minimum": (mt.minimum, torch.minimum, (A, B)),
    "clip": (lambda x: mt.clip(x, -0.5, 0.5), lambda x: torch.clip(x, -0.5, 0.5), (A,)),
    "clip at a bound": (lambda x: mt.clip(x, 0.0, 1.0), lambda x: torch.clip(x, 0.0, 1.0), (np.array([0.0, 1.0]),)),
    "power": (mt.power, torch.pow, (P, B)),
    "prod": (mt.prod, torch.prod, (A,)),
    "prod, axis": (lambda x: mt.prod(x, 1), lambda x: torch.prod(x, 1), (A * [0, 1, 1],)),
    "prod, two zeros": (lambda x: mt.prod(x, 1), lambda x: torch.prod(x, 1), (A * [0, 0, 1],)),
    "amax": (lambda x: mt.amax(x, 1), lambda x: torch.amax(x, 1), (np.round(A),)),
    "amin": (lambda x: mt.amin(x, (0, 1)), lambda x: torch.amin(x, (0, 1)), (np.round(A),)),
    "var": (lambda x: mt.var(x, 1), lambda x: torch.var(x, 1, correction=0), (A,)),
    "var, ddof": (lambda x: mt.var(x, ddof=1), lambda x: torch.var(x), (A,)),
    "std": (lambda x: mt.std(x, (0, 2), ddof=1), lambda x: torch.std(x, (0, 2)), (X3,)),
    "logsumexp": (lambda x: mt.logsumexp(x, 1), lambda x: torch.logsumexp(x, 1), (X3 * 100,)),
    "norm": (lambda x: mt.norm(x, axis=1), lambda x: torch.linalg.vector_norm(x, dim=1), (A,)),
    "norm at 0": (mt.norm, torch.linalg.vector_norm, (np.zeros(3),)),
    "norm, 1": (lambda x: mt.norm(x, 1, 1), lambda x: torch.linalg.vector_norm(x, 1, 1), (A,)),
    "norm of matrices, 1": (lambda x: mt.norm(x, 1, (1, 2)), lambda x: torch.linalg.matrix_norm(x, 1), (X3,)),
    "norm of matrices, inf": (
        lambda x: mt.norm(x, np.inf, (1, 2), True),
        lambda x: torch.linalg.matrix_norm(x, np.inf, (1, 2), True),
        (X3,),
    ),
    "cumsum": (lambda x: mt.cumsum(x, 1), lambda x: torch.cumsum(x, 1), (X3,)),
    "cumprod": (lambda x: mt.cumprod(x, 2), lambda x: torch.cumprod(x, 2), (np.where(X3 > 1, 0, X3),)),
    "sort": (lambda x: mt.sort(x, 1), lambda x: torch.sort(x, 1)[0], (X3,)),
    "sort, ties": (lambda x: mt.sort(x, 0), lambda x: torch.sort(x, dim=0, stable=True)[0], (np.ones(3),)),
    "sort, descending": (lambda x: mt.sort(x, 1, True), lambda x: torch.sort(x, 1, True)[0], (X3,)),
    "topk": (lambda x: mt.topk(x, 2)[0], lambda x: torch.topk(x, 2)[0], (X3,)),
    "topk, smallest": (lambda x: mt.topk(x, 2, 1, False)[0], lambda x: torch.topk(x, 2, 1, False)[0], (X3,)),
    "matmul": (mt.matmul, torch.matmul, (A, C)),
    "outer": (mt.outer, torch.outer, (A[0], C[0])),
    "einsum": (
        lambda a, b: mt.einsum("...ij,jk->...ki", a, b),
        lambda a, b: torch.einsum("...ij,jk->...ki", a, b),
        (A, C),
    ),
    "einsum, diagonal": (lambda a: mt.einsum("ii->i", a), lambda a: torch.einsum("ii->i", a), (C[:, :3],)),
    "einsum, ellipsis": (
        lambda a, b: mt.einsum("b...c,...c->b...", a, b),
        lambda a, b: torch.einsum("b...c,...c->b...", a, b),
        (X3, X3[0]),
    ),
    "tensordot": (
        lambda a, b: mt.tensordot(a, b, ([2, 0], [1, 0])),
        lambda a, b: torch.tensordot(a, b, ([2, 0], [1, 0])),
        (X3, rng.standard_normal((2, 6, 3))),
    ),
    "trace": (mt.trace, torch.trace, (C,)),
    "diagonal": (lambda x: mt.diagonal(x, 1, -1, 0), lambda x: torch.diagonal(x, 1, -1, 0), (X3,)),
    "diag": (lambda x: mt.diag(x, -1), lambda x: torch.diag(x, -1), (A[0],)),
    "tril": (lambda x: mt.tril(x, -1), lambda x: torch.tril(x, -1), (X3,)),
    "triu": (lambda x: mt.triu(x, 1), lambda x: torch.triu(x, 1), (X3,)),
    "moveaxis": (lambda x: mt.moveaxis(x, (0, 1), (-1, 0)), lambda x: torch.moveaxis(x, (0, 1), (-1, 0)), (X3,)),
    "flip": (lambda x: mt.flip(x, (0, 2)), lambda x: torch.flip(x, (0, 2)), (X3,)),
    "roll": (lambda x: mt.roll(x, (1, -2), (0, 2)), lambda x: torch.roll(x, (1, -2), (0, 2)), (X3,)),
    "tile": (lambda x: mt.tile(x, (2, 1, 3)), lambda x: torch.tile(x, (2, 1, 3)), (A,)),
    "repeat": (lambda x: mt.repeat(x, 2, 1), lambda x: torch.repeat_interleave(x, 2, 1), (X3,)),
    "pad": (lambda x: mt.pad(x, ((0, 0), (0, 0), (1, 2))), lambda x: F.pad(x, (1, 2)), (X3,)),
    "pad, reflect": (
        lambda x: mt.pad(x, ((0, 0), (0, 0), (2, 3)), "reflect"),
        lambda x: F.pad(x, (2, 3), mode="reflect"),
        (X3,),
    ),
    "pad, edge": (
        lambda x: mt.pad(x, ((0, 0), (0, 0), (2, 3)), "edge"),
        lambda x: F.pad(x, (2, 3), mode="replicate"),
        (X3,),
    ),
    "split": (lambda x: mt.split(x, [1, 3], 1)[1], lambda x: torch.tensor_split(x, (1, 3), 1)[1], (X3,)),
    "take": (lambda x: mt.take(x, [[0, 5], [5, 1]]), lambda x: torch.take(x, T([[0, 5], [5, 1]])), (A,)),
    "gather": (
        lambda x: mt.gather(x, 1, [[0, 0], [2, 1]]),
        lambda x: torch.gather(x, 1, T([[0, 0], [2, 1]])),
        (A,),
    ),
    "scatter_add": (
        lambda x, v: mt.scatter_add(x, 1, [[0, 0], [2, 1]], v),
        lambda x, v: torch.scatter_add(x, 1, T([[0, 0], [2, 1]]), v),
        (A, B[:, :2].copy()),
    ),
    "masked_fill": (lambda x: mt.masked_fill(x, A > 0, -1.0), lambda x: x.masked_fill(t(A > 0), -1.0), (B,)),
    "linear": (mt.linear, F.linear, (A, A[:1], A[0, :1])),
    "linear_map": (mt.linear, F.linear, (A, A)),
    "layer_norm": (mt.layer_norm, lambda x, w, b: F.layer_norm(x, (6,), w, b), (X3, X3[0, 0], X3[0, 1])),
    "rms_norm": (mt.rms_norm, lambda x, w: F.rms_norm(x, (6,), w, eps=1e-6), (X3, X3[0, 0])),
    "group_norm": (
        lambda x, w, b: mt.group_norm(x, 2, w, b),
        lambda x, w, b: F.group_norm(x, 2, w, b),
        (X3, X3[0, :, 0], X3[0, :, 1]),
    ),
    "embedding": (lambda w: mt.embedding(w, CLASSES), lambda w: F.embedding(t(CLASSES), w), (LOGITS,)),
    "embedding, padding": (lambda w: mt.embedding(w, CLASSES, -4), lambda w: F.embedding(t(CLASSES), w, -4), (LOGITS,)),
    "softmax": (lambda x: mt.softmax(x, 1), lambda x: torch.softmax(x, 1), (X3,)),
    "log_softmax": (lambda x: mt.log_softmax(x, 1), lambda x: torch.log_softmax(x, 1), (X3,)),
    "mse_loss": (mt.mse_loss, F.mse_loss, (A, B)),
    "huber_loss": (lambda a, b: mt.huber_loss(a, b, delta=0.7), lambda a, b: F.huber_loss(a, b, delta=0.7), (A, B)),
    "kl_div": (mt.kl_div, F.kl_div, (np.log(Q), Q[::-1].copy())),
    "kl_div, a target of 0": (
        lambda x: mt.kl_div(x, np.eye(5, 4)),
        lambda x: F.kl_div(x, t(np.eye(5, 4))),
        (np.log(Q),),
    ),
    "kl_div, batchmean": (
        lambda a, b: mt.kl_div(a, b, "batchmean", True),
        lambda a, b: F.kl_div(a, b, reduction="batchmean", log_target=True),
        (np.log(Q), LOGITS),
    ),
    "binary_cross_entropy_with_logits": (
        mt.binary_cross_entropy_with_logits,
        F.binary_cross_entropy_with_logits,
        (LOGITS, Q),
    ),
    "binary_cross_entropy_with_logits, weights": (
        lambda x, y: mt.binary_cross_entropy_with_logits(x, y, "sum", weight=W, pos_weight=W[::-1].copy()),
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, t(W), reduction="sum", pos_weight=t(W[::-1].copy())),
        (LOGITS, Q),
    ),
    "conv1d": (
        lambda x, w, b: mt.conv1d(x, w, b, 2, 3, 2, 2),
        lambda x, w, b: F.conv1d(x, w, b, 2, 3, 2, 2),
        (X3, rng.standard_normal((6, 2, 3)), rng.standard_normal(6)),
    ),
    "conv1d, same": (
        lambda x, w: mt.conv1d(x, w, padding="same", dilation=3),
        lambda x, w: F.conv1d(x, w, padding="same", dilation=3),
        (X3, rng.standard_normal((3, 4, 2))),
    ),
}
for _reduction in ("mean", "sum", "none"):
    for _said, _more in {
        "": {},
        ", weight": {"weight": W},
        ", smoothing": {"label_smoothing": 0.3},
        ", both": {"weight": W, "label_smoothing": 1.0},
    }.items():
        _theirs = {k: t(v) if k == "weight" else v for k, v in _more.items()}
        _pair = {"reduction": _reduction}
        CASES[f"cross_entropy, {_reduction}{_said}"] = (
            lambda x, m=_more, r=_pair: mt.cross_entropy(x, MIXED, **m, **r),
            lambda x, m=_theirs, r=_pair: F.cross_entropy(x, t(MIXED), **m, **r),
            (LOGITS,),
        )
        CASES[f"cross_entropy of probabilities, {_reduction}{_said}"] = (
            lambda x, q, m=_more, r=_pair: mt.cross_entropy(x, q, **m, **r),
            lambda x, q, m=_theirs, r=_pair: F.cross_entropy(x, q, **m, **r),
            (LOGITS, Q),
        )
        if "label_smoothing" not in _more:
            CASES[f"nll_loss, {_reduction}{_said}"] = (
                lambda x, m=_more, r=_pair: mt.nll_loss(x, MIXED, **m, **r),
                lambda x, m=_theirs, r=_pair: F.nll_loss(x, t(MIXED), **m, **r),
                (LOGITS,),
            )


@pytest.mark.parametrize("name", CASES)
def test_its_value_and_gradients_are_those_of_pytorch(name):
    ours, theirs, arrays = CASES[name]
    a = [mt.tensor(x, requires_grad=True) for x in arrays]
    b = [torch.tensor(x, requires_grad=True) for x in arrays]
    mine, wanted = ours(*a), theirs(*b)
    np.testing.assert_allclose(mine.numpy(), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = np.random.default_rng(0).standard_normal(mine.shape)
    for got, want in zip(mt.grad(mine, a, g), torch.autograd.grad(wanted, b, torch.tensor(g)), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-10, atol=1e-12)
