"""Does anomaly mode stop at the first value that is not finite, and say where it was made?"""

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from minitorch.checkpoint import checkpoint
from tests.said import said


def test_forward_it_names_the_operation_the_entry_the_module_and_the_users_line():
    x = mt.tensor([1.0, 0.0], requires_grad=True)
    with np.errstate(divide="ignore"), mt.detect_anomaly(), mt.scope("net"), pytest.raises(mt.AnomalyError) as caught:
        mt.log(x)
    text = said(caught.value)
    assert text.startswith("log: its out of shape (2,) has -inf at entry (1,), in module net")
    assert "test_anomaly.py" in str(caught.value).removeprefix(text)


def test_backward_it_names_the_line_that_was_recorded():
    x = mt.tensor([0.0], requires_grad=True)
    with mt.detect_anomaly():
        y = mt.sqrt(x)  # its gradient at 0 is infinite
        with (
            np.errstate(divide="ignore"),
            pytest.raises(mt.AnomalyError, match="sqrt: the gradient of its x") as caught,
        ):
            y.backward(np.ones(1))
    assert "y = mt.sqrt(x)" in str(caught.value)
    assert x.grad is None


def test_backward_it_names_the_path_of_the_module():
    class Root(nn.Module):
        def forward(self, x):
            return mt.sqrt(x * 0.0)  # in a module

    model = nn.Sequential(nn.Linear(2, 2), nn.ModuleDict({"root": Root()})["root"])
    with np.errstate(divide="ignore"), mt.detect_anomaly():
        y = model(np.ones((1, 2), np.float32)).sum()
        with pytest.raises(mt.AnomalyError, match=r"sqrt: .*, in module Sequential\.1, recorded at .*# in a module"):
            y.backward()


def test_it_names_the_operation_inside_a_checkpoint_which_runs_only_in_the_backward_pass_on_the_tape():
    x = mt.tensor(np.array([0.0]), requires_grad=True)
    with np.errstate(divide="ignore"), mt.detect_anomaly():
        y = checkpoint(lambda v: mt.sqrt(v * 1.0), x).sum()  # a part
        with pytest.raises(mt.AnomalyError, match=r"sqrt: the gradient of its x .*# a part"):
            y.backward()


def test_the_where_trap_is_found_in_the_forward_pass_with_its_operation_and_line():  # case 23
    x = mt.tensor(np.array([0.0]), requires_grad=True)
    with np.errstate(invalid="ignore"), mt.detect_anomaly(), pytest.raises(mt.AnomalyError) as caught:
        mt.where(x < 1, x, mt.sqrt(x - 1))  # the trap
    assert str(caught.value).startswith("sqrt: its out of shape (1,) has nan at entry (0,)")
    assert str(caught.value).endswith("# the trap")


def test_the_where_trap_is_found_in_the_backward_pass_with_the_line_that_was_recorded():  # case 23
    x = mt.tensor(np.array([1.0]), requires_grad=True)
    with np.errstate(divide="ignore", invalid="ignore"), mt.detect_anomaly():
        y = mt.where(x <= 1, x, mt.sqrt(x - 1))  # finite, but its derivative is 0 * inf
        with pytest.raises(mt.AnomalyError, match=r"sqrt: the gradient of its x of shape \(1,\) has nan") as caught:
            y.sum().backward()
    assert "recorded at" in str(caught.value)
    assert "# finite, but its derivative is 0 * inf" in str(caught.value)


def test_an_in_place_write_to_what_was_kept_names_the_line_that_kept_it():  # case 32
    x = mt.tensor(np.array([1.0, 2.0]), requires_grad=True)
    with mt.detect_anomaly():
        y = mt.exp(x)  # keeps its result
        z = y.sum()
        y += 1
        with pytest.raises(mt.InPlaceError, match=r"exp: its out of shape \(2,\)") as caught:
            z.backward()
    assert "recorded" in str(caught.value)
    assert "y = mt.exp(x)  # keeps its result" in str(caught.value)


def test_without_it_nothing_is_looked_at():
    with np.errstate(divide="ignore"):
        assert mt.log(mt.tensor([0.0])).item() == -np.inf


@pytest.mark.parametrize(
    "derive",
    [
        lambda x: mt.grad((x**3).sum(), x, create_graph=True),
        lambda x: (x**3).sum().backward(create_graph=True),
        lambda x: mt.hessian(lambda v: (v**3).sum())(x),
        lambda x: mt.grad(lambda v: (v * v * x).sum())(np.ones(2)),
    ],
    ids=["grad", "backward", "hessian", "grad of a function"],
)
def test_derivatives_that_are_recorded_can_be_looked_at_too(derive):
    x = mt.tensor(np.array([1.0, 2.0]), requires_grad=True)
    with mt.detect_anomaly():
        derive(x)


def test_in_a_derivative_that_is_recorded_the_first_infinity_is_named_by_the_operation_that_was_differentiated():
    x = mt.tensor(np.array(0.0), requires_grad=True)
    with np.errstate(divide="ignore"), mt.detect_anomaly():
        first = mt.grad(x**1.5, x, create_graph=True)
        with pytest.raises(mt.AnomalyError, match=r"\A\w+: .* of shape \(\) has inf"):
            first.backward()
