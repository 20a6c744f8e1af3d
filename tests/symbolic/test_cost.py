"""Do the costs that are read off a formula agree with what is counted in a real run, and with textbooks?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from sympy import Symbol

import minitorch as mt
from minitorch.errors import FormulaError
from minitorch.graph import Graph
from minitorch.symbolic import costs, leading, parse
from minitorch.symbolic.expression import dimension, size_of
from minitorch.symbolic.library import LIBRARY
from minitorch.symbolic.sizes import infer_sizes
from tests.symbolic.programs import ATTENTION, SOFTMAX

n, m, d, d_k, d_v = map(dimension, ("n", "m", "d", "d_k", "d_v"))

# Every product of arrays is a matrix product in the engine, which keeps just what the formula's gradient reads.
MULTIPLIES = [
    *("linear", "attention", "attention-scaled", "attention-masked", "additive-attention", "multi-head-attention"),
    *("cross-attention", "rnn-cell", "lstm-cell", "lstm-cell-memory", "gru-cell"),
]
KEEPS_THE_SAME = [
    *("softmax", "attention", "attention-scaled", "attention-masked", "additive-attention", "multi-head-attention"),
    *("cross-attention", "rnn-cell", "lstm-cell", "lstm-cell-memory"),
]


def run(name):
    """The costs of an operation, the sizes of a real run, and what it gave."""
    known = LIBRARY[name]
    arrays = {k: np.asarray(a, np.float32) if k in known.wrt else a for k, a in known.arrays().items()}
    arguments = [mt.tensor(a, requires_grad=True) if k in known.wrt else a for k, a in arrays.items()]
    sizes = infer_sizes(known.program.entries, {k: np.asarray(a) for k, a in arrays.items()})
    return costs(known.program, known.differentiated, known.wrt), sizes, known.run(*arguments), arguments


def matrix_products(result):
    """Two operations for every pair of entries that meet in a matrix product of a run."""
    graph, flops = Graph.of(result), 0
    shapes = {node.id: node.shapes for node in graph.nodes}
    for node in graph.nodes:
        if node.op in ("matmul", "linear"):
            left = next(e for e in graph.edges if e.target == node.id and e.input in ("a", "x"))
            flops += 2 * math.prod(node.shapes[0]) * shapes[left.source][left.output][-1]
    return flops


@pytest.mark.parametrize("name", MULTIPLIES)
def test_products_by_the_formula_are_the_matrix_products_of_a_run(name):
    found, sizes, result, _ = run(name)
    assert size_of(found.products, sizes) == matrix_products(result)


@pytest.mark.parametrize("name", KEEPS_THE_SAME)
def test_bytes_by_the_formula_are_those_that_a_run_keeps(name):
    found, sizes, result, arguments = run(name)
    assert size_of(found.kept, sizes) == mt.memory.report(result).total
    assert arguments  # alive, hence not counted


def test_attention_takes_what_one_counts_by_hand():
    found = costs(parse(ATTENTION))
    rows = {row.name: row for row in found.rows}
    assert rows["A"].flops == 2 * n * m * d_k + n * m
    assert rows["A"].products == 2 * n * m * d_k
    assert rows["Z"].flops == 2 * n * m  # an exponential and an addition each
    assert rows["P"].flops == 2 * n * m  # the exponential again, as it is written, and a division
    assert rows["O"].flops == 2 * n * m * d_v
    assert rows["dA"].flops == 4 * n * m  # P dP and its sum, a difference, a product
    assert found.kept == 4 * n * m
    assert found.forward == 2 * n * m * d_k + 2 * n * m * d_v + 5 * n * m


COUNTED = {
    "y[i] = x[i] + x[i] x[i]": 2,
    "y[i] = x[i]**3": 2,
    "y[i] = 1 / x[i]": 1,
    "y[i] = 1 / (x[i] w[i])": 2,
    "y[i] = x[i] / w[i] / 2": 2,
    "y[i] = -x[i]": 0,
    "y[i] = x[i] - w[i]": 1,
    "y[i] = 1 / sqrt(x[i])": 2,
    "y[i] = x[i] / sqrt(x[i] + 1)": 3,
    "y[i] = tanh(x[i]) + exp(tanh(x[i]))": 3,
    "y[i] = 3 n x[i]": 1,
    "y[i] = x[i] sqrt(n)": 1,
    "y[i] = max(x[i], 0)": 1,
    "y = sum_i x[i]": 1,
    "y = sum_i x[i] w[i]": 2,
    "y = max_i x[i]": 1,
    "y = sum_i x[i] w[i] / n": 2,
}


@pytest.mark.parametrize(("text", "each"), COUNTED.items())
def test_operations_are_counted_by_the_conventions(text, each):
    found = costs(parse(f"x[n], w[n]: {text}"), wrt=[])
    constant = 1 if text.endswith("/ n") else 0  # one division of the whole sum
    assert found.forward == each * n + constant
    assert found.backward == 0


def test_a_convolution_of_k_taps_takes_k_n_d_squared_and_a_look_up_nothing():
    k, found = dimension("k"), costs(parse("x[n,d], w[k,d,d], t < n: y[t,a] = sum_{s,c} w[s,c,a] x[t - s,c]"), wrt=[])
    assert found.forward == 2 * k * n * d**2
    assert costs(parse("E[m,d], v[n]: y[i,e] = E[v[i],e]"), wrt=[]).forward == 0


def test_sizes_can_be_named_alike_or_given():
    alike = costs(parse(ATTENTION), wrt=[]).at(m="n", d_k="d", d_v="d")
    assert alike.forward == 4 * n**2 * d + 5 * n**2
    assert leading(alike.forward) == n**2 * d
    assert costs(parse(SOFTMAX), wrt=[]).at(n=7).forward == 28


def test_bytes_can_be_in_terms_of_the_size_of_a_number():
    item = Symbol("b")
    assert costs(parse(SOFTMAX), itemsize=item).kept == item * n
    assert costs(parse(SOFTMAX), itemsize=8).kept == 8 * n


def test_nothing_is_kept_without_a_gradient():
    assert costs(parse(SOFTMAX), wrt=[]).kept == 0


def test_the_order_of_growth_keeps_what_nothing_outgrows():
    assert leading(4 * n**2 * d + 5 * n**2) == n**2 * d
    assert leading(2 * n * d**2 + n**2 * d) == n * d**2 + n**2 * d
    assert leading(Symbol("x") * 0 + 3) == 1


def test_an_unknown_output_is_refused():
    with pytest.raises(FormulaError, match="wanted a defined name"):
        costs(parse(SOFTMAX), "T")
