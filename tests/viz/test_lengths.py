"""What does a longer sentence cost: are the exact terms exact, at sizes that they were not read from?"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

import minitorch as mt
from transformer import RNN, MultiHeadAttention
from transformer.complexity import Polynomial
from viz.lengths import LENGTHS, by_length, exact_terms, growth_sentences, said
from viz.measure import kept_bytes, measure_models
from viz.study import Options


def _value(terms, n, d, h):
    return sum(c * n**k * d**a * h**b for (k, a, b), c in terms.items())


def _rnn(d, h):
    return lambda: RNN(d, d)


def _attention(layers):
    return lambda d, h: replace(Options(), width=d, heads=h, layers=layers).attention()


def test_an_rnn_keeps_one_state_a_step():
    assert said(exact_terms(_rnn)) == "4 d n"


@pytest.mark.parametrize(("layers", "text"), [(1, "4 h n² + 16 d n"), (2, "8 h n² + 36 d n")])
def test_attention_keeps_its_maps(layers, text):
    assert said(exact_terms(_attention(layers))) == text


@cache
def _terms_of(options, model):
    """The terms do not depend on the size at which they are asked for; reading them takes 36 measurements."""
    return exact_terms(_model(options, model))


def _model(options, model):
    def make(d, h):
        sized = replace(options, width=d, heads=h)
        return sized.attention() if model == "attention" else sized.rnn("uniform")

    return make


@pytest.mark.parametrize("model", ["attention", "rnn"])
@pytest.mark.parametrize("options", [Options(), Options(layers=3), Options(causal=False), Options(block=True)])
@pytest.mark.parametrize(("n", "d", "h"), [(1, 8, 4), (2, 32, 1), (13, 20, 5), (40, 16, 16)])
def test_the_terms_say_the_measured_bytes_at_other_sizes(options, model, n, d, h):
    assert _value(_terms_of(options, model), n, d, h) == kept_bytes(_model(options, model)(d, h), n, d)


def test_float64_weights_keep_twice_as_much():
    build = lambda: MultiHeadAttention(8, 2)
    small = kept_bytes(build, 5, 8)
    with mt.default_dtype(np.float64):
        assert kept_bytes(build(), 5, 8) == 2 * small


def test_the_square_takes_over_where_the_sentence_says():
    words = ["a", "b", "c", "d", "e"]
    models = measure_models({"A": lambda: MultiHeadAttention(12, 2), "R": lambda: RNN(12, 12)}, words, seeds=1)
    over = models[0].growth.takes_over()
    assert over == 16 * 12 / (4 * 2)
    assert models[1].growth.takes_over() is None
    one, other = growth_sentences(models, {"A": "4 h n² + 16 d n", "R": "4 d n"})
    assert one.startswith("A keeps exactly 4 h n² + 16 d n bytes, here 8 n² + 192 n")
    assert "overtakes the linear term at n = 24" in one
    assert "48 n: linear in n" in other
    assert other.endswith("the exponent is 1.00.")
    measured = [kept_bytes(lambda: MultiHeadAttention(12, 2), n, 12) for n in (32, 64)]
    assert f"{np.log2(measured[1] / measured[0]):.2f}." in one


def test_the_square_takes_over_at_a_whole_number_of_tokens():
    (m,) = measure_models({"A": lambda: MultiHeadAttention(10, 2)}, ["a"], seeds=1)
    odd = replace(m, growth=Polynomial((Fraction(0), Fraction(100), Fraction(12))))
    (said_,) = growth_sentences([odd], {"A": "terms"})
    assert "overtakes the linear term at n = 9." in said_, "12 * 8² < 100 * 8, and 12 * 9² > 100 * 9"


def test_a_model_whose_bytes_are_no_polynomial_has_no_growth():
    class Odd(mt.Module):
        d_in = 4

        def forward(self, x):
            for _ in range(x.shape[1] % 3):
                x = mt.tanh(x)
            return x * 1

    assert measure_models({"odd": Odd()}, ["a"], seeds=1)[0].growth is None


def test_hops_bytes_and_norms_by_length():
    models = {"R": lambda: RNN(8, 8), "A": _attention(2)(8, 2)}
    rows = by_length(models, seeds=2)
    assert [(r.model, r.n) for r in rows] == [(m, n) for m in "RA" for n in LENGTHS]
    assert [r.path_hops for r in rows] == [n + 1 for n in LENGTHS] + [3] * len(LENGTHS)
    assert [r.saved_bytes for r in rows] == [kept_bytes(models[r.model], r.n, 8) for r in rows]
    for r in rows[:2] + rows[6:8]:
        words = [f"w{k}" for k in range(r.n)]
        (measured,) = measure_models({r.model: models[r.model]}, words, seeds=2)
        assert r.first_token_norm == pytest.approx(measured.flow.arriving[0], rel=1e-12)
