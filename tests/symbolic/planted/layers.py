"""Mistakes in the backward passes of linear layers, norms, activations, embedding, convolution, rotary positions."""

import math

import numpy as np

from .record import Planted, Right

vector_erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def linear_mean_bias(x, weight, bias, dy):
    return dy @ weight, dy.T @ x, dy.mean(axis=0)


def linear_bias_not_summed(x, weight, bias, dy):
    return dy @ weight, dy.T @ x, dy


def linear_weight_transposed(x, weight, bias, dy):
    return dy @ weight, x.T @ dy, dy.sum(0)


def linear_with_the_transpose_forgotten(x, weight, bias, dy):
    return dy @ weight.T, dy.T @ x, dy.sum(0)


def linear_bias_over_features(x, weight, bias, dy):
    return dy @ weight, dy.T @ x, dy.sum(axis=1)


def norm_parts(x, eps=1e-5):
    r = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return r, (x - x.mean(axis=-1, keepdims=True)) * r


def layer_norm(mean=True, variance=True, bessel=False, gamma=True, last=True):
    def backward(x, gamma_, beta, dout):
        r, h = norm_parts(x)
        d = x.shape[1]
        g = dout * gamma_ if gamma else dout
        n = d - 1 if bessel else d
        dx = g.copy()
        if mean:
            dx -= g.mean(axis=1, keepdims=True)
        if variance:
            dx -= h * (g * h).sum(axis=1, keepdims=True) / n
        return (dx * r if last else dx), (dout * h).sum(axis=0), dout.sum(axis=0)

    def named(x, weight, bias, dout):
        return backward(x, weight, bias, dout)

    return named


def layer_norm_weight_by_x(x, weight, bias, dout):
    r, h = norm_parts(x)
    g = dout * weight
    dx = r * (g - g.mean(1, keepdims=True) - h * (g * h).mean(1, keepdims=True))
    return dx, (dout * x).sum(0), dout.sum(0)


def layer_norm_over_the_batch(x, weight, bias, dout):
    r, h = norm_parts(x)
    g = dout * weight
    dx = r * (g - g.mean(0, keepdims=True) - h * (g * h).mean(1, keepdims=True))
    return dx, (dout * h).sum(0), dout.sum(0)


def rms_norm_like_layer_norm(x, weight, dout, eps=1e-5):
    r = 1 / np.sqrt((x * x).mean(1, keepdims=True) + eps)
    h, g = x * r, dout * weight
    return r * (g - g.mean(1, keepdims=True) - h * (g * h).mean(1, keepdims=True)), (dout * h).sum(0)


def rms_norm_sum(x, weight, dout, eps=1e-5):
    r = 1 / np.sqrt((x * x).mean(1, keepdims=True) + eps)
    h, g = x * r, dout * weight
    return r * (g - h * (g * h).sum(1, keepdims=True)), (dout * h).sum(0)


def rms_norm_weight_not_normalised(x, weight, dout, eps=1e-5):
    r = 1 / np.sqrt((x * x).mean(1, keepdims=True) + eps)
    h, g = x * r, dout * weight
    return r * (g - h * (g * h).mean(1, keepdims=True)), (dout * x).sum(0)


def gelu_without_the_density(x, dy):
    return dy * 0.5 * (1 + vector_erf(x / np.sqrt(2)))


def gelu_density_without_root(x, dy):
    return dy * (0.5 * (1 + vector_erf(x / np.sqrt(2))) + x * np.exp(-x * x / 2) / (2 * np.pi))


def gelu_tanh(x, dy, cubic=3 * 0.044715, outer=1.0):
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return dy * (0.5 * (1 + t) + outer * 0.5 * x * (1 - t * t) * c * (1 + cubic * x * x))


def silu_derivative_of_the_sigmoid_only(x, dy):
    return dy * sigmoid(x) * (1 - sigmoid(x))


def silu_without_the_second_term(x, dy):
    return dy * sigmoid(x)


def silu_without_x(x, dy):
    s = sigmoid(x)
    return dy * (s + s * (1 - s))


def swiglu_swapped(gate, value, dy):
    s = sigmoid(gate)
    return dy * gate * s, dy * value * (s + gate * s * (1 - s))


def embedding_overwrites(table, indices, dout):
    d = np.zeros_like(table)
    d[indices] = dout
    return d


def convolution(x, w, dy, shift=0, flip=False):
    n, k = x.shape[2], w.shape[2]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for t in range(n):
        for s in range(k):
            u = t + s - k + 1 + shift
            if 0 <= u < n:
                dx[:, :, u] += dy[:, :, t] @ w[:, :, k - 1 - s if flip else s]
                dw[:, :, s] += np.einsum("bo,bc->oc", dy[:, :, t], x[:, :, u])
    return dx, dw


def rope(x, dy, sign=-1, base=10000.0):
    n, d = x.shape[0], x.shape[1] // 2
    a = np.arange(n)[:, None] * base ** (-np.arange(d) / d)
    out = np.empty_like(dy)
    even, odd = dy[:, ::2], dy[:, 1::2]
    out[:, ::2] = even * np.cos(a) - sign * odd * np.sin(a)
    out[:, 1::2] = odd * np.cos(a) + sign * even * np.sin(a)
    return out


PLANTED = (
    Planted(
        "linear, mean over the batch in bias", "linear", linear_mean_bias, ("bias",), ("mean instead of sum", "scaled")
    ),
    Planted("linear, bias not summed", "linear", linear_bias_not_summed, ("bias",), ("not summed",)),
    Planted("linear, weight transposed", "linear", linear_weight_transposed, ("weight",), ("transposed result",)),
    Planted(
        "linear, transpose forgotten",
        "linear",
        linear_with_the_transpose_forgotten,
        ("x",),
        ("read transposed", "equal sizes only"),
    ),
    Planted(
        "linear, bias summed over features",
        "linear",
        linear_bias_over_features,
        ("bias",),
        ("wrong axis", "equal sizes only", "wrong shape"),
    ),
    Planted(
        "layer norm without the mean term",
        "layer-norm",
        layer_norm(mean=False),
        ("x",),
        ("missing term", "missing path"),
    ),
    Planted(
        "layer norm without the variance term",
        "layer-norm",
        layer_norm(variance=False),
        ("x",),
        ("missing term", "missing path"),
    ),
    Planted("layer norm with Bessel's n - 1", "layer-norm", layer_norm(bessel=True), ("x",), ("scaled",)),
    Planted("layer norm without gamma", "layer-norm", layer_norm(gamma=False), ("x",), ("missing factor",)),
    Planted("layer norm without 1/std", "layer-norm", layer_norm(last=False), ("x",), ("missing factor",)),
    Planted(
        "layer norm, weight by x for x-hat",
        "layer-norm",
        layer_norm_weight_by_x,
        ("weight",),
        ("before for after", "wrong array"),
    ),
    Planted("layer norm, mean over the batch", "layer-norm", layer_norm_over_the_batch, ("x",), ("wrong axis",)),
    Planted("RMS norm with a mean term", "rms-norm", rms_norm_like_layer_norm, ("x",), ("extra term",)),
    Planted("RMS norm, sum for mean", "rms-norm", rms_norm_sum, ("x",), ("sum instead of mean", "scaled")),
    Planted(
        "RMS norm, weight by x",
        "rms-norm",
        rms_norm_weight_not_normalised,
        ("weight",),
        ("before for after", "wrong array", "missing factor"),
    ),
    Planted("GELU without the density", "gelu", gelu_without_the_density, ("x",), ("missing term", "missing path")),
    Planted(
        "GELU, density without the root",
        "gelu",
        gelu_density_without_root,
        ("x",),
        ("scaled", "wrong power", "wrong number"),
    ),
    Planted(
        "GELU tanh without the 3",
        "gelu-tanh",
        lambda x, dy: gelu_tanh(x, dy, 0.044715),
        ("x",),
        ("scaled", "wrong number"),
    ),
    Planted(
        "GELU tanh without its second term",
        "gelu-tanh",
        lambda x, dy: gelu_tanh(x, dy, outer=0),
        ("x",),
        ("missing term", "missing path"),
    ),
    Planted(
        "SiLU, sigmoid' only",
        "silu",
        silu_derivative_of_the_sigmoid_only,
        ("x",),
        ("missing term", "missing path", "wrong derivative", "missing factor"),
    ),
    Planted(
        "SiLU without the second term", "silu", silu_without_the_second_term, ("x",), ("missing term", "missing path")
    ),
    Planted("SiLU without x", "silu", silu_without_x, ("x",), ("missing factor",)),
    Planted("SwiGLU, gradients exchanged", "swiglu", swiglu_swapped, ("gate", "value"), ("swapped gradients",)),
    Planted(
        "embedding overwrites repeated words",
        "embedding",
        embedding_overwrites,
        ("table",),
        ("not summed", "unexplained", "missing term"),
    ),
    Planted(
        "convolution off by one",
        "causal-convolution",
        lambda x, w, dy: convolution(x, w, dy, 1),
        ("x", "w"),
        ("shifted index",),
    ),
    Planted(
        "convolution, kernel not flipped",
        "causal-convolution",
        lambda x, w, dy: convolution(x, w, dy, flip=True),
        ("x",),
        ("shifted index",),
    ),
    Planted(
        "rotary positions turned forward", "rotary-positions", lambda x, dy: rope(x, dy, 1), ("x",), ("wrong sign",)
    ),
    Planted(
        "rotary positions, another base",
        "rotary-positions",
        lambda x, dy: rope(x, dy, base=1000.0),
        ("x",),
        ("wrong number", "unexplained", "scaled"),
    ),
    Planted(
        "linear formula with the wrong index",
        "linear",
        "dx[b,i] = sum_j G[b,j] weight[j,i] bias[j]",
        ("x",),
        ("extra factor",),
        ("x",),
    ),
    Planted(
        "linear formula, bias forgets the sum's sign",
        "linear",
        "dbias[j] = -sum_b G[b,j]",
        ("bias",),
        ("wrong sign",),
        ("bias",),
    ),
    Planted(
        "RMS norm formula, r squared for cubed",
        "rms-norm",
        "dx[i,j] = r[i] weight[j] G[i,j] - x[i,j] r[i]**2 / d sum_k G[i,k] weight[k] x[i,k]",
        ("x",),
        ("wrong power",),
        ("x",),
    ),
)

RIGHT = (
    Right("linear", "linear", lambda x, weight, bias, dy: (dy @ weight, np.einsum("bj,bi->ji", dy, x), dy.sum(0))),
    Right("layer norm", "layer-norm", layer_norm()),
    Right(
        "RMS norm formula",
        "rms-norm",
        "dx[i,j] = r[i] weight[j] G[i,j] - x[i,j] r[i]**3 / d sum_k G[i,k] weight[k] x[i,k]",
        ("x",),
    ),
    Right("GELU tanh", "gelu-tanh", gelu_tanh),
    Right("SiLU", "silu", lambda x, dy: dy * (sigmoid(x) + x * sigmoid(x) * sigmoid(-x))),
    Right(
        "embedding",
        "embedding",
        lambda table, indices, dout: (d := np.zeros_like(table), np.add.at(d, indices, dout))[0],
    ),
    Right("convolution in loops", "causal-convolution", convolution),
    Right("rotary positions", "rotary-positions", rope),
)
