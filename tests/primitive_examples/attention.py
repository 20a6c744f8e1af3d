"""What does a query read: products of which a mask leaves terms out, and attention in blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.primitive_examples.making import Row, signed

_SOME = np.array([[True, False, True, True], [False, True, False, True], [False, False, False, False]])
_BY_HEAD = np.stack([_SOME, ~_SOME])
_LEADING = [((), ()), ((2,), (2,)), ((), (2,)), ((2,), ()), ((2, 1), (2,))]
_PLAIN: dict[str, Any] = {"causal": False, "scale": None, "softcap": None, "exact": False}

TABLE: dict[str, list[Row]] = {
    "sampled_product": [
        *[((signed(*a, 3, 2), signed(*b, 4, 2), _SOME), {}) for a, b in _LEADING],
        ((signed(2, 3, 2), signed(2, 4, 2), _BY_HEAD), {}),
    ],
    "masked_product": [
        *[((signed(*a, 3, 4), signed(*b, 4, 2), _SOME), {}) for a, b in _LEADING],
        ((signed(2, 3, 4), signed(2, 4, 2), _BY_HEAD), {}),
    ],
    "chunked_attention": [
        ((signed(*q), signed(*k), signed(*v), mask), {**_PLAIN, **more})
        for q, k, v, mask, more in [
            ((3, 2), (4, 2), (4, 3), True, {}),
            ((3, 2), (3, 2), (3, 1), True, {"causal": True}),
            ((3, 2), (4, 2), (4, 3), _SOME, {"exact": True}),
            ((3, 2), (4, 2), (4, 3), _SOME, {"causal": True}),
            ((3, 2), (4, 2), (4, 2), signed(3, 4), {"scale": 0.3, "softcap": 0.7}),
            ((3, 2), (4, 2), (4, 2), signed(4), {"causal": True, "exact": True}),
            ((4, 2, 2), (2, 3, 2), (2, 3, 2), True, {"softcap": 1.5}),
            ((2, 1, 2), (1, 2), (2, 1, 3), signed(), {}),
            ((1, 3, 2), (1, 4, 2), (2, 2, 4, 3), True, {}),
            ((3, 2), (1, 4, 2), (3, 4, 2), True, {}),
            ((4, 3, 2), (2, 4, 2), (2, 4, 3), np.concatenate([_BY_HEAD, _BY_HEAD]), {"exact": True}),
        ]
    ],
}
