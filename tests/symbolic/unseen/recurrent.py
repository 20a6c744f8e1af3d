"""Mistakes in one step of a recurrent network."""

import numpy as np

from ..planted.record import Planted, Right


def rnn_slope_of_the_preactivation(x, h, W, U, a, G):
    da = G * (1 - a**2)
    return da @ W, da @ U, da.T @ x, da.T @ h, da.sum(0)


def rnn_no_slope(x, h, W, U, G):
    return G @ W, G @ U, G.T @ x, G.T @ h, G.sum(0)


def rnn_bias_not_even_taken(x, h, W, U, G):
    da = G * (1 - np.tanh(x @ W.T + h @ U.T) ** 2)
    return da @ W, da @ U, da.T @ x, da.T @ h, da.sum(0)


def rnn_state_through_the_transpose(x, h, W, U, b, G):
    da = G * (1 - np.tanh(x @ W.T + h @ U.T + b) ** 2)
    return {"dx": da @ W, "dh": da @ U.T, "dW": da.T @ x, "dU": da.T @ h, "db": da.sum(0)}


def rnn_input_for_state(x, h, W, U, b, G):
    da = G * (1 - np.tanh(x @ W.T + h @ U.T + b) ** 2)
    new = np.tanh(x @ W.T + h @ U.T + b)
    return {"dx": da @ W, "dh": da @ U, "dW": da.T @ x, "dU": da.T @ new, "db": da.sum(0)}


def lstm_cell_without_the_output_slope(o, f, G):
    return G * o * f  # tanh'(c') left out


def lstm_cell_through_the_input_gate(o, i, u, G):
    return G * o * (1 - u * u) * i


def lstm_forget_gate_reads_the_candidate(x, h, c, f, o, g, u, G):
    da = G * o * (1 - u**2) * g * f * (1 - f)
    return {"W_f": da.T @ x, "U_f": da.T @ h, "b_f": da.sum(0)}


def lstm_candidate_slope_of_a_sigmoid(x, i, g, o, u, G):
    return ((G * o * (1 - u**2)) * i * g * (1 - g)).T @ x


def gru_gates_the_other_way_round(x, h, z, r, g, U_z, U_r, U_g, W_g, G):
    da = G * z * (1 - g**2)  # 1 - z belongs here
    return {"W_g": da.T @ x, "U_g": da.T @ (r * h), "b_g": da.sum(0)}


def gru_update_gate_sign(x, h, z, g, G):
    da = G * (g - h) * z * (1 - z)
    return da.T @ x, da.T @ h, da.sum(0)


def gru_candidate_reads_the_whole_state(h, z, g, G):
    return (G * (1 - z) * (1 - g * g)).T @ h  # U_g multiplies r * h


def gru_state_without_its_direct_path(x, h, z, r, g, U_z, U_r, U_g, G):
    dag = G * (1 - z) * (1 - g**2)
    ds = dag @ U_g
    daz, dar = G * (h - g) * z * (1 - z), ds * h * r * (1 - r)
    return daz @ U_z + dar @ U_r + ds * r  # + G z


_LSTM_F = ("W_f", "U_f", "b_f")
_GRU_G, _GRU_Z = ("W_g", "U_g", "b_g"), ("W_z", "U_z", "b_z")
_RNN = ("x", "h", "W", "U", "b")

PLANTED = (
    Planted("rnn: a for h'", "rnn-cell", rnn_slope_of_the_preactivation, _RNN, ("before for after", "wrong array")),
    Planted("rnn: no slope", "rnn-cell", rnn_no_slope, _RNN,
            ("missing factor", "missing term", "wrong derivative", "before for after")),
    Planted("rnn: b not taken", "rnn-cell", rnn_bias_not_even_taken, _RNN, ("missing term", "missing path")),
    Planted("rnn: U.T", "rnn-cell", rnn_state_through_the_transpose, ("h",), ("read transposed",)),
    Planted("rnn: new state", "rnn-cell", rnn_input_for_state, ("U",), ("wrong array", "before for after")),
    Planted("lstm: no slope", "lstm-cell", lstm_cell_without_the_output_slope, ("c",),
            ("missing factor", "missing term", "wrong derivative", "before for after"), wrt=("c",)),
    Planted("lstm: input gate", "lstm-cell", lstm_cell_through_the_input_gate, ("c",), ("wrong array",), wrt=("c",)),
    Planted("lstm: candidate", "lstm-cell", lstm_forget_gate_reads_the_candidate, _LSTM_F, ("wrong array",),
            wrt=_LSTM_F),
    Planted("lstm: slope", "lstm-cell", lstm_candidate_slope_of_a_sigmoid, ("W_g",), ("wrong derivative",),
            wrt=("W_g",)),
    Planted("lstm memory text: h for c", "lstm-cell-memory", "db_f[j] = sum_t G[t,j] h[t,j] f[t,j] (1 - f[t,j])",
            ("b_f",), ("wrong array",), wrt=("b_f",)),
    Planted("gru: z for 1 - z", "gru-cell", gru_gates_the_other_way_round, _GRU_G,
            ("wrong array", "wrong derivative", "missing term"), wrt=_GRU_G),
    Planted("gru: sign", "gru-cell", gru_update_gate_sign, _GRU_Z, ("wrong sign",), wrt=_GRU_Z),
    Planted("gru: h for r h", "gru-cell", gru_candidate_reads_the_whole_state, ("U_g",),
            ("missing factor", "wrong array", "before for after"), wrt=("U_g",)),
    Planted("gru: direct path", "gru-cell", gru_state_without_its_direct_path, ("h",),
            ("missing path", "missing term"), wrt=("h",)),
    Planted("gru text: reset gate", "gru-cell",
            "dag[t,j] = G[t,j] (1 - z[t,j]) (1 - g[t,j]**2); ds[t,k] = sum_j dag[t,j] U_g[j,k]; "
            "db_r[k] = sum_t ds[t,k] h[t,k] (1 - r[t,k])", ("b_r",), ("missing factor", "wrong derivative"),
            wrt=("b_r",)),
)  # fmt: skip


def right_rnn(x, h, W, U, b, grad_output):
    new = np.tanh(np.concatenate([x, h], 1) @ np.concatenate([W, U], 1).T + b)
    da = (1 - new) * (1 + new) * grad_output
    both = da.T @ np.hstack([x, h])
    return da @ W, da @ U, both[:, : x.shape[1]], both[:, x.shape[1] :], da.sum(0)


def right_lstm_memory(x, h, c, i, f, g, G):
    return {"c": G * f, "b_i": (G * g * i * (1 - i)).sum(0), "W_g": np.einsum("tj,te->je", G * i * (1 - g * g), x)}


def right_gru_state(x, h, z, r, g, U_z, U_r, U_g, G):
    dag = G * (1 - z) * (1 - g**2)
    ds = dag @ U_g
    return G * z + (G * (h - g) * z * (1 - z)) @ U_z + (ds * h * r * (1 - r)) @ U_r + ds * r


RIGHT = (
    Right("rnn on both at once", "rnn-cell", right_rnn),
    Right("lstm memory", "lstm-cell-memory", right_lstm_memory, wrt=("c", "b_i", "W_g")),
    Right("gru state", "gru-cell", right_gru_state, wrt=("h",)),
)  # fmt: skip
