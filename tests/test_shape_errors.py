"""Does every operation say which shapes do not fit, and why?"""

from __future__ import annotations

import re

import numpy as np
import pytest

import minitorch as mt
from minitorch.ops.movement import sum_to


def t(*shape: int) -> mt.Tensor:
    return mt.tensor(np.ones(shape))


CASES = {
    "prod": (lambda: mt.prod(t(2, 3), 2), "prod: axis 2 of shape (2, 3), which has axes 0 ... 1"),
    "var": (lambda: mt.var(t(2, 3), axis=(0, 5)), "var: axis 5 of shape (2, 3)"),
    "logsumexp": (lambda: mt.logsumexp(t(3), axis=1), "logsumexp: axis 1 of shape (3,)"),
    "min": (lambda: mt.min(t(0)), "min: axis 0 of shape (0,) is empty"),
    "cumsum": (lambda: mt.cumsum(t(2), axis=1), "cumsum: axis 1 of shape (2,), which has axes 0 ... 0"),
    "argsort": (lambda: mt.argsort(t(2), axis=3), "argsort: axis 3 of shape (2,)"),
    "sort": (lambda: mt.sort(t(2), axis=3), "axis 3 of shape (2,)"),
    "topk": (lambda: mt.topk(t(2, 3), 4), "topk: 4 of the 3 entries along axis -1 of (2, 3)"),
    "topk, axis": (lambda: mt.topk(t(2), 1, axis=1), "topk: axis 1 of shape (2,)"),
    "flip": (lambda: mt.flip(t(2), axis=1), "flip: axis 1 of shape (2,)"),
    "roll": (lambda: mt.roll(t(2), 1, axis=1), "roll: axis 1 of shape (2,)"),
    "repeat": (lambda: mt.repeat(t(2), 2, axis=1), "repeat: axis 1 of shape (2,)"),
    "moveaxis": (lambda: mt.moveaxis(t(2), 1, 0), "moveaxis: axis 1 of shape (2,)"),
    "moveaxis, twice": (lambda: mt.moveaxis(t(2, 3), (0, 0), (0, 1)), "moveaxis: (0, 0) to (0, 1)"),
    "split": (lambda: mt.split(t(5), 2), "split: axis 0 of (5,) has 5 entries, which are not 2 equal pieces"),
    "split, axis": (lambda: mt.split(t(5), 1, axis=1), "split: axis 1 of shape (5,)"),
    "pad": (lambda: mt.pad(t(2), 1, mode="mirror"), "pad: mode is 'mirror'; it can be 'constant', 'edge'"),
    "diagonal": (lambda: mt.diagonal(t(3)), "diagonal: shape (3,) has no two axes"),
    "diagonal, axes": (lambda: mt.diagonal(t(3, 3), axis1=1), "diagonal: axis1 and axis2 are both 1 of (3, 3)"),
    "diag": (lambda: mt.diag(t(2, 2, 2)), "diag: shape (2, 2, 2) has 3 axes; it takes a vector or a matrix"),
    "tril": (lambda: mt.tril(t(3)), "tril: shape (3,) has no rows and columns"),
    "einsum": (lambda: mt.einsum("ij,jk", t(2, 3), t(4, 2)), "'j' is 3 in operand 0 (2, 3) and 4 in operand 1 (4, 2)"),
    "einsum, itself": (lambda: mt.einsum("ii", t(2, 3)), "'i' is 2 in operand 0 (2, 3) and 3 in operand 0 (2, 3)"),
    "einsum, rank": (lambda: mt.einsum("ijk", t(2, 3)), "operand 0 has 2 axes, but 'ijk' in 'ijk' names 3"),
    "einsum, count": (lambda: mt.einsum("i,i", t(2)), "'i,i' describes 2 operands, but 1 are given"),
    "einsum, output": (lambda: mt.einsum("i->j", t(2)), "'j' has no meaning in 'i->j'"),
    "tensordot": (lambda: mt.tensordot(t(2), t(2), 2), "tensordot: shapes (2,) and (2,) have no such pairs of axes"),
    "take": (
        lambda: mt.take(t(2, 3), [3], axis=1),
        "take: indices (1,) and axis 1 of (2, 3): an index is",
    ),
    "take_along_axis": (lambda: mt.take_along_axis(t(3), [3], 0), "an index is outside 0 ... 2"),
    "gather": (lambda: mt.gather(t(2, 3), 0, [1]), "gather: x (2, 3) and index (1,) have different numbers of axes"),
    "gather, axis": (lambda: mt.gather(t(2), 1, [1]), "gather: axis 1 of shape (2,)"),
    "scatter_add": (lambda: mt.scatter_add(t(2), 0, [2], t(1)), "an index is outside 0 ... 1"),
    "scatter_add, rank": (lambda: mt.scatter_add(t(2), 0, [[1]], t(1, 1)), "scatter_add: x (2,) and index (1, 1)"),
    "glu": (lambda: mt.glu(t(3)), "glu: axis 0 of (3,) has 3 entries, which are not two halves"),
    "gelu": (lambda: mt.gelu(t(3), "erf"), "gelu: approximate is 'erf'; it can be 'none' or 'tanh'"),
    "swiglu": (lambda: mt.swiglu(t(3), t(4)), "swiglu: shapes (3,) and (4,) do not broadcast"),
    "linear": (
        lambda: mt.linear(t(2, 3), t(3, 2), t(3)),
        "linear: x (2, 3) does not end with axis -1 of weight (3, 2), which is (d_out, d_in). Transpose the weight?",
    ),
    "linear, bias": (lambda: mt.linear(t(2, 3), t(2, 3), t(3)), "linear: bias (3,), but weight (2, 3) has 2 rows"),
    "linear, weight": (lambda: mt.linear(t(2, 3), t(3), t(3)), "linear: weight (3,) is no matrix (d_out, d_in)"),
    "linear_map": (lambda: mt.linear(t(2, 3), t(4, 2)), "linear_map: x (2, 3) does not end with axis -1 of weight"),
    "layer_norm": (
        lambda: mt.layer_norm(t(2, 3), t(2)),
        "layer_norm: the last axis of x (2, 3) should be 2, as",
    ),
    "rms_norm": (lambda: mt.rms_norm(t(2, 3), t(2)), "rms_norm: the last axis of x (2, 3) should be 2"),
    "group_norm": (lambda: mt.group_norm(t(2, 3), 2), "group_norm: 2 groups do not divide the channels (axis 1)"),
    "group_norm, weight": (lambda: mt.group_norm(t(2, 4), 2, t(2)), "group_norm: weight (2,), but x (2, 4) has 4"),
    "rotary": (lambda: mt.rotary(t(2, 3)), "rotary: x (2, 3); wanted (..., n, d) with an even d"),
    "rotary, rows": (lambda: mt.rotary(t(2, 4), [1]), "rotary: 1 positions for the 2 rows (axis -2) of x (2, 4)"),
    "conv1d": (lambda: mt.conv1d(t(1, 3, 5), t(2, 2, 2)), "has 3 channels in 1 groups, that is 3 for each window"),
    "conv1d, rank": (lambda: mt.conv1d(t(1, 3, 5), t(2, 2)), "wanted (batch, channels, length) and (outs,"),
    "conv1d, groups": (lambda: mt.conv1d(t(1, 3, 5), t(2, 2, 2), groups=2), "2 groups do not divide the 3 channels"),
    "conv1d, window": (
        lambda: mt.conv1d(t(1, 1, 3), t(1, 1, 2), dilation=3),
        "a window of 4 does not fit into the length",
    ),
    "conv1d, stride": (
        lambda: mt.conv1d(t(1, 1, 3), t(1, 1, 2), stride=0),
        "stride 0, dilation 1 and groups 1 are",
    ),
    "conv1d, same": (lambda: mt.conv1d(t(1, 1, 3), t(1, 1, 2), None, 2, "same"), "padding 'same' with stride 2"),
    "conv1d, padding": (lambda: mt.conv1d(t(1, 1, 3), t(1, 1, 2), padding="full"), "conv1d: padding is 'full'"),
    "conv1d, bias": (lambda: mt.conv1d(t(1, 1, 3), t(1, 1, 2), t(2)), "conv1d: bias (2,), but there are 1 outputs"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_shape_error_says_what_does_not_fit(name):
    call, said = CASES[name]
    with pytest.raises(mt.ShapeError, match=re.escape(said)):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: mt.take(t(3), [0.5]),
        lambda: mt.take_along_axis(t(3), [0.5], 0),
        lambda: mt.gather(t(3), 0, [0.5]),
        lambda: mt.scatter_add(t(3), 0, [0.5], t(1)),
    ],
)
def test_indices_that_are_not_integers_are_refused(call):
    with pytest.raises(mt.DtypeError, match=r"indices are float\d\d, but rows and entries are counted in integers"):
        call()


def test_a_norm_of_another_order_is_refused():
    with pytest.raises(ValueError, match="ord is 2; over 2 axes it can be 1, -1, inf, -inf or 'fro'"):
        mt.norm(t(2, 2), 2)
    with pytest.raises(ValueError, match="ord is 3; over 3 axes it can be None"):
        mt.norm(t(2, 2, 2), 3)


def test_a_rule_that_gives_back_another_shape_is_told_so_even_if_the_sizes_agree():
    for shape in ((3, 2), (6,), (1, 1, 6), (2, 3, 1)):
        with pytest.raises(mt.ShapeError, match="does not broadcast to"):
            sum_to(np.ones((2, 3)), shape)
    assert sum_to(np.ones((2, 3)), (2, 1)).shape == (2, 1)
