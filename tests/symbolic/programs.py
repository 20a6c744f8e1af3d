"""The programs that the tests differentiate: text, output, inputs, and the gradients as a textbook has them.

The claims are written in the inputs, the saved values and the incoming gradient G; every one is proved and run.
"""

SOFTMAX = "x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z"

ATTENTION = (
    "Q[n,d_k], K[m,d_k], V[m,d_v]: "
    "A[i,j] = sum_e Q[i,e] K[j,e] / sqrt(d_k); "
    "Z[i] = sum_k exp(A[i,k]); "
    "P[i,j] = exp(A[i,j]) / Z[i]; "
    "O[i,c] = sum_j P[i,j] V[j,c]"
)

PROGRAMS = {
    "attention": (
        ATTENTION,
        "O",
        {
            "Q": "sum_j P[i,j] (sum_c G[i,c] V[j,c] - sum_{k,c} P[i,k] G[i,c] V[k,c]) K[j,e] / sqrt(d_k)",
            "K": "sum_i P[i,j] (sum_c G[i,c] V[j,c] - sum_{k,c} P[i,k] G[i,c] V[k,c]) Q[i,e] / sqrt(d_k)",
            "V": "sum_i P[i,j] G[i,c]",
        },
    ),
    "self attention, all dimensions equal": (
        "Q[n,n], K[n,n], V[n,n]: A[i,j] = sum_e Q[i,e] K[j,e] / sqrt(n); Z[i] = sum_k exp(A[i,k]); "
        "P[i,j] = exp(A[i,j]) / Z[i]; O[i,c] = sum_j P[i,j] V[j,c]",
        "O",
        {
            "Q": "sum_j P[i,j] (sum_c G[i,c] V[j,c] - sum_{k,c} P[i,k] G[i,c] V[k,c]) K[j,e] / sqrt(n)",
            "V": "sum_i P[i,j] G[i,c]",
        },
    ),
    "layer normalisation": (
        "x[n,d], gamma[d], beta[d], eps: mu[i] = sum_e x[i,e] / d; c[i,e] = x[i,e] - mu[i]; "
        "r[i] = (sum_e c[i,e]**2 / d + eps)**(-1/2); h[i,e] = c[i,e] r[i]; y[i,e] = gamma[e] h[i,e] + beta[e]",
        "y",
        {
            "x": "r[i] / d (d G[i,e] gamma[e] - sum_k G[i,k] gamma[k] - h[i,e] (sum_k G[i,k] gamma[k] h[i,k]))",
            "gamma": "sum_i G[i,e] h[i,e]",
            "beta": "sum_i G[i,e]",
        },
    ),
    "one tanh step": (
        "x[b,d], h[b,n], W[n,d], U[n,n]: a[t,i] = sum_e W[i,e] x[t,e] + sum_j U[i,j] h[t,j]; y[t,i] = tanh(a[t,i])",
        "y",
        {
            "x": "sum_i G[t,i] (1 - y[t,i]**2) W[i,e]",
            "h": "sum_i G[t,i] (1 - y[t,i]**2) U[i,j]",
            "U": "sum_t G[t,i] (1 - y[t,i]**2) h[t,j]",
        },
    ),
    "cross entropy with soft targets": (
        "x[n,m], t[n,m]: Z[i] = sum_k exp(x[i,k]); s[i] = sum_k t[i,k]; l[i] = s[i] log(Z[i]) - sum_k t[i,k] x[i,k]",
        "l",
        {"x": "G[i] (s[i] exp(x[i,k]) / Z[i] - t[i,k])"},
    ),
    "softmax in one line": (
        "A[n,m]: P[i,j] = exp(A[i,j]) / sum_k exp(A[i,k])",
        "P",
        {"A": "P[i,j] (G[i,j] - sum_k P[i,k] G[i,k])"},
    ),
    "rectifier": ("x[n]: y[i] = max(x[i], 0)", "y", {"x": "G[i] step(x[i])"}),
    "diagonal": ("a[n,n]: y[i] = a[i,i]**2", "y", {"a": "2 G[i] delta(i,j) a[i,j]"}),
    "gelu": (
        "x[n]: y[i] = x[i] (1 + erf(x[i] / sqrt(2))) / 2",
        "y",
        {"x": "G[i] ((1 + erf(x[i] / sqrt(2))) / 2 + x[i] exp(-x[i]**2 / 2) / sqrt(2 pi))"},
    ),
    "matrix product with broadcast axes": (
        "a[p,n,k], b[k,m]: out[q,i,j] = sum_e a[q,i,e] b[e,j]",
        "out",
        {"a": "sum_j G[q,i,j] b[e,j]", "b": "sum_{q,i} G[q,i,j] a[q,i,e]"},
    ),
    "a power with a parameter": (
        "x[n], p: y[i] = x[i]**p",
        "y",
        {"x": "p G[i] x[i]**(p - 1)", "p": "sum_i G[i] y[i] log(x[i])"},
    ),
    "root mean square normalisation": (
        "x[n,d], g[d], eps: r[i] = (sum_e x[i,e]**2 / d + eps)**(-1/2); y[i,e] = x[i,e] r[i] g[e]",
        "y",
        {"x": "r[i] (g[e] G[i,e] - x[i,e] r[i]**2 / d (sum_k g[k] G[i,k] x[i,k]))", "g": "sum_i G[i,e] x[i,e] r[i]"},
    ),
}
