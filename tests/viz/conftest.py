"""What the tests of the pictures share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest

import minitorch as mt


@pytest.fixture(autouse=True, scope="module")
def _collected_tests_are_out_of_sight() -> Iterator[None]:
    """`memory.report` looks through all objects for tensors; the 350,000 of collecting the tests need no look."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """The same weights in each run."""
    mt.seed(0)


@pytest.fixture
def float64() -> Iterator[None]:
    """New weights and tensors are float64."""
    with mt.default_dtype(np.float64):
        yield
