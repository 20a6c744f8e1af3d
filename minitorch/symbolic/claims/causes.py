"""What can be wrong in a gradient that was derived by hand?  A closed list, each with a sentence in plain words."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a claimed gradient is wrong; the value is the stable key of `Diagnosis.to_json`."""

    MISSING_TERM = "missing term"
    EXTRA_TERM = "extra term"
    WRONG_SIGN = "wrong sign"
    SCALED = "scaled"
    TRANSPOSED_RESULT = "transposed result"
    READ_TRANSPOSED = "read transposed"
    WRONG_AXIS = "wrong axis"
    NOT_SUMMED = "not summed"
    SUMMED = "summed"
    MEAN_FOR_SUM = "mean instead of sum"
    SUM_FOR_MEAN = "sum instead of mean"
    WRONG_ARRAY = "wrong array"
    BEFORE_AFTER = "before for after"
    MISSING_FACTOR = "missing factor"
    EXTRA_FACTOR = "extra factor"
    WRONG_POWER = "wrong power"
    WRONG_DERIVATIVE = "wrong derivative"
    EPSILON = "epsilon"
    DROPPED_MASK = "dropped mask"
    MISSING_PATH = "missing path"
    SHIFTED = "shifted index"
    SWAPPED = "swapped gradients"
    WRONG_NUMBER = "wrong number"
    WRONG_SHAPE = "wrong shape"
    SQUARE_ONLY = "equal sizes only"
    NOT_FINITE = "not finite"
    UNEXPLAINED = "unexplained"

    @property
    def sentence(self) -> str:
        """What the cause means, in plain words."""
        return _SENTENCES[self]


_SENTENCES = {
    Cause.MISSING_TERM: "A term of the gradient is left out.",
    Cause.EXTRA_TERM: "There is a term that does not belong to the gradient.",
    Cause.WRONG_SIGN: "A term, or all of it, has the opposite sign.",
    Cause.SCALED: "A term, or all of it, is multiplied by a number that should not be there, or lacks one.",
    Cause.TRANSPOSED_RESULT: "The transpose of the right gradient is returned.",
    Cause.READ_TRANSPOSED: "An array is read with its axes exchanged.",
    Cause.WRONG_AXIS: "A sum runs over another axis than it should.",
    Cause.NOT_SUMMED: "What an axis was broadcast over, or a sum in a step, is not summed.",
    Cause.SUMMED: "A sum is taken over an axis that should be kept.",
    Cause.MEAN_FOR_SUM: "A mean stands where a sum should be.",
    Cause.SUM_FOR_MEAN: "A sum stands where a mean should be.",
    Cause.WRONG_ARRAY: "Another array stands where this one should be.",
    Cause.BEFORE_AFTER: "A value from before a step stands for the one after it, or the reverse.",
    Cause.MISSING_FACTOR: "A factor of a product is left out.",
    Cause.EXTRA_FACTOR: "A product has a factor too many.",
    Cause.WRONG_POWER: "A power has another exponent than it should.",
    Cause.WRONG_DERIVATIVE: "The derivative of a function is another one.",
    Cause.EPSILON: "The small number that keeps a root or a quotient finite is left out or stands elsewhere.",
    Cause.DROPPED_MASK: "The mask is not applied.",
    Cause.MISSING_PATH: "One of the ways in which the output depends on the array is left out.",
    Cause.SHIFTED: "An index is shifted or runs backwards.",
    Cause.SWAPPED: "The gradient of another input is returned.",
    Cause.WRONG_NUMBER: "A constant has another value.",
    Cause.WRONG_SHAPE: "The gradient does not have the shape of its input.",
    Cause.SQUARE_ONLY: "The function works only where sizes are equal, as a product with a transpose left out does.",
    Cause.NOT_FINITE: "The gradient is NaN or infinite where the right one is finite.",
    Cause.UNEXPLAINED: "No single change of the right gradient gives it.",
}
