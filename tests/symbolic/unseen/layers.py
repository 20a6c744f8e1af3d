"""Mistakes in the layers between: linear maps, lookups, windows, normalisation."""

import numpy as np

from ..planted.record import Planted, Right


def linear_bias_keeps_the_batch(x, weight, G):
    return G @ weight, G.T @ x, G


def linear_weight_transposed(x, weight, G):
    return G @ weight, x.T @ G, G.sum(0)


def linear_bias_mean(x, weight, dy):
    return {"x": dy @ weight, "weight": dy.T @ x, "bias": dy.mean(axis=0)}


def linear_weight_by_batch_size(x, weight, G):
    return G @ weight, np.einsum("bj,bi->ji", G, x) / len(x), np.einsum("bj->j", G)


def embedding_assigns_instead_of_adding(table, indices, G):
    out = np.zeros_like(table)
    out[indices] += G  # fancy indexing keeps only the last of equal rows
    return out


def embedding_averages_repeated_tokens(table, indices, G):
    out = np.zeros_like(table)
    np.add.at(out, indices, G)
    count = np.bincount(indices, minlength=len(table))
    return out / np.maximum(count, 1)[:, None]


def embedding_skips_the_padding_row(table, indices, G):
    out = np.zeros_like(table)
    np.add.at(out, indices, G)
    out[0] = 0  # no padding row was asked for
    return out


def conv_flips_the_kernel(x, w, G):
    k, n = w.shape[-1], x.shape[-1]
    past = np.pad(x, ((0, 0), (0, 0), (k - 1, 0)))
    dw = np.stack([np.einsum("aot,act->oc", G, past[:, :, s : s + n]) for s in range(k)], -1)
    dpast = np.zeros_like(past)
    for s in range(k):
        dpast[:, :, s : s + n] += np.einsum("oc,aot->act", w[:, :, k - 1 - s], G)
    return dpast[:, :, k - 1 :], dw


def conv_cuts_the_wrong_end(x, w, G):
    k, n = w.shape[-1], x.shape[-1]
    past = np.pad(x, ((0, 0), (0, 0), (k - 1, 0)))
    dw = np.zeros_like(w)
    dpast = np.zeros_like(past)
    for s in range(k):
        dw[:, :, s] = np.einsum("aot,act->oc", G, past[:, :, s : s + n])
        dpast[:, :, s : s + n] += np.einsum("oc,aot->act", w[:, :, s], G)
    return dpast[:, :, :n], dw  # the padding's gradient, not x's


def conv_keeps_only_the_last_tap(x, w, G):
    k, n = w.shape[-1], x.shape[-1]
    past = np.pad(x, ((0, 0), (0, 0), (k - 1, 0)))
    dw = np.stack([np.einsum("aot,act->oc", G, past[:, :, s : s + n]) for s in range(k)], -1)
    return np.einsum("oc,aot->act", w[:, :, -1], G), dw


def _norm(x, eps=1e-5, ddof=0):
    r = 1 / np.sqrt(x.var(axis=-1, keepdims=True, ddof=ddof) + eps)
    return (x - x.mean(axis=-1, keepdims=True)) * r, r


def layer_norm_mean_and_variance_are_constants(x, weight, G):
    h, r = _norm(x)
    return G * weight * r, (G * h).sum(0), G.sum(0)


def layer_norm_without_the_variance(x, weight, G):
    h, r = _norm(x)
    g = G * weight
    return r * (g - g.mean(-1, keepdims=True)), (G * h).sum(0), G.sum(0)


def layer_norm_sums_of_the_published_kernel_not_divided(x, weight, G):
    h, r = _norm(x)
    g = G * weight
    dx = r * (g - g.mean(-1, keepdims=True) - h * (g * h).sum(-1, keepdims=True))
    return dx, (G * h).sum(0), G.sum(0)


def layer_norm_gain_forgotten(x, weight, dout):
    h, r = _norm(x)
    dx = r * (dout - dout.mean(-1, keepdims=True) - h * (dout * h).mean(-1, keepdims=True))
    return dx, np.einsum("nd,nd->d", dout, h), dout.sum(0)


def layer_norm_gain_from_the_input(x, weight, dout):
    h, r = _norm(x)
    g = dout * weight
    dx = r * (g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True))
    return dx, (dout * x).sum(0), dout.sum(0)


def layer_norm_with_the_sample_variance(x, weight, G):
    n = x.shape[-1]
    h, r = _norm(x, ddof=1)
    g = G * weight
    dx = r * (g - g.mean(-1, keepdims=True) - h * (g * h).sum(-1, keepdims=True) / (n - 1))
    return dx, (G * h).sum(0), G.sum(0)


def layer_norm_statistics_along_the_batch(x, weight, G):
    h, r = _norm(x)
    g = G * weight
    dx = r * (g - g.mean(0) - h * (g * h).mean(0))
    return dx, (G * h).sum(0), G.sum(0)


def layer_norm_variance_for_its_root(x, weight, v, eps, G):
    h = (x - x.mean(-1, keepdims=True)) / np.sqrt(v + eps)[:, None]
    g = G * weight
    dx = (g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)) / (v + eps)[:, None]
    return dx, (G * h).sum(0), G.sum(0)


def rms_norm_variance_path_positive(x, weight, G):
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)
    g, h = G * weight, x * r
    return r * (g + h * (g * h).mean(-1, keepdims=True)), (G * h).sum(0)


def rms_norm_projects_on_x(x, weight, G):
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)
    g, h = G * weight, x * r
    return r * (g - x * (g * h).mean(-1, keepdims=True)), (G * h).sum(0)


def rms_norm_removes_the_mean_like_layer_norm(x, weight, G):
    r = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6)
    g, h = G * weight, x * r
    return r * (g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)), (G * h).sum(0)


def group_norm_bias_per_place(x, weight, G):
    m, v = x.mean((2, 3), keepdims=True), x.var((2, 3), keepdims=True)
    r = 1 / np.sqrt(v + 1e-5)
    h, g = (x - m) * r, G * weight[:, :, None]
    dx = r * (g - g.mean((2, 3), keepdims=True) - h * (g * h).mean((2, 3), keepdims=True))
    return dx, (G * h).sum((0, 3)), G.sum(0)


_LINEAR_RIGHT = "dx[b,i] = sum_j G[b,j] weight[j,i]; dbias[j] = sum_b G[b,j]; "

PLANTED = (
    Planted("linear: bias kept", "linear", linear_bias_keeps_the_batch, ("bias",), ("not summed",)),
    Planted("linear: weight.T", "linear", linear_weight_transposed, ("weight",), ("transposed result",)),
    Planted("linear: bias mean", "linear", linear_bias_mean, ("bias",), ("mean instead of sum",)),
    Planted("linear: weight mean", "linear", linear_weight_by_batch_size, ("weight",),
            ("mean instead of sum", "scaled")),
    Planted("linear text: weight summed", "linear",
            _LINEAR_RIGHT + "s[b] = sum_j G[b,j]; dweight[j,i] = sum_b s[b] x[b,i]", ("weight",), ("summed",)),
    Planted("embedding: assigned", "embedding", embedding_assigns_instead_of_adding, ("table",),
            ("missing term", "not summed")),
    Planted("embedding: averaged", "embedding", embedding_averages_repeated_tokens, ("table",),
            ("mean instead of sum", "scaled")),
    Planted("embedding: padding", "embedding", embedding_skips_the_padding_row, ("table",),
            ("dropped mask", "missing term")),
    Planted("conv: flipped", "conv1d", conv_flips_the_kernel, ("x",), ("shifted index",)),
    Planted("conv: wrong end", "conv1d", conv_cuts_the_wrong_end, ("x",), ("shifted index",)),
    Planted("conv: one tap", "conv1d", conv_keeps_only_the_last_tap, ("x",), ("missing term", "not summed")),
    Planted("conv text: off by one", "conv1d",
            "dw[o,c,s] = sum_{a,t} G[a,o,t] x[a,c,t + s - k]; "
            "dx[a,c,t] = sum_{o,s} w[o,c,s] G[a,o,t - s + k - 1]", ("w",), ("shifted index",)),
    Planted("layer-norm: constants", "layer-norm", layer_norm_mean_and_variance_are_constants, ("x",),
            ("missing path", "missing term")),
    Planted("layer-norm: variance", "layer-norm", layer_norm_without_the_variance, ("x",),
            ("missing path", "missing term")),
    Planted("layer-norm: undivided", "layer-norm", layer_norm_sums_of_the_published_kernel_not_divided, ("x",),
            ("sum instead of mean",)),
    Planted("layer-norm: gain", "layer-norm", layer_norm_gain_forgotten, ("x",), ("missing factor",)),
    Planted("layer-norm: x for h", "layer-norm", layer_norm_gain_from_the_input, ("weight",),
            ("wrong array", "before for after")),
    Planted("layer-norm: Bessel", "layer-norm", layer_norm_with_the_sample_variance, ("x", "weight"),
            ("scaled", "wrong number")),
    Planted("layer-norm: batch axis", "layer-norm", layer_norm_statistics_along_the_batch, ("x",), ("wrong axis",)),
    Planted("layer-norm: no root", "layer-norm", layer_norm_variance_for_its_root, ("x",),
            ("wrong power", "extra factor")),
    Planted("layer-norm text: r twice", "layer-norm",
            "g[i,j] = G[i,j] weight[j]; dx[i,j] = r[i] (g[i,j] - mean_k g[i,k] "
            "- h[i,j] r[i] mean_k g[i,k] h[i,k]); dbias[j] = sum_i G[i,j]", ("x",), ("extra factor", "wrong power"),
            wrt=("x", "bias")),
    Planted("rms-norm: sign", "rms-norm", rms_norm_variance_path_positive, ("x",), ("wrong sign",)),
    Planted("rms-norm: x for h", "rms-norm", rms_norm_projects_on_x, ("x",),
            ("wrong array", "before for after", "missing factor", "wrong power")),
    Planted("rms-norm: mean", "rms-norm", rms_norm_removes_the_mean_like_layer_norm, ("x",), ("extra term",)),
    Planted("rms-norm text: root taken twice", "rms-norm",
            "g[i,j] = G[i,j] weight[j]; dx[i,j] = g[i,j] r[i] - x[i,j] r[i]**2 mean_k g[i,k] x[i,k]", ("x",),
            ("wrong power", "missing factor"), wrt=("x",)),
    Planted("group-norm: bias", "group-norm", group_norm_bias_per_place, ("bias",), ("not summed", "wrong shape")),
)  # fmt: skip


def right_linear_einsum(x, weight, bias, G):
    return {
        "dbias": np.einsum("bj->j", G),
        "dx": np.einsum("bj,ji->bi", G, weight),
        "dweight": np.einsum("bj,bi->ji", G, x),
    }


def right_embedding_one_hot(table, indices, G):
    return np.eye(len(table))[indices].T @ G


def right_layer_norm_batch_norm_paper(x, weight, eps, G):
    n = x.shape[1]
    centred = x - x.mean(1, keepdims=True)
    std = np.sqrt((centred**2).mean(1, keepdims=True) + eps)
    dh = G * weight
    dvar = (dh * centred).sum(1, keepdims=True) * -0.5 * std**-3
    dmean = -(dh / std).sum(1, keepdims=True) - 2 * dvar * centred.mean(1, keepdims=True)
    return dh / std + dvar * 2 * centred / n + dmean / n, (G * centred / std).sum(0), G.sum(0)


def right_conv_loops(x, w, G):
    (batch, _, n), k = x.shape, w.shape[-1]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for a in range(batch):
        for t in range(n):
            for s in range(k):
                at = t + s - k + 1
                if at >= 0:
                    dx[a, :, at] += G[a, :, t] @ w[:, :, s]
                    dw[:, :, s] += np.outer(G[a, :, t], x[a, :, at])
    return dx, dw


def right_rms_norm(x, weight, G):
    rms = np.sqrt(np.mean(np.square(x), -1, keepdims=True) + 1e-6)
    g = G * weight
    inner = np.einsum("nd,nd->n", g, x)[:, None]
    return g / rms - x * inner / (x.shape[-1] * rms**3), np.sum(G * x / rms, axis=0)


RIGHT = (
    Right("linear by einsum", "linear", right_linear_einsum),
    Right("embedding by one-hot", "embedding", right_embedding_one_hot),
    Right("layer-norm step by step", "layer-norm", right_layer_norm_batch_norm_paper),
    Right("layer-norm in single precision", "layer-norm", right_layer_norm_batch_norm_paper,
          options={"dtype": "float32"}),
    Right("conv by loops", "conv1d", right_conv_loops),
    Right("rms-norm", "rms-norm", right_rms_norm),
)  # fmt: skip
