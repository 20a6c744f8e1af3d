"""Mistakes in what acts on a row or entry by entry: softmax, its logarithm, losses, activations."""

import numpy as np

from ..planted.record import Planted, Right


def softmax_rowsum_before_the_product(S, G):
    return S * (G - G.sum(axis=-1, keepdims=True) * S)  # sum(G) S, where sum(G S) belongs


def softmax_jacobian_without_its_diagonal(y, grad_output):
    return -y * np.dot(grad_output, y)


def softmax_mean_for_rowsum(S, dout):
    return S * (dout - np.mean(dout * S, axis=-1, keepdims=True))


def softmax_as_if_it_were_the_sigmoid(S, G):
    return G * S * (1 - S)  # the diagonal of the Jacobian only


def softmax_plus_in_the_jacobian(x, G):
    e = np.exp(x - x.max())
    s = e / e.sum()
    J = np.diag(s) + np.outer(s, s)
    return J @ G


def log_softmax_takes_the_logarithms_for_probabilities(out, grad):
    return grad - out * grad.sum(-1, keepdims=True)


def log_softmax_is_not_summed(x, G):
    e = np.exp(x - x.max())
    return G - e / e.sum() * G


def logsumexp_without_normalising(x, G):
    return G * np.exp(x)


def cross_entropy_adds_one_at_the_target(logits, targets, G):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(targets)), targets] += 1
    return p * G[:, None]


def cross_entropy_averaged_over_the_batch(logits, targets, G):
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(targets)), targets] -= 1
    return p * G[:, None] / logits.shape[0]  # the loss is one number per row


def cross_entropy_scales_the_probabilities_alone(logits, targets, G):
    p = np.exp(logits)
    grad = p / p.sum(1, keepdims=True) * G[:, None]
    for row, target in enumerate(targets):
        grad[row, target] -= 1  # not G[row]
    return grad


def cross_entropy_normalised_along_the_batch(logits, targets, G):
    p = np.exp(logits - logits.max(axis=0, keepdims=True))
    p = p / p.sum(axis=0, keepdims=True)
    p[np.arange(targets.size), targets] -= 1
    return p * G[:, None]


def soft_targets_taken_to_sum_to_one(x, t, G):
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    return {"x": (p - t) * G[:, None], "t": -G[:, None] * np.log(p)}


def bce_divided_as_without_logits(x, target, G):
    s = 1 / (1 + np.exp(-x))
    return G * (s - target) / (s * (1 - s)), -G * x


def bce_target_minus_prediction(x, target, G):
    return G * (target - 1 / (1 + np.exp(-x))), -x * G


def kl_without_the_one(x, t, G):
    g = G[:, None]
    return -g * t, g * (np.log(t) - x)


def gelu_density_without_its_minus(x, G):
    from math import erf

    phi = np.exp(x**2 / 2) / np.sqrt(2 * np.pi)
    Phi = 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))
    return G * (Phi + x * phi)


def gelu_density_without_its_x(x, G):
    from math import erf

    Phi = 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))
    return G * (Phi + np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi))


def gelu_tanh_cube_not_tripled(x, G):
    c, a = np.sqrt(2 / np.pi), 0.044715
    t = np.tanh(c * (x + a * x**3))
    return G * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + a * x * x))


def gelu_tanh_without_sech(x, G):
    c, a = np.sqrt(2 / np.pi), 0.044715
    t = np.tanh(c * (x + a * x**3))
    return G * (0.5 * (1 + t) + 0.5 * x * c * (1 + 3 * a * x * x))


def silu_without_the_gate_path(x, dy):
    return dy / (1 + np.exp(-x))


def silu_slope_from_the_output(x, dy):
    s = 1 / (1 + np.exp(-x))
    y = x * s
    return dy * s * (1 + y * (1 - s))


def swiglu_value_gets_the_sigmoid_alone(gate, value, G):
    s = 1 / (1 + np.exp(-gate))
    return G * value * s * (1 + gate * (1 - s)), G * s


def swiglu_gate_forgets_the_value(gate, value, dout):
    s = 1 / (1 + np.exp(-gate))
    return dout * (s + gate * s * (1 - s)), dout * gate * s


def swiglu_returned_the_other_way_round(gate, value, G):
    s = 1 / (1 + np.exp(-gate))
    d_gate = G * value * s * (1 + gate * (1 - s))
    d_value = G * gate * s
    return d_value, d_gate


PLANTED = (
    Planted("softmax: sum(G) S", "softmax", softmax_rowsum_before_the_product, ("x",),
            ("wrong array", "missing factor", "extra factor", "summed", "wrong axis", "not summed")),
    Planted("softmax: no diagonal", "softmax", softmax_jacobian_without_its_diagonal, ("x",), ("missing term",)),
    Planted("softmax: mean", "softmax", softmax_mean_for_rowsum, ("x",), ("mean instead of sum",)),
    Planted("softmax: sigmoid", "softmax", softmax_as_if_it_were_the_sigmoid, ("x",), ("not summed",)),
    Planted("softmax: plus", "softmax", softmax_plus_in_the_jacobian, ("x",), ("wrong sign",)),
    Planted("softmax text: one S too few", "softmax", "dx[i] = G[i] S[i] - sum_j G[j] S[j]", ("x",),
            ("missing factor",)),
    Planted("softmax text: dS is G S", "softmax", "dx[i] = S[i] (G[i] - sum_j G[j] S[j]**2)", ("x",),
            ("wrong power", "extra factor")),
    Planted("log-softmax: out for p", "log-softmax", log_softmax_takes_the_logarithms_for_probabilities, ("x",),
            ("wrong array", "before for after", "wrong derivative", "missing factor")),
    Planted("log-softmax: rowsum", "log-softmax", log_softmax_is_not_summed, ("x",), ("not summed",)),
    Planted("logsumexp: exp", "logsumexp", logsumexp_without_normalising, ("x",), ("missing factor", "wrong power")),
    Planted("cross-entropy: plus one", "cross-entropy", cross_entropy_adds_one_at_the_target, ("logits",),
            ("wrong sign",)),
    Planted("cross-entropy: batch mean", "cross-entropy", cross_entropy_averaged_over_the_batch, ("logits",),
            ("scaled", "mean instead of sum")),
    Planted("cross-entropy: G on one term", "cross-entropy", cross_entropy_scales_the_probabilities_alone, ("logits",),
            ("missing factor",)),
    Planted("cross-entropy: axis 0", "cross-entropy", cross_entropy_normalised_along_the_batch, ("logits",),
            ("wrong axis",)),
    Planted("soft cross-entropy: p - t", "cross-entropy-soft", soft_targets_taken_to_sum_to_one, ("x",),
            ("missing factor",)),
    Planted("smoothed text: unsmoothed", "cross-entropy-smoothed",
            "dx[i,k] = G[i] (p[i,k] - delta(k, y[i]))", ("x",), ("wrong array", "missing term", "missing factor")),
    Planted("bce: not the logit's", "sigmoid-cross-entropy", bce_divided_as_without_logits, ("x",),
            ("extra factor", "missing factor")),
    Planted("bce: sign", "sigmoid-cross-entropy", bce_target_minus_prediction, ("x",), ("wrong sign",)),
    Planted("kl: + 1", "kl-divergence", kl_without_the_one, ("t",), ("missing term",)),
    Planted("gelu: exp(+)", "gelu", gelu_density_without_its_minus, ("x",), ("wrong sign", "wrong derivative")),
    Planted("gelu: x phi", "gelu", gelu_density_without_its_x, ("x",), ("missing factor",)),
    Planted("gelu text: erf constant", "gelu",
            "dx[i] = G[i] ((1 + erf(x[i] / sqrt(2))) / 2 + x[i] exp(-x[i]**2 / 2) / sqrt(pi))", ("x",),
            ("scaled", "wrong number")),
    Planted("gelu-tanh: 3", "gelu-tanh", gelu_tanh_cube_not_tripled, ("x",), ("scaled", "wrong number")),
    Planted("gelu-tanh: sech", "gelu-tanh", gelu_tanh_without_sech, ("x",),
            ("missing factor", "missing term", "wrong derivative")),
    Planted("silu: one path", "silu", silu_without_the_gate_path, ("x",), ("missing term", "missing path")),
    Planted("silu: output for input", "silu", silu_slope_from_the_output, ("x",),
            ("wrong array", "before for after", "extra factor", "wrong power")),
    Planted("swiglu: sigmoid", "swiglu", swiglu_value_gets_the_sigmoid_alone, ("value",), ("missing factor",)),
    Planted("swiglu: no value", "swiglu", swiglu_gate_forgets_the_value, ("gate",), ("missing factor",)),
    Planted("swiglu: swapped", "swiglu", swiglu_returned_the_other_way_round, ("gate", "value"),
            ("swapped gradients",)),
)  # fmt: skip


def right_softmax_jacobian(x, G):
    p = np.exp(x - np.max(x))
    p = p / p.sum()
    J = np.array([[p[i] * ((i == j) - p[j]) for j in range(len(p))] for i in range(len(p))])
    return J.T @ G


def right_softmax_in_place(S, G):
    out = G.copy()
    out -= (G * S).sum()
    out *= S
    return out


def right_log_softmax(out, grad_output):
    return grad_output - np.exp(out) * np.sum(grad_output)


def right_cross_entropy_by_loop(logits, targets, G):
    grad = np.empty_like(logits)
    for b, row in enumerate(logits):
        e = np.exp(row - row.max())
        grad[b] = G[b] * (e / e.sum() - np.eye(row.size)[targets[b]])
    return grad


def right_stable_bce(x, target, G):
    z = np.exp(-np.abs(x))
    s = np.where(x >= 0, 1 / (1 + z), z / (1 + z))
    return {"dx": (s - target) * G, "dtarget": -(G * x)}


def right_silu_from_tanh(x, dy):
    s = 0.5 * (1 + np.tanh(x / 2))
    return dy * (s + x * s - x * s**2)


RIGHT = (
    Right("softmax by its Jacobian", "softmax", right_softmax_jacobian),
    Right("softmax in place on a copy", "softmax", right_softmax_in_place),
    Right("softmax in single precision", "softmax", right_softmax_in_place, options={"dtype": "float32"}),
    Right("log-softmax from its output", "log-softmax", right_log_softmax),
    Right("cross-entropy row by row", "cross-entropy", right_cross_entropy_by_loop),
    Right("stable bce", "sigmoid-cross-entropy", right_stable_bce),
    Right("silu by tanh", "silu", right_silu_from_tanh),
    Right("swiglu as text", "swiglu",
          "s[i] = sigmoid(gate[i]); dvalue[i] = gate[i] s[i] G[i]; "
          "dgate[i] = G[i] value[i] (s[i] + gate[i] s[i] - gate[i] s[i]**2)"),
)  # fmt: skip
