"""What is a layer of the Transformer?  A mixer between positions, then a network at each, with a way around both.

    post-norm:  y = LayerNorm(x + Mixer(x)),   z = LayerNorm(y + FFN(y))
    pre-norm:   y = x + Mixer(LayerNorm(x)),   z = y + FFN(LayerNorm(y))

Source: Vaswani et al. 2017, section 3.1 (post-norm); Xiong et al. 2020, arXiv 2002.04745 (pre-norm); Zhang & Sennrich
2019, arXiv 1910.07467 (RMSNorm in LayerNorm's place).

The residual ways around are why a gradient can cross many layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import minitorch as mt
from minitorch import nn
from transformer.feedforward import Activation, FeedForward


class Residual(nn.Module):
    """What the blocks of encoder and decoder share: norms, dropout, and the way around a sublayer.

    Args:
        d: width.
        norm: "post" as in the paper, or "pre".
        dropout: probability with which an entry of a sublayer's output is left out in training (section 5.4).
    """

    def __init__(self, d: int, norm: Literal["pre", "post"], dropout: float):
        if norm not in ("pre", "post"):
            raise mt.OperandError(f"{type(self).__name__}: norm is {norm!r}; it can be 'pre' or 'post'.")
        self.d_in, self.norm, self.dropout = d, norm, dropout

    def around(self, x: mt.Tensor, norm: nn.Module, sublayer: Callable[[mt.Tensor], mt.Tensor]) -> mt.Tensor:
        """x (batch, n, d) with what the sublayer adds to it."""
        if self.norm == "pre":
            return x + mt.dropout(sublayer(norm(x)), self.dropout, self.training)
        return norm(x + mt.dropout(sublayer(x), self.dropout, self.training))


class EncoderBlock(Residual):
    """(batch, n, d) -> (batch, n, d).

    Args:
        d: width.
        mixer: what mixes the positions, (batch, n, d) -> (batch, n, d): `MultiHeadAttention` in a Transformer; an `RNN`
            in its place makes a recurrent block that is equal in all else.
        d_ff: hidden width of the feed-forward network; 4 d unless given, as in the paper.
        norm: "post" as in the paper, or "pre".
        activation, bias: of the feed-forward network.
        dropout: after both sublayers and inside the network, in training.
        normalization: "layer" or "rms".
        eps: added to the variance in the norms.

    With causal attention it is the block of a decoder-only model.

    >>> from transformer.attention import MultiHeadAttention
    >>> import numpy as np
    >>> EncoderBlock(8, MultiHeadAttention(8, 2))(mt.tensor(np.ones((1, 3, 8), np.float32))).shape
    (1, 3, 8)
    """

    def __init__(
        self,
        d: int,
        mixer: nn.Module,
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
        self.mixer = mixer
        d_ff = 4 * d if d_ff is None else d_ff
        self.feedforward = FeedForward(d, d_ff, activation=activation, bias=bias, dropout=dropout)
        self.norm_1, self.norm_2 = (normalized(d, normalization, eps) for _ in range(2))

    def forward(self, x: mt.Tensor, **mixing: Any) -> mt.Tensor:
        """x (batch, n, d) -> (batch, n, d); `mixing` goes to the mixer: a mask, a cache."""
        y = self.around(x, self.norm_1, lambda x: self.mixer(x, **mixing))
        return self.around(y, self.norm_2, self.feedforward)


def normalized(d: int, normalization: str, eps: float) -> nn.Module:
    """A norm over the width d.

    >>> normalized(4, "rms", 1e-6)
    RMSNorm(4 parameters: weight (4,))
    """
    if normalization == "layer":
        return nn.LayerNorm(d, eps)
    if normalization == "rms":
        return nn.RMSNorm(d, eps)
    raise mt.OperandError(f"normalization is {normalization!r}; it can be 'layer' or 'rms'.")
