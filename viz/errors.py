"""What is said when something cannot be compared or drawn?"""

from __future__ import annotations

from minitorch.errors import MinitorchError


class InputError(MinitorchError, ValueError):
    """What was given cannot be compared or drawn; the message says what was got, what is wanted, and what to do."""
