"""Mistakes in the backward passes of attention in its forms."""

import numpy as np

from .record import Planted, Right


def weights(Q, K, mask=0.0, scale=None):
    A = Q @ K.T * (1 / np.sqrt(Q.shape[1]) if scale is None else scale) + mask
    P = np.exp(A - A.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def attention(
    rowsum=True, scale_q=True, scale_k=True, axis=1, dv="P", dk="Q", transpose=True, through_p=True, sign=-1, mean=False
):
    """A backward pass of attention in which one thing can be wrong."""

    def backward(Q, K, V, dO):
        P, s = weights(Q, K), 1 / np.sqrt(Q.shape[1])
        dP = dO @ V.T
        total = (P * dP).mean(axis=axis, keepdims=True) if mean else (P * dP).sum(axis=axis, keepdims=True)
        dA = dP + sign * total if rowsum else dP
        dA = P * dA if through_p else dA
        dQ = dA @ K * (s if scale_q else 1)
        dK = (dA.T if transpose else dA) @ (Q if dk == "Q" else K) * (s if scale_k else 1)
        dV = {"P": P.T, "dP": dP.T, "transposed": P}[dv] @ dO
        return dQ, dK, dV

    return backward


def dv_by_the_scores(Q, K, V, dO):
    dQ, dK, _ = attention()(Q, K, V, dO)
    return dQ, dK, (Q @ K.T / np.sqrt(Q.shape[1])).T @ dO


def flash_with_the_row_sum_of_values(Q, K, V, O, P, dO):
    D = (dO * V.sum(0)).sum(1, keepdims=True)
    dS = P * (dO @ V.T - D) / np.sqrt(Q.shape[1])
    return dS @ K, dS.T @ Q, P.T @ dO


def scale_squared(Q, K, V, dO):
    dQ, dK, dV = attention()(Q, K, V, dO)
    return dQ / np.sqrt(Q.shape[1]), dK, dV


def masked_without_mask(Q, K, V, M, dO):
    P, s = weights(Q, K), 1 / np.sqrt(Q.shape[1])
    dP = dO @ V.T
    dA = P * (dP - (P * dP).sum(1, keepdims=True))
    return dA @ K * s, dA.T @ Q * s, P.T @ dO


def scaled_by_the_root_anyway(Q, K, V, scale, dO):
    P, s = weights(Q, K, scale=scale), 1 / np.sqrt(Q.shape[1])
    dP = dO @ V.T
    dA = P * (dP - (P * dP).sum(1, keepdims=True))
    return dA @ K * s, dA.T @ Q * s, P.T @ dO


BACK = """
    dP[i,j] = sum_c G[i,c] V[j,c];
    dA[i,j] = P[i,j] (dP[i,j] - sum_k dP[i,k] P[i,k]);
"""
SELF = """
    X[n,d]: A[i,j] = sum_e X[i,e] X[j,e]; Z[i] = sum_j exp(A[i,j]); P[i,j] = exp(A[i,j]) / Z[i];
    O[i,e] = sum_j P[i,j] X[j,e]
"""


def self_attention(paths):
    def backward(X, P, dO):
        dP = dO @ X.T
        dA = P * (dP - (P * dP).sum(1, keepdims=True))
        return sum({"q": dA @ X, "k": dA.T @ X, "v": P.T @ dO}[path] for path in paths)

    return backward


def additive(v_sum=True, derivative=True, path=True):
    def backward(s, h, W, U, v, G):
        T = np.tanh((s @ W.T)[:, None] + (h @ U.T)[None])  # (n, m, r)
        E = T @ v
        P = np.exp(E) / np.exp(E).sum(1, keepdims=True)
        dP = G @ h.T
        dE = P * (dP - (P * dP).sum(1, keepdims=True))
        dT = dE[:, :, None] * v
        da = dT * (1 - T**2) if derivative else dT * (1 - T)
        dh = np.einsum("ija,af->jf", da, U) + (P.T @ G if path else 0)
        dv = np.einsum("ij,ija->a", dE, T)
        return np.einsum("ija,ae->ie", da, W), dh, np.einsum("ija,ie->ae", da, s), np.einsum("ija,jf->af", da, h), dv

    return backward


PLANTED = (
    Planted("attention without the row sum", "attention", attention(rowsum=False), ("Q", "K"), ("missing term",)),
    Planted("attention, row sum with plus", "attention", attention(sign=1), ("Q", "K"), ("wrong sign",)),
    Planted("attention, row mean", "attention", attention(mean=True), ("Q", "K"), ("mean instead of sum", "scaled")),
    Planted("attention, sum over queries", "attention", attention(axis=0), ("Q", "K"), ("wrong axis",)),
    Planted("attention, dQ not scaled", "attention", attention(scale_q=False), ("Q",), ("scaled",)),
    Planted("attention, dK not scaled", "attention", attention(scale_k=False), ("K",), ("scaled",)),
    Planted("attention, scaled twice", "attention", scale_squared, ("Q",), ("scaled",)),
    Planted(
        "attention, dK by dA", "attention", attention(transpose=False), ("K",), ("read transposed", "equal sizes only")
    ),
    Planted(
        "attention, dV by P untransposed",
        "attention",
        attention(dv="transposed"),
        ("V",),
        ("read transposed", "equal sizes only"),
    ),
    Planted("attention, dV by dP", "attention", attention(dv="dP"), ("V",), ("wrong array",)),
    Planted("attention, dK by K", "attention", attention(dk="K"), ("K",), ("wrong array", "equal sizes only")),
    Planted("attention, dA without P", "attention", attention(through_p=False), ("Q", "K"), ("missing factor",)),
    Planted("attention, dV by the scores", "attention", dv_by_the_scores, ("V",), ("before for after", "wrong array")),
    Planted(
        "attention, D of the sum of values",
        "attention",
        flash_with_the_row_sum_of_values,
        ("Q", "K"),
        ("missing factor", "wrong array"),
    ),
    Planted(
        "masked attention without its mask",
        "attention-masked",
        masked_without_mask,
        ("Q", "K", "V"),
        ("dropped mask",),
        ("Q", "K", "V"),
    ),
    Planted(
        "attention with a scale of its own",
        "attention-scaled",
        scaled_by_the_root_anyway,
        ("Q", "K"),
        ("scaled", "wrong number", "wrong array"),
    ),
    Planted(
        "attention formula divided by d_k",
        "attention",
        BACK + "dQ[i,e] = sum_j dA[i,j] K[j,e] / d_k",
        ("Q",),
        ("scaled", "wrong power"),
        ("Q",),
    ),
    Planted(
        "attention formula, the sum over i",
        "attention",
        "dA[i,j] = P[i,j] (dP[i,j] - sum_k dP[k,j] P[k,j]);dK[j,e] = sum_i dA[i,j] Q[i,e] / sqrt(d_k)",
        ("K",),
        ("wrong axis",),
        ("K",),
    ),
    Planted(
        "attention formula, V forgotten",
        "attention",
        "dP[i,j] = sum_c G[i,c]; dA[i,j] = P[i,j] (dP[i,j] - sum_k dP[i,k] P[i,k]);"
        "dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(d_k)",
        ("Q",),
        ("missing factor",),
        ("Q",),
    ),
    Planted(
        "attention formula, dV with a minus",
        "attention",
        "dV[j,c] = -sum_i P[i,j] G[i,c]",
        ("V",),
        ("wrong sign",),
        ("V",),
    ),
    Planted(
        "self attention without the keys' way", SELF, self_attention("qv"), ("X",), ("missing path", "missing term")
    ),
    Planted(
        "self attention without the values' way", SELF, self_attention("qk"), ("X",), ("missing path", "missing term")
    ),
    Planted(
        "additive attention, tanh' as 1 - tanh",
        "additive-attention",
        additive(derivative=False),
        ("s", "h", "W", "U"),
        ("wrong derivative", "wrong power", "missing factor"),
    ),
    Planted(
        "additive attention, states read once",
        "additive-attention",
        additive(path=False),
        ("h",),
        ("missing path", "missing term"),
    ),
)


def flash(Q, K, V, O, P, dO):
    D = (dO * O).sum(1, keepdims=True)
    dS = P * (dO @ V.T - D)
    return {"Q": dS @ K / np.sqrt(Q.shape[1]), "K": dS.T @ Q / np.sqrt(Q.shape[1]), "V": P.T @ dO}


def attention_in_float32(Q, K, V, dO):
    return attention()(*(a.astype(np.float32) for a in (Q, K, V, dO)))


RIGHT = (
    Right("attention", "attention", attention()),
    Right("attention as flash attention has it", "attention", flash),
    Right("attention in float32", "attention", attention_in_float32),
    Right("attention formulas", "attention", BACK + "dQ[i,e] = sum_j dA[i,j] K[j,e] / sqrt(d_k)", ("Q",)),
    Right("self attention", SELF, self_attention("qkv")),
    Right("additive attention", "additive-attention", additive()),
)
