"""A from-scratch tensor autograd engine on NumPy, in which every operation is one record.

    import minitorch as mt

    x = mt.tensor([[1.0, 2.0]], requires_grad=True)
    loss = mt.tanh(x @ mt.tensor([[0.5], [-1.0]])).sum()
    loss.backward()
    x.grad

What is an operation?  `ops/`.  What happened?  `graph.py`.  Its derivative?  `reverse.py`.  Is it right?  `check.py`,
`symbolic/`. What did it cost?  `memory.py`.  Importing this loads NumPy alone; `minitorch.symbolic` loads SymPy when it
is first imported.
"""

from minitorch import memory, nn, random
from minitorch.check import gradcheck
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
)
from minitorch.graph import Edge, Graph, Node
from minitorch.modes import default_dtype, detect_anomaly, enable_grad, no_grad, scope, step
from minitorch.nn import Module, Parameter
from minitorch.ops.elementwise import (
    absolute,
    add,
    astype,
    divide,
    exp,
    log,
    multiply,
    negative,
    power,
    relu,
    sqrt,
    subtract,
    tanh,
)
from minitorch.ops.fused import cross_entropy, log_softmax, softmax
from minitorch.ops.indexing import embedding, getitem
from minitorch.ops.linalg import matmul
from minitorch.ops.movement import (
    broadcast_to,
    concatenate,
    expand_dims,
    reshape,
    squeeze,
    stack,
    swapaxes,
    transpose,
)
from minitorch.ops.reduce import max, mean, sum
from minitorch.ops.select import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    maximum,
    minimum,
    not_equal,
    where,
)
from minitorch.primitive import Array, Primitive, composite, primitive
from minitorch.random import seed
from minitorch.reverse import backward, grad, trace, vjp
from minitorch.tensor import Tensor, tensor

__version__ = "0.1.0"

__all__ = [
    "AnomalyError",
    "ArgumentError",
    "Array",
    "DtypeError",
    "Edge",
    "FormulaError",
    "GradientError",
    "Graph",
    "GraphFreedError",
    "InPlaceError",
    "MinitorchError",
    "Module",
    "Node",
    "OperandError",
    "Parameter",
    "Primitive",
    "RegistrationError",
    "ShapeError",
    "Tensor",
    "absolute",
    "add",
    "astype",
    "backward",
    "broadcast_to",
    "composite",
    "concatenate",
    "cross_entropy",
    "default_dtype",
    "detect_anomaly",
    "divide",
    "embedding",
    "enable_grad",
    "equal",
    "exp",
    "expand_dims",
    "getitem",
    "grad",
    "gradcheck",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "log_softmax",
    "matmul",
    "max",
    "maximum",
    "mean",
    "memory",
    "minimum",
    "multiply",
    "negative",
    "nn",
    "no_grad",
    "not_equal",
    "power",
    "primitive",
    "random",
    "relu",
    "reshape",
    "scope",
    "seed",
    "softmax",
    "sqrt",
    "squeeze",
    "stack",
    "step",
    "subtract",
    "sum",
    "swapaxes",
    "tanh",
    "tensor",
    "trace",
    "transpose",
    "vjp",
    "where",
]
