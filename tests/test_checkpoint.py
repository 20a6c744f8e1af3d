"""Is a part that is computed twice the same as one that is kept, in everything but memory?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch import modes
from minitorch.checkpoint import checkpoint
from minitorch.forward import jvp
from minitorch.primitive import HANDLERS
from minitorch.random import generator
from minitorch.transforms import grad, hvp, value_and_grad


def leaf(*shape, seed=0, scale=1.0):
    return mt.tensor(np.random.default_rng(seed).standard_normal(shape) * scale, requires_grad=True)


def dropped(x):
    """Dropout with p = 1/2, and something that must not be the same as the mask's numbers."""
    return mt.where(generator().random(x.shape) > 0.5, x * 2.0, 0.0) * float(generator().random())


def block(x, W):
    return dropped(mt.tanh(mt.tanh(x @ W) @ W))


def run(apply, x, W):
    mt.seed(3)
    loss = (apply(block, apply(block, x, W), W) ** 2).sum()
    return loss, mt.grad(loss, [x, W]), generator().random()


def plainly(f, *args):
    return f(*args)


def test_checkpointed_equals_plain_in_values_gradients_and_dropout_masks():
    x, W = leaf(5, 4), leaf(4, 4, seed=1)
    (loss, gs, after), (loss_2, gs_2, after_2) = run(plainly, x, W), run(checkpoint, x, W)
    assert loss.item() == loss_2.item()
    for g, h in zip(gs, gs_2, strict=True):  # W is used four times, and its parts are added in another order
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-14)
    assert after == after_2  # the second run has drawn nothing from the generator


def test_random_numbers_between_the_two_runs_change_nothing():
    x, W = leaf(5, 4), leaf(4, 4, seed=1)
    mt.seed(3)
    y = checkpoint(block, x, W).sum()
    generator().random(7)
    mt.seed(99)
    before = generator().bit_generator.state
    g = mt.grad(y, x)
    assert generator().bit_generator.state == before
    mt.seed(3)
    np.testing.assert_array_equal(g.numpy(), mt.grad(block(x, W).sum(), x).numpy())


def test_tensors_that_the_function_closes_over_get_their_gradients():
    x, W, b = leaf(5, 4), leaf(4, 4, seed=1), leaf(4, seed=2)
    h = mt.exp(b * 0.1)  # an intermediate result of the outer graph
    f = lambda x: mt.tanh(x @ W + h)
    checkpoint(f, x).sum().backward()
    found = [t.grad.numpy().copy() for t in (x, W, b)]
    for g, expected in zip(found, mt.grad(mt.tanh(x @ W + mt.exp(b * 0.1)).sum(), [x, W, b]), strict=True):
        np.testing.assert_allclose(g, expected.numpy(), rtol=1e-12)


def test_a_module_is_checkpointed_with_its_parameters():
    mt.seed(0)
    model = mt.nn.Linear(4, 3)
    x = np.ones((2, 4), np.float32)
    checkpoint(model, x).sum().backward()
    found = [p.grad.numpy().copy() for p in model.parameters()]
    model.zero_grad()
    model(x).sum().backward()
    for g, p in zip(found, model.parameters(), strict=True):
        np.testing.assert_array_equal(g, p.grad.numpy())


def test_it_takes_and_gives_trees_and_other_values():
    def f(p, ids, *, n, flag):
        assert flag == "text"
        return {"y": p["w"][ids] * n, "count": len(ids), "ids": ids, "pair": (p["w"].sum(), p["w"] > 0)}

    w = leaf(4)
    out = checkpoint(f, {"w": w}, mt.tensor([0, 0, 3]), n=2.0, flag="text")
    assert out["count"] == 3
    assert out["ids"].numpy().tolist() == [0, 0, 3]
    assert out["pair"][1].dtype == bool
    assert mt.grad(out["y"].sum() + out["pair"][0], w).numpy().tolist() == [5.0, 1.0, 1.0, 3.0]


def test_one_of_several_results_may_be_unused():
    x = leaf(3)
    first, _ = checkpoint(lambda x: (mt.exp(x), mt.tanh(x)), x)
    np.testing.assert_allclose(mt.grad(first.sum(), x).numpy(), np.exp(x.numpy()))


def test_the_first_run_records_nothing_and_the_second_does():
    seen = []

    def f(x, ids):
        seen.append((modes.current().grad_enabled, type(x), type(ids)))
        return mt.exp(x)[ids]

    checkpoint(f, leaf(3), mt.tensor([0, 1])).sum().backward()
    assert seen == [(False, mt.Tensor, mt.Tensor), (True, mt.Tensor, mt.Tensor)]


def test_a_trace_sees_arrays_before_and_after_a_checkpoint():
    seen = []
    x = leaf(3)
    mt.trace_gradients(checkpoint(mt.exp, x * 2.0).sum(), on_edge=lambda e, g: seen.append(type(g)))
    assert seen == [np.ndarray] * 3


def test_it_can_be_pulled_back_twice_and_freed():
    x = leaf(3)
    y = checkpoint(lambda x: mt.exp(x), x).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(x.numpy()))
    with pytest.raises(mt.GraphFreedError, match="checkpoint: its saved values were freed"):
        y.backward()


def test_checkpoints_nest():
    x, W = leaf(5, 4), leaf(4, 4, seed=1)
    nested = lambda x, W: checkpoint(block, checkpoint(block, x, W), W)
    mt.seed(3)
    a = mt.grad((checkpoint(nested, x, W) ** 2).sum(), [x, W])
    mt.seed(3)
    b = mt.grad((block(block(x, W), W) ** 2).sum(), [x, W])
    for g, h in zip(a, b, strict=True):
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-14)


def test_second_and_third_derivatives_through_a_checkpoint_are_right():
    W = leaf(3, 3, seed=1)
    plain = lambda x: (mt.tanh(x @ W) ** 2).sum()
    through = lambda x: checkpoint(lambda y: (mt.tanh(y @ W) ** 2).sum(), x)
    x = leaf(2, 3)
    for order in range(1, 4):
        fs = []
        for f in (plain, through):
            for _ in range(order - 1):
                f = (lambda inner: lambda x: (grad(inner)(x) ** 2).sum())(f)
            fs.append(mt.grad(f(x), [x, W]))
        for g, h in zip(*fs, strict=True):
            np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-10)


def test_forward_mode_passes_through_a_checkpoint():
    x, v = leaf(3), np.ones(3)
    runs = []
    f = lambda x: runs.append(1) or (mt.tanh(x) * x).sum()
    through = lambda x: checkpoint(f, x)
    assert jvp(through, (x,), (v,))[1].item() == jvp(f, (x,), (v,))[1].item()
    assert len(runs) == 2  # once each
    np.testing.assert_allclose(hvp(through, (x,), (v,))[0].numpy(), hvp(f, (x,), (v,))[0].numpy(), rtol=1e-12)


def test_forward_mode_passes_through_what_a_checkpoint_closes_over():
    mt.seed(1)
    x, c = 2.0, leaf()
    f = lambda x: checkpoint(lambda c: c * x * generator().random(), c)
    mt.seed(0)
    value, tangent = jvp(f, (x,), (1.0,))
    mt.seed(0)
    assert tangent.item() == pytest.approx(c.item() * generator().random())
    assert value.item() == pytest.approx(2 * tangent.item())


def test_a_tangent_that_only_a_jvp_inside_the_checkpoint_sees_is_not_lost():
    c = leaf(3)
    f = lambda x: checkpoint(lambda c: jvp(lambda y: y * y * x, (c,), (np.ones(3),))[1], c)  # 2 c x
    value, tangent = jvp(f, (2.0,), (1.0,))
    np.testing.assert_allclose(value.numpy(), 4 * c.numpy())
    np.testing.assert_allclose(tangent.numpy(), 2 * c.numpy())


def test_derivatives_inside_a_checkpointed_function_are_differentiated():
    W = leaf(3, 3, seed=1)
    inner = lambda x: grad(lambda y: (mt.tanh(y @ W) ** 2).sum())(x) + jvp(lambda y: y * y @ W, (x,), (x,))[1]
    x = leaf(2, 3)
    y = checkpoint(inner, x)
    assert [n.op for n in mt.Graph.of(y).nodes if n.op] == ["checkpoint"]
    a = mt.grad(y.sum(), [x, W])
    b = mt.grad(inner(x).sum(), [x, W])
    for g, h in zip(a, b, strict=True):
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-12)


def test_inside_value_and_grad_it_gives_the_same():
    x, W = leaf(5, 4).detach(), leaf(4, 4, seed=1).detach()
    f = lambda W: checkpoint(lambda W: mt.tanh(x @ W), W).sum()
    value, g = value_and_grad(f)(W)
    expected, h = value_and_grad(lambda W: mt.tanh(x @ W).sum())(W)
    assert value.item() == expected.item()
    np.testing.assert_array_equal(g.numpy(), h.numpy())


def test_where_no_gradient_is_asked_for_it_is_the_function():
    x = leaf(3)
    with mt.no_grad():
        assert not checkpoint(mt.exp, x).requires_grad
    assert not checkpoint(mt.exp, x.detach()).requires_grad


def test_the_default_dtype_and_scope_of_the_first_run_hold_in_the_second():
    seen = []

    def f(x):
        state = modes.current()
        seen.append((mt.tensor(1.0).dtype, state.scope, state.step))
        return mt.exp(x)

    with mt.default_dtype("float64"), mt.scope("block"), mt.step(3):
        y = checkpoint(f, leaf(3)).sum()
    y.backward()
    assert seen == [(np.float64, "block", 3)] * 2


def test_a_function_that_gives_something_else_the_second_time_is_refused():
    sizes = iter([3, 2])
    y = checkpoint(lambda x: mt.exp(x)[: next(sizes)], leaf(4)).sum()
    with pytest.raises(mt.GradientError, match=r"run again, the function gave \[\(\(2,\).*instead of \[\(\(3,\)"):
        y.backward()


def test_an_exception_in_either_run_leaves_no_state_behind():
    before = dict(HANDLERS)
    runs = iter([False, True])

    def f(x):
        generator().random()
        if next(runs):
            raise KeyError("on purpose")
        return mt.exp(x)

    mt.seed(0)
    y = checkpoint(f, leaf(3)).sum()
    state = generator().bit_generator.state
    with pytest.raises(KeyError):
        y.backward()
    assert generator().bit_generator.state == state
    with pytest.raises(StopIteration):
        checkpoint(f, leaf(3))
    assert before == HANDLERS
    assert modes.current().grad_enabled
    assert mt.exp(leaf(1)).requires_grad


def test_an_array_that_its_owner_writes_to_in_between_changes_nothing():
    x, c = leaf(3), np.ones(3)
    y = checkpoint(lambda x, c: mt.exp(x * c), x, c).sum()
    c[:] = 100.0
    np.testing.assert_allclose(mt.grad(y, x).numpy(), np.exp(x.numpy()))


def test_a_function_that_writes_to_its_input_is_refused():
    def f(h):
        h += 1.0
        return mt.exp(h)

    with pytest.raises(mt.MinitorchError, match="checkpoint: the function writes to its input"):
        checkpoint(f, leaf(3) * 1.0)


def test_a_function_may_write_to_what_it_has_made():
    def f(x):
        h = x * 2.0
        h *= 3.0
        return h * h

    x = leaf(3)
    np.testing.assert_allclose(mt.grad(checkpoint(f, x).sum(), x).numpy(), 72 * x.numpy())


# -- what the function reads without being given it -------------------------------------------------------------------


@pytest.mark.parametrize("constant", [mt.tensor([3.0, 4.0]), np.array([3.0, 4.0])], ids=["a Tensor", "an array"])
@pytest.mark.parametrize(
    "read", [lambda c: c, lambda c: c[::-1], lambda c: c.reshape(2, 1)], ids=["whole", "view", "2d"]
)
def test_a_constant_that_is_written_to_before_the_second_run_is_refused(constant, read):
    x, constant = leaf(2), constant.astype(np.float64)
    y = checkpoint(lambda x: x * read(constant), x).sum()
    constant[0] = 100.0
    with pytest.raises(
        mt.InPlaceError, match=r"checkpoint: a constant of shape \(2,\) that the function reads without"
    ):
        y.backward()
    assert x.grad is None


def test_an_index_that_is_written_to_before_the_second_run_is_refused():
    x, index = leaf(3), np.array([0, 0])
    y = checkpoint(lambda x: mt.exp(x)[index], x).sum()
    index[0] = 2
    with pytest.raises(mt.InPlaceError, match="a constant of shape"):
        y.backward()


def test_what_the_function_has_made_or_given_may_be_written_to_afterwards():
    x, kept = leaf(2), []

    def f(x):
        inner = mt.tensor([1.0, 2.0])
        kept.append(inner * 2.0)
        h = mt.exp(x) * inner
        return h, h * kept[-1]

    h, y = checkpoint(f, x)
    with mt.no_grad():
        h += 1.0
        kept[0] += 1.0
    np.testing.assert_allclose(mt.grad(y.sum(), x).numpy(), np.exp(x.numpy()) * [2.0, 8.0])


@pytest.mark.parametrize("training", [True, False])
def test_modules_run_again_in_the_mode_in_which_they_ran(training):
    drop, inner = mt.nn.Dropout(0.5).train(training), mt.nn.Dropout(0.5).train(training)
    nested = lambda t: checkpoint(lambda t: inner(t) * 1.0, drop(t) * 2.0)
    x = mt.tensor(np.ones(100), requires_grad=True)
    mt.seed(0)
    y = checkpoint(nested, x)
    drop.train(not training)
    inner.train(not training)
    np.testing.assert_array_equal(mt.grad(y.sum(), x).numpy(), y.numpy())
    assert drop.training is inner.training is not training


def test_a_function_that_gives_other_values_the_second_time_is_refused():
    x, scale = leaf(100), [2.0]
    y = checkpoint(lambda x: x * scale[0], x).sum()
    scale[0] = 3.0
    with pytest.raises(
        mt.GradientError, match=r"run again, the function gave other values, .* instead of .*changed since"
    ):
        y.backward()


def test_a_result_is_in_memory_of_its_own():
    x, b = leaf(2), mt.tensor(np.ones(2))
    before = x.numpy().copy()
    same, part, constant = checkpoint(lambda x: (x, x[:1], b), x)
    for y in (same, part, constant):
        y += 1.0
    np.testing.assert_array_equal(x.numpy(), before)
    np.testing.assert_array_equal(b.numpy(), 1.0)
    first, second = checkpoint(lambda x: (lambda h: (h, h))(x * 2.0), x)
    first += 1.0
    np.testing.assert_array_equal(second.numpy(), 2 * before)
    assert mt.grad((first * second).sum() + same.sum(), x).numpy() == pytest.approx(8 * before + 3)


def test_inside_a_functional_module_the_exchanged_parameters_are_read():
    mt.seed(0)
    with mt.default_dtype("float64"):
        layer = mt.nn.Linear(3, 2)

    class Net(mt.Module):
        def __init__(self, apply):
            self.layer, self.apply_it = layer, apply

        def forward(self, x):
            return self.apply_it(lambda x: mt.tanh(self.layer(x)), x)

    x, given = np.ones((4, 3)), {k: p.numpy() + 1.0 for k, p in Net(plainly).named_parameters()}
    v = {k: np.ones(p.shape) for k, p in given.items()}
    models = [mt.functional(Net(apply)) for apply in (plainly, checkpoint)]
    losses = [(lambda p, f=f: (f(p, x) ** 2).sum()) for f in models]
    for transform in (lambda f: grad(f)(given), lambda f: jvp(f, (given,), (v,)), lambda f: hvp(f, (given,), (v,))):
        plain, checkpointed = (mt.trees.leaves(transform(f)) for f in losses)
        for a, b in zip(plain, checkpointed, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10)


def test_a_result_is_no_view_of_what_the_function_closes_over():
    x, w, c = leaf(2), leaf(2, seed=1), mt.tensor(np.ones(2))
    before = w.numpy().copy()
    part, constant = checkpoint(lambda x: (w[:], c[:] + 0.0 * x), x)
    with mt.no_grad():
        part += 100.0
        constant += 100.0
    np.testing.assert_array_equal(w.numpy(), before)
    np.testing.assert_array_equal(c.numpy(), 1.0)
