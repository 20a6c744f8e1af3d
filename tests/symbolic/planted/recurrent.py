"""Mistakes in the backward passes of recurrent cells."""

import numpy as np

from .record import Planted, Right


def rnn(derivative=lambda new, a: 1 - new**2, bias="sum", state="h", transpose=True, u=True):
    def backward(x, h, W, U, b, dh):
        a = x @ W.T + h @ U.T + b
        new = np.tanh(a)
        da = dh * derivative(new, a)
        back = da @ (U if u else U.T)
        db = {"sum": da.sum(0), "mean": da.mean(0), "rows": da}[bias]
        return da @ W, back, da.T @ x, da.T @ (h if state == "h" else new), db

    return backward


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(tanh=True, own="i", c_path=True, forget="f", gate=None, state="c"):
    """The gradients by x, h, c and the gates' biases."""

    def backward(x, h, c, W_i, U_i, b_i, W_f, U_f, b_f, W_o, U_o, b_o, W_g, U_g, b_g, dh):
        i, f, o = (sigmoid(x @ W.T + h @ U.T + b) for W, U, b in ((W_i, U_i, b_i), (W_f, U_f, b_f), (W_o, U_o, b_o)))
        g = np.tanh(x @ W_g.T + h @ U_g.T + b_g)
        new = f * c + i * g
        u = np.tanh(new)
        dc = dh * o * (1 - u**2) if tanh else dh * o
        di, df = dc * g * i * (1 - i), dc * (c if state == "c" else new) * f * (1 - f)
        do, dg = dh * u * o * (1 - o), dc * (i if own == "i" else f) * (1 - g**2)
        if gate == "i":
            di = dc * g * i
        return {
            "c": dc * (f if forget == "f" else i),
            "b_i": di.sum(0),
            "b_f": df.sum(0),
            "b_o": do.sum(0),
            "b_g": dg.sum(0),
        }

    return backward


def gru(swapped=False, reset=True, minus=True, direct=True):
    def backward(x, h, W_z, U_z, b_z, W_r, U_r, b_r, W_g, U_g, b_g, dh):
        z, r = sigmoid(x @ W_z.T + h @ U_z.T + b_z), sigmoid(x @ W_r.T + h @ U_r.T + b_r)
        g = np.tanh(x @ W_g.T + (r * h) @ U_g.T + b_g)
        dz = dh * ((h - g) if minus else h) * z * (1 - z)
        dg = dh * (z if swapped else 1 - z) * (1 - g**2)
        ds = dg @ U_g
        dr = ds * h * r * (1 - r)
        back = dz @ U_z + dr @ U_r + (ds * r if reset else ds) + (dh * z if direct else 0)
        return {"h": back, "b_z": dz.sum(0), "b_r": dr.sum(0), "b_g": dg.sum(0)}

    return backward


GATES = ("c", "b_i", "b_f", "b_o", "b_g")
STATE = ("h", "b_z", "b_r", "b_g")
PLANTED = (
    Planted(
        "RNN, tanh' as 1 - h",
        "rnn-cell",
        rnn(lambda new, a: 1 - new),
        ("x", "h", "W", "U", "b"),
        ("wrong derivative", "wrong power"),
    ),
    Planted(
        "RNN, tanh' of the argument",
        "rnn-cell",
        rnn(lambda new, a: 1 - a**2),
        ("x", "h", "W", "U", "b"),
        ("before for after", "wrong derivative"),
    ),
    Planted(
        "RNN without tanh'",
        "rnn-cell",
        rnn(lambda new, a: 1),
        ("x", "h", "W", "U", "b"),
        ("missing factor", "wrong derivative"),
    ),
    Planted("RNN, bias by the mean", "rnn-cell", rnn(bias="mean"), ("b",), ("mean instead of sum", "scaled")),
    Planted("RNN, bias not summed", "rnn-cell", rnn(bias="rows"), ("b",), ("not summed",)),
    Planted("RNN, U by the new state", "rnn-cell", rnn(state="new"), ("U",), ("before for after", "wrong array")),
    Planted("RNN, U untransposed", "rnn-cell", rnn(u=False), ("h",), ("read transposed",)),
    Planted(
        "LSTM without the tanh of the cell",
        "lstm-cell",
        lstm(tanh=False),
        ("c", "b_i", "b_f", "b_g"),
        ("missing factor", "wrong derivative"),
        GATES,
    ),
    Planted("LSTM, candidate by the forget gate", "lstm-cell", lstm(own="f"), ("b_g",), ("wrong array",), GATES),
    Planted("LSTM, cell by the input gate", "lstm-cell", lstm(forget="i"), ("c",), ("wrong array",), GATES),
    Planted(
        "LSTM, forget gate by the new cell",
        "lstm-cell",
        lstm(state="new"),
        ("b_f",),
        ("before for after", "wrong array"),
        GATES,
    ),
    Planted(
        "LSTM, sigmoid' without 1 - i",
        "lstm-cell",
        lstm(gate="i"),
        ("b_i",),
        ("missing factor", "wrong derivative"),
        GATES,
    ),
    Planted(
        "GRU, z for 1 - z",
        "gru-cell",
        gru(swapped=True),
        ("h", "b_r", "b_g"),
        ("wrong derivative", "wrong array", "missing term", "wrong sign", "wrong number"),
        STATE,
    ),
    Planted("GRU, reset gate forgotten", "gru-cell", gru(reset=False), ("h",), ("missing factor",), STATE),
    Planted(
        "GRU, update gate without its candidate",
        "gru-cell",
        gru(minus=False),
        ("h", "b_z"),
        ("missing term", "missing path"),
        STATE,
    ),
    Planted(
        "GRU without the direct way", "gru-cell", gru(direct=False), ("h",), ("missing path", "missing term"), STATE
    ),
    Planted(
        "RNN formula, b without its slope",
        "rnn-cell",
        "db[j] = sum_t G[t,j]",
        ("b",),
        ("missing factor", "wrong derivative"),
        ("b",),
    ),
)
RIGHT = (
    Right("RNN", "rnn-cell", rnn()),
    Right("LSTM", "lstm-cell", lstm(), GATES),
    Right("GRU", "gru-cell", gru(), STATE),
)
