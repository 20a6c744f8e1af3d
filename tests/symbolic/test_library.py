"""Is what the textbooks print what is derived, for every operation of the library, and is a misprint noticed?"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from sympy import Add, Expr, Integer, Mul

from minitorch.errors import FormulaError
from minitorch.symbolic import prove_equal
from minitorch.symbolic.binders import rebuild
from minitorch.symbolic.expression import Entry
from minitorch.symbolic.library import LIBRARY, InputVerdict, Known, derivations, find, verdicts
from minitorch.symbolic.program import gradient_name, inline

WANTED = (
    *("softmax", "log-softmax", "logsumexp", "kl-divergence", "sigmoid-cross-entropy"),
    *("cross-entropy", "cross-entropy-soft", "cross-entropy-smoothed"),
    *("linear", "layer-norm", "rms-norm", "group-norm", "gelu", "gelu-tanh", "silu", "swiglu"),
    *("additive-attention", "attention", "attention-scaled", "attention-masked", "multi-head-attention"),
    *("cross-attention", "linear-attention", "causal-convolution", "rnn-cell", "lstm-cell", "gru-cell"),
    *("embedding", "rotary-positions"),
)
METHODS = ["normal", "random", "sympy.diff", "closed", "engine's"]  # the first word of each
LIMIT = {"multi-head-attention": 6}  # seconds for the proof of a gradient; 1 for the others
SLOWER = 3  # how much slower a machine may be than the one on which the limits were set
every = pytest.mark.parametrize("name", LIBRARY)


@cache
def found(name: str) -> tuple[InputVerdict, ...]:
    return verdicts(find(name))


def test_every_operation_that_was_asked_for_is_there():
    assert set(WANTED) <= set(LIBRARY)


@every
def test_every_gradient_is_proved_for_all_sizes_and_is_the_engine_s(name):
    assert [v.input for v in found(name)] == list(find(name).wrt)
    for of_input in found(name):
        assert of_input.verdict.kind == "proved for all sizes", of_input
        assert [method.split()[0] for method in of_input.methods] == METHODS


@every
def test_every_proof_is_fast(name):
    for of_input in found(name):
        assert of_input.seconds < SLOWER * LIMIT.get(name, 1), of_input


@every
def test_every_input_that_the_output_depends_on_is_differentiated(name):
    known = find(name)
    numbers = {entry.name for entry in known.program.entries if entry.values is None} - set(known.values)
    output = known.program.inline(known.program.definition(known.differentiated).value)
    assert set(known.wrt) == numbers & {entry.name for entry in output.atoms(Entry)}


@every
def test_every_operation_says_what_it_is_for_and_where_it_is_printed(name):
    known = find(name)
    assert known.title
    assert known.about.endswith(".")
    assert any(character.isdigit() for character in known.source)


# -- planted misprints -------------------------------------------------------------------------------------------------


def with_first(expression: Expr, change) -> Expr | None:
    """The expression with its first part that `change` has an answer for replaced; None if there is none."""
    done = []

    def walk(part: Expr) -> Expr:
        if done:
            return part
        if (answer := change(part)) is not None:
            done.append(answer)
            return answer
        return rebuild(part, walk)

    changed = walk(expression)
    return changed if done else None


def with_other_sign(part: Expr) -> Expr | None:
    # The last term: the 1 of a slope 1 - t**2 may be any number where what it multiplies sums to 0, and the prover
    # says so.
    return Add(*part.args[:-1], -part.args[-1]) if isinstance(part, Add) else None


def without_factor(part: Expr) -> Expr | None:
    factors = [f for f in part.args if f.args] if isinstance(part, Mul) else []
    return Mul(*(f for f in part.args if f is not factors[-1])) if len(factors) > 1 else None


def doubled(part: Expr) -> Expr:
    return Integer(2) * part


MISPRINTS = {"a sign": with_other_sign, "a factor": without_factor, "a factor 2": doubled}


def misprinted(known: Known, change) -> tuple[Expr, Expr, tuple] | None:
    """The derived gradient by the first input, its closed form with a mistake in it, and what the names mean."""
    name = known.wrt[0]
    back = known.program.vjp(known.differentiated, [name])
    derived = back.definition(gradient_name(name))
    closed = known.closed_definitions
    claim = next(d for d in closed if d.name == derived.name)
    wrong = with_first(inline(claim.at(derived.indices), closed), change)
    return None if wrong is None else (derived.value, wrong, (*known.program.definitions, *back.definitions))


@pytest.mark.parametrize("misprint", MISPRINTS)
@every
def test_a_misprint_in_the_closed_form_is_refuted_with_a_witness(name, misprint):
    case = misprinted(find(name), MISPRINTS[misprint])
    if case is None:
        assert misprint != "a factor 2"
        pytest.skip(f"no part of the closed form could lose {misprint}")
    verdict = prove_equal(*case, largest=3)
    assert verdict.kind == "refuted"
    assert "against" in verdict.detail


def test_a_misprint_lowers_the_verdict_of_the_operation():
    [of_input] = verdicts(replace(find("softmax"), closed="dx[i] = S[i] (G[i] - sum_j S[j])"))
    assert of_input.verdict.kind == "refuted"
    assert of_input.verdict.detail.startswith("closed form: at n_k=2")


def test_an_engine_that_computes_something_else_lowers_the_verdict():
    [of_input] = verdicts(replace(find("softmax"), function=lambda x: x * 1.0))
    assert of_input.verdict.kind == "refuted"
    assert "the engine's gradient by x differs" in of_input.verdict.detail


def test_a_closed_form_that_leaves_an_input_out_says_so():
    with pytest.raises(FormulaError, match="attention: closed has no dK, which wrt asks for"):
        verdicts(replace(find("attention"), closed="dQ[i,e] = 0 Q[i,e]", wrt=("K",)))


def test_a_derivation_has_steps_and_a_verdict_by_the_same_methods():
    derivation = derivations(find("rms-norm"))[0]
    assert (derivation.op, derivation.input) == ("rms-norm", "x")
    assert derivation.verdict.kind == found("rms-norm")[0].verdict.kind
    assert [method.split()[0] for method in derivation.verdict.methods] == METHODS
    assert len(derivation.steps) > 3


def test_an_unknown_operation_is_answered_with_all_names():
    with pytest.raises(FormulaError, match=r"wanted one of: .*attention.*softmax"):
        find("sofmax")
