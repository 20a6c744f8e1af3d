"""What is a planted mistake?  A backward pass that is wrong on purpose, with the cause written beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Claim = Callable[..., Any] | str


@dataclass(frozen=True, eq=False)
class Planted:
    """A wrong backward pass.

    Attributes:
        name: what it is called in a test.
        operation: of the library, or a formula of one's own.
        claimed: the backward pass: a function on arrays, or formulas.
        wrong: the inputs whose gradient is wrong; all others are right.
        causes: what it may be called; where two names fit equally well, both.
        wrt: the inputs that it is about; all unless given.
    """

    name: str
    operation: str
    claimed: Claim
    wrong: tuple[str, ...]
    causes: tuple[str, ...]
    wrt: tuple[str, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Right:
    """A right backward pass in one of the styles that people write."""

    name: str
    operation: str
    claimed: Claim
    wrt: tuple[str, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)
