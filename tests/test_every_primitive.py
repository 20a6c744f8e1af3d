"""Is every operation right?  Generated from the registry: whoever adds an operation adds a row of examples.

The checks are those of `minitorch.testing`, which examine a user's operation too.  Those that nearly every call can be
asked run call by call; the others operation by operation, and it is said which operations some call must be asked of.
"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.primitive import REGISTRY, elementwise_mismatch
from minitorch.testing import CHECKS, made
from tests.primitive_examples import EXAMPLES, TABLE

PRIMITIVES = {name: p for name, p in REGISTRY.items() if p.forward.__module__.startswith("minitorch.")}
FORWARD = ("forward mode", "forward mode is linear", "forward over reverse", "forward over forward")
PER_OPERATION = ("NumPy's namesake", "broadcasting", "size zero", "error text", "formula's gradient")

# Where a record keeps a value for the other calls: without bounds, or over one entry, nothing depends on it.
WITHOUT_EFFECT = ("clip(2,)", "prod()", "prod(2,1,3),axis=1", "prod(2,3),axis=()")


def calls(names):
    """Each check of each call that it can be asked of."""
    found = []
    for name in names:
        for example in EXAMPLES:
            if CHECKS[name].unless(example) or (name == "needed values" and str(example) in WITHOUT_EFFECT):
                continue
            found.append(pytest.param(name, example, id=f"{name}: {example}"))
    return found


def test_every_primitive_has_an_example():
    assert sorted(PRIMITIVES) == sorted(TABLE)


def test_every_differentiable_input_of_every_primitive_is_differentiated_in_some_example():
    for name, p in PRIMITIVES.items():
        assert p.differentiable <= {e.input_name(k) for e in EXAMPLES if e.name == name for k in e.varied}


@pytest.mark.parametrize(("check", "example"), calls([c for c in CHECKS if c not in (*FORWARD, *PER_OPERATION)]))
def test_a_call_passes_a_check(check, example):
    outcome = made(CHECKS[check], example)
    assert outcome.failure is None
    assert outcome.not_made is None


MUST_BE_ASKED = {
    "NumPy's namesake": lambda p: hasattr(np, p.name) and getattr(mt, p.name, None) is p,
    "broadcasting": lambda p: p.explain is elementwise_mismatch,
    "size zero": lambda p: p.name != "put_into_zeros",  # its shape is a static argument
    "error text": lambda p: p.explain is not None and len(p.differentiable) > 1,
    # Every example of squeeze has an axis of size 1, which could stand for any size.
    "formula's gradient": lambda p: p.formula is not None and p.name != "squeeze",
}


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
@pytest.mark.parametrize("check", PER_OPERATION)
def test_an_operation_passes_a_check(check, name):
    outcomes = [made(CHECKS[check], e) for e in EXAMPLES if e.name == name]
    assert not [o for o in outcomes if o.failure is not None]
    if PRIMITIVES[name].differentiable and MUST_BE_ASKED[check](PRIMITIVES[name]):
        assert [o for o in outcomes if o.not_made is None], "no example could be asked"
