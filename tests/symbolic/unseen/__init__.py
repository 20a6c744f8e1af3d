"""Mistakes that `check_vjp` was not developed on, written from its documented causes alone.

A mistake that is found but called by another name stays here with the name it should have: the rate is measured.
"""

from . import attention, layers, recurrent, rows

FAMILIES = (rows, layers, attention, recurrent)
PLANTED = tuple(bug for family in FAMILIES for bug in family.PLANTED)
RIGHT = tuple(right for family in FAMILIES for right in family.RIGHT)

# Right only where the rows of t add up to 1, which the operation does not ask for: the claim is accepted, and a note of
# the report says where.
CONDITIONAL_NAMES = ("soft cross-entropy: p - t",)
CONDITIONAL = tuple(bug for bug in PLANTED if bug.name in CONDITIONAL_NAMES)
DETECTABLE = tuple(bug for bug in PLANTED if bug not in CONDITIONAL)

# What was called by another name when the corpus was first tried, and why; nothing may be added.
MISNAMED = {
    "softmax text: one S too few": "the inverse factor is named as one too many",
    "silu: output for input": "the inverse factor is named as one that is missing",
    "logsumexp: exp": "exp(x - out) lacks -out, as well as exp(x) / Z lacks 1 / Z",
    "silu: one path": "the second term is a part of the slope, as well as a path",
    "attention text: Q for K": "sum_j dA[i,j] Q[i,e] is 0, as without K",
    "multi-head text: values' path": "a factor left out of dP makes two of three paths 0",
    "attention text: P twice": "exp(A) for Z in dA gives the same numbers",
    "embedding: averaged": "taken for rows that do not add up",
    "smoothed text: unsmoothed": "unexplained",
    "bce: not the logit's": "unexplained",
    "embedding: padding": "unexplained",
    "layer-norm: Bessel": "named in dweight, unexplained in dx, where it is made three times",
    "layer-norm: batch axis": "unexplained: made twice",
    "rms-norm: mean": "unexplained",
    "attention text: no 1/Z": "unexplained",
    "lstm: slope": "unexplained: the slope of the sigmoid for that of tanh",
}
