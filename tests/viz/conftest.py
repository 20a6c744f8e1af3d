"""Every test of the pictures runs in float64, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import minitorch as mt


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    mt.seed(0)
    with mt.default_dtype(np.float64):
        yield
