"""How do recurrent layers stand on each other, read backwards, and end where their sequence ends?

    layer l reads the outputs of layer l-1:      y^l_t = (forward h^l_t, backward h^l_t)
    forward                                      h_t from h_{t-1}, t = 1 ... length
    backward (Schuster and Paliwal 1997)         h_t from h_{t+1}, t = length ... 1

A sequence that is shorter than its batch keeps its state while others go on: forward it stays at the last real step,
backward it stays at its beginning until the last real step is reached, so padding changes nothing.

Parameters have PyTorch's names, layout and first values: `weight_ih_l0` (gates d_h, d_in), `weight_hh_l0` (gates d_h,
d_h), `bias_ih_l0`, `bias_hh_l0`, `..._reverse` for the backward direction; a state dict of either loads in the other.
The bare equation of one tanh layer, as the papers write it, is `transformer.RNN`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.recurrent_cells import CELLS, State, Values
from transformer.recurrent_inputs import check_lengths, check_probability, check_widths, real_positions
from transformer.sequence import check_sequence


class Recurrent(nn.Module):
    """Layers of one recurrent cell over padded batches: (batch, n, d_in) -> (batch, n, directions d_h).

    Args:
        cell: "rnn" (tanh), "rnn-relu", "lstm" or "gru".
        d_in: width of the inputs.
        d_h: width of a state.
        layers: how many stand on each other.
        bias: whether each product has one; PyTorch has two for each step, b_ih and b_hh.
        batch_first: whether sequences are (batch, n, d), the default here; False is PyTorch's (n, batch, d).
        dropout: of the outputs of every layer but the last, in training.
        bidirectional: whether a second set of cells reads from the end; its states stand behind the first's.

    >>> y, (h, c) = Recurrent("lstm", 3, 4, layers=2)(np.ones((2, 5, 3), np.float32))
    >>> y.shape, h.shape, c.shape
    ((2, 5, 4), (2, 2, 4), (2, 2, 4))
    """

    def __init__(
        self,
        cell: str,
        d_in: int,
        d_h: int,
        layers: int = 1,
        *,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ):
        who = type(self).__name__
        if cell not in CELLS:
            raise mt.OperandError(f"{who}: cell={cell!r}; it can be {', '.join(map(repr, CELLS))}.")
        check_widths(who, d_in=d_in, d_h=d_h, layers=layers)
        check_probability(who, dropout)
        self.cell, self.d_in, self.d_h, self.layers = cell, d_in, d_h, layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, dropout, bidirectional
        rows, bound = CELLS[cell].gates * d_h, 1 / math.sqrt(d_h)
        for k, suffix in self._cells():
            width = d_h * (1 + bidirectional) if k else d_in
            shapes = {"weight_ih": (rows, width), "weight_hh": (rows, d_h)}
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {}
            for name, shape in shapes.items():
                setattr(self, f"{name}_l{k}{suffix}", nn.Parameter(nn.uniform(shape, bound)))

    def _cells(self) -> Iterator[tuple[int, str]]:
        """(layer, suffix of its parameters' names) in the order of PyTorch's states."""
        for k in range(self.layers):
            yield from ((k, suffix) for suffix in self._directions())

    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def forward(self, x: Any, initial: Any = None, lengths: Any = None) -> tuple[mt.Tensor, Any]:
        """Outputs of the last layer, and each layer's state after the last real step.

        Args:
            x: (batch, n, d_in), or (n, batch, d_in) without `batch_first`; what stands behind a length is not read.
            initial: the first state, zeros unless given: h (layers directions, batch, d_h), or (h, c) of an LSTM.
            lengths: (batch,) integers in 1 ... n, how many steps are real; all unless given.

        Returns:
            y (batch, n, directions d_h), 0 behind a length, and the last states in the form of `initial`.

        Raises:
            minitorch.ShapeError: x is no batch of sequences of width d_in, or states or lengths do not fit it.
            minitorch.OperandError: a length outside 1 ... n.
        """
        x = x if self.batch_first else mt.swapaxes(x, 0, 1)
        states = None if initial is None else self._unstacked(initial, x.shape[0])
        y, last = self.run(x, states, lengths)
        stacked: Any = tuple(mt.stack(vectors) for vectors in zip(*last, strict=True))
        y = y if self.batch_first else mt.swapaxes(y, 0, 1)
        return y, stacked if len(stacked) > 1 else stacked[0]

    def run(self, x: Any, states: Sequence[State] | None = None, lengths: Any = None) -> tuple[Any, tuple[State, ...]]:
        """The same with one state for each layer and direction, (h,) or (h, c) with the batch first, as `step` has
        them: x (batch, n, d_in) -> (batch, n, directions d_h), states."""
        who = type(self).__name__
        check_sequence(who, x.shape, self.d_in)
        batch, n = x.shape[:2]
        states = self.zeros(batch) if states is None else states
        ends = None if lengths is None else check_lengths(who, lengths, batch, n)
        real = None if ends is None else real_positions(ends, n)[:, :, None]  # (batch, n, 1)
        if real is not None:
            x = mt.where(real, x, 0.0)  # whatever stands there, NaN too
        last: list[State] = []
        for k in range(self.layers):
            x = mt.dropout(x, self.dropout, self.training) if k else x
            outputs = []
            for suffix in self._directions():
                y, state = self._direction(x, states[len(last)], f"l{k}{suffix}", real)
                outputs.append(y)
                last.append(state)
            x = mt.concatenate(outputs, axis=-1) if self.bidirectional else outputs[0]  # (batch, n, directions d_h)
            x = x if real is None else mt.where(real, x, 0.0)
        return x, tuple(last)

    def step(self, x: Values, states: Sequence[State]) -> tuple[mt.Tensor, tuple[State, ...]]:
        """One step of every layer: x (batch, d_in), states as from `run` or `zeros` -> (batch, d_h), new states."""
        if self.bidirectional:
            raise mt.OperandError(f"{type(self).__name__}.step: a bidirectional layer needs the whole sequence.")
        last: list[State] = []
        for k in range(self.layers):
            x = mt.dropout(x, self.dropout, self.training) if k else x
            last.append(self._stepped(f"l{k}")(self._input_part(x, f"l{k}"), states[k]))
            x = last[-1][0]
        return x, tuple(last)  # type: ignore[return-value]

    def zeros(self, batch: int) -> tuple[State, ...]:
        """The state before the first step, for each layer and direction."""
        zero = np.zeros((batch, self.d_h), self._parameter("weight_hh", "l0").dtype)
        return tuple((zero,) * CELLS[self.cell].vectors for _ in self._cells())

    def _direction(self, x: Values, state: State, name: str, real: np.ndarray | None) -> Any:
        """One layer in one direction: (batch, n, width) -> (batch, n, d_h), last state."""
        a = mt.swapaxes(self._input_part(x, name), 0, 1)  # (n, batch, gates d_h), one product for all steps
        step, n = self._stepped(name), a.shape[0]
        outputs: list[Any] = [None] * n
        for t in reversed(range(n)) if name.endswith("reverse") else range(n):
            with mt.step(t):
                new = step(a[t], state)
                if real is not None and not real[:, t].all():
                    new = _going_on(real[:, t], new, state)
            state, outputs[t] = new, new[0]
        return mt.stack(outputs, axis=1), state  # (batch, n, d_h)

    def _input_part(self, x: Values, name: str) -> mt.Tensor:
        """x W_ih^T + b_ih, with b_hh where the cell adds both at once: (..., width) -> (..., gates d_h)."""
        b = self._parameter("bias_ih", name) if self.bias else None
        if self.bias and not CELLS[self.cell].late_bias:
            b = b + self._parameter("bias_hh", name)
        return mt.linear(x, self._parameter("weight_ih", name), b)

    def _stepped(self, name: str) -> Callable[[Values, State], State]:
        """(input's part (batch, gates d_h), state) -> next state."""
        cell = CELLS[self.cell]
        W = self._parameter("weight_hh", name).T  # (d_h, gates d_h)
        b = self._parameter("bias_hh", name) if self.bias and cell.late_bias else None
        return lambda a, state: cell.step(a, state, W, b)

    def _parameter(self, kind: str, name: str) -> Any:
        return getattr(self, f"{kind}_{name}")

    def _unstacked(self, initial: Any, batch: int) -> list[State]:
        """PyTorch's states, one array for all layers, as one state for each layer and direction."""
        vectors, count = CELLS[self.cell].vectors, self.layers * (1 + self.bidirectional)
        parts = initial if isinstance(initial, tuple | list) else (initial,)
        wanted = (count, batch, self.d_h)
        got = [tuple(part.shape) for part in parts]
        if got != [wanted] * vectors:
            form = f"(h, c), each {wanted}" if vectors == 2 else f"h {wanted}"
            raise mt.ShapeError(f"{type(self).__name__}: initial state of shapes {got}; it takes {form}.")
        return [tuple(part[k] for part in parts) for k in range(count)]

    def extra_repr(self) -> str:
        """The sizes, and what is not the default."""
        plain = {"bias": True, "batch_first": True, "dropout": 0.0, "bidirectional": False}
        said = [f"{k}={getattr(self, k)!r}" for k, v in plain.items() if getattr(self, k) != v]
        return ", ".join([f"{self.cell}, {self.d_in}, {self.d_h}, layers={self.layers}", *said])


def _going_on(real: np.ndarray, new: State, old: State) -> State:
    """The new state where the token is real, the old one where the sequence has ended; real (batch, 1)."""
    return tuple(mt.where(real, *pair) for pair in zip(new, old, strict=True))


class LSTM(Recurrent):
    """`Recurrent` with the LSTM's cell (Hochreiter and Schmidhuber 1997): long short-term memory.

    >>> LSTM(3, 4, bidirectional=True)(np.ones((2, 5, 3), np.float32), lengths=[5, 2])[0].shape
    (2, 5, 8)
    """

    def __init__(self, d_in: int, d_h: int, layers: int = 1, **options: Any):
        super().__init__("lstm", d_in, d_h, layers, **options)


class GRU(Recurrent):
    """`Recurrent` with the gated recurrent unit (Cho et al. 2014).

    >>> GRU(3, 4)(np.ones((2, 5, 3), np.float32))[1].shape
    (1, 2, 4)
    """

    def __init__(self, d_in: int, d_h: int, layers: int = 1, **options: Any):
        super().__init__("gru", d_in, d_h, layers, **options)
