"""How does the error of a prediction go backward?  As prediction minus target."""

from __future__ import annotations

from minitorch.ops.distances import kl_div
from minitorch.ops.losses import cross_entropy
from minitorch.ops.reduce import sum
from minitorch.symbolic.library.record import Known

LOSSES = (
    Known(
        name="cross-entropy-soft",
        title="Cross entropy with target probabilities",
        formula="""
            x[n,m], t[n,m]:
            Z[i]   = sum_k exp(x[i,k]);
            p[i,k] = exp(x[i,k]) / Z[i];
            l[i]   = -sum_k t[i,k] (x[i,k] - log(Z[i]))
        """,
        function=lambda x, t: cross_entropy(x, t, "none"),
        output="l",
        wrt=("x", "t"),
        positive=("t",),
        closed="dx[i,k] = G[i] (p[i,k] sum_c t[i,c] - t[i,k]); dt[i,k] = -G[i] log(p[i,k])",
        source="Bishop 2006",
    ),
    Known(
        name="kl-divergence",
        title="Kullback-Leibler divergence",
        formula="x[n,m], t[n,m]: D[i] = sum_k t[i,k] (log(t[i,k]) - x[i,k])",
        function=lambda x, t: sum(kl_div(x, t, "none"), axis=-1),
        wrt=("x", "t"),
        positive=("t",),
        closed="dx[i,k] = -G[i] t[i,k]; dt[i,k] = G[i] (log(t[i,k]) - x[i,k] + 1)",
        source="Cover",
    ),
    Known(
        name="sigmoid-cross-entropy",
        title="Sigmoid cross entropy",
        operation="logistic_loss",
        wrt=("x", "target"),
        closed="dx[i] = G[i] (sigmoid(x[i]) - target[i]); dtarget[i] = -G[i] x[i]",
        source="Bishop",
    ),
)
