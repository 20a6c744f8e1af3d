"""What does each position think by itself?  Two linear maps with a ReLU between, the same at every position.

    FFN(x) = max(0, x W_1 + b_1) W_2 + b_2

Source: Vaswani et al. 2017, section 3.3, equation 2.
"""

from __future__ import annotations

import minitorch as mt
from minitorch import nn


class FeedForward(nn.Module):
    """(..., d) -> (..., d) through d_ff hidden units."""

    def __init__(self, d: int, d_ff: int):
        self.W_1, self.W_2 = nn.Linear(d, d_ff), nn.Linear(d_ff, d)

    def forward(self, x: mt.Tensor) -> mt.Tensor:
        """x (..., d) -> (..., d)."""
        return self.W_2(mt.relu(self.W_1(x)))
