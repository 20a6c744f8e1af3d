"""What does an error say itself, without the line of the user's that it ends with?

An error of the library ends with the innermost line outside the library, which in a test is a line of that test.  A
text that is wanted and stands beside the call would be found there whatever the error says, so that line is cut off
before texts are compared: by `said`, and in every `pytest.raises(..., match=...)` of this directory (`conftest.py`).
"""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest_raises = pytest.raises


def said(error: BaseException) -> str:
    """The message of an error, without the lines of the user's (`  at file:line: source`)."""
    return re.sub(r"\n +at [^\n]*:\d+[^\n]*", "", str(error))


class _Matching:
    """A context of `pytest.raises`, and what the error should say itself."""

    def __init__(self, context: Any, wanted: str | re.Pattern[str]):
        self.context, self.wanted = context, wanted

    def __enter__(self) -> Any:
        self.caught = self.context.__enter__()
        return self.caught

    def __exit__(self, *raised: Any) -> bool:
        __tracebackhide__ = True
        caught = self.context.__exit__(*raised)
        if caught and not re.search(self.wanted, text := said(self.caught.value)):
            pytest.fail(f"the error does not say it itself\n  wanted {self.wanted!r}\n  got    {text!r}")
        return caught


def raises(expected: Any, *args: Any, match: str | re.Pattern[str] | None = None, **kwargs: Any) -> Any:
    """`pytest.raises`, whose `match` is looked for in what the error says itself."""
    context = pytest_raises(expected, *args, **kwargs)
    return context if match is None else _Matching(context, match)
