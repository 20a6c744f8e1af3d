"""How do softmax and its relatives go backward?  What is divided by a sum over the row."""

from __future__ import annotations

from minitorch.symbolic.library.record import Known

NORMALISED = (
    Known(
        name="softmax",
        title="Softmax",
        operation="softmax",
        wrt=("x",),
        closed="dx[i] = S[i] (G[i] - sum_j G[j] S[j])",
        source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 6.2.2.3",
    ),
)
