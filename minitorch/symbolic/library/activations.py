"""How does what bends go backward?  Entry by entry, by the slope of the function."""

from __future__ import annotations

from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.sources import HENDRYCKS

ACTIVATIONS = (
    Known(
        name="gelu",
        also=("gelu-erf",),
        title="GELU",
        about="An input times the probability that a standard normal is below it.",
        operation="gelu",
        wrt=("x",),
        closed="dx[i] = G[i] ((1 + erf(x[i] / sqrt(2))) / 2 + x[i] exp(-x[i]**2 / 2) / sqrt(2 pi))",
        source=f"forward {HENDRYCKS}, section 2; gradient derived from it: Phi(x) + x phi(x)",
    ),
    Known(
        name="gelu-tanh",
        title="GELU by tanh",
        about="GELU with its error function approximated by tanh, as in GPT-2.",
        operation="gelu",
        static={"approximate": "tanh"},
        wrt=("x",),
        closed="""
            t[i]  = tanh(sqrt(2 / pi) (x[i] + 0.044715 x[i]**3));
            dx[i] = G[i] ((1 + t[i]) / 2 + x[i] / 2 (1 - t[i]**2) sqrt(2 / pi) (1 + 3 * 0.044715 x[i]**2))
        """,
        source=f"forward {HENDRYCKS}, section 2; gradient derived from it",
    ),
    Known(
        name="silu",
        also=("swish",),
        title="SiLU",
        about="An input times its own sigmoid.",
        operation="silu",
        wrt=("x",),
        closed="dx[i] = G[i] sigmoid(x[i]) (1 + x[i] (1 - sigmoid(x[i])))",
        source="Elfwing et al. 2017, arXiv 1702.03118, section 2 (dSiLU)",
    ),
    Known(
        name="swiglu",
        title="SwiGLU",
        about="One linear map gates another.",
        operation="swiglu",
        wrt=("gate", "value"),
        closed="""
            s[i]      = sigmoid(gate[i]);
            dgate[i]  = G[i] value[i] s[i] (1 + gate[i] (1 - s[i]));
            dvalue[i] = G[i] gate[i] s[i]
        """,
        source="forward Shazeer 2020, arXiv 2002.05202, section 2; gradients derived from it with those of SiLU",
    ),
)
