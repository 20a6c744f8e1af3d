"""Is the derivative of every operation along a direction right?  Forward mode, alone and over another."""

from __future__ import annotations

import pytest

from minitorch.testing import CHECKS, made
from tests.test_every_primitive import FORWARD, calls


@pytest.mark.parametrize(("check", "example"), calls(FORWARD))
def test_a_call_passes_a_check_of_forward_mode(check, example):
    outcome = made(CHECKS[check], example)
    assert outcome.failure is None
    assert outcome.not_made is None
