"""What is contracted: products of matrices, Einstein's notation, convolution."""

from __future__ import annotations

from tests.primitive_examples.making import Row, signed

MATMULS = [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((3,), (2, 3, 4)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((2, 3), (4, 3, 2)),
    ((4, 2, 3), (3,)),
    ((4, 2, 3), (3, 2)),
    ((4, 2, 3), (4, 3, 2)),
    ((1, 2, 3), (4, 3, 2)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((4, 3, 2), (2, 1, 2, 3)),
    ((2, 4, 2, 3), (3, 2)),
    ((1, 1, 3), (3, 2)),
    ((3, 4), (4, 0)),
    ((2, 0), (0, 3)),
    ((0, 2, 3), (3, 2)),
]
EINSUMS: list[tuple] = [
    ("ii->i", (3, 3)),
    ("ii->", (3, 3)),
    ("iji->j", (2, 3, 2)),
    ("iii->i", (2, 2, 2)),
    ("ij->", (2, 3)),
    ("ij->ji", (2, 3)),
    ("->", ()),
    ("ij,jk->ik", (2, 3), (3, 2)),
    ("aij,jk->aik", (2, 2, 3), (3, 2)),
    ("aij,ajk->aik", (1, 2, 3), (4, 3, 2)),
    ("iij,j->i", (2, 2, 3), (3,)),
    ("ij,kj->k", (2, 3), (4, 3)),
    (",i->i", (), (2,)),
    ("ij,jk->ik", (2, 0), (0, 3)),
    ("i,j,k->kij", (2,), (3,), (2,)),
    ("i,i,i->", (3,), (3,), (3,)),
    ("ij,jj,ik->k", (2, 3), (3, 3), (2, 2)),
    ("i,j,k,l->li", (2,), (1,), (2,), (2,)),
    ("ij,jk->ik", (2, 1), (3, 2)),  # the sum runs over 3, and a is stretched
    ("ij,jj,jk->k", (2, 3), (3, 3), (1, 2)),
    ("aab->b", (2, 2, 3)),  # the letters that the rule would take first are taken
]

TABLE: dict[str, list[Row]] = {
    "matmul": [((signed(*a), signed(*b)), {}) for a, b in MATMULS],
    "linear": [((signed(*s), signed(2, 3), signed(2)), {}) for s in [(3,), (4, 3), (2, 4, 3), (0, 3)]],
    "linear_map": [((signed(*s), signed(2, 3)), {}) for s in [(3,), (4, 3), (2, 4, 3), (0, 3)]],
    "rotary": [
        ((signed(*s),), static)
        for s, static in [
            ((3, 4), {}),
            ((2, 3, 2), {"positions": 5, "base": 100.0}),
            ((2, 4), {"positions": [7, 1], "interleaved": True}),
            ((2, 4), {"inverse": True}),
            ((2, 4), {"positions": 3, "base": 100.0}),
            ((0, 2), {}),
        ]
    ],
    "outer": [((signed(2), signed(3)), {}), ((signed(0), signed(2)), {})],
    **{
        name: [
            (tuple(signed(*s) for s in shapes), {"subscripts": text})
            for text, *shapes in EINSUMS
            if min(len(shapes), 3) == count
        ]
        for count, name in ((1, "einsum_of_one"), (2, "einsum_of_two"), (3, "einsum"))
    },
    "conv1d": [
        ((signed(*s), signed(*w)), static)
        for s, w, static in [
            ((2, 3, 5), (4, 3, 2), {}),
            ((1, 1, 4), (1, 1, 4), {}),
            ((2, 2, 7), (2, 2, 3), {"stride": 2}),
            ((1, 2, 8), (3, 2, 2), {"stride": 3}),
            ((1, 1, 8), (1, 1, 3), {"stride": 2}),  # no window reaches the last entry
            ((1, 2, 7), (2, 2, 3), {"dilation": 2}),
            ((2, 4, 9), (6, 2, 2), {"stride": 2, "dilation": 3, "groups": 2}),
            ((2, 3, 5), (3, 1, 3), {"groups": 3}),
            ((0, 2, 4), (1, 2, 2), {}),
        ]
    ],
}
