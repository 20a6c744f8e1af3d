"""Do transforms of functions compose, over trees and arguments, in any order?"""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

import minitorch as mt
from minitorch.forward import jvp
from minitorch.transforms import grad, jacobian, value_and_grad, vjp
from minitorch.trees import TreeError

Pair = namedtuple("Pair", "w b")


def leaf(*values, dtype=np.float64, name=None):
    return mt.tensor(np.array(values if len(values) > 1 else values[0], dtype), requires_grad=True, name=name)


def f64(values):
    return np.array(values, np.float64)


# -- gradients of functions --------------------------------------------------------------------------------------------


def test_grad_of_a_function_is_a_function():
    assert grad(lambda x: (x * x).sum())([1.0, 2.0]).numpy().tolist() == [2.0, 4.0]


def test_grad_of_a_tensor_is_the_derivative_by_tensors_as_before():
    x, y = leaf(3.0), leaf(2.0)
    assert grad(x * y, x, retain_graph=True).item() == 2.0
    assert [g.item() for g in grad(x * y, [x, y])] == [2.0, 3.0]
    assert grad(x * 2.0, x, 5.0).item() == 10.0


def test_a_gradient_has_the_containers_shapes_and_dtypes_of_its_argument():
    params = {"layers": [Pair(f64([1.0, 2.0]), np.float32(3.0)), Pair(f64([4.0, 5.0]), np.float32(6.0))], "none": None}
    g = grad(lambda p: sum((q.w * q.w).sum() * q.b for q in p["layers"]))(params)
    assert type(g["layers"][0]) is Pair
    assert g["none"] is None
    assert g["layers"][1].w.numpy().tolist() == [48.0, 60.0]
    assert (g["layers"][1].w.dtype, g["layers"][1].b.dtype, g["layers"][1].b.item()) == (np.float64, np.float32, 41.0)


def test_argnums_choose_the_arguments_and_the_others_may_be_anything():
    f = lambda x, name, y, *, scale: (x * y * scale).sum()
    args = (f64([1.0]), "text", f64([5.0]))
    assert grad(f, 2)(*args, scale=3.0).numpy().tolist() == [3.0]
    assert grad(f, -1)(*args, scale=3.0).numpy().tolist() == [3.0]
    assert [g.item() for g in grad(f, (0, 2))(*args, scale=3.0)] == [15.0, 3.0]


@pytest.mark.parametrize("make", [lambda: mt.tensor([1.0, 2.0]), lambda: leaf(1.0, 2.0), lambda: leaf(1.0, 2.0) * 1.0])
def test_a_function_that_writes_to_its_argument_leaves_the_callers_alone(make):
    x = make()
    before = x.numpy().tolist()

    def f(a):
        with mt.no_grad():
            a += 100.0
        return a.sum()

    grad(f)(x)
    vjp(f, x)
    if not x.is_leaf:
        grad(lambda a: a.__iadd__(1.0).sum())(x)
    assert x.numpy().tolist() == before


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, mt.hessian], ids=lambda t: t.__name__)
@pytest.mark.parametrize("argnums", [(0, 0), (0, -2), [1, 1]], ids=str)
def test_an_argument_that_is_chosen_twice_is_refused(transform, argnums):
    with pytest.raises(mt.ArgumentError, match=r"choose argument [01] twice"):
        transform(lambda a, b: a * b, argnums)(2.0, 3.0)


def test_argnums_that_are_no_positions_are_refused():
    with pytest.raises(mt.ArgumentError, match="argnums 'a' is a str; an argument is chosen by its position"):
        grad(lambda a: a, "a")(2.0)
    with pytest.raises(mt.ArgumentError, match=r"argnums 1.0 is a float"):
        jacobian(lambda a, b: a * b, (0, 1.0))(2.0, 3.0)
    assert grad(lambda a, b: a * b, np.int64(1))(2.0, 3.0).item() == 2.0


def test_argnums_may_be_given_by_name_to_every_transform():
    f = lambda a, b: a * b * b
    found = [t(f, argnums=1)(2.0, 3.0) for t in (grad, jacobian, mt.hessian)]
    assert [g.item() for g in found] == [12.0, 12.0, 4.0]
    assert value_and_grad(f, argnums=1)(2.0, 3.0)[1].item() == 12.0


def test_the_gradients_by_a_tree_of_tensors_stand_in_its_containers():
    x, w = leaf(1.0, 2.0), leaf(3.0)
    loss = lambda: (x * x * w).sum()
    g = grad(loss(), {"x": x, "w": w, "none": None})
    assert (g["x"].numpy().tolist(), g["w"].item(), g["none"]) == ([6.0, 12.0], 5.0, None)
    first, (second,) = grad(loss(), [x, [w]])
    assert (first.numpy().tolist(), second.item()) == ([6.0, 12.0], 5.0)
    assert type(grad(loss(), Pair(w, x))) is Pair
    assert [g.shape for g in grad(loss(), iter([w, x]))] == [(), (2,)]
    inside = jvp(lambda x: grad((x * x * w).sum(), {"x": x})["x"], (x,), ([1.0, 1.0],))
    assert inside[1].numpy().tolist() == [6.0, 6.0]
    with pytest.raises(TreeError, match=r"inputs\['n'\] is a int; a derivative is taken by Tensors"):
        grad(loss(), {"x": x, "n": 2})


def test_an_argument_that_grad_does_not_have_is_refused_and_torchs_name_is_known():
    x = leaf(1.0)
    with pytest.raises(mt.ArgumentError, match=r"no argument grad_outputs=. The cotangent is called gradient="):
        grad(x * x, x, grad_outputs=x)
    with pytest.raises(mt.ArgumentError, match=r"no argument is_grads_batched=. It takes gradient, create_graph"):
        grad(x * x, x, is_grads_batched=True)


def test_value_and_grad_returns_both_and_the_aux():
    f = lambda x: ((x * x).sum(), {"twice": x + x})
    (value, aux), g = value_and_grad(f, has_aux=True)([1.0, 2.0])
    assert (value.item(), aux["twice"].numpy().tolist(), g.numpy().tolist()) == (5.0, [2.0, 4.0], [2.0, 4.0])
    g, aux = grad(f, has_aux=True)([1.0, 2.0])
    assert (aux["twice"].numpy().tolist(), g.numpy().tolist()) == ([2.0, 4.0], [2.0, 4.0])


def test_an_argument_that_is_not_used_has_gradient_zero():
    g = grad(lambda p: (p["a"] * p["a"]).sum())({"a": f64([3.0]), "unused": f64([1.0, 2.0])})
    assert g["unused"].numpy().tolist() == [0.0, 0.0]
    assert grad(lambda x: mt.tensor(1.0))([1.0, 2.0]).numpy().tolist() == [0.0, 0.0]


def test_an_unused_input_of_a_tensor_is_none_or_an_error_that_names_it():
    x, unused = leaf(1.0), leaf(1.0, 2.0, name="bias")
    (x * 2).backward()
    assert unused.grad is None
    with pytest.raises(mt.GradientError, match=r"not depend on input 1 \(bias\) of shape \(2,\).*allow_unused=True"):
        grad(x * 2, [x, unused])
    assert grad(x * 2, [x, unused], allow_unused=True)[1] is None


def test_grad_leaves_dot_grad_alone_and_its_arguments_too():
    x = leaf(3.0)
    grad(lambda y: y * y)(x)
    assert x.grad is None
    c = mt.tensor(f64(3.0))
    grad(lambda y: y * y)(c)
    assert not c.requires_grad


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grad(lambda p: p["x"].sum())({"x": f64([1.0]), "n": [3]}), r"argument 0\['n'\] is int64; derivatives"),
        (lambda: grad(lambda x, p: x, 1)(1.0, ["text"]), r"argument 1\[0\] is a str; derivatives"),
        (lambda: grad(lambda x: x, 1)(1.0), r"argnums 1 of 1 positional arguments"),
        (lambda: vjp(lambda p: p["x"], {"x": 3}), r"argument 0\['x'\] is int64"),
        (lambda: jacobian(lambda x: x, mode="forward")([1, 2]), r"primals\[0\] is int64, which has no tangent"),
        (lambda: vjp(lambda x: {"y": x}, 1.0)[1]({"y": [1.0]}), r"cotangent\['y'\] has shape \(1,\).*\['y'\] has \(\)"),
        (lambda: vjp(lambda x: {"y": x}, 1.0)[1]({"z": 1.0}), r"the cotangent lacks \['y'\] and has \['z'\]"),
        (lambda: grad(lambda x: x, has_aux=True)(1.0), r"returns \(value, aux\), but it returned a Tensor"),
    ],
)
def test_a_leaf_that_does_not_fit_is_refused_with_its_path(call, message):
    with pytest.raises(TreeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grad(lambda x: x)([1.0, 2.0]), r"grad of a function that returned \(2,\).*Sum it, or use jacobian"),
        (lambda: grad(lambda x: None)(1.0), r"returned no tensor"),
        (lambda: grad(leaf(1.0)), r"grad\(tensor\) needs the inputs"),
        (lambda: grad(lambda x: x, leaf(1.0)), r"call it with the inputs. Write grad\(f\)\(x\)"),
        (lambda: grad("text"), r"grad of a str; it takes a function, or a Tensor"),
    ],
)
def test_grad_says_what_it_takes(call, message):
    with pytest.raises(mt.GradientError, match=message):
        call()


# -- composition -------------------------------------------------------------------------------------------------------


def test_grad_of_grad_of_grad():
    f = lambda x: x**4
    assert [grad(f)(2.0).item(), grad(grad(f))(2.0).item(), grad(grad(grad(f)))(2.0).item()] == [32.0, 48.0, 48.0]


def test_nested_gradients_do_not_confuse_their_variables():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0).item() == 1.0  # 2 would be perturbation confusion
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(3.0).item() == 6.0
    assert grad(lambda x: x * grad(lambda x: x * x)(x))(3.0).item() == 12.0


@pytest.mark.parametrize("outer", ["jvp", "grad"])
@pytest.mark.parametrize("inner", ["jvp", "grad"])
def test_no_perturbation_confusion_in_any_mix_of_modes(outer, inner):
    d = {"jvp": lambda f: lambda x: jvp(f, (x,), (1.0,))[1], "grad": grad}
    assert d[outer](lambda x: x * d[inner](lambda y: x + y)(1.0))(1.0).item() == 1.0


def test_a_gradient_can_be_differentiated_by_what_the_function_closes_over():
    w = leaf(3.0)
    g = grad(lambda x: w * x * x)(mt.tensor(f64(2.0)))  # 2 w x
    g.backward()
    assert w.grad.item() == 4.0


def test_a_gradient_can_be_differentiated_by_its_argument():
    x = leaf(2.0)
    grad(lambda y: y * y * y)(x).backward()
    assert x.grad.item() == 12.0


def test_a_value_can_be_differentiated_by_its_argument():
    x = leaf(2.0)
    value, _ = value_and_grad(lambda y: y * y * y)(x)
    value.backward()
    assert x.grad.item() == 12.0


def test_where_nothing_outside_depends_on_it_a_result_is_a_constant():
    value, g = value_and_grad(lambda y: y * y)(mt.tensor(f64(2.0)))
    assert not value.requires_grad
    assert not g.requires_grad
    assert not vjp(lambda y: y * y, 2.0)[1](1.0)[0].requires_grad


def test_under_no_grad_gradients_are_computed_but_are_constants():
    x = leaf(2.0)
    with mt.no_grad():
        value, g = value_and_grad(lambda y: y * y * x)(x)
        _, pull = vjp(lambda y: y * y, x)
        pulled = pull(1.0)[0]
    assert (value.item(), g.item(), pulled.item()) == (8.0, 8.0, 4.0)
    assert not any(t.requires_grad for t in (value, g, pulled))


def test_a_gradient_penalty_trains_the_parameters_inside():
    rng = np.random.default_rng(0)
    W, v, x = leaf(*rng.standard_normal((3, 4))), leaf(*rng.standard_normal(4)), rng.standard_normal((5, 3))
    penalty = lambda W, v: (grad(lambda x: (mt.tanh(x @ W) @ v).sum())(x) ** 2).sum()
    assert mt.gradcheck(penalty, W.numpy(), v.numpy()) < 1e-7


def test_a_direction_gets_its_gradient_through_forward_over_reverse():
    x, t = f64([1.0, 2.0]), leaf(3.0, 5.0)
    _, h = jvp(grad(lambda x: (x**3).sum()), (x,), (t,))
    assert mt.grad(h.sum(), t).numpy().tolist() == [6.0, 12.0]


def test_an_unused_input_inside_jvp_is_none_or_an_error_as_outside():
    unused = leaf(1.0)
    seen = []
    f = lambda x: seen.append(grad(x * x, [x, unused], allow_unused=True)) or x
    jvp(f, (leaf(3.0),), (1.0,))
    assert seen[0][1] is None
    assert seen[0][0].item() == 6.0
    with pytest.raises(mt.GradientError, match="does not depend on input 1"):
        jvp(lambda x: grad(x * x, [x, unused])[0], (leaf(3.0),), (1.0,))


# -- vjp ---------------------------------------------------------------------------------------------------------------


def test_vjp_takes_and_gives_trees_and_pulls_many_times():
    value, pull = vjp(lambda p, x: {"y": p["w"] * x, "w2": (p["w"] * p["w"],)}, {"w": f64([1.0, 2.0])}, f64([3.0, 4.0]))
    assert value["y"].numpy().tolist() == [3.0, 8.0]
    for c in (1.0, 2.0):
        gp, gx = pull({"y": f64([c, 0.0]), "w2": (f64([0.0, 1.0]),)})
        assert gp["w"].numpy().tolist() == [3.0 * c, 4.0]
        assert gx.numpy().tolist() == [c, 0.0]


def test_none_in_a_cotangent_stands_for_zero():
    _, pull = vjp(lambda x: {"a": x * 2.0, "b": x * 3.0}, 1.0)
    assert [pull({"a": 1.0, "b": None})[0].item(), pull({"a": None, "b": None})[0].item()] == [2.0, 0.0]


def test_vjp_tells_its_arguments_apart_even_when_they_are_the_same_tensor():
    x = leaf(2.0)
    _, pull = vjp(lambda a, b: a * b * b, x, x)
    assert [g.item() for g in pull(1.0)] == [4.0, 8.0]


def test_vjp_takes_what_the_function_closes_over_as_a_constant():
    x = leaf(3.0)
    assert vjp(lambda a: a * x, x)[1](1.0)[0].item() == 3.0


def test_a_cotangent_tensor_can_be_differentiated():
    c = leaf(2.0)
    assert mt.grad(vjp(lambda x: x * x, 3.0)[1](c)[0], c).item() == 6.0


def test_create_graph_decides_where_it_is_given():
    _, pull = vjp(lambda a: a * a, leaf(3.0))
    assert pull(1.0)[0].requires_grad
    assert not pull(1.0, create_graph=False)[0].requires_grad


def test_vjp_has_aux():
    value, pull, aux = vjp(lambda x: (x * x, "text"), 3.0, has_aux=True)
    assert (value.item(), pull(1.0)[0].item(), aux) == (9.0, 6.0, "text")
