"""How does attention know the order?  It does not; so each position is added to the token that stands there.

    PE(pos, 2i) = sin(pos / 10000^(2i/d)),   PE(pos, 2i+1) = cos(pos / 10000^(2i/d))

Source: Vaswani et al. 2017, section 3.5.
"""

from __future__ import annotations

import numpy as np

import minitorch as mt


def sinusoidal(n: int, d: int) -> np.ndarray:
    """Position vectors (n, d), in the default dtype.

    >>> sinusoidal(2, 4).round(2).tolist()[0]
    [0.0, 1.0, 0.0, 1.0]
    """
    pair = np.arange(d) // 2 * 2  # 0, 0, 2, 2, ...
    angle = np.arange(n)[:, None] / 10000 ** (pair / d)
    return np.where(np.arange(d) % 2, np.cos(angle), np.sin(angle)).astype(mt.tensor(0.0).dtype)
