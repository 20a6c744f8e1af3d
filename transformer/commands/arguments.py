"""Which numbers can an option have?  Types for argparse, which names the option where they refuse."""

from __future__ import annotations

import argparse
import math


def at_least_one(text: str) -> int:
    """An integer of 1 or more.

    >>> at_least_one("3")
    3
    """
    return _integer(text, 1)


def at_least_zero(text: str) -> int:
    """An integer of 0 or more."""
    return _integer(text, 0)


def temperature(text: str) -> float:
    """A number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted a number of 0 or more")
    return value


def _integer(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted an integer of {least} or more")
    return value
