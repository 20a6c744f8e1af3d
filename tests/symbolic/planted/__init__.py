"""Backward passes that are wrong on purpose, each with its cause beside it, and right ones in many styles.

Written from the causes that `check_vjp` documents, not from how it finds them.
"""

from . import attention, layers, recurrent, rows

FAMILIES = (rows, layers, attention, recurrent)
PLANTED = tuple(bug for family in FAMILIES for bug in family.PLANTED)
RIGHT = tuple(right for family in FAMILIES for right in family.RIGHT)
