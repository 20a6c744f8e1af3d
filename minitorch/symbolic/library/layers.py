"""Layers"""

from __future__ import annotations

from minitorch.ops.movement import reshape
from minitorch.ops.norms import group_norm
from minitorch.symbolic.library.record import Known


def _group_norm(x, weight, bias, eps):
    n, groups, channels, places = x.shape
    rows = reshape(x, (n, groups * channels, places))
    out = group_norm(rows, groups, reshape(weight, (-1,)), reshape(bias, (-1,)), eps)
    return reshape(out, x.shape)


LAYERS = (
    Known(
        name="linear",
        title="Linear layer",
        operation="linear",
        ranks={"x": 2, "weight": 2, "bias": 1},
        wrt=("x", "weight", "bias"),
        closed="dx[b,i] = sum_j G[b,j] weight[j,i]; dweight[j,i] = sum_b G[b,j] x[b,i]; dbias[j] = sum_b G[b,j]",
        source="Goodfellow",
    ),
    Known(
        name="layer-norm",
        title="Layer normalisation",
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
        source="Ba",
    ),
    Known(
        name="rms-norm",
        title="RMS normalisation",
        operation="rms_norm",
        wrt=("x", "weight"),
        values={"eps": 1e-6},
        closed="""
            g[i,j]     = G[i,j] weight[j];
            dx[i,j]    = r[i] (g[i,j] - h[i,j] mean_k g[i,k] h[i,k]);
            dweight[j] = sum_i G[i,j] h[i,j]
        """,
        source="Zhang",
    ),
    Known(
        name="group-norm",
        title="Group normalisation",
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
        source="Wu",
    ),
)
