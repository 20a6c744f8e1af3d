"""How does attention know the order?  It does not; so positions are told, in one of four ways.

    sinusoidal  PE(pos, 2i) = sin(pos / 10000^(2i/d)),   PE(pos, 2i+1) = cos(pos / 10000^(2i/d)); added to the token
    learned     a table with a row for each position, added to the token
    rotary      queries and keys turn by angles with their positions: `minitorch.rotary`
    alibi       A_ij - s_head |i - j|: a score falls with the distance, at a rate for each head

Source: Vaswani et al. 2017, section 3.5; Gehring et al. 2017 (arXiv 1705.03122); Su et al. 2021 (arXiv 2104.09864);
Press et al. 2022 (arXiv 2108.12409).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

import minitorch as mt
from minitorch import nn

Position = Literal["sinusoidal", "learned", "rotary", "alibi"]
KINDS = ("sinusoidal", "learned", "rotary", "alibi")


def sinusoidal(n: int, d: int) -> np.ndarray:
    """Position vectors (n, d), in the default dtype.

    >>> sinusoidal(2, 4).round(2).tolist()[0]
    [0.0, 1.0, 0.0, 1.0]
    """
    return sinusoidal_at(np.arange(n), d).astype(mt.tensor(0.0).dtype)


def sinusoidal_at(positions: np.ndarray, d: int) -> np.ndarray:
    """Positions (...) -> their vectors (..., d), in float64."""
    pair = np.arange(d) // 2 * 2  # 0, 0, 2, 2, ...
    angle = positions[..., None] / 10000 ** (pair / d)
    return np.where(np.arange(d) % 2, np.cos(angle), np.sin(angle))


class LearnedPositions(nn.Module):
    """A vector for each of the first `longest` positions: positions (...) -> (..., d).

    >>> LearnedPositions(8, 4)(np.arange(3)).shape
    (3, 4)
    """

    def __init__(self, longest: int, d: int):
        self.longest = longest
        self.weight = nn.Parameter(0.02 * mt.randn(longest, d))

    def forward(self, positions: np.ndarray) -> mt.Tensor:
        """Positions (...) -> (..., d).

        Raises:
            minitorch.ShapeError: a position that has no vector; says how many there are.
        """
        if positions.size and positions.max() >= self.longest:
            raise mt.ShapeError(
                f"A sequence of {positions.max() + 1} tokens, and learned positions for {self.longest}. "
                "Cut the sequence, or build the model with a larger `longest`, or another `position`."
            )
        return mt.embedding(self.weight, positions)


def rotary_at(x: mt.Tensor, positions: np.ndarray | None, *, base: float, interleaved: bool) -> mt.Tensor:
    """x (batch, h, n, d_k), each pair of columns turned by its position: 0 ... n - 1, or (batch, n) of them."""
    if positions is None:
        return mt.rotary(x, base=base, interleaved=interleaved)
    if (positions == positions[:1]).all():
        return mt.rotary(x, positions[0].tolist(), base=base, interleaved=interleaved)
    batch, h, n, d_k = x.shape
    rows = x.swapaxes(0, 1).reshape(h, batch * n, d_k)  # rows of all sentences, each with a position of its own
    turned = mt.rotary(rows, positions.ravel().tolist(), base=base, interleaved=interleaved)
    return turned.reshape(h, batch, n, d_k).swapaxes(0, 1)


def alibi_slopes(h: int) -> np.ndarray:
    """The rate s at which scores fall with the distance, for each of h heads: 2^(-8/h), 2^(-16/h), ... (section 3).

    If h is no power of two, the rates of the largest power below come first, then every other one of twice as many (the
    authors' code).

    >>> alibi_slopes(8).tolist()[:3], alibi_slopes(3).round(4).tolist()
    ([0.5, 0.25, 0.125], [0.0625, 0.0039, 0.25])
    """
    power = 1 << (h.bit_length() - 1)
    first = 2.0 ** (-8 / power * np.arange(1, power + 1))
    more = 2.0 ** (-4 / power * np.arange(1, 2 * power + 1, 2))
    return np.concatenate([first, more[: h - power]])


def alibi(queries: np.ndarray, keys: np.ndarray, h: int) -> np.ndarray:
    """Positions (..., n) and (..., m) -> what is added to the scores (..., h, n, m).

    >>> alibi(np.arange(2), np.arange(2), 1).tolist()
    [[[0.0, -0.00390625], [-0.00390625, 0.0]]]
    """
    distance = np.abs(queries[..., :, None] - keys[..., None, :])[..., None, :, :]
    return alibi_slopes(h)[:, None, None] * -distance
