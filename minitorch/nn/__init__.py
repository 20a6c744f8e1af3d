"""What is a model made of?  Parameters in a tree of Modules; layers, containers and where their training starts.

    from minitorch import nn

    model = nn.Sequential(nn.Linear(8, 32), nn.LayerNorm(32), nn.Linear(32, 1))
    model.load_state_dict(mt.load("model.safetensors"))

`tree.py` holds and finds, `module.py` calls, `layers.py` and its neighbours compute, `init.py` fills.
"""

from minitorch.nn import init
from minitorch.nn.activations import (
    ELU,
    GELU,
    GLU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from minitorch.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from minitorch.nn.init import orthogonal, uniform
from minitorch.nn.layers import Conv1d, Dropout, Embedding, Flatten, Identity, Linear
from minitorch.nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, KLDivLoss, MSELoss, NLLLoss
from minitorch.nn.module import Module
from minitorch.nn.norms import GroupNorm, LayerNorm, RMSNorm
from minitorch.tensor import Parameter

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "BCEWithLogitsLoss",
    "Conv1d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "RMSNorm",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "init",
    "orthogonal",
    "uniform",
]
