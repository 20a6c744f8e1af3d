"""What is a layer of the Transformer?  A mixer between positions, then a network at each, with a way around both.

    post-norm:  y = LayerNorm(x + Mixer(x)),   z = LayerNorm(y + FFN(y))
    pre-norm:   y = x + Mixer(LayerNorm(x)),   z = y + FFN(LayerNorm(y))

Source: Vaswani et al. 2017, section 3.1 (post-norm); Xiong et al. 2020, arXiv 2002.04745 (pre-norm).

The residual ways around are why a gradient can cross many layers.
"""

from __future__ import annotations

from typing import Literal

import minitorch as mt
from minitorch import nn
from transformer.feedforward import FeedForward


class EncoderBlock(nn.Module):
    """(batch, n, d) -> (batch, n, d).

    Args:
        d: width.
        mixer: what mixes the positions, (batch, n, d) -> (batch, n, d): `MultiHeadAttention` in a Transformer; an `RNN`
            in its place makes a recurrent block that is equal in all else.
        d_ff: hidden width of the feed-forward network; 4 d unless given, as in the paper.
        norm: "post" as in the paper, or "pre".

    >>> from transformer.attention import MultiHeadAttention
    >>> import numpy as np
    >>> EncoderBlock(8, MultiHeadAttention(8, 2))(mt.tensor(np.ones((1, 3, 8), np.float32))).shape
    (1, 3, 8)
    """

    def __init__(self, d: int, mixer: nn.Module, d_ff: int | None = None, *, norm: Literal["pre", "post"] = "post"):
        if norm not in ("pre", "post"):
            raise mt.OperandError(f"EncoderBlock: norm is {norm!r}; it can be 'pre' or 'post'.")
        self.d_in, self.norm = d, norm
        self.mixer = mixer
        self.feedforward = FeedForward(d, 4 * d if d_ff is None else d_ff)
        self.norm_1, self.norm_2 = nn.LayerNorm(d), nn.LayerNorm(d)

    def forward(self, x: mt.Tensor) -> mt.Tensor:
        """x (batch, n, d) -> (batch, n, d)."""
        if self.norm == "pre":
            y = x + self.mixer(self.norm_1(x))
            return y + self.feedforward(self.norm_2(y))
        y = self.norm_1(x + self.mixer(x))
        return self.norm_2(y + self.feedforward(y))
