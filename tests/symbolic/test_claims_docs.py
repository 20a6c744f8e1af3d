"""Is the output in docs/check_vjp.md what check_vjp prints?"""

from __future__ import annotations

import doctest
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "check_vjp.md"


def test_the_examples_for_kernel_authors_print_what_the_page_shows():
    failed, tried = doctest.testfile(str(DOCUMENT), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert tried > 10
