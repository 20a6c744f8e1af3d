r"""Which changes does a layer not see, and which formulas are the same one?

Layer normalisation does not see a shift and a scale of its input, as far as $\varepsilon$ allows; multi-head attention
with one head is attention; and $\tanh x = 2\,\sigma(2x) - 1$.

Source: Ba, Kiros and Hinton 2016, arXiv 1607.06450, section 5.1; Vaswani et al. 2017, arXiv 1706.03762, section 3.2.2.
"""

from __future__ import annotations

from typing import cast

from sympy import Symbol

from minitorch.ops.elementwise import tanh
from minitorch.symbolic.expression import Array
from minitorch.symbolic.library import find
from minitorch.symbolic.operation import program_of
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.theorems.programs import inline_once, over, renamed, with_one, with_value
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem


def _layer_norm(*claims: str) -> Proof:
    """The same layer on a x + c, with a**2 eps for eps: what each of its values becomes."""
    program = find("layer-norm").program
    a, c = Array("a", (), positive=True)[()], Array("c")[()]
    x, eps = program.targets["x"], program.targets["eps"]
    changed = with_value(program, Definition(x, a * x + c), Definition(eps, a**2 * eps))
    own = {d.name: f"{d.name}'" for d in program.definitions}
    changed = renamed(changed, own)
    scope = Program((*program.entries, a, c), program.definitions, program.indices)
    work = Proving(Notation.of(program), (*program.definitions, *changed.definitions))
    known: list[Definition] = []
    for definition, claim in zip(changed.definitions, claims, strict=True):
        right = scope.expression(claim)
        work.given(definition.target, definition.value, "definition", "Of the input a x + c.")
        work.follow(inline_once(definition.value, known), "from above", "What has been found of the values it reads.")
        if not work.claim(right, rule="collect", reason="a and c are the same for all entries.").holds:
            break
        known.append(Definition(definition.target, right))
    return work.proof()


def _one_head(claim: str) -> Proof:
    many = find("multi-head-attention").program
    heads = cast(Symbol, many.array("W_q").dimensions[0])
    one = with_one(many, heads)
    single = find("attention").program
    n, m = single.array("P").dimensions
    single = over(single, {cast(Symbol, m): cast(Symbol, n)})
    projections = [one.definition(name) for name in single.inputs]
    attention = Program(one.entries, (*projections, *single.definitions), one.indices)
    work = Proving(Notation.of(one), attention.definitions)
    Y = one.targets["Y"]
    work.given(Y, one.inline(one.definition("Y").value), "one head", "All sums over heads have one term.")
    work.claim(attention.expression(claim), rule="reuse saved values", reason="O is that of single attention.")
    return work.proof()


def _tanh(claim: str) -> Proof:
    program = program_of(tanh)
    work = Proving(Notation.of(program), program.definitions)
    work.given(program.definitions[0].target, program.definitions[0].value, "definition", "The engine's tanh.")
    work.claim(program.expression(claim), rule="exponentials", reason="Both are the same ratio of exponentials.")
    return work.proof()


INVARIANCE = (
    Theorem(
        name="layer-norm-invariance",
        title="Layer normalisation does not see a shift and a scale of its input",
        claims=("a m[i] + c", "a**2 v[i]", "r[i] / a", "h[i,j]", "out[i,j]"),
        prove=_layer_norm,
        source="Ba, Kiros & Hinton 2016, arXiv 1607.06450, section 5.1 and table 1",
        why="However large the sums before it grow, what comes out has the same size; so gradients do, too.",
        assumptions=("a > 0", "eps is scaled with the variance, to a**2 eps; for eps = 0 nothing need be changed"),
    ),
    Theorem(
        name="one-head",
        title="Multi-head attention with one head is attention",
        claims=("sum_c O[i,c] W_o[c,x]",),
        prove=_one_head,
        source="Vaswani et al. 2017, arXiv 1706.03762, section 3.2.2",
        why="Heads are nothing but attention several times side by side, with the results mixed by W_o.",
    ),
    Theorem(
        name="tanh-sigmoid",
        title="tanh is a sigmoid, stretched",
        claims=("2 sigmoid(2 x[b]) - 1",),
        prove=_tanh,
        source="Abramowitz & Stegun 1964, Handbook of Mathematical Functions, 4.5.3; Bishop 2006, equation 5.59",
        why="A network with one of them can compute whatever one with the other can.",
    ),
)
