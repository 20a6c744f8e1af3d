"""How do softmax and its relatives go backward?  What is divided by a sum over the row."""

from __future__ import annotations

from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.sources import BISHOP, GOODFELLOW

NORMALISED = (
    Known(
        name="softmax",
        title="Softmax",
        about="Scores become positive weights that sum to 1.",
        operation="softmax",
        wrt=("x",),
        closed="dx[i] = S[i] (G[i] - sum_j G[j] S[j])",
        source=f"{BISHOP}, equation 4.106",
    ),
    Known(
        name="log-softmax",
        title="Logarithm of softmax",
        about="The logarithms of softmax's weights, without computing the weights.",
        operation="log_softmax",
        output="out",
        wrt=("x",),
        closed="dx[i] = G[i] - exp(out[i]) sum_j G[j]",
        source=f"forward {GOODFELLOW}, equation 6.30; gradient derived from it",
    ),
    Known(
        name="logsumexp",
        also=("lse",),
        title="Log-sum-exp",
        about="A smooth maximum, whose gradient is softmax.",
        operation="logsumexp",
        wrt=("x",),
        closed="dx[i] = G exp(x[i] - out)",
        source="Boyd & Vandenberghe 2004, Convex Optimization, appendix A.4.2",
    ),
)
