"""Do the models see what they may, step as they run, and build again from their config?"""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

import minitorch as mt
from tests.transformer import loops
from transformer import DecoderOnly, Encoder, Transformer
from transformer.cache import reorder
from transformer.position import sinusoidal

close = {"rtol": 0, "atol": 1e-12}
SMALL = {"d": 8, "h": 4, "layers": 2, "d_ff": 12, "dropout": 0.0}
PLANS = [
    {"norm": "post"},
    {"position": "learned", "activation": "gelu", "norm": "post", "embedding_norm": True, "scaled": False},
    {"position": "rotary", "activation": "swiglu", "normalization": "rms", "bias": False, "kv_heads": 2},
    {"position": "rotary", "interleaved": True, "tied": False, "method": "chunked"},
    {"position": "alibi", "window": 3, "activation": "gelu_tanh", "kv_heads": 1},
    {"position": None, "d_k": 3},
]
every_plan = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: "-".join(str(v) for v in plan.values()))


def _texts(rng, batch, n, size=11):
    return rng.integers(3, size, (batch, n))


# -- what is seen ------------------------------------------------------------------------------------------------------


@every_plan
def test_changing_a_future_token_changes_no_past_logit(rng, plan):
    alone, both = DecoderOnly(11, **SMALL, **plan), Transformer(11, 11, **SMALL, **plan)
    source, text = _texts(rng, 2, 4), _texts(rng, 2, 6)
    for run in (alone, lambda t: both(source, t)):
        before = run(text).numpy()
        for changed in range(6):
            other = text.copy()
            other[:, changed] = 3 + (other[:, changed] - 2) % 8
            after = run(other).numpy()
            np.testing.assert_array_equal(after[:, :changed], before[:, :changed])
            assert (after[:, changed] != before[:, changed]).any(-1).all()


@every_plan
def test_padding_of_the_source_changes_nothing(rng, plan):
    model = Transformer(11, 11, **SMALL, **plan)
    source, target, lengths = _texts(rng, 3, 5), _texts(rng, 3, 4), np.array([5, 2, 1])
    alone = [model(source[b : b + 1, :k], target[b : b + 1]).numpy()[0] for b, k in enumerate(lengths)]
    np.testing.assert_allclose(model(source, target, lengths).numpy(), np.stack(alone), **close)
    padded = np.where(np.arange(5) < lengths[:, None], source, 0)
    np.testing.assert_allclose(model(padded, target).numpy(), np.stack(alone), **close)


def test_every_token_of_the_source_changes_every_logit_vector(rng):
    model, source, target = Transformer(11, 11, **SMALL), _texts(rng, 1, 4), _texts(rng, 1, 3)
    before = model(source, target).numpy()
    for k in range(4):
        other = source.copy()
        other[0, k] = 3 + (other[0, k] - 2) % 8
        assert (model(other, target).numpy() != before).any(-1).all()


@pytest.mark.parametrize("position", ["sinusoidal", "learned", "rotary", "alibi", None])
def test_only_positions_tell_an_encoder_the_order(rng, position):
    model, text = Encoder(11, **SMALL, position=position), np.array([[3, 4, 5, 6]])
    turned = model(text[:, ::-1]).numpy()[:, ::-1]
    same = np.allclose(turned, model(text).numpy(), atol=1e-9)
    assert same == (position in (None, "alibi"))  # alibi knows distances, not which way they go


# -- what is computed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_encoder_equals_its_equations(rng, norm):
    model, text = Encoder(11, **SMALL, norm=norm), _texts(rng, 2, 4)
    x = model.embedding.weight.numpy()[text] * np.sqrt(8) + sinusoidal(4, 8)
    for block in model.blocks:
        mix, feed = (lambda v, f=f: f(mt.tensor(v)).numpy() for f in (block.mixer, block.feedforward))
        if norm == "pre":
            x = x + mix(loops.layer_norm(x))
            x = x + feed(loops.layer_norm(x))
        else:
            x = loops.layer_norm(x + mix(x))
            x = loops.layer_norm(x + feed(x))
    np.testing.assert_allclose(model(text).numpy(), loops.layer_norm(x) if norm == "pre" else x, **close)


@every_plan
def test_gradients_of_every_parameter_equal_central_differences(rng, plan):
    if plan.get("method") == "chunked":
        plan = {**plan, "method": "dense"}
    model = Transformer(5, 5, d=4, h=2, layers=1, d_ff=4, dropout=0.0, longest=4, **{**plan, "kv_heads": None})
    source, target, g = np.array([[3, 4, 0]]), np.array([[1, 3, 4]]), rng.standard_normal((1, 3, 5))
    loss = lambda: (model(source, target) * g).sum()
    loss().backward()
    for name, p in model.named_parameters():
        assert p.grad is not None, name
        for _ in range(3):
            k = tuple(int(rng.integers(s)) for s in p.shape)
            values, kept = p.numpy(), p.numpy()[k].copy()
            ends = []
            for step in (1e-5, -1e-5):
                changed = values.copy()
                changed[k] = kept + step
                model.load_state_dict({name: changed}, strict=False)
                ends.append(loss().item())
            changed[k] = kept
            model.load_state_dict({name: changed}, strict=False)
            np.testing.assert_allclose(p.grad.numpy()[k], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-7)


# -- steps -------------------------------------------------------------------------------------------------------------


@every_plan
@pytest.mark.parametrize("parts", [[1] * 6, [4, 1, 1], [3, 3], [6]])
def test_a_text_in_parts_with_a_cache_gives_the_logits_of_the_whole(rng, plan, parts):
    ends = np.cumsum(parts)[:-1]
    model, text, cache = DecoderOnly(11, **SMALL, **plan), _texts(rng, 2, 6), {}
    got = np.concatenate([model(p, cache).numpy() for p in np.split(text, ends, axis=1)], axis=1)
    np.testing.assert_allclose(got, model(text).numpy(), **close)

    model, source, lengths = Transformer(11, 11, **SMALL, **plan), _texts(rng, 2, 5), np.array([5, 3])
    state, got = model.start(source, lengths), []
    for p in np.split(text, ends, axis=1):
        logits, state = model.extend(p, state)
        got.append(logits.numpy())
    np.testing.assert_allclose(np.concatenate(got, axis=1), model(source, text, lengths).numpy(), **close)


@every_plan
def test_texts_of_different_lengths_go_on_side_by_side(rng, plan):
    model, text, lengths = DecoderOnly(11, **SMALL, **plan), _texts(rng, 3, 7), np.array([4, 1, 2])
    state = model.start(text[:, :4], lengths)
    for t in range(3):
        logits, state = model.step(text[np.arange(3), lengths + t], state)
        for b, k in enumerate(lengths):
            alone = model(text[b : b + 1, : k + t + 1]).numpy()[0, -1]
            np.testing.assert_allclose(logits.numpy()[b], alone, **close)


def test_a_step_leaves_the_state_before_it_and_rows_can_be_reordered(rng):
    model, source = Transformer(11, 11, **SMALL), _texts(rng, 2, 4)
    _, state = model.step([1, 1], model.start(source))
    first = model.step([5, 6], state)[0].numpy()
    np.testing.assert_array_equal(model.step([5, 6], state)[0].numpy(), first)
    np.testing.assert_allclose(
        model.step([6, 5, 5], reorder(state, np.array([1, 0, 0])))[0].numpy(), first[[1, 0, 0]], **close
    )


def test_attention_of_a_step_is_there_for_each_layer(rng):
    model, source, seen = Transformer(11, 11, **SMALL), _texts(rng, 2, 5), []
    model.step([1, 1], model.start(source, [5, 3]), attention=seen)
    assert [P.shape for P in seen] == [(2, 4, 1, 5)] * 2
    np.testing.assert_allclose(seen[1].sum(-1), 1, **close)
    assert not seen[0][1, :, :, 3:].any()
    alone, seen = DecoderOnly(11, **SMALL), []
    alone.step([3, 4], alone.start(source), attention=seen)
    assert [P.shape for P in seen] == [(2, 4, 1, 6)] * 2


def test_steps_record_no_gradient(rng):
    model = Transformer(11, 11, **SMALL)
    logits, _ = model.step([1], model.start(_texts(rng, 1, 3)))
    assert not logits.requires_grad


# -- building and errors -----------------------------------------------------------------------------------------------


@every_plan
def test_a_config_is_json_and_builds_a_model_that_takes_the_weights(rng, plan):
    source, target = _texts(rng, 1, 3), _texts(rng, 1, 4)
    for model, inputs in [
        (Transformer(11, 12, **SMALL, **plan), (source, target)),
        (DecoderOnly(11, **SMALL, **plan), (source,)),
        (Encoder(11, **SMALL, **plan), (source,)),
    ]:
        again = type(model)(**json.loads(json.dumps(model.config)))
        again.load_state_dict(model.state_dict())
        np.testing.assert_array_equal(again(*inputs).numpy(), model(*inputs).numpy())
        assert {*model.config} == {*inspect.signature(type(model)).parameters}


@every_plan
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_has_the_default_dtype(rng, plan, dtype):
    with mt.default_dtype(dtype):
        model = Transformer(11, 11, **SMALL, **plan)
        assert {p.dtype for p in model.parameters()} == {np.dtype(dtype)}
        logits = model([[3, 4, 0]], [[1, 5]])
        assert logits.dtype == model.step([1], model.start([[3, 4, 0]]))[0].dtype == dtype
        logits.sum().backward()
        assert {p.grad.dtype for p in model.parameters() if p.grad is not None} == {np.dtype(dtype)}


def test_tied_and_shared_tables_are_one(rng):
    count = lambda **options: sum(p.numpy().size for p in Transformer(11, 11, **SMALL, **options).parameters())
    assert count(tied=False) - count() == 11 * 8
    assert count() - count(shared=True) == 11 * 8
    model = Transformer(11, 11, **SMALL, shared=True)
    again = Transformer(**model.config)
    again.load_state_dict(model.state_dict())
    assert np.array_equal(again([[3]], [[1]]).numpy(), model([[3]], [[1]]).numpy())


def test_dropout_acts_in_training_alone(rng):
    model = Transformer(11, 11, **{**SMALL, "dropout": 0.5}, attention_dropout=0.2)
    run = lambda: model([[3, 4]], [[1, 5]]).numpy()
    assert not np.array_equal(run(), run())
    model.eval()
    assert np.array_equal(run(), run())


def test_a_text_longer_than_the_learned_positions_is_told_both_numbers():
    model = DecoderOnly(11, **SMALL, position="learned", longest=4)
    with pytest.raises(mt.ShapeError, match=r"sequence of 5 tokens, and learned positions for 4"):
        model([[3, 4, 5, 6, 7]])
    cache = {}
    model([[3, 4, 5, 6]], cache)
    with pytest.raises(mt.ShapeError, match=r"sequence of 5 tokens"):
        model([[3]], cache)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DecoderOnly(11, heads=2), r"DecoderOnly: no option heads. Options: d, h, layers"),
        (lambda: DecoderOnly(11, position="sin"), r"position is 'sin'; it can be 'sinusoidal', 'learned'"),
        (lambda: DecoderOnly(11, layers=0), r"layers=0; a model has at least 1"),
        (lambda: DecoderOnly(11, norm="mid"), r"norm is 'mid'; it can be 'pre' or 'post'"),
        (lambda: DecoderOnly(11, activation="tanh"), r"activation is 'tanh'; it can be 'relu'"),
        (lambda: DecoderOnly(11, normalization="batch"), r"normalization is 'batch'; it can be 'layer' or 'rms'"),
        (lambda: Transformer(11, 12, shared=True), r"vocabularies of 11 and 12 tokens"),
        (lambda: Transformer(11, 11, **SMALL)([[3]], [[11]]), r"target: token 11 is none of the 11 tokens 0 ... 10"),
        (lambda: Transformer(11, 11, **SMALL)([[-1]], [[1]]), r"source: token -1 is none"),
        (lambda: Encoder(11, **SMALL)([3, 4]), r"tokens of shape \(2,\); it takes \(batch, n\)"),
        (lambda: Encoder(11, **SMALL)([[0.5]]), r"tokens are float64; they are integers"),
        (lambda: Encoder(11, **SMALL)([[3, 4]], [3]), r"lengths from 3 to 3, of rows that hold 2 tokens"),
        (lambda: Encoder(11, **SMALL)([[3, 4]], [[True, False]]), r"one integer for each row"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(make, said):
    with pytest.raises((ValueError, TypeError, IndexError), match=said):
        make()
