"""acts"""

from __future__ import annotations

from minitorch.symbolic.library.record import Known

ACTIVATIONS = (
    Known(
        name="gelu",
        title="GELU",
        operation="gelu",
        wrt=("x",),
        closed="dx[i] = G[i] ((1 + erf(x[i] / sqrt(2))) / 2 + x[i] exp(-x[i]**2 / 2) / sqrt(2 pi))",
        source="",
    ),
    Known(
        name="gelu-tanh",
        title="GELU by tanh",
        operation="gelu",
        static={"approximate": "tanh"},
        wrt=("x",),
        closed="""
            t[i]  = tanh(sqrt(2 / pi) (x[i] + 0.044715 x[i]**3));
            dx[i] = G[i] ((1 + t[i]) / 2 + x[i] / 2 (1 - t[i]**2) sqrt(2 / pi) (1 + 3 * 0.044715 x[i]**2))
        """,
        source="",
    ),
    Known(
        name="silu",
        title="SiLU",
        operation="silu",
        wrt=("x",),
        closed="dx[i] = G[i] sigmoid(x[i]) (1 + x[i] (1 - sigmoid(x[i])))",
        source="",
    ),
    Known(
        name="swiglu",
        title="SwiGLU",
        operation="swiglu",
        wrt=("gate", "value"),
        closed="""
            s[i]      = sigmoid(gate[i]);
            dgate[i]  = G[i] value[i] s[i] (1 + gate[i] (1 - s[i]));
            dvalue[i] = G[i] gate[i] s[i]
        """,
        source="",
    ),
)
