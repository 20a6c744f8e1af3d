"""What is a model made of?  Parameters in a tree of Modules; layers, containers and where their training starts.

    from minitorch import nn

    model = nn.Sequential(nn.Linear(8, 32), nn.LayerNorm(32), nn.Linear(32, 1))
    model.load_state_dict(mt.load("model.safetensors"))

`tree.py` holds and finds, `module.py` calls, `layers.py` and its neighbours compute, `init.py` fills.
"""

from minitorch.nn import init
from minitorch.nn.activations import ELU, GELU, LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from minitorch.nn.containers import ModuleDict, ModuleList, Sequential
from minitorch.nn.init import orthogonal, uniform
from minitorch.nn.layers import Conv1d, Dropout, Embedding, Flatten, Identity, Linear
from minitorch.nn.module import Module
from minitorch.nn.norms import GroupNorm, LayerNorm, RMSNorm
from minitorch.tensor import Parameter

__all__ = [
    "ELU",
    "GELU",
    "Conv1d",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
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
