"""Every test of the layers runs in float64 with seeded weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import minitorch as mt


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    mt.seed(0)
    with mt.default_dtype(np.float64):
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in each run."""
    return np.random.default_rng(1)
