"""Do optimizers make the steps that their equations say, with PyTorch's options and numbers?"""

from __future__ import annotations

import copy
import gc
import math
import pickle

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn, optim

START = [np.array([[0.5, -1.0, 2.0], [0.1, 0.0, -0.3]]), np.array([1.5, -0.7]), np.array(0.4)]
C = [np.array([[1.0, -2.0, 0.5], [3.0, -0.1, 0.0]]), np.array([0.3, 1.0]), np.array(-2.0)]

# Each optimizer with options that reach every term of its equation.
CASES = {
    "SGD": (optim.SGD, {"lr": 0.1}),
    "SGD momentum": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.2}),
    "SGD nesterov": (optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.2}),
    "SGD maximize": (optim.SGD, {"lr": 0.01, "weight_decay": 0.2, "maximize": True}),
    "Adam": (optim.Adam, {"lr": 0.1}),
    "Adam options": (optim.Adam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-2, "weight_decay": 0.2}),
    "Adam amsgrad": (optim.Adam, {"lr": 0.3, "betas": (0.5, 0.6), "amsgrad": True}),
    "AdamW": (optim.AdamW, {"lr": 0.1}),
    "AdamW amsgrad": (optim.AdamW, {"lr": 0.1, "weight_decay": 0.5, "betas": (0.5, 0.6), "amsgrad": True}),
    "RMSprop": (optim.RMSprop, {"lr": 0.05}),
    "RMSprop options": (
        optim.RMSprop,
        {"lr": 0.05, "alpha": 0.7, "eps": 1e-2, "weight_decay": 0.2, "momentum": 0.8, "centered": True},
    ),
    "Adagrad": (optim.Adagrad, {"lr": 0.2}),
    "Adagrad options": (
        optim.Adagrad,
        {"lr": 0.2, "lr_decay": 0.1, "weight_decay": 0.2, "initial_accumulator_value": 0.5, "eps": 1e-2},
    ),
}
every_case = pytest.mark.parametrize(("make", "options"), CASES.values(), ids=CASES)


def parameters():
    return [mt.Parameter(p) for p in START]


def loss_of(params):
    """sum of c tanh(p) + p^2 / 2, whose gradient is c / cosh(p)^2 + p."""
    total = mt.tensor(np.array(0.0))
    for p, c in zip(params, C, strict=True):
        total = total + (mt.tanh(p) * c + p * p / 2).sum()
    return total


def run(make, options, steps=20):
    params = parameters()
    optimizer = make(params, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(params).backward()
        optimizer.step()
    return [p.numpy().copy() for p in params]


def by_hand(name, steps=20, **o):
    """The papers' equations, entry by entry in plain Python: nothing here is shared with the library."""
    kind = name.split()[0]
    results = []
    for start, cs in zip(START, C, strict=True):
        entries = []
        for p, c in zip(start.ravel().tolist(), cs.ravel().tolist(), strict=True):
            m = v = b = mean = largest = 0.0
            s = o.get("initial_accumulator_value", 0.0)
            for t in range(1, steps + 1):
                g = c / math.cosh(p) ** 2 + p
                if o.get("maximize"):
                    g = -g
                if kind == "AdamW":
                    p = p - o["lr"] * o.get("weight_decay", 0.01) * p
                else:
                    g = g + o.get("weight_decay", 0.0) * p
                if kind == "SGD":
                    mu = o.get("momentum", 0.0)
                    b = g if t == 1 else mu * b + (1 - o.get("dampening", 0.0)) * g
                    step = g + mu * b if o.get("nesterov") else b if mu else g
                    p -= o["lr"] * step
                elif kind in ("Adam", "AdamW"):
                    b1, b2 = o.get("betas", (0.9, 0.999))
                    m = b1 * m + (1 - b1) * g
                    v = b2 * v + (1 - b2) * g**2
                    largest = max(largest, v)
                    second = largest if o.get("amsgrad") else v
                    p -= o["lr"] * (m / (1 - b1**t)) / (math.sqrt(second / (1 - b2**t)) + o.get("eps", 1e-8))
                elif kind == "RMSprop":
                    a = o.get("alpha", 0.99)
                    v = a * v + (1 - a) * g**2
                    mean = a * mean + (1 - a) * g
                    spread = v - mean**2 if o.get("centered") else v
                    b = o.get("momentum", 0.0) * b + g / (math.sqrt(spread) + o.get("eps", 1e-8))
                    p -= o["lr"] * b
                else:
                    s += g**2
                    p -= o["lr"] / (1 + (t - 1) * o.get("lr_decay", 0.0)) * g / (math.sqrt(s) + o.get("eps", 1e-10))
            entries.append(p)
        results.append(np.reshape(entries, start.shape))
    return results


# -- the equations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps_are_the_papers_equations_by_hand(name):
    make, options = CASES[name]
    for ours, wanted, start in zip(run(make, options), by_hand(name, **options), START, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-12, atol=1e-12)
        assert ours.shape == start.shape
        assert (ours != start).all()


@pytest.mark.torch
@every_case
def test_twenty_steps_are_pytorchs(make, options):
    torch = pytest.importorskip("torch")
    params = [torch.tensor(p, requires_grad=True) for p in START]
    optimizer = getattr(torch.optim, make.__name__)(params, **options)
    for _ in range(20):
        optimizer.zero_grad()
        sum((torch.tanh(p) * torch.tensor(c) + p * p / 2).sum() for p, c in zip(params, C, strict=True)).backward()
        optimizer.step()
    for ours, theirs in zip(run(make, options), params, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad])
def test_options_have_pytorchs_names_and_defaults(make):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.optim, make.__name__)([torch.ones(1)]).defaults
    ours = make([mt.Parameter([1.0])]).defaults
    assert ours == {name: theirs[name] for name in ours}


@every_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_step_keeps_the_parameters_dtype_identity_and_memory_also_with_a_numpy_rate(make, options, dtype):
    p = mt.Parameter(np.array([1.0, -2.0], dtype))
    memory, optimizer = p.numpy(), make([p], **{**options, "lr": np.float64(options["lr"])})
    (p * p).sum().backward()
    optimizer.step()
    assert p.dtype == dtype
    assert np.shares_memory(memory, p.numpy())
    assert (memory != np.array([1.0, -2.0], dtype)).all()
    assert all(a.dtype == dtype for a in optimizer.state[p].values() if isinstance(a, np.ndarray))


def test_a_constant_gradient_never_makes_centered_rmsprop_nan():
    p = mt.Parameter(np.array([0.1, 3.0, 1e3]))
    optimizer = optim.RMSprop([p], lr=1e-9, alpha=0.5, centered=True)
    for _ in range(200):
        p.grad = mt.tensor(np.array([0.1, 0.3, 1e-3]))
        optimizer.step()
    assert np.isfinite(p.numpy()).all()


# -- the step ----------------------------------------------------------------------------------------------------------


@every_case
def test_a_parameter_without_a_gradient_stays_as_it_is(make, options):
    used, unused = mt.Parameter([1.0]), mt.Parameter([1.0])
    optimizer = make([used, unused], **options)
    (used * 2).sum().backward()
    optimizer.step()
    assert used.item() != 1.0
    assert unused.item() == 1.0
    assert unused not in optimizer.state


def test_groups_have_options_of_their_own_and_defaults_for_the_rest():
    a, b, c = (mt.Parameter([1.0]) for _ in range(3))
    optimizer = optim.SGD([{"params": [a], "lr": 0.5}, {"params": b, "name": "head"}], lr=0.25)
    optimizer.add_param_group({"params": [c], "weight_decay": 1.0})
    (a + b + c).sum().backward()
    optimizer.step()
    assert [p.item() for p in (a, b, c)] == [0.5, 0.75, 0.5]
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert a.item() == 0.5
    assert repr(optimizer).splitlines()[0] == "SGD"
    assert "group 1: 1 parameters in 1 tensors, lr=0.25" in repr(optimizer)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.SGD([]), ValueError, "there are no parameters"),
        (lambda: optim.SGD(nn.Linear(1, 1).weight), TypeError, "got one Parameter; it takes a list"),
        (lambda: optim.SGD([np.ones(1)]), TypeError, "parameter 0 is a ndarray; it takes Tensors"),
        (lambda: optim.SGD([mt.Parameter([1.0]) * 2]), TypeError, r"shape \(1,\) is a result; only leaf tensors"),
        (lambda: optim.SGD([mt.tensor(np.ones(1, int))]), TypeError, "is int64; only leaf"),
        (lambda: optim.SGD([p := mt.Parameter([1.0], name="w"), p]), ValueError, r"parameter 1 \(w\) .* there twice"),
        (
            lambda: optim.SGD([{"params": (p := [mt.Parameter([1.0])])}, {"params": p}]),
            ValueError,
            "is there twice; each has one group",
        ),
        (lambda: optim.SGD([{"params": [], "learning_rate": 1}]), TypeError, r"no options \['learning_rate'\]"),
        (lambda: optim.SGD([mt.Parameter([1.0])], lr=-1), ValueError, "lr=-1; it must be at least 0"),
        (lambda: optim.SGD([mt.Parameter([1.0])], lr=float("nan")), ValueError, "lr=nan"),
        (lambda: optim.SGD([mt.Parameter([1.0])], nesterov=True), ValueError, "nesterov needs a momentum"),
        (
            lambda: optim.SGD([mt.Parameter([1.0])], nesterov=True, momentum=0.9, dampening=0.1),
            ValueError,
            "nesterov needs a momentum above 0 and no dampening",
        ),
        (lambda: optim.AdamW([mt.Parameter([1.0])], betas=(0.9, 1.0)), ValueError, r"AdamW: betas=\(0.9, 1.0\)"),
        (lambda: optim.RMSprop([mt.Parameter([1.0])], alpha=-1), ValueError, "alpha=-1"),
        (lambda: optim.Adagrad([mt.Parameter([1.0])], initial_accumulator_value=-1), ValueError, "accumulator"),
        (lambda: optim.Adam([mt.Parameter([1.0])], eps=-1), ValueError, "eps=-1"),
        (lambda: optim.SGD(nn.Linear(1, 1)), TypeError, r"SGD: got a Linear; .* Pass model\.parameters\(\)\?"),
        (lambda: optim.SGD(None), TypeError, "SGD: got a NoneType; it takes a list of parameters"),
        (lambda: optim.SGD({mt.Parameter([1.0])}), TypeError, "SGD: got a set; it takes a list"),
        (lambda: optim.SGD({"a": mt.Parameter([1.0])}), TypeError, "SGD: got a dict; it takes a list"),
        (lambda: optim.SGD([{"lr": 1.0}]), TypeError, r"a group without parameters; it takes \{\"params\": parameters"),
        (lambda: optim.SGD([{"params": nn.Linear(1, 1)}]), TypeError, r"Pass model\.parameters\(\)"),
        (lambda: optim.SGD([mt.Parameter([1.0])], lr=None), TypeError, "lr=None is a NoneType; it takes a number"),
        (lambda: optim.SGD([mt.Parameter([1.0])], lr="a"), TypeError, "lr='a' is a str; it takes a number"),
        (lambda: optim.SGD([mt.Parameter([1.0])], dampening=[]), TypeError, r"dampening=\[\] is a list"),
        (lambda: optim.Adam([mt.Parameter([1.0])], betas=(0.1,)), TypeError, r"betas=\(0\.1,\); it takes two numbers"),
        (lambda: optim.Adam([mt.Parameter([1.0])], betas=0.9), TypeError, r"betas=0\.9; it takes two numbers"),
        (lambda: optim.Adam([mt.Parameter([1.0])], betas=(0.9, "b")), TypeError, r"betas\[1\]='b' is a str"),
        (lambda: optim.SGD([mt.Parameter([1.0])]).step(3), TypeError, "SGD.step: got 3, a int; it takes a function"),
        (
            lambda: optim.Adam([mt.Parameter([1.0])], foreach=True, fused=True),
            TypeError,
            r"Adam: no option foreach, fused; there are lr, betas, eps, weight_decay, amsgrad, maximize\. "
            r"It chooses how PyTorch computes the same; leave it out\?$",
        ),
        (
            lambda: optim.Adam([mt.Parameter([1.0])], decoupled_weight_decay=True),
            TypeError,
            r"no option decoupled_weight_decay; .* Use AdamW\?",
        ),
        (lambda: optim.clip_grad_norm_(nn.Linear(1, 1), 1.0), TypeError, r"Linear; .* Pass model\.parameters\(\)"),
        (lambda: optim.clip_grad_norm_([np.ones(1)], 1.0), TypeError, "parameter 0 is a ndarray"),
        (lambda: optim.clip_grad_norm_([mt.Parameter([1.0])], "a"), TypeError, "max_norm='a' is a str"),
        (lambda: optim.clip_grad_value_([mt.Parameter([1.0])], None), TypeError, "clip_value=None is a NoneType"),
    ],
)
def test_what_cannot_be_optimized_is_refused_with_a_reason(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_pairs_of_names_and_parameters_are_optimized():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters(), lr=0.5)
    assert optimizer.param_groups[0]["params"] == [model.weight, model.bias]
    grouped = optim.SGD([{"params": model.named_parameters()}])
    assert grouped.param_groups[0]["params"] == [model.weight, model.bias]


def test_a_subclass_may_take_further_options_and_an_optimizer_is_copied():
    class Mine(optim.SGD):
        def __init__(self, params, **options):
            super().__init__(params, lr=options["rate"])

    optimizer = copy.copy(Mine([mt.Parameter([1.0])], rate=0.5))
    assert optimizer.param_groups[0]["lr"] == 0.5


@pytest.mark.torch
def test_the_state_of_pytorchs_optimizer_is_taken_up_and_goes_on_the_same():
    torch = pytest.importorskip("torch")
    theirs = torch.tensor(START[0], requires_grad=True)
    ours = mt.Parameter(START[0])
    a, b = torch.optim.Adam([theirs], lr=0.1), optim.Adam([ours])
    for k in range(4):
        theirs.grad = torch.tensor(C[0])
        a.step()
        if k == 1:
            b.load_state_dict(a.state_dict())
            nn.state.write(ours, nn.state.read(theirs))
        elif k > 1:
            ours.grad = mt.tensor(C[0])
            b.step()
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=1e-12)


def test_a_state_with_impossible_options_or_unreadable_values_is_refused_with_the_rest_and_nothing_is_loaded():
    optimizer = optim.Adam(parameters(), lr=0.5)
    state = optimizer.state_dict()
    state["param_groups"][0] |= {"lr": "a"}
    state["state"] = {0: {"exp_avg": [[1.0], [2.0, 3.0]]}, 1: {"exp_avg": np.ones(7)}}
    with pytest.raises(mt.errors.StateError) as caught:
        optimizer.load_state_dict(state)
    lines = str(caught.value).splitlines()
    assert lines[1] == "  group 0: Adam: lr='a' is a str; it takes a number."
    assert lines[2].startswith("  parameter 0: its state cannot be read: ")
    assert lines[3] == "  parameter 1: exp_avg of shape (7,) in the state, (2,) here"
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert not optimizer.state
    with pytest.raises(mt.errors.StateError, match="group 0 of the state has no params"):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"lr": 1.0}]})


def test_a_refused_group_is_not_added():
    p = mt.Parameter([1.0])
    optimizer = optim.SGD([p])
    with pytest.raises(ValueError, match="lr"):
        optimizer.add_param_group({"params": [mt.Parameter([2.0])], "lr": -1})
    assert len(optimizer.param_groups) == 1


def test_zero_grad_forgets_or_makes_zeros():
    p, q = mt.Parameter([1.0]), mt.Parameter([1.0])
    optimizer = optim.SGD([p, q])
    (p * 2).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.numpy().tolist() == [0.0]
    assert q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_a_closure_is_called_with_gradients_on_and_its_loss_returned():
    p = mt.Parameter([3.0])
    optimizer = optim.SGD([p], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (p * p / 2).sum()
        loss.backward()
        return loss

    with mt.no_grad():
        assert optimizer.step(closure).item() == 4.5
    assert p.item() == 1.5
    assert optimizer.step() is None


def test_a_step_between_forward_and_backward_raises_instead_of_giving_a_wrong_gradient():
    p = mt.Parameter([3.0])
    optimizer = optim.SGD([p], lr=0.5)
    p.grad = mt.tensor([1.0])
    loss = (p * p).sum()
    optimizer.step()
    with pytest.raises(mt.InPlaceError):
        loss.backward()


def test_a_step_on_a_retained_graph_that_kept_nothing_of_the_parameter_is_fine():
    p = mt.Parameter([3.0])
    optimizer = optim.SGD([p], lr=0.5)
    loss = (p + 2.0).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    loss.backward()
    assert p.grad.item() == 2.0


def test_the_number_of_live_tensors_stays_flat_over_1000_training_steps():
    mt.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Dropout(0.1), nn.Linear(4, 1))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    schedule = optim.InverseSqrtLR(optimizer, d_model=4, warmup_steps=100)
    x = mt.tensor(np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32))

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            loss = mt.mean(model(x) ** 2)
            loss.backward()
            optim.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()

    def live():
        return sum(isinstance(o, mt.Tensor) for o in gc.get_objects())

    gc.collect()
    gc.disable()  # so that nothing is tidied up that should not be there
    try:
        train(5)
        before = live()
        train(1000)
        assert live() == before
    finally:
        gc.enable()


# -- state -------------------------------------------------------------------------------------------------------------


@every_case
@pytest.mark.parametrize("carry", [lambda s: s, lambda s: pickle.loads(pickle.dumps(s))], ids=["direct", "pickled"])
def test_a_run_that_is_stopped_and_taken_up_again_goes_on_as_if_it_had_not_been(make, options, carry):
    wanted = run(make, options, 12)
    params = parameters()
    optimizer = make(params, **options)

    def steps(n):
        for _ in range(n):
            optimizer.zero_grad()
            loss_of(params).backward()
            optimizer.step()

    steps(5)
    state, values = carry(optimizer.state_dict()), [p.numpy().copy() for p in params]
    steps(3)  # what the state was taken of goes on, and must not change it
    params = [mt.Parameter(v) for v in values]
    optimizer = make(params, lr=123.0)
    optimizer.load_state_dict(state)
    steps(4)
    optimizer.load_state_dict(optimizer.state_dict())
    steps(3)
    for p, w in zip(params, wanted, strict=True):
        np.testing.assert_array_equal(p.numpy(), w)


def test_everything_in_a_state_that_does_not_fit_is_listed_at_once_and_nothing_is_loaded():
    optimizer = optim.Adam([{"params": parameters()[:1]}, {"params": parameters()[1:]}], lr=0.5)
    state = {
        "state": {0: {"step": 1, "exp_avg": np.ones(7)}, 9: {"step": 1}},
        "param_groups": [{"params": [0, 1], "lr": 1.0}],
    }
    with pytest.raises(mt.errors.StateError) as caught:
        optimizer.load_state_dict(state)
    assert str(caught.value).splitlines()[:6] == [
        "Adam.load_state_dict: the state does not fit; nothing was loaded.",
        "  1 groups in the state, 2 here",
        "  group 0: 2 parameters in the state, 1 here",
        "  group 0: the state has no betas, eps, weight_decay, amsgrad, maximize",
        "  parameter 0: exp_avg of shape (7,) in the state, (2, 3) here",
        "  parameter 9: it has a state, but is in no group",
    ]
    assert not optimizer.state
    assert optimizer.param_groups[0]["lr"] == 0.5
    for other in ({"weight": np.ones(1)}, {"state": 3, "param_groups": []}, {"state": {}, "param_groups": 3}, None):
        with pytest.raises(ValueError, match="it takes what `state_dict"):
            optimizer.load_state_dict(other)


def test_a_copy_of_a_model_with_its_optimizer_trains_on_by_itself():
    params = parameters()
    optimizer = optim.Adam(params, lr=0.1)
    loss_of(params).backward()
    optimizer.step()
    others, other = copy.deepcopy((params, optimizer))
    values = [p.numpy().copy() for p in params]
    loss_of(others).backward()
    other.step()
    for p, q, v in zip(params, others, values, strict=True):
        np.testing.assert_array_equal(p.numpy(), v)
        assert (q.numpy() != v).all()


@pytest.mark.torch
def test_a_state_from_pytorch_is_taken_up():
    torch = pytest.importorskip("torch")
    theirs = [torch.tensor(p, requires_grad=True) for p in START]
    ours, adam = parameters(), torch.optim.Adam(theirs, lr=0.1)
    optimizer = optim.Adam(ours)

    def steps(n):
        for _ in range(n):
            adam.zero_grad()
            sum((torch.tanh(p) * torch.tensor(c) + p * p / 2).sum() for p, c in zip(theirs, C, strict=True)).backward()
            adam.step()

    steps(5)
    optimizer.load_state_dict(adam.state_dict())
    for p, q in zip(ours, theirs, strict=True):
        nn.state.write(p, q.detach().numpy())
    steps(5)
    for _ in range(5):
        optimizer.zero_grad()
        loss_of(ours).backward()
        optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-12)


# -- clipping ----------------------------------------------------------------------------------------------------------


def with_gradients(*gradients, dtype=np.float64):
    params = [mt.Parameter(np.zeros(np.shape(g), dtype)) for g in gradients]
    for p, g in zip(params, gradients, strict=True):
        p.grad = mt.tensor(np.array(g, dtype))
    return params


@pytest.mark.parametrize(
    ("kind", "norm"), [(2.0, 13.0), (1.0, 19.0), (math.inf, 12.0), (3.0, (27 + 64 + 1728) ** (1 / 3))]
)
def test_the_norm_is_taken_over_all_gradients_together_and_all_are_scaled_by_one_factor(kind, norm):
    params = [*with_gradients([3.0, -4.0], 12.0), mt.Parameter([1.0])]
    total = optim.clip_grad_norm_(iter(params), 2.0, norm_type=kind)
    assert total.item() == pytest.approx(norm, rel=1e-14)
    np.testing.assert_allclose(params[0].grad.numpy(), np.array([3.0, -4.0]) * 2 / (norm + 1e-6), rtol=1e-14)
    np.testing.assert_allclose(params[1].grad.numpy(), 24 / (norm + 1e-6), rtol=1e-14)
    assert params[2].grad is None


def test_gradients_that_are_small_enough_are_left_alone():
    params = with_gradients([3.0, -4.0])
    before = params[0].grad
    assert optim.clip_grad_norm_(params, 5.1).item() == 5.0
    assert params[0].grad is before
    assert optim.clip_grad_norm_([], 1.0).item() == 0.0
    assert optim.clip_grad_norm_([mt.Parameter([1.0])], 1.0).item() == 0.0
    assert optim.clip_grad_norm_(with_gradients(np.zeros((0, 3))), 1.0).item() == 0.0


def test_a_norm_whose_squares_do_not_fit_float32_is_right_and_the_dtype_stays():
    params = with_gradients([3e30, 4e30], [0.0], dtype=np.float32)
    assert optim.clip_grad_norm_(params, 1.0).item() == pytest.approx(5e30, rel=1e-6)
    np.testing.assert_allclose(params[0].grad.numpy(), [0.6, 0.8], rtol=1e-6)
    assert params[0].grad.dtype == np.float32
    tiny = with_gradients([3e-200, 4e-200])
    assert optim.clip_grad_norm_(tiny, 1.0).item() == pytest.approx(5e-200)


def test_a_parameter_that_is_named_twice_is_clipped_once():
    (p,) = with_gradients([3.0, 4.0])
    assert optim.clip_grad_norm_([p, p], 1.0).item() == 5.0
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-6)


def test_two_leaves_that_share_one_gradient_are_scaled_once_each():
    a, b = mt.Parameter([3.0]), mt.Parameter([3.0])
    (a + b).sum().backward(create_graph=True)
    optim.clip_grad_value_([a, b], 0.5)
    optim.clip_grad_norm_([a, b], 0.5)
    np.testing.assert_allclose([a.grad.item(), b.grad.item()], math.sqrt(1 / 8), rtol=1e-5)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_norm_that_is_not_finite_shows_or_raises_before_anything_is_scaled(bad):
    params = with_gradients([bad, 4.0])
    with pytest.raises(mt.GradientError, match=r"the norm of the gradients of 1 parameters is (inf|nan)"):
        optim.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert params[0].grad.numpy()[1] == 4.0
    assert not np.isfinite(optim.clip_grad_norm_(params, 1.0).item())
    np.testing.assert_array_equal(params[0].grad.numpy(), [np.nan, 0.0 if bad == np.inf else np.nan])


def test_clipping_by_value_cuts_both_signs_and_keeps_nan():
    params = [*with_gradients([3.0, -4.0, 0.5, np.nan]), mt.Parameter([1.0])]
    optim.clip_grad_value_(params, 1.0)
    np.testing.assert_array_equal(params[0].grad.numpy(), [1.0, -1.0, 0.5, np.nan])


def test_clipping_refuses_bounds_that_mean_nothing():
    for bad in (lambda: optim.clip_grad_norm_([], -1.0), lambda: optim.clip_grad_norm_([], 1.0, norm_type=0),
                lambda: optim.clip_grad_value_([], -1.0), lambda: optim.clip_grad_norm_([], math.nan)):  # fmt: skip
        with pytest.raises(ValueError, match="must be"):
            bad()


@pytest.mark.torch
@pytest.mark.parametrize("kind", [1.0, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("bound", [0.5, 100.0])
def test_clipping_is_pytorchs(kind, bound):
    torch = pytest.importorskip("torch")
    params, theirs = with_gradients(*C), [torch.tensor(p, requires_grad=True) for p in START]
    for p, c in zip(theirs, C, strict=True):
        p.grad = torch.tensor(c)
    total = torch.nn.utils.clip_grad_norm_(theirs, bound, norm_type=kind)
    assert optim.clip_grad_norm_(params, bound, norm_type=kind).item() == pytest.approx(total.item(), rel=1e-14)
    torch.nn.utils.clip_grad_value_(theirs, 0.1)
    optim.clip_grad_value_(params, 0.1)
    for p, q in zip(params, theirs, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-13)
