"""How does a recurrent network remember?  It squeezes all that it has read into one state vector.

    h_t = tanh(x_t W_x + h_{t-1} W_h + b)                                               (Elman 1990)

The gradient returns the way the state came, one factor per step,

    dL/dh_{t-1} = (dL/dh_t * (1 - h_t^2)) W_h^T,

and a product of many such factors vanishes or explodes (Hochreiter 1991; Bengio et al. 1994; Pascanu et al. 2013,
arXiv 1211.5063, section 2).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.sequence import check_sequence

Init = Literal["uniform", "orthogonal"]
SMALL = 0.1  # the factor on the input weights under orthogonal initialisation, which keeps tanh near its linear range


class RNN(nn.Module):
    """A tanh RNN over a whole sequence: (batch, n, d_in) -> (batch, n, d_h), the states h_1 ... h_n from h_0 = 0.

    Args:
        d_in: width of the inputs x_t.
        d_h: width of the state h_t.
        init: "uniform" draws W_x, W_h and b from U(-1/sqrt(d_h), 1/sqrt(d_h)), PyTorch's default; "orthogonal" takes an
            orthogonal W_h, which alone would keep every gradient's norm, and input weights ten times smaller
            (Saxe et al. 2013, arXiv 1312.6120; Le et al. 2015, arXiv 1504.00941).

    >>> RNN(3, 4)(np.ones((2, 5, 3), np.float32)).shape
    (2, 5, 4)
    """

    def __init__(self, d_in: int, d_h: int, *, init: Init = "uniform"):
        if init not in ("uniform", "orthogonal"):
            raise mt.OperandError(f"RNN: init is {init!r}; it can be 'uniform' or 'orthogonal'.")
        if min(d_in, d_h) < 1:
            raise mt.ShapeError(f"RNN: d_in={d_in}, d_h={d_h}; a width is at least 1.")
        bound = 1 / math.sqrt(d_h)
        small = SMALL if init == "orthogonal" else 1.0
        self.d_in = d_in
        self.W_x = nn.Parameter(nn.uniform((d_in, d_h), bound * small))
        self.W_h = nn.Parameter(nn.orthogonal(d_h) if init == "orthogonal" else nn.uniform((d_h, d_h), bound))
        self.b = nn.Parameter(nn.uniform((d_h,), bound * small))

    def forward(self, x: mt.Tensor | np.ndarray) -> mt.Tensor:
        """x (batch, n, d_in) -> states (batch, n, d_h)."""
        check_sequence("RNN", x.shape, self.d_in)
        h, states = None, []
        for t in range(x.shape[1]):
            with mt.step(t):
                a = x[:, t] @ self.W_x + self.b  # (batch, d_h)
                h = mt.tanh(a if h is None else a + h @ self.W_h)
            states.append(h)
        return mt.stack(states, axis=1)  # (batch, n, d_h)
