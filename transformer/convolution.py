"""How far does a window see?  k positions in a layer; in a stack whose windows widen k-fold, k^layers.

    y_i = b + sum_{s<k} x_{i - s r} W_s                          r the dilation; causal: the past and the present only
    stack: x <- x + ReLU(Convolution_r(x)),  r = 1, k, k^2, ...

Source: Vaswani et al. 2017 (arXiv 1706.03762), section 4 and table 1, third row: "a stack of O(n/k) convolutional
layers in the case of contiguous kernels, or O(log_k(n)) in the case of dilated convolutions"; van den Oord et al. 2016
(WaveNet, arXiv 1609.03499), section 2.1; Kalchbrenner et al. 2016 (ByteNet, arXiv 1610.10099), section 3.
"""

from __future__ import annotations

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.sequence import check_sequence


class Convolution(nn.Module):
    """One window that slides along: (batch, n, d) -> (batch, n, d).

    Args:
        d: width.
        k: how many positions the window sees.
        dilation: how far apart these are.
        causal: whether the window ends at its own position; otherwise that stands in the middle (of an even k, left of
            it), with zeros beyond both ends.

    >>> Convolution(8, 3)(mt.tensor(np.ones((1, 5, 8), np.float32))).shape
    (1, 5, 8)
    """

    def __init__(self, d: int, k: int = 3, *, dilation: int = 1, causal: bool = True):
        _check("Convolution", d=d, k=k, dilation=dilation)
        self.d_in, self.causal = d, causal
        self.W = nn.Conv1d(d, d, k, padding=(dilation * (k - 1), 0) if causal else "same", dilation=dilation)

    def forward(self, x: mt.Tensor, real: np.ndarray | None = None) -> mt.Tensor:
        """x (batch, n, d) -> (batch, n, d); real (batch, n) is False for padding, which counts as zeros."""
        check_sequence("Convolution", x.shape, self.d_in)
        if real is not None:
            x = mt.where(real[..., None], x, 0)
        return self.W(x.swapaxes(1, 2)).swapaxes(1, 2)  # channels first for the window, and back


class ConvolutionStack(nn.Module):
    """Layers of windows with a way around each: (batch, n, d) -> (batch, n, d).

    Args:
        d: width.
        layers: how many.
        k: how many positions a window sees.
        causal: whether a position sees itself and the past only.
        dilated: whether layer l = 0, 1, ... leaves steps of k^l, or of 1.

    >>> ConvolutionStack(4, layers=3, k=2).reach, ConvolutionStack(4, layers=3, k=2, dilated=False).reach
    (8, 4)
    """

    def __init__(self, d: int, *, layers: int, k: int = 3, causal: bool = True, dilated: bool = True):
        _check("ConvolutionStack", d=d, k=k, layers=layers)
        dilations = [k**level if dilated else 1 for level in range(layers)]
        self.layers = nn.ModuleList([Convolution(d, k, dilation=r, causal=causal) for r in dilations])
        self.reach = 1 + (k - 1) * sum(dilations)
        """How many positions one output sees, its own included."""

    def forward(self, x: mt.Tensor, real: np.ndarray | None = None) -> mt.Tensor:
        """x (batch, n, d) -> (batch, n, d); real (batch, n) is False for padding, which counts as zeros."""
        for layer in self.layers:
            x = x + mt.relu(layer(x, real))
        return x


def _check(name: str, **sizes: int) -> None:
    """Refuse a size below 1."""
    for size, value in sizes.items():
        if value < 1:
            raise mt.ShapeError(f"{name}: {size}={value}; it is at least 1.")
