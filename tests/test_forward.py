"""Is the derivative along a direction right, for functions of trees and at every depth of nesting?"""

from __future__ import annotations

import contextlib
import threading
import tracemalloc

import numpy as np
import pytest

import minitorch as mt
from minitorch.dual import Dual
from minitorch.forward import jvp
from minitorch.primitive import HANDLERS
from minitorch.tape import record
from minitorch.tensor import Tensor
from minitorch.transforms import grad, vjp
from minitorch.trees import TreeError


def leaf(values, dtype=np.float64):
    return mt.tensor(np.array(values, dtype), requires_grad=True)


# -- functions ---------------------------------------------------------------------------------------------------------


def test_jvp_takes_and_gives_trees():
    primals = ({"x": [1.0, 2.0], "rest": (3.0,)},)
    value, tangent = jvp(lambda p: {"out": p["x"] * p["rest"][0]}, primals, ({"rest": (1.0,), "x": None},))
    assert value["out"].numpy().tolist() == [3.0, 6.0]
    assert tangent["out"].numpy().tolist() == [1.0, 2.0]


def test_an_output_that_does_not_depend_on_the_direction_has_tangent_zero():
    value, tangent = jvp(lambda x: (mt.tensor([1.0, 2.0]), x > 0), (3.0,), (1.0,))
    assert tangent[0].numpy().tolist() == [0.0, 0.0]
    assert value[1].item() is True


def test_a_constant_may_come_first_or_last_in_an_operation():
    W, x = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    for f in (
        lambda x: mt.tensor(W) @ x,
        lambda x: mt.Parameter(W) @ x,
        lambda x: W @ x,
        lambda x: x @ mt.tensor(W.T),
        lambda x: mt.concatenate([mt.tensor(W[:, 0]), x])[2:] @ W.T,
    ):
        np.testing.assert_array_equal(jvp(f, (x,), (np.ones(3),))[1].numpy(), W.sum(1))


def test_integers_and_other_arguments_are_passed_on_when_their_tangent_is_none():
    _, tangent = jvp(lambda x, n, flag: x**n if flag else x, ([2.0, 3.0], 3, True), ([1.0, 1.0], None, None))
    assert tangent.numpy().tolist() == [12.0, 27.0]


def test_a_tangent_takes_the_dtype_of_its_primal():
    x, t = mt.tensor([1.0, 2.0], dtype="float32"), mt.tensor(np.array([0.1, 0.2]))
    assert jvp(lambda x: x, (x,), (t,))[1].dtype == jvp(lambda x: x * x, (x,), (t,))[1].dtype == np.float32


def test_a_tangent_shares_no_memory_with_the_direction():
    t = np.ones(3)
    given = mt.tensor(t)
    for f in (lambda x: x + 1.0, lambda x: x[::-1], lambda x: x):
        found = jvp(f, (np.zeros(3),), (given,))[1]
        assert not np.shares_memory(found.numpy(), given.numpy())


def test_aux_comes_back_as_values():
    value, tangent, aux = jvp(lambda x: (x * x, {"inner": x + 1.0, "n": 3}), (3.0,), (1.0,), has_aux=True)
    assert (value.item(), tangent.item(), aux["inner"].item(), aux["n"]) == (9.0, 6.0, 4.0, 3)
    assert isinstance(aux["inner"], Tensor)


def test_branches_loops_and_indices_see_the_values():
    def f(x):
        total = x[0]
        for part in x[1:]:
            total = total * part if part > 0 else total - part
        return total * float(x[0]) * len(x)

    x, t = [2.0, -3.0, 5.0], [1.0, 2.0, 3.0]
    assert jvp(f, (x,), (t,))[1].item() == 6 * ((1 - 2) * 5 + 5 * 3)  # float(x[0]) is a constant, as for a Tensor


def test_a_number_of_steps_that_is_large_keeps_no_more_memory_than_a_small_one():
    def peak(steps):
        x = mt.tensor(np.ones(10_000))

        def f(x):
            for _ in range(steps):
                x = mt.tanh(x * 1.01)
            return x

        tracemalloc.start()
        jvp(f, (x,), (x,))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(100) < 1.2 * peak(5)


# -- nesting -----------------------------------------------------------------------------------------------------------


def test_nested_jvps_do_not_confuse_their_perturbations():
    inner = lambda x: jvp(lambda y: x + y, (1.0,), (1.0,))[1]
    assert jvp(lambda x: x * inner(x), (1.0,), (1.0,))[1].item() == 1.0  # 2 would be perturbation confusion


def test_nested_jvps_of_two_variables_give_the_mixed_derivative():
    inner = lambda x: jvp(lambda y: x * y * y, (3.0,), (1.0,))[1]
    assert jvp(inner, (2.0,), (1.0,))[1].item() == 6.0


def test_an_inner_function_that_ignores_its_argument_keeps_the_outer_tangent_in_its_value_alone():
    tangents = jvp(lambda x: jvp(lambda y: x * x, (1.0,), (1.0,)), (3.0,), (1.0,))[1]
    assert [t.item() for t in tangents] == [6.0, 0.0]


def test_nested_jvps_of_one_variable_give_the_second_derivative():
    d = lambda f: lambda x: jvp(f, (x,), (1.0,))[1]
    cube = lambda x: x * x * x
    assert [d(cube)(2.0).item(), d(d(cube))(2.0).item(), d(d(d(cube)))(2.0).item()] == [12.0, 12.0, 6.0]


@pytest.mark.parametrize("order", ["jvp of grad", "grad of jvp", "grad of grad", "jvp of jvp"])
def test_the_second_derivative_is_the_same_in_every_order(order):
    outer, _, inner = order.split()
    ways = {"jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1], "grad": grad}
    f = lambda x: mt.exp(x * x) * mt.tanh(x)
    x, e, t = 0.7, np.exp(0.49), np.tanh(0.7)
    s = 1 - t * t
    exact = (2 + 4 * x * x) * e * t + 4 * x * e * s - 2 * t * s * e
    with mt.default_dtype("float64"):
        assert ways[outer](ways[inner](f))(x).item() == pytest.approx(exact, rel=1e-12)


def test_a_tangent_that_requires_a_gradient_gets_one():
    x, t = leaf([1.0, 2.0]), leaf([3.0, 5.0])
    _, tangent = jvp(lambda x: (x * x).sum(), (x,), (t,))
    gx, gt = mt.grad(tangent, [x, t])
    assert (gx.numpy().tolist(), gt.numpy().tolist()) == ([6.0, 10.0], [2.0, 4.0])


def test_a_parameter_that_the_function_closes_over_gets_the_gradient_of_the_tangent():
    w = leaf(3.0)
    _, tangent = jvp(lambda x: w * x * x, (mt.tensor(np.float64(2.0)),), (1.0,))
    tangent.backward()
    assert w.grad.item() == 4.0


def test_vjp_inside_jvp_carries_tangents_of_primals_and_cotangents():
    def f(x, c):
        return vjp(lambda y: y * y * y, x)[1](c)[0]  # 3 x^2 c

    value, tangent = jvp(f, (2.0, 5.0), (1.0, 10.0))
    assert (value.item(), tangent.item()) == (60.0, 6 * 2 * 5 + 12 * 10)


def test_grad_of_a_tensor_inside_jvp_carries_the_tangent():
    def f(x):
        y = x * x * x
        return grad(y, x, create_graph=True)

    value, tangent = jvp(f, (leaf(2.0),), (1.0,))
    assert (value.item(), tangent.item()) == (12.0, 12.0)


# -- what it does not do -----------------------------------------------------------------------------------------------


def test_the_number_in_a_dual_is_a_number():
    seen = []
    jvp(lambda x: seen.append((x.item(), x.numpy().tolist(), x.requires_grad, str(x))) or x, (3.0,), (1.0,))
    assert seen == [(3.0, 3.0, True, "Dual(Tensor(3., dtype=float32))")]
    assert type(seen[0][0]) is float


def test_detach_cuts_tangents_of_all_levels():
    f = lambda x: x * x.detach()
    assert jvp(f, (3.0,), (1.0,))[1].item() == 3.0
    assert jvp(lambda x: jvp(lambda y: x.detach() * y, (1.0,), (1.0,))[1], (3.0,), (1.0,))[1].item() == 0.0
    assert jvp(lambda x: jvp(lambda y: y.detach() * y, (x,), (1.0,))[1], (3.0,), (1.0,))[1].item() == 0.0


def test_no_grad_inside_the_function_cuts_tangents_as_it_cuts_gradients():
    def f(x):
        with mt.no_grad():
            c = x * x
        return c * x

    assert jvp(f, (3.0,), (1.0,))[1].item() == grad(f)(3.0).item() == 9.0


def test_under_no_grad_jvp_still_works_and_records_nothing():
    x = leaf(3.0)
    with mt.no_grad():
        value, tangent = jvp(lambda y: y * y * x, (x,), (1.0,))
    assert (value.item(), tangent.item()) == (27.0, 18.0)
    assert not value.requires_grad
    assert not tangent.requires_grad


@pytest.mark.parametrize("lossy", [np.asarray, lambda x: x.backward(), lambda x: np.array([x])], ids=str)
def test_what_would_drop_the_tangent_raises(lossy):
    with pytest.raises(mt.GradientError, match=r"tangent"):
        jvp(lambda x: lossy(x) or x, (3.0,), (1.0,))


def test_writing_to_a_dual_or_a_dual_into_a_tensor_raises():
    def to(x):
        x[0] = 1.0
        return x

    def into(x):
        buffer = mt.tensor([1.0, 2.0])
        buffer[:1] = x
        return buffer

    def add(x):
        buffer = mt.tensor([1.0])
        buffer += x
        return buffer

    with pytest.raises(mt.GradientError, match="indexed assignment inside jvp"):
        jvp(to, ([3.0],), ([1.0],))
    for write in (into, add):
        with pytest.raises(mt.GradientError, match="an in-place write inside jvp would drop the tangent"):
            jvp(write, ([3.0],), ([1.0],))


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (
            lambda x: x.add_(1.0),
            r"add_ of a value of shape \(2,\) inside jvp would drop its tangent.*Write x = x \+ y\?",
        ),
        (lambda x: x.mul_(2.0), r"mul_ .*Write x = x \* y\?"),
        (lambda x: x.clamp_(0.0, 1.0), r"clamp_ .*Write x = x.clip"),
        (lambda x: x.fill_(1.0), r"fill_ .*Write x = mt.full_like"),
        (lambda x: x.copy_(x), r"copy_ .*Write"),
        (lambda x: setattr(x, "data", x * 2), r"data = \.\.\. .*Write x = value\?"),
        (
            lambda x: x.grad,
            r"grad of a value of shape \(2,\) inside jvp: no gradient arrives there.*Use mt.grad inside\?",
        ),
        (lambda x: setattr(x, "grad", None), r"grad of a value of shape \(2,\) inside jvp"),
        (lambda x: x.register_hook(print), r"register_hook of a value .*Use mt.grad"),
        (lambda x: x.retain_grad(), r"retain_grad of a value .*Use mt.grad"),
        (lambda x: x.is_leaf, r"is_leaf of a value .*Ask before jvp\?"),
        (lambda x: x.requires_grad_(False), r"requires_grad_\(False\) .*Use detach\(\)\?"),
    ],
)
def test_what_a_value_inside_jvp_cannot_do_is_said_in_a_sentence(ask, said):
    with pytest.raises(mt.GradientError, match=said):
        jvp(lambda x: ask(x) or x, ([3.0, 4.0],), ([1.0, 1.0],))


def test_every_attribute_of_a_tensor_is_there_inside_jvp_or_refused_in_a_sentence():
    def ask(x):
        for name in dir(mt.Tensor):
            if not name.startswith("_"):
                with contextlib.suppress(mt.GradientError):
                    getattr(x, name)
        return x

    jvp(ask, ([[1.0, 2.0], [3.0, 4.0]],), (np.ones((2, 2)),))


def test_what_only_looks_at_a_value_inside_jvp_sees_it():
    def look(x):
        assert x.tolist() == [3.0, 4.0]
        assert x.data.tolist() == [3.0, 4.0]
        assert 3.0 in x
        assert x[0] in x
        assert 5.0 not in x
        assert x.requires_grad_() is x
        assert x.name is None
        x.name = "position"
        assert x.name == "position"
        with pytest.raises(mt.DtypeError, match="as an index or a count"):
            range(x[0])
        return x

    jvp(look, ([3.0, 4.0],), ([1.0, 1.0],))
    jvp(lambda x: jvp(look, (x,), (x,)), ([3.0, 4.0],), ([1.0, 1.0],))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_anomaly_mode_looks_at_tangents_too(nested):
    def f(x):
        with mt.scope("root"):
            return mt.sqrt(x) * 2.0

    run = (lambda x: jvp(f, (x,), (mt.ones(2),))[0]) if nested else f
    jvp(run, ([0.0, 1.0],), ([1.0, 1.0],))
    said = r"sqrt: the tangent of its out of shape \(2,\) has inf at entry \(0,\), in module root"
    with pytest.raises(mt.AnomalyError, match=said), mt.detect_anomaly():
        jvp(run, ([0.0, 1.0],), ([1.0, 1.0],))


@pytest.mark.parametrize(
    ("primals", "tangents", "message"),
    [
        (([1.0, 2.0],), ([1.0],), r"tangents\[0\] has shape \(1,\), but primals\[0\] has \(2,\)"),
        (({"w": [1.0], "n": 3},), ({"w": [1.0], "n": 1.0},), r"primals\[0\]\['n'\] is int64, which has no tangent"),
        (({"w": [1.0]},), ({"v": [1.0]},), r"tangents\[0\] lacks \['w'\] and has \['v'\] besides"),
        (("text",), (1.0,), r"primals\[0\] is str, which has no tangent"),
        ((1.0, 2.0), (1.0,), r"tangents lacks \[1\], compared with primals"),
        (mt.tensor(1.0), (1.0,), r"primals is a Tensor; it takes a tuple.*Write \(primals,\)"),
    ],
)
def test_primals_and_tangents_that_do_not_fit_are_refused_with_the_path(primals, tangents, message):
    with pytest.raises(TreeError, match=message):
        jvp(lambda *args: args[0], primals, tangents)


def test_an_output_that_is_no_tensor_is_refused_with_its_path():
    with pytest.raises(TreeError, match=r"output\['name'\] is a str.*has_aux=True"):
        jvp(lambda x: {"x": x, "name": "loss"}, (1.0,), (1.0,))


def test_an_exception_in_the_middle_of_a_jvp_leaves_no_state_behind():
    before = dict(HANDLERS)

    def f(x):
        mt.tanh(x)
        raise KeyError("on purpose")

    with pytest.raises(KeyError):
        jvp(f, (1.0,), (1.0,))
    assert before == HANDLERS
    assert (mt.tensor(2.0) * 3.0).item() == 6.0


def test_while_no_transform_runs_operations_go_straight_to_the_tape():
    jvp(lambda x: jvp(lambda y: mt.tanh(y), (x,), (1.0,)), (1.0,), (1.0,))
    assert HANDLERS[Tensor] is record


def test_a_jvp_in_one_thread_does_not_disturb_another():
    inside, done, results = threading.Event(), threading.Event(), []

    def f(x):
        inside.set()
        done.wait(10)
        return mt.tensor(2.0) * x

    thread = threading.Thread(target=lambda: results.append(jvp(f, (3.0,), (1.0,))[1].item()))
    thread.start()
    inside.wait(10)
    x = leaf(3.0)
    (x * x).backward()
    jvp(lambda y: y * y, (1.0,), (1.0,))  # comes and goes while the other one runs
    done.set()
    thread.join(10)
    assert results == [2.0]
    assert x.grad.item() == 6.0
    assert not any(isinstance(v, Dual) for v in results)


def test_inside_jvp_a_value_is_a_tensor_to_who_asks():
    f = lambda x: x * 2.0 if isinstance(x, mt.Tensor) else x * 3.0
    assert jvp(f, (1.0,), (1.0,))[1].item() == 2.0
    assert grad(lambda x: jvp(f, (x,), (1.0,))[0])(1.0).item() == 2.0
