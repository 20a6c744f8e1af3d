"""Mistakes in attention: scores, masks, heads, positions."""

import numpy as np

from ..planted.record import Planted, Right


def _softmax(A):
    e = np.exp(A - A.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def scale_forgotten(Q, K, V, dO):
    P = _softmax(Q @ K.T / np.sqrt(Q.shape[-1]))
    dP = dO @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True))
    return dA @ K, dA.T @ Q, P.T @ dO


def scale_by_the_width_not_its_root(Q, K, V, P, dO):
    dP = dO @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True)) / Q.shape[-1]
    return dA @ K, dA.T @ Q, P.T @ dO


def scale_on_queries_only(Q, K, V, P, G):
    dP = np.einsum("ic,jc->ij", G, V)
    dA = P * (dP - np.einsum("ij,ij->i", P, dP)[:, None])
    return {"dQ": dA @ K / np.sqrt(K.shape[1]), "dK": dA.T @ Q, "dV": P.T @ G}


def softmax_without_the_rowsum(Q, K, V, P, G):
    dA = P * (G @ V.T) / np.sqrt(Q.shape[1])
    return dA @ K, dA.T @ Q, P.T @ G


def rowsum_over_queries(Q, K, V, P, G):
    dP = G @ V.T
    dA = P * (dP - (P * dP).sum(axis=0, keepdims=True)) / np.sqrt(Q.shape[1])
    return dA @ K, dA.T @ Q, P.T @ G


def values_from_scores(Q, K, V, A, P, G):
    dP = G @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True)) / np.sqrt(Q.shape[1])
    return dA @ K, dA.T @ Q, A.T @ G


def keys_from_keys(Q, K, V, P, G):
    dP = G @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True)) / np.sqrt(Q.shape[1])
    return dA @ K, dA @ K, P.T @ G


def delta_from_dP_and_O(Q, K, V, P, O, dO):
    delta = (dO * O).mean(-1)  # flash attention's D, with a mean
    dA = P * (dO @ V.T - delta[:, None]) / np.sqrt(Q.shape[1])
    return dA @ K, dA.T @ Q, P.T @ dO


def delta_twice(Q, K, V, P, O, dO):
    D = (dO * O).sum(-1, keepdims=True)
    dA = (P * (dO @ V.T - D) - P * D) / np.sqrt(Q.shape[1])
    return dA @ K, dA.T @ Q, P.T @ dO


def mask_not_in_the_recomputed_scores(Q, K, V, M, dO):
    P = _softmax(Q @ K.T / np.sqrt(Q.shape[-1]))
    dP = dO @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True))
    return dA @ K / np.sqrt(Q.shape[-1]), dA.T @ Q / np.sqrt(Q.shape[-1]), P.T @ dO, dA


def mask_not_even_taken(Q, K, V, dO):
    return mask_not_in_the_recomputed_scores(Q, K, V, None, dO)[:3]


def mask_gets_the_scaled_gradient(Q, K, V, M, P, G):
    dP = G @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True)) / np.sqrt(Q.shape[-1])
    return dA @ K, dA.T @ Q, P.T @ G, dA


def own_scale_divides(Q, K, V, scale, P, G):
    dP = G @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True)) / scale
    return dA @ K, dA.T @ Q, P.T @ G


def cross_keys_only(Y, W_k, W_v, X, W_q, Q, K, V, P, G):
    """Y is read by the keys and by the values; the latter are forgotten."""
    dP = G @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True)) / np.sqrt(Q.shape[1])
    dQ, dK, dV = dA @ K, dA.T @ Q, P.T @ G
    return {
        "X": dQ @ W_q.T, "Y": dK @ W_k.T,
        "W_q": X.T @ dQ, "W_k": Y.T @ dK, "W_v": Y.T @ dV,
    }  # fmt: skip


def cross_keys_weights_read_the_queries(X, Y, W_q, W_k, W_v, Q, K, V, P, G):
    dP = G @ V.T
    dA = P * (dP - (P * dP).sum(-1, keepdims=True)) / np.sqrt(Q.shape[1])
    dQ, dK, dV = dA @ K, dA.T @ Q, P.T @ G
    return dQ @ W_q.T, dK @ W_k.T + dV @ W_v.T, X.T @ dQ, Y.T @ dV[:, :1] * 0 + Y.T @ dK * 2, Y.T @ dV


def additive_slope_without_the_square(s, h, W, U, v, T, P, C, G):
    dE = P * (G @ h.T - (G * C).sum(-1, keepdims=True))
    dT = dE[:, :, None] * v * (1 - T)
    return (
        np.einsum("ijr,rp->ip", dT, W),
        P.T @ G + np.einsum("ijr,rq->jq", dT, U),
        np.einsum("ijr,ip->rp", dT, s),
        np.einsum("ijr,jq->rq", dT, h),
        np.einsum("ij,ijr->r", dE, T),
    )


def additive_annotations_as_values_only(s, h, W, U, v, T, P, C, G):
    dE = P * (G @ h.T - (G * C).sum(-1, keepdims=True))
    dT = dE[..., None] * v * (1 - T**2)
    return {"h": P.T @ G, "s": np.einsum("ijr,rp->ip", dT, W), "v": np.einsum("ij,ijr->r", dE, T)}


def linear_attention_denominator_constant(Q, K, V, G):
    q, k = np.where(Q > 0, Q + 1, np.exp(Q)), np.where(K > 0, K + 1, np.exp(K))
    S, w = k.T @ V, (q @ k.sum(0))[:, None]
    dq, dk = (G / w) @ S.T, V @ ((G / w).T @ q)
    return dq * np.where(Q > 0, 1, np.exp(Q)), dk * np.where(K > 0, 1, np.exp(K)), k @ (q.T @ (G / w))


def rope_rotates_forward_again(x, G):
    n, d = x.shape
    a = np.arange(n)[:, None] * 10000.0 ** (-2 * np.arange(d // 2) / d)
    dx = np.empty_like(x)
    dx[:, 0::2] = G[:, 0::2] * np.cos(a) - G[:, 1::2] * np.sin(a)
    dx[:, 1::2] = G[:, 1::2] * np.cos(a) + G[:, 0::2] * np.sin(a)
    return dx


_D = "dP[i,j] = sum_c G[i,c] V[j,c]; dA[i,j] = P[i,j] (dP[i,j] - sum_k P[i,k] dP[i,k]); "
_Q, _K = "dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(d_k); ", "dK[j,e] = sum_i dA[i,j] Q[i,e] / sqrt(d_k); "
_V = "dV[j,c] = sum_i P[i,j] G[i,c]"
QK, QKV = ("Q", "K"), ("Q", "K", "V")

PLANTED = (
    Planted("attention: no scale", "attention", scale_forgotten, QK, ("scaled", "missing factor")),
    Planted("attention: 1/d", "attention", scale_by_the_width_not_its_root, QK, ("scaled", "wrong power")),
    Planted("attention: scale on Q", "attention", scale_on_queries_only, ("K",), ("scaled", "missing factor")),
    Planted("attention: no rowsum", "attention", softmax_without_the_rowsum, QK, ("missing term",)),
    Planted("attention: column sum", "attention", rowsum_over_queries, QK, ("wrong axis",)),
    Planted("attention: A for P", "attention", values_from_scores, ("V",), ("wrong array", "before for after")),
    Planted("attention: dK = dQ", "attention", keys_from_keys, ("K",),
            ("swapped gradients", "wrong array", "wrong shape")),
    Planted("attention: D mean", "attention", delta_from_dP_and_O, QK, ("mean instead of sum",)),
    Planted("attention: D twice", "attention", delta_twice, QK, ("scaled", "extra term")),
    Planted("attention text: Q for K", "attention", _D + "dQ[i,e] = sum_j dA[i,j] Q[i,e] / sqrt(d_k); " + _K + _V,
            ("Q",), ("wrong array",)),
    Planted("attention text: dP before the softmax", "attention",
            _D + "dQ[i,e] = sum_j dP[i,j] K[j,e] / sqrt(d_k); " + _K + _V, ("Q",), ("wrong array", "before for after")),
    Planted("attention text: P twice", "attention",
            "dP[i,j] = sum_c G[i,c] V[j,c]; dA[i,j] = P[i,j] (dP[i,j] - P[i,j] sum_k P[i,k] dP[i,k]); " + _Q + _K + _V,
            QK, ("extra factor", "wrong power")),
    Planted("attention text: dV without P", "attention", _D + _Q + _K + "dV[j,c] = sum_i G[i,c]", ("V",),
            ("missing factor",)),
    Planted("attention text: no 1/Z", "attention", _D + _Q + _K + "dV[j,c] = sum_i exp(A[i,j]) G[i,c]", ("V",),
            ("missing factor", "wrong array", "before for after")),
    Planted("masked: no mask", "attention-masked", mask_not_in_the_recomputed_scores, (*QKV, "M"), ("dropped mask",)),
    Planted("masked: M not taken", "attention-masked", mask_not_even_taken, QKV, ("dropped mask",), wrt=QKV),
    Planted("masked: scaled", "attention-masked", mask_gets_the_scaled_gradient, ("M",), ("scaled", "extra factor")),
    Planted("scaled: divided", "attention-scaled", own_scale_divides, QK, ("wrong power", "scaled", "extra factor")),
    Planted("cross: Y once", "cross-attention", cross_keys_only, ("Y",), ("missing path", "missing term")),
    Planted("cross: W_k twice", "cross-attention", cross_keys_weights_read_the_queries, ("W_k",), ("scaled",)),
    Planted("multi-head text: values' path", "multi-head-attention",
            "dO[a,i,c] = sum_x G[i,x] W_o[a,c,x]; dV[a,j,c] = sum_i P[a,i,j] dO[a,i,c]; "
            "dX[i,x] = sum_{a,c} dV[a,i,c] W_v[a,x,c]", ("X",), ("missing path", "missing term"), wrt=("X",)),
    Planted("multi-head text: V for O", "multi-head-attention", "dW_o[a,c,x] = sum_i V[a,i,c] G[i,x]", ("W_o",),
            ("wrong array", "before for after"), wrt=("W_o",)),
    Planted("additive: 1 - T", "additive-attention", additive_slope_without_the_square, ("s", "h", "W", "U"),
            ("wrong power", "wrong derivative")),
    Planted("additive: h as values", "additive-attention", additive_annotations_as_values_only, ("h",),
            ("missing path", "missing term")),
    Planted("linear attention: 1/w", "linear-attention", linear_attention_denominator_constant, QK,
            ("missing path", "missing term")),
    Planted("rope: forward", "rope", rope_rotates_forward_again, ("x",), ("wrong sign",)),
)  # fmt: skip


def right_flash_in_blocks(Q, K, V, O, dO):
    scale = 1 / np.sqrt(Q.shape[-1])
    A = Q @ K.T * scale
    lse = np.log(np.exp(A - A.max(1, keepdims=True)).sum(1)) + A.max(1)
    D = (dO * O).sum(1)
    dQ, dK, dV = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    for j in range(0, len(K), 2):
        k, v = K[j : j + 2], V[j : j + 2]
        P = np.exp(Q @ k.T * scale - lse[:, None])
        dV[j : j + 2] += P.T @ dO
        dS = P * (dO @ v.T - D[:, None]) * scale
        dQ += dS @ k
        dK[j : j + 2] += dS.T @ Q
    return dQ, dK, dV


def right_per_query(Q, K, V, grad_out):
    d = {name: np.zeros_like(a) for name, a in (("Q", Q), ("K", K), ("V", V))}
    for i, g in enumerate(grad_out):
        p = _softmax(K @ Q[i] / K.shape[1] ** 0.5)
        s = (np.diag(p) - np.outer(p, p)) @ (V @ g) / K.shape[1] ** 0.5
        d["Q"][i] = s @ K
        d["K"] += np.outer(s, Q[i])
        d["V"] += np.outer(p, g)
    return d


def right_rope_complex(x, G):
    n, d = x.shape
    turn = np.exp(-1j * np.arange(n)[:, None] * 10000.0 ** (-2 * np.arange(d // 2) / d))
    z = (G[:, ::2] + 1j * G[:, 1::2]) * turn
    return np.stack([z.real, z.imag], -1).reshape(n, d)


RIGHT = (
    Right("attention in blocks", "attention", right_flash_in_blocks),
    Right("attention in blocks, single", "attention", right_flash_in_blocks, options={"dtype": "float32"}),
    Right("attention query by query", "attention", right_per_query),
    Right("attention as text", "attention", _D + _Q + _K + _V),
    Right("rope by complex numbers", "rope", right_rope_complex),
)  # fmt: skip
