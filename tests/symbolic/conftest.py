"""What all tests of the symbolic part share."""

import pytest

from minitorch.symbolic.claims import check


@pytest.fixture(autouse=True)
def time_to_look(monkeypatch):
    """What is tested is which mistakes are found, not how fast this machine is: no search is cut off early."""
    monkeypatch.setattr(check, "SECONDS", 4.0)
