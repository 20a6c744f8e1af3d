"""Where entries go: movement, joining, repeating and padding, diagonals and triangles."""

from __future__ import annotations

from tests.primitive_examples.making import Row, signed

TABLE: dict[str, list[Row]] = {
    "reshape": [
        ((signed(*s),), {"shape": t})
        for s, t in [((2, 3), (3, 2)), ((2, 3), (-1,)), ((), (1, 1)), ((0, 3), (3, 0)), ((4,), (2, -1))]
    ],
    "transpose": [
        ((signed(*s),), {"axes": t})
        for s, t in [((2, 3), None), ((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (-1, 0, -2)), ((), None), ((0, 2), (1, 0))]
    ],
    "swapaxes": [((signed(*s),), {"axis1": 0, "axis2": -1}) for s in [(2, 3), (2, 3, 4), (3,)]],
    "broadcast_to": [
        ((signed(*s),), {"shape": t}) for s, t in [((), (2,)), ((3, 1), (2, 3, 4)), ((1,), (0,)), ((2, 3), (2, 3))]
    ],
    "sum_to": [
        ((signed(*s),), {"shape": t}) for s, t in [((2,), ()), ((2, 3, 4), (3, 1)), ((0,), (1,)), ((2, 3), (2, 3))]
    ],
    "expand_dims": [((signed(*s),), {"axis": a}) for s, a in [((), 0), ((2, 3), -1), ((2, 3), (0, -2)), ((0,), 1)]],
    "squeeze": [
        ((signed(*s),), {"axis": a})
        for s, a in [((1, 2, 1), None), ((1, 2, 1), -1), ((1, 2, 1), (0, 2)), ((1,), None), ((1, 0), 0)]
    ],
    "concatenate": [
        ((signed(2, 3), signed(1, 3)), {}),
        ((signed(2, 3), signed(2, 0), signed(2, 2)), {"axis": -1}),
        ((signed(2),), {"axis": 0}),
    ],
    "stack": [
        ((signed(2, 3), signed(2, 3)), {}),
        ((signed(2, 3), signed(2, 3), signed(2, 3)), {"axis": -1}),
        ((signed(), signed()), {"axis": 0}),
        ((signed(0, 2), signed(0, 2)), {"axis": 1}),
    ],
    "flip": [((signed(*s),), {"axis": a}) for s, a in [((3,), None), ((2, 3), 0), ((2, 3), (0, -1)), ((), None)]],
    "roll": [
        ((signed(*s),), {"shift": n, "axis": a})
        for s, n, a in [((4,), 1, None), ((2, 3), -1, 1), ((2, 3), 2, None), ((2, 3), (1, -1), (0, 1)), ((0, 2), 1, 0)]
    ],
    "tile": [
        ((signed(*s),), {"reps": r})
        for s, r in [((2,), 3), ((2, 3), (2, 1)), ((2,), (2, 2)), ((2, 3), 2), ((2, 3), [2, 1]), ((), 2), ((2,), 0)]
    ],
    "repeat": [
        ((signed(*s),), {"repeats": r, "axis": a})
        for s, r, a in [
            ((3,), 2, None),
            ((2, 3), 2, 0),
            ((2, 3), 2, 1),
            ((2, 3), [1, 0, 2], -1),
            ((2, 2), 3, None),
            ((2, 2), [1, 0, 2, 1], None),
            ((2, 1), 0, 0),
        ]
    ],
    "pad": [
        ((signed(*s),), {"pad_width": w, "mode": m})
        for s, w, m in [
            ((3,), 1, "constant"),
            ((2, 3), ((0, 1), (2, 0)), "constant"),
            ((3,), (2, 1), "edge"),
            ((3, 4), ((1, 1), (2, 3)), "reflect"),
            ((2, 2), ((0, 0), (1, 5)), "reflect"),
            ((2, 3), 1, "symmetric"),
            ((3,), (1, 4), "wrap"),
            ((0, 2), 1, "constant"),
        ]
    ],
    "diagonal": [
        ((signed(*s),), static)
        for s, static in [
            ((3, 3), {}),
            ((2, 4), {"offset": 1}),
            ((4, 2), {"offset": -1}),
            ((2, 3, 4), {"axis1": 1, "axis2": 2}),
            ((2, 3, 4), {"axis1": -1, "axis2": 0, "offset": 1}),
            ((2, 2), {"offset": 2}),
        ]
    ],
    **{
        name: [((signed(*s),), {"k": k}) for s, k in [((3, 3), 0), ((2, 4), 1), ((2, 3, 2), -1), ((0, 2), 0)]]
        for name in ("tril", "triu")
    },
}
