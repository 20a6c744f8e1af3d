"""Are mistakes that people make found, and called by their name?"""

from functools import cache

import numpy as np
import pytest

from minitorch.symbolic import gradients, parse
from minitorch.symbolic.claims import Diagnosis, check_vjp
from minitorch.symbolic.library import find

from .planted import PLANTED, RIGHT

NAMED = 0.85  # of the mistakes, at least


@cache
def diagnosis(bug) -> Diagnosis:
    return check_vjp(bug.claimed, bug.operation, wrt=bug.wrt, **bug.options)


def causes(found: Diagnosis) -> set[str]:
    return {str(finding.cause.value) for finding in found.inputs if not finding.ok}


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_the_mistake_is_found_in_the_gradients_that_have_it_and_in_no_other(bug):
    found = diagnosis(bug)
    assert not found.ok
    assert {finding.input for finding in found.inputs if not finding.ok} == set(bug.wrong), found


def test_most_mistakes_are_called_by_their_name():
    missed = [
        (bug.name, causes(diagnosis(bug)), bug.causes)
        for bug in PLANTED
        if not causes(diagnosis(bug)) <= set(bug.causes)
    ]
    assert len(missed) <= (1 - NAMED) * len(PLANTED), missed


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_the_counterexample_is_one(bug):
    program, output = (parse(bug.operation), None) if "=" in bug.operation else _of_library(bug.operation)
    output = output or program.outputs[-1]
    for finding in diagnosis(bug).inputs:
        if finding.ok or finding.counterexample is None:
            continue
        example = finding.counterexample
        arrays = {name: np.asarray(value) for name, value in example.inputs.items()}
        right = gradients(program, arrays, output, arrays["G"], [finding.input])[finding.input]
        np.testing.assert_allclose(np.asarray(example.right, float), right, rtol=1e-5, atol=1e-5)
        claimed = np.asarray(example.claimed, float)
        assert claimed.shape != right.shape or not np.abs(claimed - right).max() <= 1e-6  # NaN differs


def _of_library(name):
    known = find(name)
    return known.program, known.differentiated


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
def test_a_right_gradient_is_not_flagged(right):
    found = check_vjp(right.claimed, right.operation, wrt=right.wrt, **right.options)
    assert found.ok, found


def test_there_are_enough_of_them():
    assert len({bug.name for bug in PLANTED}) == len(PLANTED) >= 40
    assert len({bug.operation for bug in PLANTED}) >= 8
