"""Mistakes in the backward passes of softmax, its logarithm, and losses."""

import numpy as np

from .record import Planted, Right


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_without_the_row_sum(S, G):
    return S * G


def softmax_with_a_plus(S, G):
    return S * (G + (G * S).sum())


def softmax_with_the_mean(S, G):
    return S * (G - (G * S).mean())


def softmax_with_a_plain_sum(S, dS):
    return S * (dS - dS.sum())


def softmax_without_the_outer_factor(S, G):
    return G - (G * S).sum()


def softmax_jacobian_diagonal_only(y, dy):
    return np.diag(y * (1 - y)) @ dy


def log_softmax_with_a_softmax_of_the_gradient(x, dout):
    return dout - softmax(dout) * dout.sum()


def log_softmax_without_the_sum(x, dout):
    return dout - softmax(x) * dout


def log_softmax_through_the_output(out, dout):
    return dout - out * dout.sum()


def logsumexp_forgets_to_normalise(x, dout):
    return np.exp(x) * dout


def cross_entropy_the_other_way_round(logits, targets, grad_output):
    p = softmax(logits)
    p[np.arange(len(targets)), targets] -= 1
    return -p * grad_output[:, None]


def cross_entropy_averaged_over_the_batch(logits, targets, grad_output):
    p = softmax(logits)
    p[np.arange(len(targets)), targets] -= 1
    return p / len(targets) * grad_output[:, None]


def cross_entropy_without_the_target(logits, targets, grad_output):
    return softmax(logits) * grad_output[:, None]


def sigmoid_cross_entropy_of_the_probability(x, target, dout):
    s = 1 / (1 + np.exp(-x))
    return (s - target) * s * (1 - s) * dout


def sigmoid_cross_entropy_without_the_sigmoid(x, target, dout):
    return (x - target) * dout


PLANTED = (
    Planted("softmax without the row sum", "softmax", softmax_without_the_row_sum, ("x",), ("missing term",)),
    Planted("softmax with a plus", "softmax", softmax_with_a_plus, ("x",), ("wrong sign",)),
    Planted("softmax with the mean", "softmax", softmax_with_the_mean, ("x",), ("mean instead of sum", "scaled")),
    Planted("softmax with a plain sum", "softmax", softmax_with_a_plain_sum, ("x",), ("missing factor",)),
    Planted("softmax without S in front", "softmax", softmax_without_the_outer_factor, ("x",), ("missing factor",)),
    Planted(
        "softmax, diagonal of the Jacobian",
        "softmax",
        softmax_jacobian_diagonal_only,
        ("x",),
        ("missing term", "not summed", "wrong derivative", "summed"),
    ),
    Planted(
        "log-softmax, softmax of the gradient",
        "log-softmax",
        log_softmax_with_a_softmax_of_the_gradient,
        ("x",),
        ("wrong array",),
    ),
    Planted("log-softmax without the sum", "log-softmax", log_softmax_without_the_sum, ("x",), ("not summed",)),
    Planted(
        "log-softmax through its output",
        "log-softmax",
        log_softmax_through_the_output,
        ("x",),
        ("before for after", "wrong array", "wrong derivative", "missing factor"),
    ),
    Planted(
        "logsumexp not normalised",
        "logsumexp",
        logsumexp_forgets_to_normalise,
        ("x",),
        ("missing factor", "wrong derivative", "scaled"),
    ),
    Planted(
        "cross entropy the other way round",
        "cross-entropy",
        cross_entropy_the_other_way_round,
        ("logits",),
        ("wrong sign",),
    ),
    Planted("cross entropy averaged", "cross-entropy", cross_entropy_averaged_over_the_batch, ("logits",), ("scaled",)),
    Planted(
        "cross entropy without its target",
        "cross-entropy",
        cross_entropy_without_the_target,
        ("logits",),
        ("missing term",),
    ),
    Planted(
        "sigmoid cross entropy with sigmoid' once more",
        "sigmoid-cross-entropy",
        sigmoid_cross_entropy_of_the_probability,
        ("x",),
        ("extra factor",),
        wrt=("x",),
    ),
    Planted(
        "sigmoid cross entropy without the sigmoid",
        "sigmoid-cross-entropy",
        sigmoid_cross_entropy_without_the_sigmoid,
        ("x",),
        ("before for after", "wrong derivative", "wrong array", "missing factor"),
        wrt=("x",),
    ),
    Planted(
        "softmax formula with a free sum", "softmax", "dx[i] = S[i] (G[i] - sum_j S[j])", ("x",), ("missing factor",)
    ),
    Planted(
        "log-softmax formula with plus", "log-softmax", "dx[i] = G[i] + exp(out[i]) sum_j G[j]", ("x",), ("wrong sign",)
    ),
    Planted(
        "KL divergence by the target without the one",
        "kl-divergence",
        "dt[i,k] = G[i] (log(t[i,k]) - x[i,k])",
        ("t",),
        ("missing term",),
        wrt=("t",),
    ),
)


def softmax_with_einsum(x, G):
    S = softmax(x)
    return np.einsum("i,ij->j", G, np.diag(S) - np.outer(S, S))


def softmax_in_loops(x, grad):
    S = np.exp(x) / np.exp(x).sum()
    dx = np.zeros_like(x)
    for i in range(len(x)):
        for j in range(len(x)):
            dx[i] += grad[j] * S[j] * ((i == j) - S[i])
    return dx


def softmax_in_float32(x, dout):
    x, dout = x.astype(np.float32), dout.astype(np.float32)
    S = softmax(x)
    return S * (dout - (dout * S).sum())


def cross_entropy_in_place(logits, targets, dloss):
    d = softmax(logits.copy())
    d[np.arange(len(d)), targets] -= 1
    d *= dloss[:, None]
    return d


RIGHT = (
    Right("softmax by its Jacobian", "softmax", softmax_with_einsum),
    Right("softmax in loops", "softmax", softmax_in_loops),
    Right("softmax in float32", "softmax", softmax_in_float32),
    Right("softmax formula", "softmax", "dx[i] = S[i] G[i] - S[i] sum_j G[j] S[j]"),
    Right("log-softmax", "log-softmax", lambda x, dy: dy - softmax(x) * dy.sum()),
    Right("soft cross entropy for probabilities", "cross-entropy-soft", lambda p, t, G: (p - t) * G[:, None], ("x",)),
    Right("cross entropy in place", "cross-entropy", cross_entropy_in_place),
    Right("sigmoid cross entropy", "sigmoid-cross-entropy", lambda x, t, g: ((1 + np.tanh(x / 2)) / 2 - t) * g, ("x",)),
)
