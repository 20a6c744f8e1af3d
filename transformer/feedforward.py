"""What does each position think by itself?  Two linear maps with a nonlinearity between, the same at every position.

    relu, gelu   FFN(x) = act(x W_1 + b_1) W_2 + b_2
    swiglu       FFN(x) = (silu(x W_1 + b_1) * (x W_3 + b_3)) W_2 + b_2

Source: Vaswani et al. 2017, section 3.3, equation 2; Shazeer 2020 (arXiv 2002.05202), equation 6.
"""

from __future__ import annotations

from typing import Literal

import minitorch as mt
from minitorch import nn

Activation = Literal["relu", "gelu", "gelu_tanh", "swiglu"]
_ACTIVATIONS = {"relu": mt.relu, "gelu": mt.gelu, "gelu_tanh": lambda x: mt.gelu(x, approximate="tanh")}


class FeedForward(nn.Module):
    """(..., d) -> (..., d) through d_ff hidden units.

    Args:
        d, d_ff: the widths.
        activation: "relu" as in the paper, "gelu" (BERT), "gelu_tanh" (GPT-2) or the gated "swiglu" (LLaMA), which has
            a third map W_3.
        bias: whether the maps add b_1, b_2, b_3.
        dropout: probability with which a hidden unit is left out in training.
    """

    def __init__(self, d: int, d_ff: int, *, activation: Activation = "relu", bias: bool = True, dropout: float = 0.0):
        if activation not in (*_ACTIVATIONS, "swiglu"):
            known = ", ".join(repr(name) for name in _ACTIVATIONS)
            raise mt.OperandError(f"FeedForward: activation is {activation!r}; it can be {known} or 'swiglu'.")
        self.activation, self.dropout = activation, dropout
        self.W_1, self.W_2 = nn.Linear(d, d_ff, bias=bias), nn.Linear(d_ff, d, bias=bias)
        if activation == "swiglu":
            self.W_3 = nn.Linear(d, d_ff, bias=bias)

    def forward(self, x: mt.Tensor) -> mt.Tensor:
        """x (..., d) -> (..., d)."""
        u = self.W_1(x)  # (..., d_ff)
        u = mt.swiglu(u, self.W_3(x)) if self.activation == "swiglu" else _ACTIVATIONS[self.activation](u)
        return self.W_2(mt.dropout(u, self.dropout, self.training))
