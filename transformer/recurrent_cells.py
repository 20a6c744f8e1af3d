"""How does one step of a recurrent network make the next state?  Four answers, in the order in which they were found.

    all     a = x W_ih^T + b_ih + h W_hh^T + b_hh
    RNN     h' = tanh(a), or relu(a)
    LSTM    c' = f * c + i * g,  h' = o * tanh(c'),  i, f, o = sigmoid(a_i, a_f, a_o),  g = tanh(a_g)
    GRU     h' = (1 - z) * n + z * h,                r, z = sigmoid(a_r, a_z)
            n  = tanh(x W_in^T + b_in + r * (h W_hn^T + b_hn))

Sources: Elman 1990; Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; Cho et al. 2014 (arXiv
1406.1078), in PyTorch's form, where r multiplies the product and not the state.  Gates lie side by side in PyTorch's
order: i, f, g, o and r, z, n.

A step takes `a`, the input's part for all gates, which is one product for a whole sequence, and adds the state's part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import minitorch as mt

Values = mt.Tensor | np.ndarray
State = tuple[Values, ...]
"""(h,) of an RNN or a GRU, (h, c) of an LSTM; each (batch, d_h)."""
Step = Callable[[Values, State, mt.Tensor, mt.Tensor | None], State]
"""(input's part (batch, gates d_h), state, W_hh^T (d_h, gates d_h), b_hh or None) -> next state."""


@dataclass(frozen=True)
class Cell:
    """How many blocks of d_h columns the weights have, how many vectors the state, and what a step does.

    `late_bias`: b_hh stands inside a product with a gate, so it cannot be added to the input's part beforehand.
    """

    gates: int
    vectors: int
    step: Step
    late_bias: bool = False


def _tanh(a: Values, state: State, W: mt.Tensor, _: mt.Tensor | None) -> State:
    return (mt.tanh(a + mt.matmul(state[0], W)),)


def _relu(a: Values, state: State, W: mt.Tensor, _: mt.Tensor | None) -> State:
    return (mt.relu(a + mt.matmul(state[0], W)),)


def _lstm(a: Values, state: State, W: mt.Tensor, _: mt.Tensor | None) -> State:
    h, c = state
    d = h.shape[-1]
    a = a + mt.matmul(h, W)  # (batch, 4 d_h)
    i_f = mt.sigmoid(a[:, : 2 * d])
    g, o = mt.tanh(a[:, 2 * d : 3 * d]), mt.sigmoid(a[:, 3 * d :])
    c = i_f[:, d:] * c + i_f[:, :d] * g  # (batch, d_h)
    return o * mt.tanh(c), c


def _gru(a: Values, state: State, W: mt.Tensor, b: mt.Tensor | None) -> State:
    (h,) = state
    d = h.shape[-1]
    u = mt.matmul(h, W)  # (batch, 3 d_h)
    u = u if b is None else u + b
    r_z = mt.sigmoid(a[:, : 2 * d] + u[:, : 2 * d])
    n = mt.tanh(a[:, 2 * d :] + r_z[:, :d] * u[:, 2 * d :])
    return (n + r_z[:, d:] * (h - n),)


CELLS = {
    "rnn": Cell(1, 1, _tanh),
    "rnn-relu": Cell(1, 1, _relu),
    "lstm": Cell(4, 2, _lstm),
    "gru": Cell(3, 1, _gru, late_bias=True),
}
