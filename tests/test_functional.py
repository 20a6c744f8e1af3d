"""Is a Module a function of its parameters, to every transform, and left as it was?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch import modes
from minitorch.forward import jvp
from minitorch.functional import functional
from minitorch.intercept import substitute
from minitorch.primitive import HANDLERS
from minitorch.transforms import grad, hessian, hvp, jacobian, value_and_grad, vjp
from minitorch.trees import TreeError


def f64(values):
    return np.array(values, np.float64)


class Net(mt.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = mt.nn.Linear(3, 4), mt.nn.Linear(4, 2)
        self.tied = self.first

    def forward(self, x):
        return self.second(mt.tanh(self.tied(x)))


def loss_of(model, x):
    return (model(x) ** 2).sum()


@pytest.fixture
def model():
    mt.seed(0)
    with mt.default_dtype("float64"):
        return Net()


def test_a_module_is_a_function_of_its_parameters(model):
    x = np.random.default_rng(0).standard_normal((5, 3))
    f, params = functional(model), {k: p.detach() for k, p in model.named_parameters()}
    value, gs = value_and_grad(lambda p: (f(p, x) ** 2).sum())(params)
    loss = loss_of(model, x)
    loss.backward()
    assert value.item() == loss.item()
    assert gs.keys() == params.keys()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(gs[name].numpy(), p.grad.numpy(), rtol=1e-12, err_msg=name)


def test_jvp_hvp_and_jacobian_of_a_module(model):
    rng = np.random.default_rng(0)
    x, f, params = rng.standard_normal((5, 3)), functional(model), {k: p.numpy() for k, p in model.named_parameters()}
    v = {k: rng.standard_normal(p.shape) for k, p in params.items()}
    g = lambda p: (f(p, x) ** 2).sum()
    moved = lambda h: {k: params[k] + h * v[k] for k in params}
    numeric = (g(moved(1e-5)).item() - g(moved(-1e-5)).item()) / 2e-5
    assert jvp(g, (params,), (v,))[1].item() == pytest.approx(numeric, rel=1e-7)
    sides = [grad(g)(moved(h)) for h in (1e-5, -1e-5)]
    for k, h in hvp(g, (params,), (v,))[0].items():
        np.testing.assert_allclose(h.numpy(), (sides[0][k].numpy() - sides[1][k].numpy()) / 2e-5, rtol=1e-6, atol=1e-6)
    assert jacobian(lambda p: f(p, x))(params)["second.weight"].shape == (5, 2, 2, 4)


def test_a_functional_module_is_left_as_it_was(model):
    before = {k: (p, p.numpy().copy()) for k, p in model.named_parameters()}
    grad(lambda p: functional(model)(p, np.ones((1, 3))).sum())({k: p.detach() for k, (p, _) in before.items()})
    for k, p in model.named_parameters():
        assert p is before[k][0]
        assert p.grad is None
        np.testing.assert_array_equal(p.numpy(), before[k][1])


def test_a_parameter_that_is_not_named_keeps_the_modules_own_value(model):
    x = np.ones((1, 3))
    with_bias = functional(model)({"second.bias": model.second.bias.numpy() + 1.0}, x)
    np.testing.assert_allclose(with_bias.numpy(), model(x).numpy() + 1.0)


def test_parameters_that_do_not_fit_the_module_are_refused(model):
    with pytest.raises(TreeError, match=r"no parameter is called \['third'\]; Net has \['first.weight'"):
        functional(model)({"third": f64([1.0])}, np.ones((1, 3)))
    with pytest.raises(TreeError, match=r"parameters\['second.bias'\] has shape \(3,\).*has \(2,\)"):
        functional(model)({"second.bias": np.ones(3)}, np.ones((1, 3)))


def test_a_result_is_a_tensor_even_if_the_parameters_are_arrays():
    class Twice(mt.Module):
        def __init__(self):
            super().__init__()
            self.w = mt.Parameter([1.0, 2.0])

        def forward(self):
            return self.w * 2.0

    assert isinstance(functional(Twice())({"w": np.ones(2)}), mt.Tensor)


def test_the_innermost_exchange_wins_and_static_arguments_stay():
    w, v = mt.tensor(np.ones((2, 3))), mt.tensor(np.full((2, 3), 2.0))
    with substitute({id(w): mt.tensor(np.zeros((2, 3)))}), substitute({id(w): v}):
        assert w.sum(axis=0).numpy().tolist() == [4.0, 4.0, 4.0]


def test_forward_mode_inside_a_module_sees_the_exchanged_parameters():
    class Slope(mt.Module):
        def __init__(self):
            super().__init__()
            self.w = mt.Parameter(f64([1.0, 2.0]))

        def forward(self, x):
            return jvp(lambda y: self.w * y * y, (x,), (1.0,))[1]

    given = {"w": f64([3.0, 5.0])}
    assert functional(Slope())(given, f64(2.0)).numpy().tolist() == [12.0, 20.0]
    g = grad(lambda p: functional(Slope())(p, f64(2.0)).sum())(given)
    assert g["w"].numpy().tolist() == [4.0, 4.0]


def test_after_an_exchange_nothing_of_it_is_left_inside_the_next_transform(model):
    x = np.ones((1, 3))
    expected = model(x).numpy()
    functional(model)({"second.bias": f64([100.0, 100.0])}, x)
    value, _ = jvp(lambda x: model(x), (x,), (x,))
    np.testing.assert_array_equal(value.numpy(), expected)


def test_a_modules_own_parameters_may_stand_for_themselves_or_for_each_other(model):
    x, own = np.ones((1, 3)), dict(model.named_parameters())
    f = functional(model)
    np.testing.assert_array_equal(f(own, x).numpy(), model(x).numpy())
    np.testing.assert_array_equal(f({"second.bias": own["second.bias"]}, x).numpy(), model(x).numpy())
    values = {k: p.detach() for k, p in own.items()}
    for name, g in grad(lambda p: (f(p, x) ** 2).sum())(own).items():
        np.testing.assert_array_equal(g.numpy(), grad(lambda p: (f(p, x) ** 2).sum())(values)[name].numpy())
    v = {k: np.ones(p.shape) for k, p in own.items()}
    through = [jvp(lambda p: f(p, x), (p,), (v,))[1].numpy() for p in (own, values)]
    np.testing.assert_array_equal(*through)


def test_two_parameters_may_change_places():
    a, b = mt.Parameter(f64([1.0, 2.0])), mt.Parameter(f64([3.0, 5.0]))
    with substitute({id(a): b, id(b): a}):
        assert (a * 1.0 - b * 2.0).numpy().tolist() == [1.0, 1.0]


def test_a_module_as_an_argument_stands_for_its_parameters_in_every_transform(model):
    x = np.random.default_rng(0).standard_normal((5, 3))
    values, f = {k: p.detach() for k, p in model.named_parameters()}, functional(model)
    by_dict = lambda p, x: (f(p, x) ** 2).sum()
    v = {k: np.random.default_rng(1).standard_normal(p.shape) for k, p in values.items()}
    both = {
        "value_and_grad": lambda loss, m: value_and_grad(loss)(m, x),
        "vjp": lambda loss, m: vjp(loss, m, x)[1](1.0),
        "jvp": lambda loss, m: jvp(loss, (m, x), (v, None)),
        "hvp": lambda loss, m: hvp(loss, (m, x), (v, None)),
        "hessian": lambda loss, m: hessian(loss)(m, x),
        "hessian, forward": lambda loss, m: hessian(loss, mode="forward")(m, x),
        "inside a tree": lambda loss, m: grad(lambda t: loss(*t["all"]))({"all": (m, x)}),
    }
    for name, transform in both.items():
        found, wanted = transform(loss_of, model), transform(by_dict, values)
        for (path, a), (other, b) in zip(mt.trees.flatten(found), mt.trees.flatten(wanted), strict=True):
            assert path == other
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12, err_msg=f"{name}{path}")


def test_a_penalty_on_the_gradient_of_a_module_trains_its_parameters(model):
    x = np.ones((1, 3))
    (grad(loss_of)(model, x)["second.bias"] ** 2).sum().backward()
    out = model(x).detach()
    np.testing.assert_allclose(model.second.bias.grad.numpy(), 8 * out.numpy()[0])  # of |2 out|^2


def test_a_module_that_is_two_arguments_is_refused(model):
    with pytest.raises(TreeError, match="this Net is also that of another argument"):
        grad(lambda m: loss_of(m["a"], np.ones((1, 3))))({"a": model, "b": model})


@pytest.mark.parametrize("transform", [grad, lambda f: lambda x: vjp(f, x), jacobian, hessian], ids=str)
def test_an_exception_in_the_middle_of_a_trace_leaves_no_state_behind(transform, model):
    before, state = dict(HANDLERS), modes.current()

    def f(x):
        functional(model)({"second.bias": f64([1.0, 2.0])}, np.ones((1, 3)))
        with mt.no_grad():
            mt.tanh(x)
            raise KeyError("on purpose")

    with pytest.raises(KeyError):
        transform(f)(1.0)
    assert before == HANDLERS
    assert modes.current() is state
    x = mt.tensor(f64(3.0), requires_grad=True)
    (x * x).backward()
    assert x.grad.item() == 6.0
