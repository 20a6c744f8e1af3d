"""How does attention go backward, by queries, keys and values?"""

from __future__ import annotations

from minitorch.symbolic.library.record import Known

ATTENTION = (
    Known(
        name="attention",
        title="Scaled dot-product attention",
        operation="scaled_dot_product_attention",
        wrt=("Q", "K", "V"),
        closed="""
            D[i]    = sum_c G[i,c] O[i,c];
            dS[i,j] = P[i,j] (sum_c G[i,c] V[j,c] - D[i]);
            dQ[i,e] = sum_j dS[i,j] K[j,e] / sqrt(d_k);
            dK[j,e] = sum_i dS[i,j] Q[i,e] / sqrt(d_k);
            dV[j,c] = sum_i P[i,j] G[i,c]
        """,
        source="Dao et al. 2022, arXiv 2205.14135, appendix B.2; Vaswani et al. 2017, arXiv 1706.03762, equation 1",
    ),
)
