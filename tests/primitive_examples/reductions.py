"""Over an axis: sums, extremes, statistics, scans and norms."""

from __future__ import annotations

from typing import Any

from tests.primitive_examples.making import Row, distinct, signed

REDUCTIONS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((), {}),
    ((4,), {}),
    ((2, 3), {}),
    ((2, 3), {"keepdims": True}),
    ((2, 3, 4), {"axis": 0}),
    ((2, 3, 4), {"axis": -1}),
    ((2, 3, 4), {"axis": (0, -1)}),
    ((2, 3, 4), {"axis": (-1, 0), "keepdims": True}),
    ((2, 3), {"axis": -2, "keepdims": True}),
    ((2, 1, 3), {"axis": 1}),
    ((0, 3), {"axis": 1}),
    ((2, 3), {"axis": ()}),
]
EMPTY_REDUCTIONS: list[tuple[tuple[int, ...], dict[str, Any]]] = [((0, 3), {"axis": 0}), ((0,), {})]
OVER_AXIS = [((4,), {}), ((2, 3), {}), ((2, 3), {"axis": 0}), ((2, 3, 2), {"axis": -2}), ((0, 3), {})]

TABLE: dict[str, list[Row]] = {
    "sum": [((signed(*s),), static) for s, static in [*REDUCTIONS, *EMPTY_REDUCTIONS]],
    "mean": [((signed(*s),), static) for s, static in REDUCTIONS],
    "max": [((distinct(*s),), static) for s, static in REDUCTIONS],
    "softmax": [((signed(*s),), static) for s, static in OVER_AXIS],
    "log_softmax": [((signed(*s),), static) for s, static in OVER_AXIS],
    "min": [((distinct(*s),), static) for s, static in REDUCTIONS],
    "prod": [((signed(*s),), static) for s, static in [*REDUCTIONS, *EMPTY_REDUCTIONS]],
    "var": [((signed(*s),), static) for s, static in [*REDUCTIONS, ((2, 3), {"axis": 1, "ddof": 1})]],
    "std": [((signed(*s),), static) for s, static in [*REDUCTIONS, ((2, 3), {"axis": (0, 1), "ddof": 2})]],
    "logsumexp": [((signed(*s),), static) for s, static in REDUCTIONS],
    "norm": [((signed(*s),), static) for s, static in REDUCTIONS],
    **{name: [((distinct(*s),), static) for s, static in REDUCTIONS] for name in ("all", "any")},
    **{name: [((distinct(2, 3),), {"axis": a}) for a in (None, 0, -1)] for name in ("argmax", "argmin", "argsort")},
    **{
        name: [
            ((signed(*s),), {"axis": a})
            for s, a in [((4,), 0), ((2, 3), None), ((2, 3), -1), ((5, 2), 0), ((0,), 0), ((2, 5, 2), 1)]
        ]
        for name in ("cumsum", "cumprod")
    },
    **{
        name: [
            ((signed(*s), signed(*s)), {"axis": a})
            for s, a in [((4,), 0), ((2, 3), 1), ((5, 2), 0), ((0,), 0), ((2, 5, 2), 1)]
        ]
        for name in ("cumprod_pull", "cumprod_push")
    },
    "standardize": [((signed(*s),), {"eps": 1e-5}) for s in [(4,), (2, 3), (0, 3), (2, 1, 3)]],
    "rms_scale": [((signed(*s),), {"eps": 1e-6}) for s in [(4,), (2, 3), (0, 3), (2, 3, 2)]],
}
