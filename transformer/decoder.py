"""How does a text that is being written read the source?  Between self-attention and network it asks the encoder.

    post-norm:  x = Norm(x + SelfAttention(x)),   x = Norm(x + CrossAttention(x, memory)),   x = Norm(x + FFN(x))
    pre-norm:   x = x + SelfAttention(Norm(x)),   x = x + CrossAttention(Norm(x), memory),   x = x + FFN(Norm(x))

Source: Vaswani et al. 2017, section 3.1 and 3.2.3.

Self-attention is causal: position t may depend on the outputs before it alone.  The memory is read as it is.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.cache import Cache
from transformer.encoder import Residual, normalized
from transformer.feedforward import Activation, FeedForward


class DecoderBlock(Residual):
    """x (batch, n, d) and a memory (batch, m, d) -> (batch, n, d).

    Args:
        d: width.
        self_attention: causal `MultiHeadAttention`.
        cross_attention: `MultiHeadAttention` to the memory.
        d_ff, norm, activation, bias, dropout, normalization, eps: as for `EncoderBlock`.
    """

    def __init__(
        self,
        d: int,
        self_attention: nn.Module,
        cross_attention: nn.Module,
        d_ff: int | None = None,
        *,
        norm: Literal["pre", "post"] = "post",
        activation: Activation = "relu",
        bias: bool = True,
        dropout: float = 0.0,
        normalization: Literal["layer", "rms"] = "layer",
        eps: float = 1e-5,
    ):
        super().__init__(d, norm, dropout)
        self.self_attention, self.cross_attention = self_attention, cross_attention
        d_ff = 4 * d if d_ff is None else d_ff
        self.feedforward = FeedForward(d, d_ff, activation=activation, bias=bias, dropout=dropout)
        self.norm_1, self.norm_2, self.norm_3 = (normalized(d, normalization, eps) for _ in range(3))

    def forward(
        self,
        x: mt.Tensor,
        memory: mt.Tensor | tuple[mt.Tensor, mt.Tensor],
        *,
        real: np.ndarray | None = None,
        memory_real: np.ndarray | None = None,
        cache: Cache | None = None,
        attention: list[np.ndarray] | None = None,
    ) -> mt.Tensor:
        """x (batch, n, d), memory (batch, m, d) or its keys and values -> (batch, n, d).

        Args:
            real, memory_real: (batch, n) and (batch, m), False for padding.
            cache: earlier positions of x.
            attention: a list that gets the weights (batch, h, n, m) of the cross attention appended.
        """
        read: dict[str, Any] = {"memory": memory, "real": memory_real, "attention": attention}
        y = self.around(x, self.norm_1, lambda x: self.self_attention(x, real=real, cache=cache))
        y = self.around(y, self.norm_2, lambda y: self.cross_attention(y, **read))
        return self.around(y, self.norm_3, self.feedforward)
