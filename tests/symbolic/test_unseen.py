"""Are mistakes found and named that `check_vjp` was not developed on?

pytest -s tests/symbolic/test_unseen.py -k another_name    # prints the rate and what is called by another name
"""

import re
from functools import cache

import numpy as np
import pytest

from minitorch.symbolic import gradients
from minitorch.symbolic.claims import Cause, Diagnosis, check_vjp
from minitorch.symbolic.library import find

from .unseen import CONDITIONAL, DETECTABLE, MISNAMED, PLANTED, RIGHT

BY_THE_CLOCK = 3  # the search ends after a time: on a busy machine a mistake may be left unexplained that is not else


@cache
def diagnosis(bug) -> Diagnosis:
    return check_vjp(bug.claimed, bug.operation, wrt=bug.wrt, **bug.options)


def wrong(bug) -> list:
    return [finding for finding in diagnosis(bug).inputs if not finding.ok]


@pytest.mark.parametrize("bug", DETECTABLE, ids=lambda bug: bug.name)
def test_the_mistake_is_found_in_the_gradients_that_have_it_and_in_no_other(bug):
    assert {finding.input for finding in wrong(bug)} == set(bug.wrong), diagnosis(bug)


@pytest.mark.parametrize("bug", CONDITIONAL, ids=lambda bug: bug.name)
def test_what_is_right_under_a_condition_is_not_accepted_without_it(bug):
    found = diagnosis(bug)
    assert not found.ok or any("examined" in note and "not claimed" not in note for note in found.notes), found


def test_hardly_a_mistake_more_than_at_first_is_called_by_another_name():
    called = {bug.name: {finding.cause.value for finding in wrong(bug)} for bug in DETECTABLE}
    missed = {bug.name: called[bug.name] for bug in DETECTABLE if not called[bug.name] <= set(bug.causes)}
    print(f"\n{len(DETECTABLE) - len(missed)} of {len(PLANTED)} called by the name they should have; not these:")
    print(*(f"  {name}: {causes} ({MISNAMED.get(name, 'new')})" for name, causes in missed.items()), sep="\n")
    assert len(set(missed) - set(MISNAMED)) <= BY_THE_CLOCK, missed


def filled(program, found, example) -> dict[str, np.ndarray]:
    """The arrays of a counterexample; of those that the claim does not take, the report says where they were fixed."""
    fixed = {name: float(value) for note in found.notes for name, value in re.findall(r"([\w']+) = (-?[\d.e-]+)", note)}
    arrays = {
        name: np.full([example.sizes.get(str(size), 1) for size in dimensions], fixed.get(name, 1.0))
        for name, dimensions in program.inputs.items()
    }
    return arrays | {name: np.asarray(value) for name, value in example.inputs.items()}


@pytest.mark.parametrize("bug", DETECTABLE, ids=lambda bug: bug.name)
def test_the_counterexample_is_one(bug):
    known = find(bug.operation)
    shown = [finding for finding in wrong(bug) if finding.counterexample is not None]
    assert shown, "no gradient has a counterexample"
    for finding in shown:
        example = finding.counterexample
        arrays = filled(known.program, diagnosis(bug), example)
        right = gradients(known.program, arrays, known.differentiated, arrays["G"], [finding.input])[finding.input]
        np.testing.assert_allclose(np.asarray(example.right, float), right, rtol=1e-5, atol=1e-5)
        claimed = np.asarray(example.claimed, float)
        assert claimed.shape != right.shape or not np.allclose(claimed, right, rtol=1e-3, atol=0)  # NaN differs


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name)
def test_a_right_gradient_is_not_flagged(right):
    found = check_vjp(right.claimed, right.operation, wrt=right.wrt, **right.options)
    assert found.ok, found


def test_the_corpus_is_large_and_its_causes_are_documented_ones():
    assert len({bug.name for bug in PLANTED}) == len(PLANTED) >= 60
    assert len({bug.operation for bug in PLANTED}) >= 12
    assert sum(isinstance(bug.claimed, str) for bug in PLANTED) >= 15
    assert len(RIGHT) >= 20
    assert {cause for bug in PLANTED for cause in bug.causes} <= {cause.value for cause in Cause}
    assert set(MISNAMED) <= {bug.name for bug in PLANTED}
