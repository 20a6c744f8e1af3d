"""How does the error of a prediction go backward?  As prediction minus target."""

from __future__ import annotations

from minitorch.ops.distances import kl_div
from minitorch.ops.losses import cross_entropy
from minitorch.ops.reduce import sum
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.sources import BISHOP, GOODFELLOW

LOSSES = (
    Known(
        name="cross-entropy",
        also=("cross-entropy-one-hot",),
        title="Cross entropy with the index of the right class",
        about="How surprised a prediction is by the class that was right.",
        operation="cross_entropy",
        output="out",
        ranks={"logits": 2, "targets": 1},
        wrt=("logits",),
        closed="dlogits[b,k] = G[b] (exp(logits[b,k] - lse[b]) - delta(k, targets[b]))",
        source=f"{BISHOP}, equations 4.108 and 4.109, with a one-hot target",
    ),
    Known(
        name="cross-entropy-soft",
        also=("soft-cross-entropy",),
        title="Cross entropy with target probabilities",
        about=("How surprised a prediction is on average over a target distribution, which need not sum to 1 here."),
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
        source=f"{BISHOP}, equations 4.108 and 4.109; by the targets derived from equation 4.108",
    ),
    Known(
        name="cross-entropy-smoothed",
        also=("cross-entropy-label-smoothed", "label-smoothed-cross-entropy", "label-smoothing"),
        title="Cross entropy with label smoothing",
        about=("A little of the target is spread evenly over all classes, so that no logit need grow without end."),
        formula="""
            x[n,m], y[n], alpha:
            Z[i]   = sum_k exp(x[i,k]);
            p[i,k] = exp(x[i,k]) / Z[i];
            q[i,k] = (1 - alpha) delta(k, y[i]) + alpha / m;
            l[i]   = -sum_k q[i,k] log(p[i,k])
        """,
        function=lambda x, y, alpha: cross_entropy(x, y, "none", label_smoothing=alpha),
        wrt=("x",),
        values={"alpha": 0.1},
        closed="dx[i,k] = G[i] (p[i,k] - q[i,k])",
        source="Szegedy et al. 2015, arXiv 1512.00567, section 7",
    ),
    Known(
        name="kl-divergence",
        also=("kl", "kl-div"),
        title="Kullback-Leibler divergence",
        about="How many nats a prediction wastes on a target distribution.",
        formula="x[n,m], t[n,m]: D[i] = sum_k t[i,k] (log(t[i,k]) - x[i,k])",
        function=lambda x, t: sum(kl_div(x, t, "none"), axis=-1),
        wrt=("x", "t"),
        positive=("t",),
        closed="dx[i,k] = -G[i] t[i,k]; dt[i,k] = G[i] (log(t[i,k]) - x[i,k] + 1)",
        source=(
            f"forward {GOODFELLOW}, equation 3.50, with x the predicted log-probabilities; gradients derived from it"
        ),
    ),
    Known(
        name="sigmoid-cross-entropy",
        also=("bce-with-logits", "binary-cross-entropy-with-logits", "sigmoid-bce"),
        title="Sigmoid cross entropy",
        about="Cross entropy for yes or no, from the logit.",
        operation="logistic_loss",
        wrt=("x", "target"),
        closed="dx[i] = G[i] (sigmoid(x[i]) - target[i]); dtarget[i] = -G[i] x[i]",
        source=f"{BISHOP}, equations 4.90 and 4.91; by the target derived from equation 4.90",
    ),
)
