"""A from-scratch tensor autograd engine on NumPy, in which every operation is one record.

    import minitorch as mt

    x = mt.tensor([[1.0, 2.0]], requires_grad=True)
    loss = mt.tanh(x @ mt.tensor([[0.5], [-1.0]])).sum()
    loss.backward()
    x.grad

What is an operation?  `ops/`.  What happened?  `graph.py`.  Its derivative?  `reverse.py`.  Is it right?  `check.py`,
`symbolic/`. What did it cost?  `memory.py`.  Importing this loads NumPy alone; `minitorch.symbolic` loads SymPy when it
is first imported, and what a model runs without is loaded when it is first asked for.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from minitorch import interop, nn, random, tape, trees
from minitorch.aliases import (
    abs,
    amax,
    amin,
    cat,
    clamp,
    div,
    eq,
    ge,
    gt,
    le,
    lt,
    manual_seed,
    mul,
    ne,
    neg,
    permute,
    pow,
    sub,
    unsqueeze,
)
from minitorch.checkpoint import checkpoint
from minitorch.creation import (
    arange,
    eye,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    zeros,
    zeros_like,
)
from minitorch.errors import (
    AnomalyError,
    ArgumentError,
    DtypeError,
    FormulaError,
    GradientError,
    GraphFreedError,
    InPlaceError,
    MinitorchError,
    OperandError,
    RegistrationError,
    ShapeError,
    StateError,
)
from minitorch.exchange import from_dlpack, from_numpy
from minitorch.functional import functional
from minitorch.misread import checked
from minitorch.modes import default_dtype, detect_anomaly, enable_grad, no_grad, scope, step
from minitorch.nn import Module, Parameter
from minitorch.ops.activations import elu, gelu, glu, leaky_relu, log_sigmoid, sigmoid, silu, softplus, swiglu
from minitorch.ops.arrangement import flip, moveaxis, pad, repeat, roll, split, tile
from minitorch.ops.attention import scaled_dot_product_attention
from minitorch.ops.contraction import dot, einsum, outer, tensordot
from minitorch.ops.convolution import conv1d
from minitorch.ops.diagonal import diag, diagonal, trace, tril, triu
from minitorch.ops.distances import binary_cross_entropy_with_logits, huber_loss, kl_div, mse_loss
from minitorch.ops.dropout import dropout
from minitorch.ops.elementwise import (
    absolute,
    add,
    astype,
    ceil,
    clip,
    divide,
    exp,
    expm1,
    floor,
    floor_divide,
    isfinite,
    isinf,
    isnan,
    log,
    log1p,
    logaddexp,
    multiply,
    negative,
    positive,
    power,
    reciprocal,
    relu,
    remainder,
    round,
    rsqrt,
    sign,
    sqrt,
    square,
    subtract,
    tanh,
    trunc,
)
from minitorch.ops.error_function import erf
from minitorch.ops.fused import log_softmax, softmax
from minitorch.ops.gathering import gather, masked_fill, safe_where, scatter_add, take, take_along_axis
from minitorch.ops.indexing import embedding, getitem
from minitorch.ops.linalg import linear, matmul
from minitorch.ops.losses import cross_entropy, nll_loss
from minitorch.ops.masks import causal_mask
from minitorch.ops.movement import broadcast_to, concatenate, expand_dims, reshape, squeeze, stack, swapaxes, transpose
from minitorch.ops.norms import group_norm, layer_norm, rms_norm
from minitorch.ops.order import argmax, argmin, argsort, sort, topk
from minitorch.ops.powers import cbrt, exp2, hypot, log2, log10
from minitorch.ops.reduce import all, any, max, mean, min, sum
from minitorch.ops.rotary import rotary
from minitorch.ops.scan import cumprod, cumsum, prod
from minitorch.ops.select import (
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    equal,
    greater,
    greater_equal,
    invert,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    where,
)
from minitorch.ops.statistics import logsumexp, norm, std, var
from minitorch.ops.trigonometric import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cos,
    cosh,
    sin,
    sinh,
    tan,
)
from minitorch.primitive import Array, Primitive, composite, primitive
from minitorch.random import seed
from minitorch.reverse import backward
from minitorch.reverse import trace as trace_gradients
from minitorch.rewritten import (
    average,
    chunk,
    diff,
    flatten,
    hstack,
    inner,
    numel,
    one_hot,
    ravel,
    unbind,
    unflatten,
    vstack,
)
from minitorch.tensor import Tensor, tensor
from minitorch.trees import TreeError

if TYPE_CHECKING:  # for readers; when they are asked for, `__getattr__` below imports them
    from minitorch import memory, optim
    from minitorch.check import gradcheck
    from minitorch.forward import jvp
    from minitorch.graph import Edge, Graph, Node
    from minitorch.serialize import load, save
    from minitorch.transforms import grad, hessian, hvp, jacobian, value_and_grad, vjp

__version__ = "0.1.0"

# fmt: off
__all__ = [
    "AnomalyError", "ArgumentError", "Array", "DtypeError", "Edge", "FormulaError", "GradientError", "Graph",
    "GraphFreedError", "InPlaceError", "MinitorchError", "Module", "Node", "OperandError", "Parameter", "Primitive",
    "RegistrationError", "ShapeError", "StateError", "Tensor", "TreeError", "abs", "absolute", "add", "all", "amax",
    "amin", "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax",
    "argmin", "argsort", "astype", "average", "backward", "binary_cross_entropy_with_logits", "bitwise_and",
    "bitwise_or", "bitwise_xor", "broadcast_to", "cat", "causal_mask", "cbrt", "ceil", "checkpoint", "chunk", "clamp",
    "clip", "composite", "concatenate", "conv1d", "cos", "cosh", "cross_entropy", "cumprod", "cumsum",
    "default_dtype", "detect_anomaly", "diag", "diagonal", "diff", "div", "divide", "dot", "dropout", "einsum", "elu",
    "embedding", "enable_grad", "eq", "equal", "erf", "exp", "exp2", "expand_dims", "expm1", "eye", "flatten", "flip",
    "floor", "floor_divide", "from_dlpack", "from_numpy", "full", "full_like", "functional", "gather", "ge", "gelu",
    "getitem", "glu", "grad", "gradcheck", "greater", "greater_equal", "group_norm", "gt", "hessian", "hstack",
    "huber_loss", "hvp", "hypot", "inner", "invert", "isfinite", "isinf", "isnan", "jacobian", "jvp", "kl_div",
    "layer_norm", "le", "leaky_relu", "less", "less_equal", "linear", "linspace", "load", "log", "log1p", "log2",
    "log10", "log_sigmoid", "log_softmax", "logaddexp", "logical_and", "logical_not", "logical_or", "logsumexp", "lt",
    "manual_seed", "masked_fill", "matmul", "max", "maximum", "mean", "memory", "min", "minimum", "moveaxis",
    "mse_loss", "mul", "multiply", "ne", "neg", "negative", "nll_loss", "nn", "no_grad", "norm", "not_equal", "numel",
    "one_hot", "ones", "ones_like", "optim", "outer", "pad", "permute", "positive", "pow", "power", "primitive",
    "prod", "rand", "randint", "randn", "random", "ravel", "reciprocal", "relu", "remainder", "repeat", "reshape",
    "rms_norm", "roll", "rotary", "round", "rsqrt", "safe_where", "save", "scaled_dot_product_attention",
    "scatter_add", "scope", "seed", "sigmoid", "sign", "silu", "sin", "sinh", "softmax", "softplus", "sort", "split",
    "sqrt", "square", "squeeze", "stack", "std", "step", "sub", "subtract", "sum", "swapaxes", "swiglu", "take",
    "take_along_axis", "tan", "tanh", "tape", "tensor", "tensordot", "tile", "topk", "trace", "trace_gradients",
    "transpose", "trees", "tril", "triu", "trunc", "unbind", "unflatten", "unsqueeze", "value_and_grad", "var", "vjp",
    "vstack", "where", "zeros", "zeros_like",
]
# fmt: on

_LATER = {  # what a model runs without, and the module that is loaded when it is first asked for
    "memory": "memory",
    "optim": "optim",
    "gradcheck": "check",
    "jvp": "forward",
    **dict.fromkeys(("Edge", "Graph", "Node"), "graph"),
    **dict.fromkeys(("load", "save"), "serialize"),
    **dict.fromkeys(("grad", "hessian", "hvp", "jacobian", "value_and_grad", "vjp"), "transforms"),
}


if not TYPE_CHECKING:  # which would take any misspelt name for one of these

    def __getattr__(name):
        module = _LATER.get(name, name)
        if module not in _LATER.values():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = import_module(f"{__name__}.{module}")
        return globals().setdefault(name, found if name == module else getattr(found, name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# Arguments that a function does not take are explained; an operation that is a record does so itself
_loaded = {name: globals()[name] for name in __all__ if name not in _LATER}
for _name, _function in _loaded.items():
    if getattr(_function, "__module__", "").startswith(
        ("minitorch.ops.", "minitorch.aliases", "minitorch.creation", "minitorch.rewritten")
    ):
        _loaded[_name] = checked(_function)
        setattr(sys.modules[_function.__module__], _function.__name__, _loaded[_name])  # where pickle looks for it

globals().update(_loaded)
interop.connect({name: value for name, value in _loaded.items() if callable(value)})
