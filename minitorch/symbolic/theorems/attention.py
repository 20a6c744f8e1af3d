r"""Which sums in attention need not be taken twice, and why may attention be computed in blocks?

$$ \sum_j P_{ij}\,dP_{ij} = \sum_c G_{ic}\,O_{ic} $$

and, with any shifts $s$ in place of the maxima and the state $l = \sum_j e^{A_{ij} - s_i}$,
$o = \sum_j e^{A_{ij} - s_i} V_{jc}$ of each of two blocks of keys,

$$ l = e^{s_1 - s}\,l_1 + e^{s_2 - s}\,l_2, \qquad o = e^{s_1 - s}\,o_1 + e^{s_2 - s}\,o_2, \qquad O = o / l . $$

Source: Milakov and Gimelshein 2018, arXiv 1805.02867, section 3; Dao et al. 2022, arXiv 2205.14135, appendix B.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from sympy import Expr, S, Symbol

from minitorch.symbolic.expression import Array, Index, dimension
from minitorch.symbolic.library import find
from minitorch.symbolic.operation import random_arrays
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program, inline
from minitorch.symbolic.reverse import adjoints, gradient_name, seed_entry
from minitorch.symbolic.theorems.checks import as_computed, equality
from minitorch.symbolic.theorems.induction import by_induction
from minitorch.symbolic.theorems.programs import extended, in_blocks, inline_once, joined, over, renamed
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.verdict import Verdict

STATE = "l[i] = sum_j exp(A[i,j] - s[i]); o[i,c] = sum_j exp(A[i,j] - s[i]) V[j,c]"
STATED = ("l", "o", "O")
MERGED_L = "exp(s_1[i] - s[i]) l_1[i] + exp(s_2[i] - s[i]) l_2[i]"
MERGED_O = "exp(s_1[i] - s[i]) o_1[i,c] + exp(s_2[i] - s[i]) o_2[i,c]"
RATIO = "o[i,c] / l[i]"


def attention() -> Program:
    """The engine's attention without a mask."""
    return find("attention").program


def _row_sums(claim: str) -> Proof:
    program = attention()
    sweep = {a.target.name: a for a in adjoints(program, "O", ["Q"], "G")}
    dP, G = sweep[gradient_name("P")].definition, seed_entry(program, "O", "G")
    extra = {e.name: Array(e.name, e.dimensions) for e in (G, dP.target)}
    work = Proving(Notation.of(program, [dP.name]), (*program.definitions, dP))
    work.given(dP.target, dP.value, "chain rule", "The gradient of O = P V by P.", "adjoint of the engine's formula")
    total = program.expression("sum_j P[i,j] dP[i,j]", extra)
    work.given(total, total, "definition", "What the backward pass of softmax subtracts.")
    work.follow(inline_once(total, [dP]), "substitute", "dP is G V^T.")
    work.claim(
        program.expression(claim, extra), rule="exchange sums", reason="The sum over j of P V is O, which is saved."
    )
    return work.proof()


def with_state() -> Program:
    """Attention, with what is kept of a block of keys, for any shifts s."""
    program = attention()
    return extended(program, STATE, Array("s", program.array("Z").dimensions))


def block(number: int) -> Program:
    """The state of one block of keys, with names of its own."""
    program = with_state()
    (m,) = set(program.array("V").dimensions) - set(program.array("O").dimensions)
    own = ("K", "V", "A", "s", "l", "o", "Z", "P", "O")
    return renamed(over(program, {m: keys(number)}), {name: f"{name}_{number}" for name in own})


def keys(number: int) -> Symbol:
    """The number of keys in a block."""
    return dimension(f"n_{number}")


def _merge(sum_: str, values: str, ratio: str) -> Proof:
    whole, blocks = with_state(), joined(block(1), block(2))
    scope = extended(blocks, "", *(whole.array(name) for name in "slo"))
    merged = [(name, scope.expression(text)) for name, text in (("l", sum_), ("o", values))]
    work, same = Proving(_letters(whole), blocks.definitions), _joined_keys(whole, blocks)
    for name, value in merged:
        work.given(whole.targets[name], in_two(whole, name), "two blocks", "The sum over all keys, cut in two.", same)
        work.claim(value, rule="law of exp", reason="exp(A - s) = exp(A - s_b) exp(s_b - s).")
    work.definitions += tuple(Definition(whole.targets[name], value) for name, value in merged)
    work.given(
        whole.targets["O"], in_two(whole, "O"), "two blocks", "Attention over all keys, its sums cut in two.", same
    )
    work.claim(scope.expression(ratio), rule="cancel", reason="exp(-s) stands above and below the line.")
    return work.proof()


def in_two(program: Program, name: str) -> Expr:
    """A defined name in terms of scores and values, with sums over the keys cut in two."""
    meant = [d for d in program.definitions if d.name != "A"]
    return in_blocks(inline(program.targets[name], meant), _keys(program), (keys(1), keys(2)))


def _joined_keys(whole: Program, blocks: Program) -> str:
    """Compare what is cut in two with all keys at once, in float64: the blocks of keys stand behind each other."""
    values = random_arrays(blocks)
    for name in "KV":
        values[name] = np.concatenate([values[f"{name}_{number}"] for number in (1, 2)])
    values |= {"s": values["s_1"]}
    parts, said = values | blocks.evaluate(values), ""
    for name, all_keys in whole.evaluate(values).items():
        if name in STATED:
            indices = whole.targets[name].indices
            said = as_computed(in_two(whole, name), parts, "all keys at once", all_keys, indices)
    return said


def _letters(program: Program) -> Notation:
    """The letters of the formula, with the letter of the keys for each block."""
    j = next(i for i in program.indices if i.dimension == _keys(program))
    return Notation((*program.indices, *(Index(j.name, keys(number)) for number in (1, 2))))


def _keys(program: Program) -> Symbol:
    """The dimension that attention sums over last: the keys."""
    (m,) = set(program.array("V").dimensions) - set(program.array("O").dimensions)
    return cast(Symbol, m)


def _chunked(state_l: str, state_o: str, ratio: str) -> Proof:
    """By induction over blocks; L and W are what l and o are without a shift."""
    whole, blocks = with_state(), joined(block(1), block(2))
    sums = (Array("L", whole.array("l").dimensions, True), Array("W", whole.array("o").dimensions))
    scope = extended(blocks, "", *(whole.array(name) for name in "slo"), *sums)
    hypotheses = {"l": scope.expression(state_l), "o": scope.expression(state_o)}
    work = Proving(_letters(whole), blocks.definitions)
    for name, sums_name, merged in (("l", "L", MERGED_L), ("o", "W", MERGED_O)):
        verdict = _over_blocks(work, scope, hypotheses, name, sums_name, scope.expression(merged))
        work.state(whole.targets[name], "=", hypotheses[name], verdict)
    unshifted = [Definition(scope.targets[to], _without_shift(whole, name)) for name, to in (("l", "L"), ("o", "W"))]
    done = Proving(_letters(whole), (*whole.definitions, *unshifted))
    done.given(whole.targets["O"], whole.definition("O").value, "definition", "Attention over all keys at once.")
    found = [Definition(scope.targets[name], value) for name, value in hypotheses.items()]
    end = inline_once(scope.expression(ratio), found)
    verdict = done.claim(end, rule="all blocks", reason="L and W are now the sums over all keys; exp(-s) cancels.")
    work.steps += done.steps
    work.state(whole.targets["O"], "=", scope.expression(ratio), verdict)
    return work.proof()


def _over_blocks(
    work: Proving, scope: Program, hypotheses: dict[str, Expr], name: str, sums_name: str, merged: Expr
) -> Verdict:
    """That the state of a number of blocks is what the hypothesis says: for one block, and for one block more."""
    target, first, new = scope.targets[name], scope.targets[f"{name}_1"], scope.targets[f"{name}_2"]
    total = {entry.name: _without_shift(scope, entry.name) for entry in (first, new)}
    s, s_1, sums = (scope.targets[n] for n in ("s", "s_1", sums_name))
    say = lambda n, values: inline_once(hypotheses[n], values)
    work.given(first, scope.definition(first.name).value, "base", "One block.")
    one = say(name, [Definition(s, s_1), Definition(sums, total[first.name])])
    base = equality(work.steps[-1].expression, one)
    if base.holds:
        work.follow(one, "law of exp", f"{sums_name} is the sum over this block.")
    before = [Definition(scope.targets[f"{n}_1"], say(n, [Definition(s, s_1)])) for n in ("l", "o")]
    work.given(target, merged, "step", "One block more is merged.", "the theorem online-softmax")
    work.follow(inline_once(merged, before), "hypothesis", "What is known of the blocks before.", before)
    after = say(name, [Definition(sums, sums + total[new.name])])
    step = equality(work.steps[-1].expression, after, work.definitions)
    if step.holds:
        work.follow(after, "law of exp", f"The new keys join the sum {sums_name}.")
    return by_induction("b", base, step)


def _without_shift(program: Program, name: str) -> Expr:
    """The state of a block with the shift 0."""
    definition = program.definition(name)
    shift = program.targets[name.replace(name[0], "s", 1)]
    return inline_once(definition.value, [Definition(shift, S.Zero)])


ATTENTION = (
    Theorem(
        name="attention-row-sums",
        title="rowsum(P * dP) = rowsum(G * O): what softmax's backward pass subtracts needs no scores",
        claims=("sum_c G[i,c] O[i,c]",),
        prove=_row_sums,
        source="Dao et al. 2022, arXiv 2205.14135, appendix B.2, equation 4",
        why="A sum over all n keys becomes one over d_v columns of what is in memory anyway; FlashAttention needs it, "
        "since it never has a whole row of P.",
    ),
    Theorem(
        name="online-softmax",
        title="Attention over two blocks of keys, from what each block leaves behind",
        claims=(MERGED_L, MERGED_O, RATIO),
        prove=_merge,
        source="Milakov & Gimelshein 2018, arXiv 1805.02867, section 3; Dao et al. 2022, arXiv 2205.14135, section 3.1",
        why="A block keeps a shift s, a sum l and d_v weighted sums o; nothing else of its keys is needed again. "
        "It holds for any shifts, so for the running maxima that keep exp from overflowing.",
    ),
    Theorem(
        name="chunked-attention",
        title="Attention in any number of blocks is attention over all keys",
        claims=("exp(-s[i]) L[i]", "exp(-s[i]) W[i,c]", RATIO),
        prove=_chunked,
        source="Rabe & Staats 2021, arXiv 2112.05682, section 2; Dao et al. 2022, arXiv 2205.14135, theorem 1",
        why="Exactly the same result, with memory for one block of scores: not an approximation.",
        assumptions=("L and W are the sums of exp(A) and exp(A) V over the keys of the blocks so far",),
    ),
)
