"""What is attention, with masked keys deleted?  Values and gradients query by query in plain NumPy, to compare with."""

from __future__ import annotations

from typing import Any

import numpy as np


def attend(q, K, V, bias, scale, softcap):
    """One query (d_k,) and the keys that it sees: its output, its weights, and the slope of the softcap."""
    s = K @ q * scale
    t = np.zeros_like(s) if softcap is None else np.tanh(s / softcap)
    s = (s if softcap is None else softcap * t) + bias
    e = np.exp(s - (0.0 if s.max() == -np.inf else s.max()))  # with an inf the whole row is NaN, as in PyTorch
    P = e / e.sum()
    return P @ V, P, 1 - t * t


def attention(Q, K, V, seen: Any = True, bias: Any = 0.0, *, scale=None, softcap=None, g=None):
    """The output (..., h, n, d_v), or for a cotangent g the gradients (dQ, dK, dV, dbias).

    Args:
        seen, bias: broadcast to (..., h, n, m).
    """
    n, m = Q.shape[-2], K.shape[-2]
    scale = Q.shape[-1] ** -0.5 if scale is None else scale
    share = lambda x: np.repeat(x, Q.shape[-3] // x.shape[-3], -3) if min(Q.ndim, x.ndim) > 2 and x.shape[-3] else x
    fewer = lambda x: min(Q.ndim, x.ndim) > 2 and 1 < x.shape[-3] < Q.shape[-3]
    lead = np.broadcast_shapes(
        Q.shape[:-2],
        *((share(x) if fewer(x) else x).shape[:-2] for x in (K, V)),
        *(np.shape(x)[:-2] for x in (seen, bias)),
    )
    seen, wide_bias = (np.broadcast_to(x, (*lead, n, m)) for x in (seen, bias))
    spread = lambda x: np.broadcast_to(share(x) if fewer(x) else x, (*lead, *x.shape[-2:]))
    wide = [spread(x) for x in (Q, K, V)]
    O = np.zeros((*lead, n, V.shape[-1]))
    grads = [np.zeros(x.shape) for x in (*wide, wide_bias)]
    for at in np.ndindex(*lead, n):
        b, keys = at[:-1], np.flatnonzero(seen[at])
        if not len(keys):
            continue
        q, k, v = wide[0][at], wide[1][b][keys], wide[2][b][keys]
        O[at], P, slope = attend(q, k, v, wide_bias[at][keys], scale, softcap)
        if g is not None:
            dP = v @ g[at]
            dA = P * (dP - P @ dP)
            dS = dA * slope * scale
            grads[0][at] += dS @ k
            grads[1][b][keys] += np.outer(dS, q)
            grads[2][b][keys] += np.outer(P, g[at])
            grads[3][at][keys] += dA
    if g is None:
        return O
    return [_gathered(d, np.shape(x)) for d, x in zip(grads, (Q, K, V, bias), strict=True)]


def _gathered(d: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum the gradient of a stretched array, or of heads that share keys, back to its shape."""
    if len(shape) > 2 and 1 < shape[-3] < d.shape[-3]:
        d = d.reshape(*d.shape[:-3], shape[-3], -1, *d.shape[-2:]).sum(-3)
    d = d.sum(tuple(range(d.ndim - len(shape))))
    return d.sum(tuple(a for a, k in enumerate(shape) if k == 1 and d.shape[a] > 1), keepdims=True).reshape(shape)
