"""Do the formulas of the layers cost what Vaswani's Table 1 prints?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from transformer.table1 import KINDS, complexity

EXACT = {
    "Self-Attention": "4 n² d + 5 n²",
    "Recurrent": "4 n d² + 3 n d",
    "Convolutional": "2 k n d²",
    "Self-Attention (restricted)": "4 r n d + 5 r n",
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_order_of_growth_is_what_the_paper_prints(kind):
    found = complexity(kind)
    assert f"O({found.order})" == kind.printed[0]
    assert found.operations == EXACT[kind.name]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.build], ids=lambda kind: kind.name)
def test_the_layer_that_is_built_has_the_width(kind):
    assert kind.build(8)(mt.tensor(np.zeros((1, 3, 8), np.float32))).shape == (1, 3, 8)


def test_restricted_attention_is_attention_to_the_last_r_positions():
    kind = KINDS[3]
    rng = np.random.default_rng(0)
    Q, K, V = rng.standard_normal((3, 5, 4))
    from minitorch import symbolic

    found = symbolic.numpy_function(kind.program())(Q, K, V, 2)
    for i in range(1, 5):  # the first position has nobody before it, whose score counts as 0
        scores = np.array([Q[i] @ K[i], Q[i] @ K[i - 1]]) / 2
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(found[i], weights[0] * V[i] + weights[1] * V[i - 1], rtol=1e-12)
