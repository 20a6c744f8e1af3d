"""Do recurrent layers follow their equations, step for step, and does padding change nothing?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from transformer import GRU, LSTM, RNN, Recurrent
from transformer.recurrent_cells import CELLS

BATCH, N, D_IN, D_H = 3, 5, 4, 3
LENGTHS = [2, 5, 3]
exact = {"rtol": 0, "atol": 1e-12}


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _by_hand(cell: str, x: np.ndarray, W: np.ndarray, U: np.ndarray, b: np.ndarray, c_: np.ndarray) -> np.ndarray:
    """The outputs (n, d_h) for one sentence x (n, d_in), each gate with its own matrices."""
    d, gates = U.shape[1], CELLS[cell].gates
    Ws, Us, bs, cs = (np.split(m, gates) for m in (W, U, b, c_))
    h, c, outputs = np.zeros(d), np.zeros(d), []
    for token in x:
        into = [Ws[k] @ token + bs[k] for k in range(gates)]
        back = [Us[k] @ h + cs[k] for k in range(gates)]
        a = [p + q for p, q in zip(into, back, strict=True)]
        if cell == "lstm":
            c = _sigmoid(a[1]) * c + _sigmoid(a[0]) * np.tanh(a[2])
            h = _sigmoid(a[3]) * np.tanh(c)
        elif cell == "gru":
            z = _sigmoid(a[1])
            h = (1 - z) * np.tanh(into[2] + _sigmoid(a[0]) * back[2]) + z * h
        else:
            h = np.tanh(a[0]) if cell == "rnn" else np.maximum(a[0], 0)
        outputs.append(h)
    return np.array(outputs)


def _batch(rng) -> np.ndarray:
    return rng.standard_normal((BATCH, N, D_IN))


def _states(last) -> list[np.ndarray]:
    return [s.numpy() for s in (last if isinstance(last, tuple) else (last,))]


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_equal_the_equations_by_hand(rng, cell):
    layer, x = Recurrent(cell, D_IN, D_H), _batch(rng)
    weights = [p.numpy() for p in layer.parameters()]
    y, last = layer(x)
    expected = np.array([_by_hand(cell, sentence, *weights) for sentence in x])
    np.testing.assert_allclose(y.numpy(), expected, **exact)
    np.testing.assert_allclose(_states(last)[0][0], expected[:, -1], **exact)


def test_one_tanh_layer_is_the_rnn_of_the_papers_equation(rng):
    bare, layer, x = RNN(D_IN, D_H), Recurrent("rnn", D_IN, D_H, bias=False), _batch(rng)
    bare.b = mt.nn.Parameter(np.zeros(D_H))
    layer.load_state_dict({"weight_ih_l0": bare.W_x.T, "weight_hh_l0": bare.W_h.T})
    np.testing.assert_allclose(layer(x)[0].numpy(), bare(mt.tensor(x)).numpy(), **exact)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_padded_sequence_is_the_sequence_alone_whatever_the_padding_holds(rng, cell, bidirectional):
    layer, x = Recurrent(cell, D_IN, D_H, layers=2, bidirectional=bidirectional), _batch(rng)
    for k, n in enumerate(LENGTHS):
        x[k, n:] = np.nan
    leaf = mt.tensor(x, requires_grad=True)
    y, last = layer(leaf, lengths=LENGTHS)
    mt.square(y).sum().backward()
    gradients = [p.grad.numpy().copy() for p in layer.parameters()]
    layer.zero_grad()
    for k, n in enumerate(LENGTHS):
        alone = mt.tensor(x[k : k + 1, :n], requires_grad=True)
        y_k, last_k = layer(alone)
        mt.square(y_k).sum().backward()
        np.testing.assert_allclose(y.numpy()[k, :n], y_k.numpy()[0], **exact)
        assert not y.numpy()[k, n:].any()
        for mine, other in zip(_states(last), _states(last_k), strict=True):
            np.testing.assert_allclose(mine[:, k], other[:, 0], **exact)
        np.testing.assert_allclose(leaf.grad.numpy()[k, :n], alone.grad.numpy()[0], **exact)
        assert not leaf.grad.numpy()[k, n:].any()
    for whole, parts in zip(gradients, layer.parameters(), strict=True):
        np.testing.assert_allclose(whole, parts.grad.numpy(), **exact)


@pytest.mark.parametrize("cell", CELLS)
def test_steps_one_by_one_equal_the_whole_sequence(rng, cell):
    layer, x = Recurrent(cell, D_IN, D_H, layers=2), _batch(rng)
    states, outputs = layer.zeros(BATCH), []
    for t in range(N):
        y_t, states = layer.step(x[:, t], states)
        outputs.append(y_t.numpy())
    y, last = layer.run(x)
    np.testing.assert_allclose(np.stack(outputs, 1), y.numpy(), **exact)
    for mine, other in zip(mt.trees.leaves(states), mt.trees.leaves(last), strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), **exact)


def test_a_sequence_in_two_parts_goes_on_where_the_first_ended(rng):
    layer, x = LSTM(D_IN, D_H, 2), _batch(rng)
    first, state = layer(x[:, :2])
    second, _ = layer(x[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first.numpy(), second.numpy()], 1), layer(x)[0].numpy(), **exact)


def test_the_order_of_the_batch_does_not_matter(rng):
    layer, x, order = GRU(D_IN, D_H, bidirectional=True), _batch(rng), [2, 0, 1]
    y = layer(x, lengths=LENGTHS)[0].numpy()
    shuffled = layer(x[order], lengths=[LENGTHS[k] for k in order])[0].numpy()
    np.testing.assert_allclose(shuffled, y[order], **exact)


def test_forward_states_know_the_past_only_and_backward_states_the_future_only(rng):
    layer, x = LSTM(D_IN, D_H, bidirectional=True), _batch(rng)
    changed = x.copy()
    changed[:, 2] += 1
    difference = np.abs(layer(changed)[0].numpy() - layer(x)[0].numpy()).max(0)  # (n, 2 d_h)
    assert not difference[:2, :D_H].any()
    assert difference[2:, :D_H].all()
    assert difference[:3, D_H:].all()
    assert not difference[3:, D_H:].any()


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_equal_central_differences_to_second_order(rng, cell):
    layer = Recurrent(cell, 2, 2)
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *weights):
        for name, w in zip(names, weights, strict=True):
            object.__setattr__(layer, name, w)
        return layer(x, lengths=[3, 2])[0]

    mt.gradcheck(run, rng.standard_normal((2, 3, 2)), *[p.numpy() for p in layer.parameters()], order=2)


def test_dropout_lies_between_the_layers_and_in_training_only(rng):
    x = _batch(rng)
    one, two = LSTM(D_IN, D_H, dropout=1.0), LSTM(D_IN, D_H, 2, dropout=1.0)
    np.testing.assert_array_equal(one(x)[0].numpy(), one.eval()(x)[0].numpy())
    blind = two(x)[0].numpy()  # the second layer sees zeros
    np.testing.assert_array_equal(blind, np.broadcast_to(blind[:1], blind.shape))
    assert (two.eval()(x)[0].numpy() != blind).all()


def test_time_steps_are_marked(rng):
    y, _ = LSTM(D_IN, D_H)(mt.tensor(_batch(rng), requires_grad=True))
    steps = {node.step for node in mt.Graph.of(y).nodes}
    assert set(range(N)) <= steps


def test_float32_stays_float32(rng):
    x = _batch(rng).astype(np.float32)
    for cell in CELLS:
        layer = Recurrent(cell, D_IN, D_H, layers=2, bidirectional=True).float()
        y, last = layer(x, lengths=LENGTHS)
        assert {a.dtype for a in [y.numpy(), *_states(last)]} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: Recurrent("elman", 2, 2), mt.OperandError, "cell='elman'; it can be 'rnn', 'rnn-relu', 'lstm', 'gru'"),
        (lambda: LSTM(2, 0), mt.ShapeError, "LSTM: d_h=0; it is at least 1"),
        (lambda: LSTM(2, 2.0), mt.DtypeError, "LSTM: d_h=2.0 is a float"),  # type: ignore[arg-type]
        (lambda: GRU(2, 2, -1), mt.ShapeError, "GRU: layers=-1"),
        (lambda: LSTM(2, 2, dropout=1.5), mt.OperandError, "dropout=1.5 is no probability"),
        (lambda: LSTM(2, 2)(np.ones((3, 2))), mt.ShapeError, r"LSTM: x of shape \(3, 2\) has 2 axes; it takes 3"),
        (lambda: LSTM(2, 2)(np.ones((1, 3, 4))), mt.ShapeError, "axis -1 is 4, it takes width 2"),
        (lambda: LSTM(2, 2)(np.ones((1, 0, 2))), mt.ShapeError, "axis 1 is empty"),
        (lambda: GRU(2, 2)(np.ones((2, 3, 2)), lengths=[3, 4]), mt.OperandError, r"lengths\[1\] = 4; with 3 positions"),
        (lambda: GRU(2, 2)(np.ones((2, 3, 2)), lengths=[0, 1]), mt.OperandError, r"lengths\[0\] = 0; .* 1 \.\.\. 3"),
        (
            lambda: GRU(2, 2)(np.ones((2, 3, 2)), lengths=[3]),
            mt.ShapeError,
            r"lengths of shape \(1,\); it takes \(2,\)",
        ),
        (lambda: GRU(2, 2)(np.ones((2, 3, 2)), lengths=[3.0, 1]), mt.DtypeError, "lengths of dtype float64"),
        (
            lambda: GRU(2, 2)(np.ones((2, 3, 2)), np.ones((2, 2))),
            mt.ShapeError,
            r"\[\(2, 2\)\]; it takes h \(1, 2, 2\)",
        ),
        (
            lambda: LSTM(2, 2)(np.ones((2, 3, 2)), np.ones((1, 2, 2))),
            mt.ShapeError,
            r"it takes \(h, c\), each \(1, 2, 2\)",
        ),
        (lambda: _step_back(), mt.OperandError, "a bidirectional layer needs the whole sequence"),
    ],
)
def test_bad_input_says_what_and_what_is_taken(call, error, said):
    with pytest.raises(error, match=said):
        call()


def _step_back():
    layer = LSTM(2, 2, bidirectional=True)
    return layer.step(np.ones((1, 2)), layer.zeros(1))
