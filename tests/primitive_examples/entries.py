"""Which entries: reading and adding at slices, integers, arrays and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.primitive_examples.making import Row, signed

INDICES: list[tuple[tuple[int, ...], Any]] = [
    ((4,), 2),
    ((4,), -1),
    ((4,), slice(None, None, -1)),
    ((4,), slice(0, 0)),
    ((4, 3), (slice(1, None, 2), -1)),
    ((4, 3), (Ellipsis, None, 1)),
    ((4, 3), np.array([0, 0, 2, -1])),
    ((4, 3), [1, 1]),
    ((4, 3), (np.array([0, 0, 3]), np.array([1, 1, 2]))),
    ((4, 3), (slice(None), [[0, 2], [2, 2]])),
    ((4, 3), np.array([True, False, True, True])),
    ((2, 2), np.array([[True, False], [True, True]])),
    ((2, 3, 4), (np.array([0, 1]), slice(None), np.array([3, 3]))),
    ((0, 3), slice(None)),
    ((), ()),
    ((), None),
]


def _put(shape: tuple[int, ...], index: Any) -> Row:
    return (signed(*np.zeros(shape)[index].shape),), {"index": index, "shape": shape}


TABLE: dict[str, list[Row]] = {
    "getitem": [((signed(*s),), {"index": index}) for s, index in INDICES],
    "put": [
        ((signed(4), signed(2)), {"index": slice(1, 3)}),
        ((signed(4), signed(2)), {"index": [3, 0]}),
        ((signed(4), signed(3)), {"index": [1, 1, 2]}),
        ((signed(2, 3), signed(1)), {"index": (slice(None), 1)}),
        ((signed(2, 3), signed()), {"index": ...}),
        ((signed(2, 3), signed(3)), {"index": slice(None)}),
        ((signed(3), signed(2)), {"index": np.array([True, False, True])}),
        ((signed(4, 2), signed(3, 2)), {"index": [1, 3, 1]}),
    ],
    "put_into_zeros": [_put(s, index) for s, index in INDICES],
    "embedding": [
        ((signed(4, 3), np.array([[0, 2], [2, 3]])), {}),
        ((signed(4, 3), np.array([], int)), {}),
        ((signed(4, 2), np.array(1)), {}),
        ((signed(4, 3), np.array([[0, 2], [2, 3]])), {"padding_idx": 1}),  # which nothing reads
    ],
    "take": [
        ((signed(*s), np.array(i)), {"axis": a})
        for s, i, a in [((4,), [0, 0, 3], 0), ((2, 3), [[0, 5], [5, -1]], None), ((2, 3), 1, -1), ((3, 2), [2, 0], 0)]
    ],
    "take_along_axis": [
        ((signed(*s), np.array(i)), {"axis": a})
        for s, i, a in [
            ((4,), [0, 0, 3], 0),
            ((2, 3), [[0, 0], [2, -1]], 1),
            ((2, 3), [[1, 0, 1]], 0),
            ((2, 3), [4, 4, 0], None),
            ((1, 3), [[0], [0], [2]], -1),
        ]
    ],
    "scatter_add": [
        ((signed(4), np.array([0, 0, 3]), signed(3)), {"axis": 0}),
        ((signed(2, 3), np.array([[2, 2], [0, -1]]), signed(2, 2)), {"axis": 1}),
        ((signed(2, 3), np.array([[1, 0]]), signed(1, 2)), {"axis": 0}),
        ((signed(2, 3), np.array([[2, 2], [0, 1]]), signed(1, 2)), {"axis": -1}),
    ],
}
