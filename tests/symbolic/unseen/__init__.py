"""Mistakes that `check_vjp` was not developed on: each was written from the documented causes alone, before it was tried.

A mistake that is found but called by another name stays here with the name it should have: the rate is measured.
"""

from . import attention, layers, recurrent, rows

FAMILIES = (rows, layers, attention, recurrent)
PLANTED = tuple(bug for family in FAMILIES for bug in family.PLANTED)
RIGHT = tuple(right for family in FAMILIES for right in family.RIGHT)
