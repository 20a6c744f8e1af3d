"""How does one sequence become another?  One network reads it, a second writes the answer, symbol by symbol.

    encoder                 h_1 ... h_n = Recurrent(embed(x_1 ... x_n))
    decoder                 s_0 = the encoder's last state,    p(y_{t+1} | y_1 ... y_t, x) = softmax(W_out r_t)

    attention=None          s_t = cell(embed(y_t), s_{t-1}),              r_t = s_t        Sutskever et al. 2014
    "dot", "general",       s_t = cell(embed(y_t), s_{t-1}),  c_t = look(s_t),
    "concat"                                                  r_t = tanh(W_c [s_t; c_t])   Luong et al. 2015, eq. 5
    "additive"              c_t = look(s_{t-1}),  s_t = cell([embed(y_t); c_t], s_{t-1}),
                                                  r_t = tanh(W_c [s_t; c_t; embed(y_t)])   Bahdanau et al. 2014, A.2.2

Sources: arXiv 1409.3215, 1508.04025 (global attention without input feeding), 1409.0473 (with tanh for its maxout).

Without attention all that is known of x is s_0, one vector, however long x is; with it each step reads every h_j.
A model trains on whole targets (teacher forcing: y_t is given, not what the model would have said) and writes by
`start` and `step`; both go through the same cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.recurrent_inputs import check_lengths, check_probability, check_widths, real_positions
from transformer.recurrent_layers import Recurrent
from transformer.seq2seq_attention import SCORES, Attention
from transformer.seq2seq_inputs import check_batch, check_tokens, lengths_of

StepState = dict[str, Any]
"""What has been read and written so far: a tree of arrays whose first axis is the batch."""


class Seq2Seq(nn.Module):
    """A recurrent encoder and decoder: source (batch, n), target (batch, m) -> logits (batch, m, target_size).

    Args:
        source_size, target_size: how many symbols there are on either side, PAD = 0 among them.
        d: width of embeddings, states and what is read out.
        cell: "rnn", "rnn-relu", "lstm" or "gru".
        layers: of the encoder and of the decoder.
        attention: None, "additive" (Bahdanau), "dot", "general" or "concat" (Luong).
        bidirectional: whether the encoder reads both ways, with states of width d/2 each, so that both together are a
            state of the decoder.
        dropout: of embeddings, between layers and of what is read out, in training.
        tied: whether W_out is the table of target embeddings (Press and Wolf 2017, arXiv 1608.05859).

    >>> model = Seq2Seq(source_size=30, target_size=40, d=16, attention="dot")
    >>> source, target = np.array([[5, 6, 7], [8, 9, 0]]), np.array([[1, 5], [1, 6]])
    >>> model(source, target).shape
    (2, 2, 40)
    >>> logits, state = model.step(target[:, 0], model.start(source))
    >>> logits.shape
    (2, 40)
    """

    def __init__(
        self,
        *,
        source_size: int,
        target_size: int,
        d: int = 128,
        cell: str = "lstm",
        layers: int = 1,
        attention: str | None = None,
        bidirectional: bool = False,
        dropout: float = 0.0,
        tied: bool = False,
    ):
        check_widths("Seq2Seq", source_size=source_size, target_size=target_size, d=d, layers=layers)
        check_probability("Seq2Seq", dropout)
        if attention is not None and attention not in SCORES:
            names = ", ".join(map(repr, SCORES))
            raise mt.OperandError(f"Seq2Seq: attention={attention!r}; it can be None, {names}.")
        if bidirectional and d % 2:
            raise mt.ShapeError(f"Seq2Seq: d={d} is odd; a bidirectional encoder has d/2 for each direction.")
        self.config = {
            "source_size": source_size,
            "target_size": target_size,
            "d": d,
            "cell": cell,
            "layers": layers,
            "attention": attention,
            "bidirectional": bidirectional,
            "dropout": dropout,
            "tied": tied,
        }
        self.source_size, self.target_size, self.dropout = source_size, target_size, dropout
        before = attention == "additive"  # whether the decoder looks before its cell, and not behind it
        self.embed_source, self.embed_target = nn.Embedding(source_size, d), nn.Embedding(target_size, d)
        options: dict[str, Any] = {"layers": layers, "dropout": dropout}
        self.encoder = Recurrent(cell, d, d // (1 + bidirectional), bidirectional=bidirectional, **options)
        self.decoder = Recurrent(cell, d * (1 + before), d, **options)
        if attention:
            self.look = Attention(attention, d)
            self.W_c = nn.Linear(d * (2 + before), d)
        self.W_out = nn.Linear(d, target_size)
        if tied:
            self.embed_target.weight = self.W_out.weight

    def forward(self, source: Any, target: Any, source_lengths: Any = None, attention: list | None = None) -> mt.Tensor:
        """Logits for teacher forcing: those at t, of (batch, m, target_size), predict target[:, t + 1].

        Args:
            source: (batch, n) integers, padded with 0 behind the end.
            target: (batch, m) integers, the start symbol first.
            source_lengths: (batch,); where the zeros at a row's end begin, unless given.
            attention: a list that the weights (batch, 1, m, n) are appended to.

        Raises:
            minitorch.DtypeError, minitorch.ShapeError: no integers (batch, n), or two batches.
            minitorch.OperandError: a token that is none, a source of length 0.
        """
        target = check_tokens("Seq2Seq: target", target, self.target_size, 2)
        state = self.start(source, source_lengths)
        check_batch("Seq2Seq: target", target, state["layers"][0][0])
        y = self._drop(self.embed_target(target))  # (batch, m, d)
        if self.config["attention"] == "additive":
            return self._output(self._write(y, state, attention))
        s, _ = self.decoder.run(y, state["layers"])
        return self._output(self._behind(s, state, attention))

    def start(self, source: Any, source_lengths: Any = None) -> StepState:
        """Read the source (batch, n): the state in which nothing has been written."""
        source = check_tokens("Seq2Seq: source", source, self.source_size, 2)
        batch, n = source.shape
        ends = lengths_of(source) if source_lengths is None else source_lengths
        ends = check_lengths("Seq2Seq: source", ends, batch, n)
        h, last = self.encoder.run(self._drop(self.embed_source(source)), lengths=ends)  # (batch, n, d)
        both = 1 + self.encoder.bidirectional
        state: StepState = {"layers": tuple(_joined(last[k : k + both]) for k in range(0, len(last), both))}
        if self.config["attention"]:
            state |= {"memory": h, "keys": self.look.keys(h), "real": real_positions(ends, n)}
        return state

    def step(self, tokens: Any, state: StepState, attention: list | None = None) -> tuple[mt.Tensor, StepState]:
        """Write one symbol more.

        Args:
            tokens: (batch,) integers, what was written last; the start symbol at first.
            state: from `start` or from the step before; it is not changed.
            attention: a list that the weights (batch, 1, 1, n) are appended to.

        Returns:
            Logits (batch, target_size) for the next symbol, and the state after this one.
        """
        tokens = check_tokens("Seq2Seq.step: tokens", tokens, self.target_size, 1)
        check_batch("Seq2Seq.step: tokens", tokens, state["layers"][0][0])
        r, state = self._step(self._drop(self.embed_target(tokens)), state, attention)
        return self._output(r), state

    def _step(self, y: Any, state: StepState, attention: list | None) -> tuple[Any, StepState]:
        """One step: y (batch, d) -> what is read out (batch, d), state."""
        if self.config["attention"] == "additive":
            c = self._context(mt.expand_dims(state["layers"][-1][0], 1), state, attention)[:, 0]  # (batch, d)
            s, layers = self.decoder.step(mt.concatenate([y, c], axis=-1), state["layers"])
            r = mt.tanh(self.W_c(mt.concatenate([s, c, y], axis=-1)))
        else:
            s, layers = self.decoder.step(y, state["layers"])
            r = self._behind(mt.expand_dims(s, 1), state, attention)[:, 0]
        return r, {**state, "layers": layers}

    def _write(self, y: mt.Tensor, state: StepState, attention: list | None) -> mt.Tensor:
        """Step by step, since each cell reads what the state before it looked at: y (batch, m, d) -> (batch, m, d)."""
        seen: list[np.ndarray] = []
        out = []
        for t in range(y.shape[1]):
            with mt.step(t):
                r, state = self._step(y[:, t], state, None if attention is None else seen)
            out.append(r)
        if attention is not None:
            attention.append(np.concatenate(seen, axis=2))  # (batch, 1, m, n)
        return mt.stack(out, axis=1)

    def _behind(self, s: Any, state: StepState, attention: list | None) -> Any:
        """What is read out of states s (batch, m, d): themselves, or with what they look at."""
        if not self.config["attention"]:
            return s
        return mt.tanh(self.W_c(mt.concatenate([s, self._context(s, state, attention)], axis=-1)))

    def _context(self, q: Any, state: StepState, attention: list | None) -> mt.Tensor:
        """What queries (batch, m, d) look at: (batch, m, d)."""
        c, weights = self.look(q, state["keys"], state["memory"], state["real"])
        if attention is not None:
            attention.append(weights.detach().numpy()[:, None])  # (batch, 1, m, n)
        return c

    def _output(self, r: Any) -> mt.Tensor:
        return self.W_out(self._drop(r))

    def _drop(self, x: Any) -> Any:
        return mt.dropout(x, self.dropout, self.training)


def _joined(directions: tuple) -> tuple:
    """The states of both directions as one: ((h,), (h,)) -> (h,) of twice the width."""
    if len(directions) == 1:
        return directions[0]
    return tuple(mt.concatenate(vectors, axis=-1) for vectors in zip(*directions, strict=True))
