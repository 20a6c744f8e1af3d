"""How wrong: losses with a rule of their own."""

from __future__ import annotations

import numpy as np

from tests.primitive_examples.making import Row, binary, signed

TABLE: dict[str, list[Row]] = {
    "cross_entropy": [
        ((signed(2, 3), np.array([2, 0])), {}),
        ((signed(2, 3, 4), np.array([[1, 1, 3], [0, 2, 1]])), {}),
        ((signed(3), np.array(1)), {}),
        ((signed(0, 3), np.array([], int)), {}),
    ],
    "logistic_loss": [*binary(signed), ((signed(2, 3), np.array([0, 1, 1])), {})],
}
