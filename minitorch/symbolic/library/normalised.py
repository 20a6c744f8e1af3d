"""How do softmax and its relatives go backward?  What is divided by a sum over the row."""

from __future__ import annotations

from minitorch.symbolic.library.record import Known

NORMALISED = (
    Known(
        name="softmax",
        title="Softmax",
        about="Scores become positive weights that sum to 1.",
        operation="softmax",
        wrt=("x",),
        closed="dx[i] = S[i] (G[i] - sum_j G[j] S[j])",
        source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 6.2.2.3",
    ),
    Known(
        name="log-softmax",
        title="Logarithm of softmax",
        about="The logarithms of softmax's weights, without computing the weights.",
        operation="log_softmax",
        output="out",
        wrt=("x",),
        closed="dx[i] = G[i] - exp(out[i]) sum_j G[j]",
        source="Goodfellow, Bengio & Courville 2016, Deep Learning, equation 6.30",
    ),
    Known(
        name="logsumexp",
        title="Log-sum-exp",
        about="A smooth maximum, whose gradient is softmax.",
        operation="logsumexp",
        wrt=("x",),
        closed="dx[i] = G exp(x[i] - out)",
        source="Boyd & Vandenberghe 2004, Convex Optimization, section 3.1.5",
    ),
)
