"""Does check_vjp name the mistake in a backward pass, and let a right one pass?"""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

import minitorch as mt
from minitorch.symbolic import parse
from minitorch.symbolic.claims import Cause, check_vjp
from minitorch.testing import assert_vjp


def weights(Q, K):
    scores = Q @ K.T / math.sqrt(Q.shape[1])
    P = np.exp(scores - scores.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def through_softmax(P, dP):
    return P * (dP - (P * dP).sum(axis=1, keepdims=True))


def attention_right(Q, K, V, dO):
    P, s = weights(Q, K), 1 / math.sqrt(Q.shape[1])
    dA = through_softmax(P, dO @ V.T)
    return dA @ K * s, dA.T @ Q * s, P.T @ dO


def attention_flash(Q, K, V, O, P, grad_output):
    D = (grad_output * O).sum(axis=1, keepdims=True)
    dS = P * (grad_output @ V.T - D)
    return {"dQ": dS @ K / math.sqrt(Q.shape[1]), "dK": dS.T @ Q / math.sqrt(Q.shape[1]), "dV": P.T @ grad_output}


def attention_in_loops(Q, K, V, G):
    P, dQ, dK, dV = weights(Q, K), np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    for i in range(len(Q)):
        dP = V @ G[i]
        dA = P[i] * (dP - P[i] @ dP) / math.sqrt(Q.shape[1])
        for j in range(len(K)):
            dQ[i] += dA[j] * K[j]
            dK[j] += dA[j] * Q[i]
            dV[j] += P[i, j] * G[i]
    return dQ, dK, dV


def attention_float32(Q, K, V, G):
    return tuple(g.astype(np.float32) for g in attention_right(*(np.float32(x) for x in (Q, K, V, G))))


def layer_norm_right(x, gamma, beta, dout):
    r = 1 / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    xhat = (x - x.mean(axis=1, keepdims=True)) * r
    g, n = dout * gamma, x.shape[1]
    dx = r / n * (n * g - g.sum(axis=1, keepdims=True) - xhat * (g * xhat).sum(axis=1, keepdims=True))
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def cross_entropy_right(x, t, g):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return g[:, None] * (e / e.sum(axis=1, keepdims=True) - t)


RIGHT = [
    ("attention", attention_right),
    ("attention", attention_flash),
    ("attention", attention_in_loops),
    ("attention", attention_float32),
    ("layer-norm", layer_norm_right),
    ("cross-entropy-soft", cross_entropy_right),
    ("softmax", lambda S, g: (np.diag(S) - np.outer(S, S)) @ g),
    ("linear", lambda x, W, b, dy: {"dx": dy @ W, "dW": np.einsum("bj,bi->ji", dy, x), "db": np.ones(len(x)) @ dy}),
    ("linear", lambda a, b, c, d: (d @ b, d.T @ a, d.sum(axis=0))),
    ("rnn-cell", lambda x, h_prev, W, U, b, h_next, dh: {"U": (dh * (1 - h_next**2)).T @ h_prev}),
]


def test_who_does_not_take_the_mask_has_forgotten_it():
    found = check_vjp(attention_right, "attention-masked", wrt=("Q", "K", "V"))
    assert [finding.cause for finding in found.inputs] == [Cause.DROPPED_MASK] * 3
    assert check_vjp(attention_right, "attention-masked", wrt=("Q", "K", "V"), given={"M": 0.0}).ok


def test_who_gives_the_gradient_of_an_input_must_know_its_values():
    def without_bias(x, h, W, U, dh):
        da = dh * (1 - np.tanh(x @ W.T + h @ U.T) ** 2)
        return da @ W, da @ U, da.T @ x, da.T @ h, da.sum(axis=0)

    found = check_vjp(without_bias, "rnn-cell")
    assert {finding.cause for finding in found.inputs} == {Cause.MISSING_TERM}


@pytest.mark.parametrize(("op", "function"), RIGHT, ids=lambda p: getattr(p, "__name__", p))
def test_a_right_backward_pass_is_never_flagged(op, function):
    diagnosis = check_vjp(function, op)
    assert diagnosis.ok, diagnosis
    assert all(finding.verdict.kind == "tested" for finding in diagnosis.inputs)


def attention_with(mistake):
    def backward(Q, K, V, P, G):
        s, dP = 1 / math.sqrt(Q.shape[1]), G @ V.T
        rows = (P * dP).sum(axis=1, keepdims=True)
        dA = {
            "no rowsum": P * dP,
            "no P": dP - rows,
            "column sum": P * (dP - (P * dP).sum(axis=0, keepdims=True)),
            "mean": P * (dP - (P * dP).mean(axis=1, keepdims=True)),
            "plus": P * (dP + rows),
        }.get(mistake, P * (dP - rows))
        dQ, dK, dV = dA @ K * s, dA.T @ Q * s, P.T @ G
        if mistake == "scale forgotten":
            dK = dA.T @ Q
        if mistake == "transpose forgotten":
            dK = dA @ Q * s
        if mistake == "swapped":
            dQ, dK = dK, dQ
        if mistake == "half":
            dV = dV / 2
        if mistake == "batch size":
            dV = dV / len(Q)
        return dQ, dK, dV

    return backward


ATTENTION = [
    ("no rowsum", "QK", Cause.MISSING_TERM, ""),
    ("no P", "QK", Cause.MISSING_FACTOR, ""),
    ("column sum", "QK", Cause.WRONG_AXIS, ""),
    ("mean", "QK", Cause.MEAN_FOR_SUM, ""),
    ("plus", "QK", Cause.WRONG_SIGN, ""),
    ("scale forgotten", "K", Cause.SCALED, "1/(1/sqrt(d_k))"),
    ("transpose forgotten", "K", Cause.READ_TRANSPOSED, ""),
    ("swapped", "QK", Cause.SWAPPED, ""),
    ("half", "V", Cause.SCALED, "1/2"),
    ("batch size", "V", Cause.MEAN_FOR_SUM, ""),
]


@pytest.mark.parametrize(("mistake", "wrong", "cause", "factor"), ATTENTION, ids=lambda p: str(p))
def test_the_mistake_in_attention_is_named_for_the_gradients_that_have_it(mistake, wrong, cause, factor):
    start = time.process_time()
    diagnosis = check_vjp(attention_with(mistake), "attention")
    seconds = time.process_time() - start
    found = {f.input: f for f in diagnosis.inputs if not f.ok}
    assert "".join(found) == wrong, diagnosis
    assert {f.cause for f in found.values()} == {cause}, diagnosis
    assert {f.factor for f in found.values()} == {factor} or not factor
    assert all(f.counterexample for f in found.values())
    assert seconds < 2  # of the processor; the first one derives the operation too


def test_a_mistake_that_several_gradients_inherit_is_told_once_at_its_root():
    text = str(check_vjp(attention_with("no rowsum"), "attention"))
    assert "dQ and dK inherit it" in text
    assert text.count("lacks the term") == 1
    assert "right            dA[i,j] = P[i,j]*(dP[i,j] - Σ_k P[i,k]*dP[i,k])" in text
    assert "claimed - right  P[i,j]*Σ_k P[i,k]*dP[i,k]" in text


def test_the_counterexample_has_the_smallest_sizes_and_whole_numbers():
    finding = check_vjp(attention_with("no rowsum"), "attention").inputs[0]
    example = finding.counterexample
    assert set(example.sizes.values()) == {1}
    assert (example.claimed, example.right) == ([[1]], [[0]])
    assert all(isinstance(row[0][0], int) for row in example.inputs.values())


def layer_norm_with(mistake):
    def backward(x, gamma, beta, dout):
        eps = 0 if mistake == "no epsilon" else 1e-5
        spread = np.sqrt(x.var(axis=1, keepdims=True)) + eps if mistake == "epsilon outside" else None
        r = 1 / (spread if spread is not None else np.sqrt(x.var(axis=1, keepdims=True) + eps))
        xhat = (x - x.mean(axis=1, keepdims=True)) * r
        g = dout if mistake == "no gamma" else dout * gamma
        centre = 0 if mistake == "no mean" else g.mean(axis=0 if mistake == "axis" else 1, keepdims=True)
        dx = (r**2 if mistake == "variance" else r) * (g - centre - xhat * (g * xhat).mean(axis=1, keepdims=True))
        dgamma = dout * (x if mistake == "x for xhat" else xhat)
        return dx, dgamma.sum(axis=0), dout if mistake == "bias not summed" else dout.sum(axis=0)

    return backward


LAYER_NORM = [
    ("no epsilon", Cause.EPSILON),
    ("epsilon outside", Cause.EPSILON),
    ("no gamma", Cause.MISSING_FACTOR),
    ("no mean", Cause.MISSING_TERM),
    ("axis", Cause.WRONG_AXIS),
    ("variance", Cause.WRONG_POWER),
    ("x for xhat", Cause.WRONG_ARRAY),
    ("bias not summed", Cause.NOT_SUMMED),
]


@pytest.mark.parametrize(("mistake", "cause"), LAYER_NORM)
def test_the_mistake_in_a_layer_norm_is_named(mistake, cause):
    wrong = [f for f in check_vjp(layer_norm_with(mistake), "layer-norm").inputs if not f.ok]
    assert {f.cause for f in wrong} == {cause}, wrong


def test_a_gradient_of_the_wrong_shape_is_said_with_the_names_of_the_dimensions():
    bias = check_vjp(layer_norm_with("bias not summed"), "layer-norm").inputs[2]
    assert "dbias has shape (n, d) = (3, 4), wanted (d,) = (4,)" in bias.sentence
    assert "sum over axis 0 (n), which it was broadcast over, is missing" in bias.sentence


def cell_with(mistake):
    def backward(x, h_prev, W, U, b, a, h_next, dh):
        slope = {"pre-activation": 1 - a**2, "power": 1 - h_next, "old state": 1 - h_prev**2, "none": 1}
        da = dh * slope.get(mistake, 1 - h_next**2)
        dh_prev = da @ (U.T if mistake == "U transposed" else U)
        dU = h_prev.T @ da if mistake == "dU transposed" else da.T @ h_prev
        return da @ W, dh_prev, da.T @ x, dU, da.sum(axis=0)

    return backward


@pytest.mark.parametrize(
    ("mistake", "cause"),
    [
        ("pre-activation", Cause.BEFORE_AFTER),
        ("power", Cause.WRONG_POWER),
        ("old state", Cause.WRONG_ARRAY),
        ("none", Cause.WRONG_DERIVATIVE),
        ("U transposed", Cause.READ_TRANSPOSED),
        ("dU transposed", Cause.TRANSPOSED_RESULT),
    ],
)
def test_the_mistake_in_a_recurrent_cell_is_named(mistake, cause):
    wrong = [f for f in check_vjp(cell_with(mistake), "rnn-cell").inputs if not f.ok]
    assert {f.cause for f in wrong} == {cause}, wrong


CONVOLUTION = "x[n,c], w[k,c,o], t<n: y[t,q] = sum_{s,a} w[s,a,q] x[t - s,a]"


def convolution(w_order=1, by=0):
    def backward(x, w, G):
        dx, dw = np.zeros_like(x), np.zeros_like(w)
        for t in range(len(x)):
            for s in range(len(w)):
                if 0 <= t - s + by < len(x):
                    dx[t - s + by] += w[::w_order][s] @ G[t]
                if t >= s:
                    dw[s] += np.outer(x[t - s], G[t])
        return dx, dw

    return backward


@pytest.mark.parametrize(("options", "ok"), [({}, True), ({"w_order": -1}, False), ({"by": 1}, False)], ids=str)
def test_a_flipped_kernel_and_a_shift_by_one_are_named(options, ok):
    found = check_vjp(convolution(**options), CONVOLUTION).inputs
    assert [f.cause for f in found] == [None if ok else Cause.SHIFTED, None]


def test_one_s_own_operation_is_a_formula_or_a_program_or_the_engine_s_record():
    text = "gate[n], value[n]: y[i] = gate[i] sigmoid(gate[i]) value[i]"

    def backward(gate, value, dy):
        s = 1 / (1 + np.exp(-gate))
        return dy * value * s, dy * gate * s

    for operation in (text, parse(text)):
        first, second = check_vjp(backward, operation).inputs
        assert (first.cause, second.ok) == (Cause.WRONG_DERIVATIVE, True)
    assert check_vjp(lambda out, g: g * (1 - out), mt.tanh).inputs[0].cause == Cause.WRONG_POWER


def test_what_no_single_change_explains_is_said_so_with_its_error_and_a_counterexample():
    (finding,) = check_vjp(lambda x, g: np.sin(3 * x) * g - x**5, "softmax").inputs
    assert finding.cause == Cause.UNEXPLAINED
    assert "No single change" in finding.sentence
    assert finding.counterexample is not None


def test_leading_axes_are_handed_to_a_function_of_batches():
    def backward(x, weight, bias, G):
        dx, dweight, dbias = layer_norm_right(*(a.reshape(-1, a.shape[-1]) for a in (x, weight, bias, G)))
        return dx.reshape(x.shape), dweight, dbias

    assert check_vjp(backward, "layer-norm", batch=2, shared=("weight", "bias")).ok

    def mixed(x, weight, bias, G):
        return (*backward(x, weight, bias, G)[:2], G.sum(axis=0))

    wrong = [f.input for f in check_vjp(mixed, "layer-norm", batch=2, shared=("weight", "bias")).inputs if not f.ok]
    assert wrong == ["bias"]


def test_arrays_of_the_engine_come_in_and_out():
    def backward(S, G):
        assert isinstance(S, mt.Tensor)
        return S * (G - (S * G).sum())

    assert check_vjp(backward, "softmax", arrays="minitorch").ok


def test_tensors_of_pytorch_come_in_and_out():
    torch = pytest.importorskip("torch")
    assert check_vjp(lambda S, G: S * (G - torch.sum(S * G)), "softmax", arrays="torch").ok
    assert not check_vjp(lambda S, G: S * G, "softmax", arrays=torch.from_numpy, dtype="float32").ok


def test_an_assertion_shows_the_diagnosis():
    with pytest.raises(AssertionError, match=r"dA lacks the term .*dQ and dK inherit it"):
        assert_vjp(attention_with("no rowsum"), "attention")
    assert_vjp(attention_right, "attention")


def test_the_diagnosis_as_plain_data_has_stable_keys():
    found = check_vjp(attention_with("half"), "attention").to_json()
    assert list(found) == ["op", "claim", "ok", "inputs", "notes", "seconds"]
    assert list(found["inputs"][2]) == [
        *("input", "ok", "cause", "also", "sentence", "line", "term", "factor", "claimed", "right", "difference"),
        *("counterexample", "verdict"),
    ]
    assert (found["inputs"][2]["cause"], found["inputs"][2]["factor"]) == ("scaled", "1/2")


def test_every_cause_has_a_sentence():
    assert all(cause.sentence.endswith(".") for cause in Cause)


def test_a_lookup_whose_rows_are_overwritten_instead_of_added_up_is_said():
    def backward(table, indices, dout):
        d = np.zeros_like(table)
        d[indices] = dout
        return d

    (finding,) = check_vjp(backward, "embedding").inputs
    assert finding.cause == Cause.NOT_SUMMED
    assert "right only where no index of indices repeats" in finding.sentence


def test_multi_head_attention_that_is_summed_over_heads_too_is_named():
    def backward(X, W_q, W_k, W_v, W_o, G):
        Q, K, V = (np.einsum("ix,axe->aie", X, W) for W in (W_q, W_k, W_v))
        scores = Q @ K.swapaxes(1, 2) / math.sqrt(W_q.shape[2])
        P = np.exp(scores)
        P /= P.sum(axis=-1, keepdims=True)
        dO = np.einsum("ix,acx->aic", G, W_o)
        dP = dO @ V.swapaxes(1, 2)
        dA = P * (dP - (P * dP).sum(axis=(0, -1), keepdims=True)) / math.sqrt(W_q.shape[2])
        dQ, dK, dV = dA @ K, dA.swapaxes(1, 2) @ Q, P.swapaxes(1, 2) @ dO
        dX = sum(np.einsum("aie,axe->ix", d, W) for d, W in ((dQ, W_q), (dK, W_k), (dV, W_v)))
        return dX, *(np.einsum("ix,aie->axe", X, d) for d in (dQ, dK, dV)), np.einsum("aic,ix->acx", P @ V, G)

    found = {f.input: f for f in check_vjp(backward, "multi-head-attention").inputs}
    assert [n for n, f in found.items() if not f.ok] == ["X", "W_q", "W_k"]
    assert {f.cause for f in found.values()} == {None, Cause.SUMMED}
