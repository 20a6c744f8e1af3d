"""Do queries, keys, values and mask fit each other?  The reason why not, in the user's terms.

Q (..., h, n, d_k)   K (..., h_kv, m, d_k)   V (..., h_kv, m, d_v)   mask (..., h, n, m)   ->   O (..., h, n, d_v)
"""

from __future__ import annotations

import numpy as np

from minitorch.shapes import Shape, broadcast_mismatch


def attention_mismatch(Q: Shape, K: Shape, V: Shape, mask: Shape = (), **static: object) -> str | None:
    """Why these shapes do not fit; None if they do.

    >>> attention_mismatch((6, 5, 2), (4, 7, 2), (4, 7, 2))
    'Q (6, 5, 2) has 6 heads (axis -3) and K (4, 7, 2) has 4, which does not divide 6. Change one of the counts?'
    """
    said = f"Q {Q}, K {K}, V {V}"
    if min(len(Q), len(K), len(V)) < 2:
        return f"{said}; each must have at least the axes (n, d). Use expand_dims?"
    if K[-1] != Q[-1] or V[-2] != K[-2]:
        return (
            f"{said}; axis -1 of Q is {Q[-1]} and of K {K[-1]}, axis -2 of K is {K[-2]} and of V {V[-2]}; each pair "
            "must be equal."
        )
    if not Q[-1] and static.get("scale") is None:
        return f"{said}; axis -1 of Q and K is empty, and there is no 1 / sqrt(0). Give scale=...?"
    return _leading_mismatch(Q, K, V) or (_mask_mismatch(mask, Q, K) if mask else None)


def _leading_mismatch(Q: Shape, K: Shape, V: Shape) -> str | None:
    if Q[:-2] == K[:-2] == V[:-2]:
        return None
    h = heads_of(Q)
    for name, x in (("K", K), ("V", V)):
        if h > 1 and heads_of(x) > 1 and h % heads_of(x):
            return (
                f"Q {Q} has {h} heads (axis -3) and {name} {x} has {heads_of(x)}, which does not divide {h}. Change "
                "one of the counts?"
            )
    leads = [(*lead, 1, 1) for lead in (Q[:-2], served(K, Q), served(V, Q))]
    reason = broadcast_mismatch(leads)
    return f"Q {Q}, K {K}, V {V}; the leading axes do not broadcast: {reason}." if reason else None


def _mask_mismatch(mask: Shape, Q: Shape, K: Shape) -> str | None:
    n, m = Q[-2], K[-2]
    rows, keys = (1, *mask)[-2:]
    if rows not in (1, n) or keys not in (1, m):
        return f"the mask {mask} does not broadcast to (..., {n}, {m}), for {n} queries and {m} keys. Transpose it?"
    scores = (*np.broadcast_shapes(Q[:-2], served(K, Q)), n, m)
    reason = broadcast_mismatch([mask, scores])
    return f"the mask {mask} and the scores {scores} do not broadcast: {reason}. Use expand_dims?" if reason else None


def heads_of(x: Shape) -> int:
    """How many heads there are: the size of axis -3, or 1."""
    return x[-3] if len(x) > 2 else 1


def served(x: Shape, Q: Shape) -> Shape:
    """The leading axes of keys or values x, their h_kv heads counted as the h of the queries that they serve.

    >>> served((5, 2, 7, 3), (8, 4, 3))
    (5, 8)
    """
    h, heads = heads_of(Q), heads_of(x)
    return (*x[:-3], h) if len(x) > 2 and 0 < heads < h and h % heads == 0 else x[:-2]
