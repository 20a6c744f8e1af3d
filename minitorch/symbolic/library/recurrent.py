"""How does one step of a recurrent network go backward?

The rows t are those of a batch; a weight has the shape (width of the state, width of what it reads), and the gates of
an LSTM or GRU have one weight for the input, one for the state, and a bias each.
"""

from __future__ import annotations

from minitorch.ops.activations import sigmoid
from minitorch.ops.elementwise import tanh
from minitorch.ops.movement import swapaxes
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.sources import GOODFELLOW, GREFF


def _for_each(gates: str, text: str, between: str = "; ") -> str:
    """The same text for several gates, whose letters stand where the text has an asterisk."""
    return between.join(text.replace("*", gate) for gate in gates)


def _weights(gates: str) -> str:
    return _for_each(gates, "W_*[d,p], U_*[d,d], b_*[d]", between=", ")


def _weight_names(gates: str) -> tuple[str, ...]:
    return tuple(f"{kind}_{gate}" for gate in gates for kind in "WUb")


_PREACTIVATION = "a_*[t,j] = sum_e W_*[j,e] x[t,e] + sum_k U_*[j,k] h[t,k] + b_*[j]"
_WEIGHT_GRADIENTS = """
    dW_*[j,e] = sum_t da_*[t,j] x[t,e];
    dU_*[j,k] = sum_t da_*[t,j] h[t,k];
    db_*[j]   = sum_t da_*[t,j]
"""


def _affine(x, h, W, U, b):
    return x @ swapaxes(W, 0, 1) + h @ swapaxes(U, 0, 1) + b


def _lstm(x, h, c, *weights):
    """The new h and c."""
    i, f, o, g = (_affine(x, h, *weights[k : k + 3]) for k in range(0, 12, 3))
    new = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(new), new


def _gru(x, h, *weights):
    z, r = (sigmoid(_affine(x, h, *weights[k : k + 3])) for k in (0, 3))
    return z * h + (1 - z) * tanh(_affine(x, r * h, *weights[6:]))


_LSTM = f"""
    x[n,p], h[n,d], c[n,d], {_weights("ifog")}:
    {_for_each("ifog", _PREACTIVATION)};
    {_for_each("ifo", "*[t,j] = sigmoid(a_*[t,j])")};
    g[t,j]  = tanh(a_g[t,j]);
    c'[t,j] = f[t,j] c[t,j] + i[t,j] g[t,j];
    u[t,j]  = tanh(c'[t,j]);
    h'[t,j] = o[t,j] u[t,j]
"""

# From the gradient dc' of the new cell state: what both outputs of an LSTM have in common.
_LSTM_CELL = f"""
    da_i[t,j] = dc'[t,j] g[t,j] i[t,j] (1 - i[t,j]);
    da_f[t,j] = dc'[t,j] c[t,j] f[t,j] (1 - f[t,j]);
    da_g[t,j] = dc'[t,j] i[t,j] (1 - g[t,j]**2);
    dc[t,j]   = dc'[t,j] f[t,j];
    {_for_each("ifg", _WEIGHT_GRADIENTS)};
"""


def _into(gates: str) -> str:
    """The gradients of what all gates read: the input and the old state."""
    return f"""
    dx[t,e] = {_for_each(gates, "sum_j da_*[t,j] W_*[j,e]", between=" + ")};
    dh[t,k] = {_for_each(gates, "sum_j da_*[t,j] U_*[j,k]", between=" + ")}
    """


RECURRENT = (
    Known(
        name="rnn-cell",
        also=("rnn", "tanh-rnn", "tanh-rnn-cell"),
        title="Cell of a tanh RNN",
        about="One step of the simplest recurrent network.",
        formula="""
            x[n,p], h[n,d], W[d,p], U[d,d], b[d]:
            a[t,j]  = sum_e W[j,e] x[t,e] + sum_k U[j,k] h[t,k] + b[j];
            h'[t,j] = tanh(a[t,j])
        """,
        function=lambda x, h, W, U, b: tanh(_affine(x, h, W, U, b)),
        wrt=("x", "h", "W", "U", "b"),
        closed="""
            da[t,j] = G[t,j] (1 - h'[t,j]**2);
            dx[t,e] = sum_j da[t,j] W[j,e];
            dh[t,k] = sum_j da[t,j] U[j,k];
            dW[j,e] = sum_t da[t,j] x[t,e];
            dU[j,k] = sum_t da[t,j] h[t,k];
            db[j]   = sum_t da[t,j]
        """,
        source=f"{GOODFELLOW}, section 10.2.2; forward equations 10.8 and 10.9",
    ),
    Known(
        name="lstm-cell",
        also=("lstm",),
        title="LSTM cell, by its new state",
        about="A memory that gates write, keep and read.",
        formula=_LSTM,
        function=lambda *inputs: _lstm(*inputs)[0],
        wrt=("x", "h", "c", *_weight_names("ifog")),
        closed=f"""
            dc'[t,j]  = G[t,j] o[t,j] (1 - u[t,j]**2);
            da_o[t,j] = G[t,j] u[t,j] o[t,j] (1 - o[t,j]);
            {_for_each("o", _WEIGHT_GRADIENTS)};
            {_LSTM_CELL}
            {_into("ifog")}
        """,
        sizes={"n": 1, "p": 1, "d": 1},
        source=f"{GREFF}, sections II-A and II-B, without peepholes",
    ),
    Known(
        name="lstm-cell-memory",
        title="LSTM cell, by its new memory",
        about="The path on which a gradient passes through the forget gate alone.",
        formula=_LSTM,
        function=lambda *inputs: _lstm(*inputs)[1],
        output="c'",
        wrt=("x", "h", "c", *_weight_names("ifg")),
        closed=f"dc'[t,j] = G[t,j]; {_LSTM_CELL} {_into('ifg')}",
        sizes={"n": 1, "p": 1, "d": 1},
        source=f"{GREFF}, sections II-A and II-B, without peepholes",
    ),
    Known(
        name="gru-cell",
        also=("gru",),
        title="GRU cell",
        about="Two gates and no separate memory.",
        formula=f"""
            x[n,p], h[n,d], {_weights("zrg")}:
            {_for_each("zr", _PREACTIVATION)};
            {_for_each("zr", "*[t,j] = sigmoid(a_*[t,j])")};
            s[t,k]   = r[t,k] h[t,k];
            a_g[t,j] = sum_e W_g[j,e] x[t,e] + sum_k U_g[j,k] s[t,k] + b_g[j];
            g[t,j]   = tanh(a_g[t,j]);
            h'[t,j]  = z[t,j] h[t,j] + (1 - z[t,j]) g[t,j]
        """,
        function=_gru,
        wrt=("x", "h", *_weight_names("zrg")),
        closed=f"""
            da_z[t,j] = G[t,j] (h[t,j] - g[t,j]) z[t,j] (1 - z[t,j]);
            da_g[t,j] = G[t,j] (1 - z[t,j]) (1 - g[t,j]**2);
            ds[t,k]   = sum_j da_g[t,j] U_g[j,k];
            da_r[t,k] = ds[t,k] h[t,k] r[t,k] (1 - r[t,k]);
            {_for_each("zr", _WEIGHT_GRADIENTS)};
            dW_g[j,e] = sum_t da_g[t,j] x[t,e];
            dU_g[j,k] = sum_t da_g[t,j] s[t,k];
            db_g[j]   = sum_t da_g[t,j];
            dx[t,e]   = {_for_each("zrg", "sum_j da_*[t,j] W_*[j,e]", between=" + ")};
            dh[t,k]   = G[t,k] z[t,k] + ds[t,k] r[t,k] + {_for_each("zr", "sum_j da_*[t,j] U_*[j,k]", between=" + ")}
        """,
        sizes={"n": 1, "p": 1},
        source="forward Cho et al. 2014, arXiv 1406.1078, section 2.3; gradients derived from it",
    ),
)
