"""Does anomaly mode stop at the first value that is not finite, and say where it was made?"""

import numpy as np
import pytest

import minitorch as mt
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


def test_without_it_nothing_is_looked_at():
    with np.errstate(divide="ignore"):
        assert mt.log(mt.tensor([0.0])).item() == -np.inf
