"""Does seq2seq follow its equations, is a step what training computes, and does padding change nothing?"""

from __future__ import annotations

import json

import numpy as np
import pytest

import minitorch as mt
from transformer import Seq2Seq
from transformer.recurrent_cells import CELLS
from transformer.seq2seq_attention import SCORES

exact = {"rtol": 0, "atol": 1e-12}
SOURCE = np.array([[5, 3, 7, 4], [6, 8, 0, 0], [3, 3, 4, 0]])
LENGTHS = [4, 2, 3]
TARGET = np.array([[1, 4, 6, 3, 5], [1, 7, 3, 2, 0], [1, 5, 2, 0, 0]])
ATTENTIONS = (None, *SCORES)
BOS, EOS = 1, 2

every_attention = pytest.mark.parametrize("attention", ATTENTIONS)


def _model(attention: str | None = None, **options) -> Seq2Seq:
    return Seq2Seq(**{"source_size": 9, "target_size": 8, "d": 6, "attention": attention, **options})


def _stepped(model: Seq2Seq, source=SOURCE, target=TARGET, seen: list | None = None) -> np.ndarray:
    state, logits = model.start(source), []
    for t in range(target.shape[1]):
        step, state = model.step(target[:, t], state, seen)
        logits.append(step.numpy())
    return np.stack(logits, axis=1)


def _softmax(a):
    return np.exp(a - a.max()) / np.exp(a - a.max()).sum()


def _by_hand(model: Seq2Seq, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits (m, target_size) and weights (m, n) of one sentence pair by a tanh RNN, position by position."""
    w = {name: p.numpy() for name, p in model.named_parameters()}
    attention, layers = model.config["attention"], model.config["layers"]

    def cells(which, x, states):
        new = []
        for k, h in enumerate(states):
            p = [w[f"{which}.{name}_l{k}"] for name in ("weight_ih", "bias_ih", "weight_hh", "bias_hh")]
            x = np.tanh(p[0] @ x + p[1] + p[2] @ h + p[3])
            new.append(x)
        return new

    def score(q, k):
        if attention == "dot":
            return q @ k
        if attention == "general":
            return q @ w["look.W_k.weight"] @ k
        return w["look.v"] @ np.tanh(w["look.W_q.weight"] @ q + w["look.W_k.weight"] @ k)

    def look(q):
        weights = _softmax(np.array([score(q, k) for k in memory]))
        return sum(a * k for a, k in zip(weights, memory, strict=True)), weights

    h, memory, logits, seen = [np.zeros(6)] * layers, [], [], []
    for token in source:
        h = cells("encoder", w["embed_source.weight"][token], h)
        memory.append(h[-1])
    for token in target:
        y = w["embed_target.weight"][token]
        if attention == "additive":
            c, weights = look(h[-1])
            h = cells("decoder", np.concatenate([y, c]), h)
            r = np.tanh(w["W_c.weight"] @ np.concatenate([h[-1], c, y]) + w["W_c.bias"])
        else:
            h = cells("decoder", y, h)
            r = h[-1]
            if attention:
                c, weights = look(r)
                r = np.tanh(w["W_c.weight"] @ np.concatenate([r, c]) + w["W_c.bias"])
        seen.append(weights if attention else [])
        logits.append(w["W_out.weight"] @ r + w["W_out.bias"])
    return np.array(logits), np.array(seen)


@every_attention
@pytest.mark.parametrize("layers", [1, 2])
def test_logits_and_weights_equal_the_equations_by_hand(attention, layers):
    model, seen = _model(attention, cell="rnn", layers=layers), []
    logits = model(SOURCE, TARGET, attention=seen).numpy()
    for k, n in enumerate(LENGTHS):
        expected, weights = _by_hand(model, SOURCE[k, :n], TARGET[k])
        np.testing.assert_allclose(logits[k], expected, **exact)
        if attention:
            np.testing.assert_allclose(seen[0][k, 0, :, :n], weights, **exact)
            assert not seen[0][k, 0, :, n:].any()
    assert len(seen) == (attention is not None)


@every_attention
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("more", [{}, {"layers": 2, "bidirectional": True, "tied": True}], ids=["plain", "all"])
def test_steps_equal_teacher_forcing(attention, cell, more):
    model, by_step, at_once = _model(attention, cell=cell, **more), [], []
    logits = model(SOURCE, TARGET, attention=at_once).numpy()
    np.testing.assert_allclose(_stepped(model, seen=by_step), logits, **exact)
    if attention:
        assert {a.shape for a in by_step} == {(3, 1, 1, 4)}
        np.testing.assert_allclose(np.concatenate(by_step, axis=2), at_once[0], **exact)


@every_attention
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_of_the_source_changes_neither_logits_nor_gradients(attention, bidirectional):
    model = _model(attention, layers=2, bidirectional=bidirectional)
    longer = np.pad(SOURCE, ((0, 0), (0, 3)))
    results = []
    for source, lengths in ((SOURCE, None), (longer, None), (SOURCE, LENGTHS), (longer + 8 * (longer == 0), LENGTHS)):
        model.zero_grad()
        logits = model(source, TARGET, lengths)
        mt.square(logits).sum().backward()
        results.append([logits.numpy(), *(p.grad.numpy().copy() for p in model.parameters())])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, b, **exact)


@every_attention
def test_a_later_target_token_and_another_sentence_change_no_earlier_logit(attention):
    model, changed = _model(attention), TARGET.copy()
    changed[0, 3] = 4
    before, after = model(SOURCE, TARGET).numpy(), model(SOURCE, changed).numpy()
    np.testing.assert_array_equal(before[0, :3], after[0, :3])
    np.testing.assert_array_equal(before[1:], after[1:])
    assert (before[0, 3:] != after[0, 3:]).all()


@every_attention
def test_a_state_is_a_tree_with_the_batch_first_that_can_be_reordered(attention):
    model, order = _model(attention, layers=2, bidirectional=True), np.array([2, 0, 0])
    _, state = model.step(TARGET[:, 0], model.start(SOURCE))
    assert {leaf.shape[0] for leaf in mt.trees.leaves(state)} == {3}
    logits, _ = model.step(TARGET[:, 1], state)
    moved, _ = model.step(TARGET[order, 1], mt.trees.map(lambda a: np.asarray(a[order]), _plain(state)))
    np.testing.assert_allclose(moved.numpy(), logits.numpy()[order], **exact)


def _plain(state):
    return mt.trees.map(lambda a: a.detach().numpy() if isinstance(a, mt.Tensor) else a, state)


def test_without_attention_the_decoder_knows_one_vector_only():
    model = _model(layers=2)
    assert list(model.start(SOURCE)) == ["layers"]
    assert set(_model("dot").start(SOURCE)) == {"layers", "memory", "keys", "real"}


@every_attention
def test_every_parameter_gets_a_gradient(attention):
    model = _model(attention, layers=2, bidirectional=True)
    mt.square(model(SOURCE, TARGET)).sum().backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, name
        assert p.grad.numpy().any(), name


def test_tied_embeddings_are_one_parameter():
    tied, free = _model(tied=True), _model()
    assert tied.embed_target.weight is tied.W_out.weight
    assert len(list(free.parameters())) == len(list(tied.parameters())) + 1


@every_attention
def test_config_rebuilds_the_model(attention):
    model = _model(attention, cell="gru", layers=2, bidirectional=True, dropout=0.25, tied=True).eval()
    again = Seq2Seq(**json.loads(json.dumps(model.config))).eval()
    again.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(again(SOURCE, TARGET).numpy(), model(SOURCE, TARGET).numpy())


def test_dropout_is_drawn_in_training_and_not_in_evaluation():
    model = _model("additive", dropout=0.5)
    assert (model(SOURCE, TARGET).numpy() != model(SOURCE, TARGET).numpy()).any()
    model.eval()
    np.testing.assert_array_equal(model(SOURCE, TARGET).numpy(), model(SOURCE, TARGET).numpy())
    np.testing.assert_allclose(_stepped(model), model(SOURCE, TARGET).numpy(), **exact)


# fmt: off
WORDS = {
    "CAT": "K AE T", "DOG": "D AO G", "SUN": "S AH N", "SEA": "S IY", "KEY": "K IY",
    "BOX": "B AA K S", "JAM": "JH AE M", "ICE": "AY S", "EGG": "EH G", "ONE": "W AH N",
    "TWO": "T UW", "SIX": "S IH K S", "TEN": "T EH N", "RED": "R EH D", "BLUE": "B L UW",
    "FISH": "F IH SH", "BIRD": "B ER D", "TREE": "T R IY", "MOON": "M UW N", "STAR": "S T AA R",
}
# fmt: on


def _padded(rows: list[list[int]]) -> np.ndarray:
    return np.array([row + [0] * (max(map(len, rows)) - len(row)) for row in rows])


@pytest.mark.parametrize("attention", [None, "dot", "additive"])
def test_it_learns_twenty_words_by_heart_and_writes_them(attention):
    letters, phones = sorted(set("".join(WORDS))), sorted(set(" ".join(WORDS.values()).split()))
    source = _padded([[3 + letters.index(c) for c in word] for word in WORDS])
    target = _padded([[BOS, *(3 + phones.index(p) for p in sounds.split()), EOS] for sounds in WORDS.values()])
    sizes = {"source_size": 3 + len(letters), "target_size": 3 + len(phones)}
    model = Seq2Seq(**sizes, d=24, cell="gru", attention=attention).to(np.float32)
    optimizer = mt.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(80):
        optimizer.zero_grad()
        mt.cross_entropy(model(source, target[:, :-1]), target[:, 1:], ignore_index=0).backward()
        optimizer.step()
    with mt.no_grad():
        state, tokens, written = model.start(source), target[:, 0], []
        for _ in range(target.shape[1] - 1):
            logits, state = model.step(tokens, state)
            tokens = logits.numpy().argmax(-1)
            written.append(tokens)
    wanted = target[:, 1:]
    np.testing.assert_array_equal(np.where(wanted > 0, np.stack(written, 1), 0), wanted)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: _model("luong"), mt.OperandError, "attention='luong'; it can be None, 'additive', 'dot', 'general'"),
        (lambda: _model(cell="lstn"), mt.OperandError, "cell='lstn'; it can be 'rnn'"),
        (lambda: _model(d=7, bidirectional=True), mt.ShapeError, "d=7 is odd; a bidirectional encoder"),
        (lambda: _model(layers=0), mt.ShapeError, "Seq2Seq: layers=0; it is at least 1"),
        (lambda: _model(dropout=2), mt.OperandError, "dropout=2 is no probability"),
        (lambda: _model()(SOURCE[0], TARGET), mt.ShapeError, r"source of shape \(4,\); it takes \(batch, n\)"),
        (lambda: _model()(SOURCE, TARGET[:, 0]), mt.ShapeError, r"target of shape \(3,\); it takes \(batch, n\)"),
        (
            lambda: _model()(SOURCE, TARGET[:2]),
            mt.ShapeError,
            r"target of shape \(2, 5\); the batch of the source is 3",
        ),
        (lambda: _model()(SOURCE / 1, TARGET), mt.DtypeError, "source of dtype float64; it takes integers"),
        (lambda: _model()(SOURCE + 1, TARGET), mt.OperandError, r"source\[1, 1\] is 9; a token is 0 \.\.\. 8"),
        (lambda: _model()(SOURCE, -TARGET), mt.OperandError, r"target\[0, 0\] is -1; a token is 0 \.\.\. 7"),
        (lambda: _model()(SOURCE * [[1], [0], [1]], TARGET), mt.OperandError, r"lengths\[1\] = 0; with 4 positions"),
        (lambda: _model()(SOURCE, TARGET, [4, 2, 5]), mt.OperandError, r"lengths\[2\] = 5; with 4 positions"),
        (lambda: _model().step([1, 1], _model().start(SOURCE)), mt.ShapeError, r"tokens of shape \(2,\); the batch"),
        (lambda: _model().step(TARGET, _model().start(SOURCE)), mt.ShapeError, r"tokens of shape \(3, 5\); it takes"),
    ],
)
def test_bad_input_says_what_and_what_is_taken(call, error, said):
    with pytest.raises(error, match=said):
        call()
