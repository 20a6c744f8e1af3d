"""How does attention go backward, by queries, keys and values?"""

from __future__ import annotations

from minitorch.ops.activations import elu
from minitorch.ops.attention import scaled_dot_product_attention
from minitorch.ops.elementwise import tanh
from minitorch.ops.fused import softmax
from minitorch.ops.movement import expand_dims
from minitorch.ops.reduce import sum
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.library.sources import DAO, VASWANI

# The softmax's part of the way back, which every attention below has in common.
_SCORES = """
    D[i]    = sum_c G[i,c] O[i,c];
    dS[i,j] = P[i,j] (sum_c G[i,c] V[j,c] - D[i]);
"""


def _additive(s, h, W, U, v):
    hidden = tanh(expand_dims(s @ W.T, 1) + expand_dims(h @ U.T, 0))  # (n, m, r)
    return softmax(hidden @ v) @ h


def _multi_head(X, W_q, W_k, W_v, W_o):
    heads = scaled_dot_product_attention(X @ W_q, X @ W_k, X @ W_v)  # (h, n, d_v)
    return sum(heads @ W_o, axis=0)


def _linear_attention(Q, K, V):
    q, k = elu(Q) + 1, elu(K) + 1
    return (q @ (k.T @ V)) / expand_dims(q @ sum(k, axis=0), -1)


ATTENTION = (
    Known(
        name="attention",
        also=("scaled-dot-product-attention", "sdpa"),
        title="Scaled dot-product attention",
        about="Every query averages the values, weighted by its likeness to the keys.",
        operation="scaled_dot_product_attention",
        static={"mask": False},
        wrt=("Q", "K", "V"),
        closed=_SCORES
        + """
            dQ[i,e] = sum_j dS[i,j] K[j,e] / sqrt(d_k);
            dK[j,e] = sum_i dS[i,j] Q[i,e] / sqrt(d_k);
            dV[j,c] = sum_i P[i,j] G[i,c]
        """,
        source=f"{DAO}, appendix B.2; forward {VASWANI}, equation 1",
    ),
    Known(
        name="attention-scaled",
        also=("scaled-attention",),
        title="Dot-product attention with a scale of one's own",
        about="Attention whose scores are multiplied by a number of one's own.",
        operation="scaled_dot_product_attention",
        static={"mask": False, "scale": True},
        function=lambda Q, K, V, scale: scaled_dot_product_attention(Q, K, V, scale=scale),
        wrt=("Q", "K", "V"),
        values={"scale": 0.5},
        closed=_SCORES
        + """
            dQ[i,e] = scale sum_j dS[i,j] K[j,e];
            dK[j,e] = scale sum_i dS[i,j] Q[i,e];
            dV[j,c] = sum_i P[i,j] G[i,c]
        """,
        sizes={"n": 1},
        source=f"{DAO}, appendix B.2, with scale for 1/sqrt(d_k)",
    ),
    Known(
        name="attention-masked",
        also=("masked-attention",),
        title="Scaled dot-product attention with an additive mask",
        about="Attention whose scores get a number added for every pair: -inf hides a key.",
        operation="scaled_dot_product_attention",
        wrt=("Q", "K", "V", "M"),
        closed=_SCORES
        + """
            dQ[i,e] = sum_j dS[i,j] K[j,e] / sqrt(d_k);
            dK[j,e] = sum_i dS[i,j] Q[i,e] / sqrt(d_k);
            dV[j,c] = sum_i P[i,j] G[i,c];
            dM[i,j] = dS[i,j]
        """,
        sizes={"n": 1},
        source=(
            f"{DAO}, appendix B.2, where the mask's gradient is that of the scores; forward {VASWANI}, section 3.2.3"
        ),
    ),
    Known(
        name="additive-attention",
        also=("bahdanau-attention", "bahdanau"),
        title="Additive attention",
        about="Likeness by a small network instead of a product; the first attention.",
        formula="""
            s[n,p], h[m,q], W[r,p], U[r,q], v[r]:
            T[i,j,a] = tanh(sum_e W[a,e] s[i,e] + sum_f U[a,f] h[j,f]);
            E[i,j]   = sum_a v[a] T[i,j,a];
            Z[i]     = sum_k exp(E[i,k]);
            P[i,j]   = exp(E[i,j]) / Z[i];
            C[i,f]   = sum_j P[i,j] h[j,f]
        """,
        function=_additive,
        wrt=("s", "h", "W", "U", "v"),
        closed="""
            dE[i,j]   = P[i,j] (sum_f G[i,f] h[j,f] - sum_f G[i,f] C[i,f]);
            dT[i,j,a] = dE[i,j] v[a] (1 - T[i,j,a]**2);
            ds[i,e]   = sum_{j,a} dT[i,j,a] W[a,e];
            dh[j,f]   = sum_i P[i,j] G[i,f] + sum_{i,a} dT[i,j,a] U[a,f];
            dW[a,e]   = sum_{i,j} dT[i,j,a] s[i,e];
            dU[a,f]   = sum_{i,j} dT[i,j,a] h[j,f];
            dv[a]     = sum_{i,j} dE[i,j] T[i,j,a]
        """,
        sizes={"n": 1, "p": 1, "q": 1, "r": 1},
        source=(
            "forward Bahdanau et al. 2015, arXiv 1409.0473, equations 5 and 6 and appendix A.1.2; gradients "
            "derived from it"
        ),
    ),
    Known(
        name="multi-head-attention",
        also=("mha", "multi-head"),
        title="Multi-head attention",
        about="Several attentions side by side, each on a projection of its own.",
        formula="""
            X[n,d], W_q[h,d,d_k], W_k[h,d,d_k], W_v[h,d,d_v], W_o[h,d_v,d]:
            Q[a,i,e] = sum_x X[i,x] W_q[a,x,e];
            K[a,j,e] = sum_x X[j,x] W_k[a,x,e];
            V[a,j,c] = sum_x X[j,x] W_v[a,x,c];
            A[a,i,j] = sum_e Q[a,i,e] K[a,j,e] / sqrt(d_k);
            Z[a,i]   = sum_k exp(A[a,i,k]);
            P[a,i,j] = exp(A[a,i,j]) / Z[a,i];
            O[a,i,c] = sum_j P[a,i,j] V[a,j,c];
            Y[i,x]   = sum_{a,c} O[a,i,c] W_o[a,c,x]
        """,
        function=_multi_head,
        wrt=("X", "W_q", "W_k", "W_v", "W_o"),
        closed="""
            dO[a,i,c]   = sum_x G[i,x] W_o[a,c,x];
            dA[a,i,j]   = P[a,i,j] (sum_c dO[a,i,c] V[a,j,c] - sum_c dO[a,i,c] O[a,i,c]);
            dQ[a,i,e]   = sum_j dA[a,i,j] K[a,j,e] / sqrt(d_k);
            dK[a,j,e]   = sum_i dA[a,i,j] Q[a,i,e] / sqrt(d_k);
            dV[a,j,c]   = sum_i P[a,i,j] dO[a,i,c];
            dX[i,x]     = sum_{a,e} dQ[a,i,e] W_q[a,x,e] + sum_{a,e} dK[a,i,e] W_k[a,x,e]
                          + sum_{a,c} dV[a,i,c] W_v[a,x,c];
            dW_q[a,x,e] = sum_i X[i,x] dQ[a,i,e];
            dW_k[a,x,e] = sum_j X[j,x] dK[a,j,e];
            dW_v[a,x,c] = sum_j X[j,x] dV[a,j,c];
            dW_o[a,c,x] = sum_i O[a,i,c] G[i,x]
        """,
        sizes={"n": 2, "d": 1, "d_k": 1, "d_v": 1, "h": 1},
        source=(
            f"forward {VASWANI}, section 3.2.2; gradients derived from it, for each head as in {DAO}, appendix B.2"
        ),
    ),
    Known(
        name="cross-attention",
        title="Cross attention",
        about="Queries of one sequence ask the keys and values of another.",
        formula="""
            X[n,d], Y[m,f], W_q[d,d_k], W_k[f,d_k], W_v[f,d_v]:
            Q[i,e] = sum_x X[i,x] W_q[x,e];
            K[j,e] = sum_y Y[j,y] W_k[y,e];
            V[j,c] = sum_y Y[j,y] W_v[y,c];
            A[i,j] = sum_e Q[i,e] K[j,e] / sqrt(d_k);
            Z[i]   = sum_k exp(A[i,k]);
            P[i,j] = exp(A[i,j]) / Z[i];
            O[i,c] = sum_j P[i,j] V[j,c]
        """,
        function=lambda X, Y, W_q, W_k, W_v: scaled_dot_product_attention(X @ W_q, Y @ W_k, Y @ W_v),
        wrt=("X", "Y", "W_q", "W_k", "W_v"),
        closed=_SCORES
        + """
            dQ[i,e]   = sum_j dS[i,j] K[j,e] / sqrt(d_k);
            dK[j,e]   = sum_i dS[i,j] Q[i,e] / sqrt(d_k);
            dV[j,c]   = sum_i P[i,j] G[i,c];
            dX[i,x]   = sum_e dQ[i,e] W_q[x,e];
            dY[j,y]   = sum_e dK[j,e] W_k[y,e] + sum_c dV[j,c] W_v[y,c];
            dW_q[x,e] = sum_i X[i,x] dQ[i,e];
            dW_k[y,e] = sum_j Y[j,y] dK[j,e];
            dW_v[y,c] = sum_j Y[j,y] dV[j,c]
        """,
        sizes={"n": 1, "d": 1, "f": 1, "d_k": 1, "d_v": 1},
        source=(f"forward {VASWANI}, sections 3.2.1 and 3.2.3; gradients derived from it, as in {DAO}, appendix B.2"),
    ),
    Known(
        name="rotary-positions",
        also=("rope", "rotary", "rotary-embedding"),
        title="Rotary position embedding",
        about="Each pair of columns turns by an angle that grows with the position.",
        operation="rotary",
        ranks={"x": 2},
        static={"interleaved": True},
        wrt=("x",),
        closed="""
            dx[i,j] = sum_k delta(j, 2 * k) (G[i,2 * k] cos(a[i,k]) + G[i,2 * k + 1] sin(a[i,k]))
                      + sum_k delta(j, 2 * k + 1) (G[i,2 * k + 1] cos(a[i,k]) - G[i,2 * k] sin(a[i,k]))
        """,
        source=(
            "forward Su et al. 2021, arXiv 2104.09864, equations 14 and 15; gradient derived from it: the "
            "inverse rotation"
        ),
    ),
    Known(
        name="linear-attention",
        title="Linear attention",
        about=("Attention with a product of features for the exponential, so that its cost is linear in the length."),
        formula="""
            Q[n,d], K[m,d], V[m,d_v]:
            q[i,e] = max(Q[i,e], 0) + exp(-max(-Q[i,e], 0));
            k[j,e] = max(K[j,e], 0) + exp(-max(-K[j,e], 0));
            S[e,c] = sum_j k[j,e] V[j,c];
            z[e]   = sum_j k[j,e];
            w[i]   = sum_e q[i,e] z[e];
            O[i,c] = sum_e q[i,e] S[e,c] / w[i]
        """,
        function=_linear_attention,
        wrt=("Q", "K", "V"),
        closed="""
            D[i]    = sum_c G[i,c] O[i,c];
            dq[i,e] = (sum_c G[i,c] S[e,c] - D[i] z[e]) / w[i];
            dk[j,e] = sum_i q[i,e] (sum_c G[i,c] V[j,c] - D[i]) / w[i];
            dV[j,c] = sum_{i,e} q[i,e] k[j,e] G[i,c] / w[i];
            dQ[i,e] = dq[i,e] (step(Q[i,e]) + step(-Q[i,e]) exp(-max(-Q[i,e], 0)));
            dK[j,e] = dk[j,e] (step(K[j,e]) + step(-K[j,e]) exp(-max(-K[j,e], 0)))
        """,
        sizes={"n": 1, "d": 1},
        source=("forward Katharopoulos et al. 2020, arXiv 2006.16236, equations 5 and 7; gradients derived from it"),
    ),
)
