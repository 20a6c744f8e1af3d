"""Is the learning rate at step t what the schedule's equation says, wherever one starts?"""

from __future__ import annotations

import math
import re

import pytest

import minitorch as mt
from minitorch import optim


def sgd(*rates):
    return optim.SGD([{"params": [mt.Parameter([0.0])], "lr": lr} for lr in rates])


def rates(make, n, *lrs):
    schedule = make(sgd(*(lrs or (0.5,))))
    found = []
    for _ in range(n):
        found.append(schedule.get_last_lr()[-1])
        schedule.step()
    return found


def test_the_transformers_schedule_is_the_papers_equation():
    found = rates(lambda o: optim.InverseSqrtLR(o, d_model=512, warmup_steps=40), 200, 1.0)
    wanted = [512**-0.5 * min(step**-0.5, step * 40**-1.5) for step in range(1, 201)]
    assert found == pytest.approx(wanted, rel=1e-15)
    assert found.index(max(found)) == 39  # step 40
    assert found[39] == pytest.approx(512**-0.5 * 40**-0.5)
    assert rates(lambda o: optim.InverseSqrtLR(o, 512, 40), 3, 0.5) == pytest.approx([r / 2 for r in wanted[:3]])


def test_cosine_goes_from_the_first_rate_to_the_last_by_half_a_wave():
    found = rates(lambda o: optim.CosineAnnealingLR(o, T_max=10, eta_min=0.1), 11)
    assert found[0] == 0.5
    assert found[5] == pytest.approx(0.3)
    assert found[10] == pytest.approx(0.1)
    assert found[3] == pytest.approx(0.1 + 0.2 * (1 + math.cos(0.3 * math.pi)))


def test_steps_fall_by_gamma_every_step_size():
    assert rates(lambda o: optim.StepLR(o, step_size=2, gamma=0.5), 6) == [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_milestones_powers_and_lines_are_their_equations():
    found = rates(lambda o: optim.MultiStepLR(o, [3, 1, 3], gamma=0.5), 5)
    assert found == [0.5, 0.25, 0.25, 0.0625, 0.0625]
    assert rates(lambda o: optim.ExponentialLR(o, gamma=0.5), 3) == [0.5, 0.25, 0.125]
    assert rates(lambda o: optim.LinearLR(o, 0.5, 1.0, total_iters=2), 4) == [0.25, 0.375, 0.5, 0.5]


def test_lambda_multiplies_the_first_rate_of_each_group_by_its_function():
    optimizer = sgd(1.0, 10.0)
    schedule = optim.LambdaLR(optimizer, [lambda t: 1 / (1 + t), lambda t: 2**t])
    schedule.step()
    assert schedule.get_last_lr() == [0.5, 20.0]
    assert [g["lr"] for g in optimizer.param_groups] == [0.5, 20.0]
    one = optim.LambdaLR(sgd(1.0, 10.0), lambda t: 3.0)
    assert one.get_last_lr() == [3.0, 30.0]
    with pytest.raises(ValueError, match="1 functions for 2 groups"):
        optim.LambdaLR(optimizer, [lambda t: t])


def test_a_schedule_that_is_taken_up_again_goes_on_and_sets_the_rate_at_once():
    first = optim.CosineAnnealingLR(sgd(0.5), T_max=10)
    for _ in range(4):
        first.step()
    optimizer = sgd(7.0)
    second = optim.CosineAnnealingLR(optimizer, T_max=10)
    second.load_state_dict(first.state_dict())
    assert optimizer.param_groups[0]["lr"] == first.get_last_lr()[0]
    first.step(), second.step()
    assert second.get_last_lr() == first.get_last_lr()
    with pytest.raises(mt.errors.StateError, match="rates of 1 groups in the state, 2 groups here"):
        optim.StepLR(sgd(1.0, 2.0), 1).load_state_dict(first.state_dict())


@pytest.mark.parametrize("state", [{"base_lrs": [1.0], "last_epoch": 7}, {"base_lrs": ["a"], "last_epoch": 1},
                                   {"base_lrs": [1.0], "last_epoch": "a"}])  # fmt: skip
def test_a_state_that_cannot_be_loaded_changes_nothing(state):
    optimizer = sgd(0.5)
    schedule = optim.LambdaLR(optimizer, lambda t: 1.0 if t < 5 else None)
    with pytest.raises(mt.DtypeError, match=r"lr_lambda\(7\)=None|base_lrs\[0\]='a'|last_epoch='a'"):
        schedule.load_state_dict(state)
    assert schedule.state_dict() == {"last_epoch": 0, "base_lrs": [0.5]}
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_last_epoch_enters_a_schedule_in_the_middle_and_needs_the_first_rate():
    optimizer = sgd(0.5)
    with pytest.raises(ValueError, match="no 'initial_lr'"):
        optim.StepLR(optimizer, 2, last_epoch=3)
    optimizer.param_groups[0]["initial_lr"] = 0.5
    assert optim.StepLR(optimizer, 2, gamma=0.5, last_epoch=3).get_last_lr() == [0.125]


def test_the_first_rate_and_the_schedule_go_round_with_the_optimizers_state():
    optimizer = sgd(0.5)
    schedule = optim.StepLR(optimizer, 1, gamma=0.5)
    schedule.step()
    other = sgd(9.0)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["initial_lr"] == 0.5
    assert optim.StepLR(other, 1, gamma=0.5, last_epoch=1).get_last_lr() == [0.125]


@pytest.mark.parametrize(
    "make",
    [
        lambda o: optim.StepLR(o, 0),
        lambda o: optim.CosineAnnealingLR(o, 0),
        lambda o: optim.InverseSqrtLR(o, 0),
        lambda o: optim.InverseSqrtLR(o, 8, 0),
    ],
)
def test_lengths_below_1_are_refused(make):
    with pytest.raises(ValueError, match="must be at least 1"):
        make(sgd(1.0))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.StepLR("a", 1), TypeError, "StepLR: got a str; its first argument is the optimizer"),
        (lambda: optim.LambdaLR("a", len), TypeError, "LambdaLR: got a str; its first"),
        (lambda: optim.LambdaLR(sgd(1.0), 3), TypeError, "LambdaLR: got 3, a int; it takes a function"),
        (lambda: optim.LambdaLR(sgd(1.0), [3]), TypeError, "LambdaLR: got 3, a int; it takes a function"),
        (lambda: optim.StepLR(sgd(1.0), 1.5), TypeError, "StepLR: step_size=1.5 is a float; it takes a whole"),
        (lambda: optim.StepLR(sgd(1.0), 1, "a"), TypeError, "StepLR: gamma='a' is a str"),
        (lambda: optim.MultiStepLR(sgd(1.0), [1, "b"]), TypeError, r"milestones\[1\]='b' is a str"),
        (lambda: optim.MultiStepLR(sgd(1.0), 3), TypeError, "milestones=3; it takes a list"),
        (lambda: optim.LambdaLR(sgd(1.0), lambda t: None), TypeError, r"lr_lambda\(0\)=None is a NoneType"),
        (lambda: optim.StepLR(sgd(1.0), 1, last_epoch=-2), ValueError, "last_epoch=-2; it must be at least -1"),
        (lambda: optim.StepLR(sgd(1.0), 1).load_state_dict({}), ValueError, "it takes what `state_dict"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_reason(make, error, message):
    with pytest.raises(error, match=message) as caught:
        make()
    assert re.search(message, str(caught.value).split("\n  at ")[0])
    assert isinstance(caught.value, mt.MinitorchError)  # with the user's line


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MultiStepLR", {"milestones": [5, 2, 5], "gamma": 0.3}),
        ("ExponentialLR", {"gamma": 0.9}),
        ("LinearLR", {}),
        ("LinearLR", {"start_factor": 0.2, "end_factor": 0.7, "total_iters": 8}),
        ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
        ("StepLR", {"step_size": 3, "gamma": 0.3}),
        ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ],
)
def test_schedules_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    schedule, theirs = getattr(torch.optim.lr_scheduler, name)(optimizer, **options), []
    for _ in range(20):
        theirs.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates(lambda o: getattr(optim, name)(o, **options), 20) == pytest.approx(theirs, rel=1e-12, abs=1e-15)
