"""Which changes compute the same?  Each with the reason; for all inputs, or it does not belong here.

By function: what its statement says, what the mutant's says instead, and why that is the same.
"""

from __future__ import annotations

Entry = tuple[str, str, str]

_INT = "NumPy takes its own integers as sizes"
_DTYPE = "only the product of no sizes is 1.0 then, of which int makes 1"
_SUMMED = "reverse and forward mode sum what the rule gives to the shape of its input"
_STRETCHED = "in its rule the cotangent meets what has the result's shape, which stretches the tangent, too"
_BLOCKS = "how many rows a block has changes nothing but memory and time"
_JOIN = "one block, joined, is itself"
_SLOWER = "the general way computes the same; this one is quicker"
_ANYWAY = "P has every leading axis: what has it already stays, and products stretch the rest anyway"
_ARRAY = "what is kept is an array by then, or a Tensor of integers, which serves as one"
_OWN_ROWS = "the rows of a matrix are its own"
_NUMBER = "of two vectors g is a number: shape (1,) times b is g b"

EQUIVALENT: dict[str, list[Entry]] = {
    "activations.elu.vjp.x": [
        ("where(x > 0, 0, x)", "where(x > 1, 0, x)", "from 0 to 1 exp(x) is finite, and not chosen"),
        ("where(x > 0, 0, x)", "where(x > 0, 1, x)", "where x > 0 this is not chosen"),
    ],
    "arrangement._unpad": [
        ("if any(width):", "if True:", "without padding every entry comes from its own place"),
        ("any(width)", "width", "without padding every entry comes from its own place"),
    ],
    "arrangement._unrepeat": [
        ("int(np.prod(x_shape, dtype=int))", "np.prod(x_shape, dtype=int)", _INT),
        ("np.prod(x_shape, dtype=int)", "np.prod(x_shape)", _DTYPE),
        ("axis or 0", "axis", "None means all axes, and then there is one"),
        ("if len(shape_of(repeats)) == 0:", "if False:", _SLOWER),
        ("len(shape_of(repeats)) == 0", "shape_of(repeats) == 0", _SLOWER),
        ("int(repeats)", "repeats", _INT),
    ],
    "arrangement._untile": [
        (
            "reshape(sum(reshape(g, tuple(pairs)), axis=tuple(range(0, 2 * rank, 2))), x_shape)",
            "sum(reshape(g, tuple(pairs)), axis=tuple(range(0, 2 * rank, 2)))",
            _SUMMED,
        ),
        ("tuple(pairs)", "pairs", "a shape may be a list"),
    ],
    "attention_chunked._pull": [
        ("sum_to(weights_by_values(dA, b.K, b.seen), b.Q.shape)", "weights_by_values(dA, b.K, b.seen)", _SUMMED),
        ("dQ[0] if len(dQ) == 1 else concatenate(dQ, axis=-2)", "concatenate(dQ, axis=-2)", _JOIN),
        ("len(dQ) == 1", "dQ == 1", _JOIN),
    ],
    "attention_chunked._pull_mask": [
        ("return sum_to(dA, mask.shape)", "return dA", _SUMMED),
    ],
    "attention_chunked._pulled": [
        ("_rows(O.shape[:-2], n, m)", "_rows(O.shape, n, m)", _BLOCKS),
        ("_rows(O.shape[:-2], n, m)", "_rows(O.shape[:], n, m)", _BLOCKS),
        ("_rows(O.shape[:-2], n, m)", "_rows(O.shape[:2], n, m)", _BLOCKS),
        ("_rows(O.shape[:-2], n, m)", "_rows(O.shape[:-3], n, m)", _BLOCKS),
        ("_rows(O.shape[:-2], n, m)", "_rows(O.shape[:-1], n, m)", _BLOCKS),
        ("max(1, n)", "max(2, n)", "a block has as many rows as there are, at most"),
    ],
    "attention_products.weights_by_rows": [
        ("if count is not None and G.shape[:-1] != P.shape[:-1]:", f"if {test}:", _ANYWAY)
        for test in (
            "True",
            "count is not None",
            "count is not None or G.shape[:-1] != P.shape[:-1]",
            "G.shape[:-1] != P.shape[:-1]",
            *(f"count is not None and G.shape{of} != P.shape[:-1]" for of in ("", "[:]", "[:1]", "[:-2]")),
            *(f"count is not None and G.shape[:-1] != P.shape{of}" for of in ("", "[:]")),
        )
    ],
    "contraction._back": [
        ("if n == sizes[c]", "if n == sizes", "another operand has the letter too: ones change nothing"),
        ("if letter in target:", "if True:", "a unit matrix gives the axis another name"),
        ("if letter in target:", "if letter not in target:", "a unit matrix gives the axis another name"),
        ("if letter not in others_have:", "if True:", "a factor of ones changes nothing"),
    ],
    "convolution._by_x": [
        ("stride=1, ", "", "1 is what it is without"),
    ],
    "diagonal._onto_diagonal": [
        (
            "tuple((n for k, n in enumerate(x_shape) if k not in (a, b)))",
            "(n for k, n in enumerate(x_shape) if k not in (a, b))",
            "it is unpacked once",
        ),
    ],
    "distances.xlogx.vjp.x": [("where(x == 0, 1, x)", "where(x == 0, 2, x)", "where x is 0 this is not chosen")],
    "elementwise._less_one": [
        ("tiny), 1, b - 1)", "tiny), 2, b - 1)", "a is 0, or to any digit as good as 0, and so is its square")
    ],
    "forward._pull": [
        ("sum_to(r, args[k].shape)", f"lost for input {k} of {op}", _STRETCHED)
        for op, ks in {
            **dict.fromkeys(("arctan2", "hypot", "logaddexp", "logistic_loss", "masked_product", "maximum"), (0, 1)),
            **dict.fromkeys(("minimum", "multiply", "power", "sampled_product"), (0, 1)),
            **dict.fromkeys(("divide", "einsum_of_two"), (0,)),
            **dict.fromkeys(("remainder", "swiglu"), (1,)),
            **dict.fromkeys(("einsum", "scatter_add"), (2,)),
        }.items()
        for k in ks
    ],
    "gathering._untake": [
        ("int(np.prod(x_shape, dtype=int))", "np.prod(x_shape, dtype=int)", _INT),
        ("np.prod(x_shape, dtype=int)", "np.prod(x_shape)", _DTYPE),
    ],
    "gathering._untake_along": [
        ("np.asarray(indices)", "indices", _ARRAY),
        ("int(np.prod(x_shape, dtype=int))", "np.prod(x_shape, dtype=int)", _INT),
        ("np.prod(x_shape, dtype=int)", "np.prod(x_shape)", _DTYPE),
    ],
    "gathering.scatter_add.vjp.values": [("np.asarray(indices)", "indices", _ARRAY)],
    "indexing._without_padding": [("np.asarray(indices)", "indices", _ARRAY)],
    "indexing._to_rows": [("np.asarray(indices)", "indices", _ARRAY)],
    "indexing._add_to_rows": [("np.asarray(indices)", "indices", _ARRAY)],
    "indexing._add_back": [
        ("if is_basic(index):", "if False:", _SLOWER),
    ],
    "linalg._left": [
        ("expand_dims(g, -1) * b if len(a_shape) > 1 else g * b", "expand_dims(g, -1) * b", _NUMBER),
        ("len(a_shape) > 1", "len(a_shape) >= 1", _NUMBER),
    ],
    "linalg._right": [
        ("expand_dims(a, -1)", "expand_dims(a, 1)", "a has one axis"),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if False:", _SLOWER),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if b_shape == 2 and a.ndim > 2:", _SLOWER),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if len(b_shape) == 1 and a.ndim > 2:", _SLOWER),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if len(b_shape) == 2 and a.ndim < 2:", _SLOWER),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if len(b_shape) == 2 and a.ndim > 3:", _SLOWER),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if len(b_shape) == 2:", _OWN_ROWS),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if len(b_shape) == 2 and a.ndim >= 2:", _OWN_ROWS),
        ("if len(b_shape) == 2 and a.ndim > 2:", "if len(b_shape) == 2 and a.ndim > 1:", _OWN_ROWS),
    ],
    "linalg._rows": [
        ("int(np.prod(shape[:-1], dtype=int))", "np.prod(shape[:-1], dtype=int)", _INT),
        ("np.prod(shape[:-1], dtype=int)", "np.prod(shape[:-1])", _DTYPE),
    ],
    "masks.is_boolean": [
        (
            "(mask if hasattr(mask, 'dtype') else np.asarray(mask)).dtype == bool",
            "-((mask if hasattr(mask, 'dtype') else np.asarray(mask)).dtype == bool)",
            "-True is true, and -False is not",
        ),
    ],
    "movement._fold": [("sum_to(g, x_shape)", "g", _SUMMED)],
    "scan._cumprod_rule": [
        ("(-1,)", "(-2,)", "NumPy takes any negative size as the one to find out"),
    ],
    "scan._from_the_end": [
        ("0 if axis is None else axis", "axis", "then g is flat, and None means its axis"),
    ],
    "scan._prod_rule": [
        ("int(np.prod([x_shape[a] for a in axes], dtype=int))", "np.prod([x_shape[a] for a in axes], dtype=int)", _INT),
        ("np.prod([x_shape[a] for a in axes], dtype=int)", "np.prod([x_shape[a] for a in axes])", _DTYPE),
    ],
    "scan._recurrence": [
        ("by < g.shape[axis]", "by <= g.shape[axis]", "a round in which nothing comes later changes nothing"),
        ("return g", "return -g", "each term of _twice is made of two of them: t s, and u, which is made of s"),
    ],
    "scan._twice": [
        (
            "flip(x, axis=axis), axis, 1.0)",
            "flip(x, axis=axis), axis, 2.0)",
            "a recurrence starts from 0, so that its first factor is never used",
        ),
    ],
    "statistics._lse_rule": [("-np.inf, 0, out", "-np.inf, 1, out", "x is -inf then, and so is x - 1")],
    "statistics._norm_rule": [("where(out == 0, 1, out)", "where(out == 0, 2, out)", "where out is 0 0 is chosen")],
    "statistics._std_rule": [("where(out == 0, 1, out)", "where(out == 0, 2, out)", "where out is 0 0 is chosen")],
    "powers._part_of": [("where(out == 0, 1, out)", "where(out == 0, 2, out)", "where out is 0 0 is chosen")],
    "writing._of_value": [
        ("if is_basic(index):", "if False:", "then every entry is the last one: times True"),
        ("-1", "1", "only entries that were written are read"),
        ("-1", "-2", "only entries that were written are read"),
    ],
}


def reason(function: str, before: str, after: str) -> str | None:
    """Why the mutant of that function with the statement `after` for `before` computes the same, if it does."""
    return next((e[2] for e in EQUIVALENT.get(function, []) if fits(e, before, after)), None)


def fits(entry: Entry, before: str, after: str) -> bool:
    """Whether this is the change that the entry is about."""
    old, new, _ = entry
    return before.count(old) == 1 and before.replace(old, new) == after
