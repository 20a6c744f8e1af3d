"""Is what the textbooks print what is derived, for every operation of the library?"""

from __future__ import annotations

import pytest

from minitorch.errors import FormulaError
from minitorch.symbolic import prove_equal
from minitorch.symbolic.library import LIBRARY, find
from minitorch.symbolic.parse import parse_definitions
from minitorch.symbolic.program import inline
from minitorch.symbolic.reverse import gradient_name


@pytest.mark.parametrize(("name", "wrt"), [(n, w) for n, k in LIBRARY.items() for w in k.wrt], ids=str)
def test_the_textbook_s_closed_form_is_the_derived_gradient(name, wrt):
    known = find(name)
    back = known.program.vjp(known.differentiated, [wrt])
    derived = back.definition(gradient_name(wrt))
    closed = parse_definitions(known.closed, known.program, {"G": back.array("G")})
    claim = next(d for d in closed if d.name == gradient_name(wrt))
    meant = inline(claim.at(derived.indices), closed)
    verdict = prove_equal(derived.value, meant, (*known.program.definitions, *back.definitions))
    assert verdict.kind == "proved for all sizes", verdict


def test_an_unknown_operation_is_answered_with_all_names():
    with pytest.raises(FormulaError, match=r"wanted one of: .*attention.*softmax"):
        find("sofmax")
