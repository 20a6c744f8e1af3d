"""What do all tests share?  A wanted text is never looked for in the line of the test that an error ends with."""

from __future__ import annotations

import pytest

from tests import said

pytest.raises = said.raises
