"""How do the layers between go backward?  Linear maps, lookups, windows, and what brings activations to one scale."""

from __future__ import annotations

from minitorch.ops.convolution import conv1d
from minitorch.ops.movement import reshape
from minitorch.ops.norms import group_norm
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.sources import GOODFELLOW


def _group_norm(x, weight, bias, eps):
    n, groups, channels, places = x.shape
    rows = reshape(x, (n, groups * channels, places))
    out = group_norm(rows, groups, reshape(weight, (-1,)), reshape(bias, (-1,)), eps)
    return reshape(out, x.shape)


LAYERS = (
    Known(
        name="linear",
        title="Linear layer",
        about="A matrix product and a bias.",
        operation="linear",
        ranks={"x": 2, "weight": 2, "bias": 1},
        wrt=("x", "weight", "bias"),
        closed="dx[b,i] = sum_j G[b,j] weight[j,i]; dweight[j,i] = sum_b G[b,j] x[b,i]; dbias[j] = sum_b G[b,j]",
        source=f"{GOODFELLOW}, algorithm 6.4",
    ),
    Known(
        name="embedding",
        also=("embedding-lookup",),
        title="Embedding lookup",
        about="A row of a table for every token; rows that are read twice add up.",
        operation="embedding",
        ranks={"table": 2, "indices": 1},
        wrt=("table",),
        closed="dtable[w,e] = sum_b delta(w, indices[b]) G[b,e]",
        source="forward Bengio et al. 2003, JMLR 3, section 2; gradient derived from it",
    ),
    Known(
        name="causal-convolution",
        also=("causal-conv1d", "causal-conv", "conv1d"),
        title="Causal convolution along one axis",
        about="A window that slides over the past; what lies before the first step counts as 0.",
        formula="""
            x[b,c,n], w[o,c,k], t < n:
            y[a,o,t] = sum_{c,s} w[o,c,s] x[a,c,t + s - k + 1]
        """,
        function=lambda x, w: conv1d(x, w, padding=(w.shape[-1] - 1, 0)),
        wrt=("x", "w"),
        closed="""
            dx[a,c,t] = sum_{o,s} w[o,c,s] G[a,o,t - s + k - 1];
            dw[o,c,s] = sum_{a,t} G[a,o,t] x[a,c,t + s - k + 1]
        """,
        source=(
            f"{GOODFELLOW}, equations 9.11 to 9.13, along one axis; causal as in van den Oord et al. 2016, "
            "arXiv 1609.03499, section 2.1"
        ),
    ),
    Known(
        name="layer-norm",
        title="Layer normalisation",
        about="Every row is brought to mean 0 and variance 1.",
        operation="layer_norm",
        wrt=("x", "weight", "bias"),
        values={"eps": 1e-5},
        closed="""
            g[i,j]     = G[i,j] weight[j];
            dx[i,j]    = r[i] (g[i,j] - mean_k g[i,k] - h[i,j] mean_k g[i,k] h[i,k]);
            dweight[j] = sum_i G[i,j] h[i,j];
            dbias[j]   = sum_i G[i,j]
        """,
        sizes={"n": 1},
        source=(
            "forward Ba et al. 2016, arXiv 1607.06450, equation 4; gradient as for batch normalisation in "
            "Ioffe & Szegedy 2015, arXiv 1502.03167, section 3, collected, over the other axis"
        ),
    ),
    Known(
        name="rms-norm",
        title="RMS normalisation",
        about="Every row is brought to mean square 1.",
        operation="rms_norm",
        wrt=("x", "weight"),
        values={"eps": 1e-6},
        closed="""
            g[i,j]     = G[i,j] weight[j];
            dx[i,j]    = r[i] (g[i,j] - h[i,j] mean_k g[i,k] h[i,k]);
            dweight[j] = sum_i G[i,j] h[i,j]
        """,
        source=(
            "forward Zhang & Sennrich 2019, arXiv 1910.07467, equation 4; gradient there in section 4.2, by "
            "the weights before x, derived here by x"
        ),
    ),
    Known(
        name="group-norm",
        title="Group normalisation",
        about="Every group of channels is brought to mean 0 and variance 1.",
        formula="""
            x[n,g,c,s], weight[g,c], bias[g,c], eps:
            m[i,k]       = mean_{a,p} x[i,k,a,p];
            v[i,k]       = mean_{a,p} (x[i,k,a,p] - m[i,k])**2;
            r[i,k]       = 1 / sqrt(v[i,k] + eps);
            h[i,k,a,p]   = (x[i,k,a,p] - m[i,k]) r[i,k];
            y[i,k,a,p]   = h[i,k,a,p] weight[k,a] + bias[k,a]
        """,
        function=_group_norm,
        wrt=("x", "weight", "bias"),
        values={"eps": 1e-5},
        closed="""
            u[i,k,a,p]   = G[i,k,a,p] weight[k,a];
            dx[i,k,a,p]  = r[i,k] (u[i,k,a,p] - mean_{b,q} u[i,k,b,q] - h[i,k,a,p] mean_{b,q} u[i,k,b,q] h[i,k,b,q]);
            dweight[k,a] = sum_{i,p} G[i,k,a,p] h[i,k,a,p];
            dbias[k,a]   = sum_{i,p} G[i,k,a,p]
        """,
        sizes={"n": 1, "g": 2, "c": 2, "s": 1},
        source=(
            "forward Wu & He 2018, arXiv 1803.08494, section 3; gradient as for layer normalisation, over each group"
        ),
    ),
)
