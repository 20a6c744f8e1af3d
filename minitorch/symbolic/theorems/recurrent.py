r"""How does a gradient travel through $k$ steps of a recurrent network?

As a product of $k$ factors, one a step: with $M_s = \operatorname{diag}(1 - h_s^2)\,U$ for the tanh RNN,

$$ \frac{\partial h_t}{\partial h_{t-k}} = M_t\,M_{t-1} \cdots M_{t-k+1}, $$

and with $M_s = \operatorname{diag}(f_s)$ along the cell path of an LSTM.  By induction over $k$: in the step, what $k$
steps have given is an array $J_k$ about which nothing else is known.

Source: Pascanu et al. 2013, arXiv 1211.5063, equation 5; Hochreiter and Schmidhuber 1997, Neural Computation 9,
section 3; Gers et al. 2000, Neural Computation 12 (the forget gate).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
from sympy import Expr, Symbol

from minitorch.reverse import grad
from minitorch.symbolic.binders import close, rename
from minitorch.symbolic.derivation import Derivation
from minitorch.symbolic.derive import derive_jacobian
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Array, Entry, Index, Partial, Sum
from minitorch.symbolic.library import find
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Program
from minitorch.symbolic.theorems.checks import as_computed, differentiated, equality
from minitorch.symbolic.theorems.induction import by_induction
from minitorch.symbolic.theorems.programs import extended, renamed_in, with_one
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.verdict import Verdict
from minitorch.tensor import Tensor

ONE_STEP = "(1 - h'[j]**2) U[j,k]"  # of the tanh RNN: the Jacobian of h'[j] by h[k]
STEPS, SEED = 5, 0  # of the comparison with the engine
_OPAQUE, _LATER = "J", "later"  # the Jacobian of k steps, and the state that it leads to


@dataclass(frozen=True)
class Path:
    """A state that one step of a cell leads from ``old`` to ``new``, for one row of a batch."""

    cell: str
    old: str
    new: str

    @property
    def known(self) -> Known:
        return find(self.cell)

    @cached_property
    def program(self) -> Program:
        program = self.known.program
        (rows, _) = program.array(self.old).dimensions
        return with_one(program, cast(Symbol, rows))

    @cached_property
    def width(self) -> Symbol:
        return cast(Symbol, self.program.array(self.old).dimensions[0])

    @cached_property
    def linear(self) -> Program:
        """The cell, and behind it k steps to first order, by an opaque Jacobian."""
        J = Array(_OPAQUE, (self.width, self.width))
        return extended(self.program, f"{_LATER}[i] = sum_j {_OPAQUE}[i,j] {self.new}[j]", J)

    def factor(self, claim: str) -> Expr:
        """The claimed Jacobian of one step, of ``new[j]`` by ``old[k]``."""
        return self.program.expression(claim)


RNN = Path("rnn-cell", "h", "h'")
LSTM = Path("lstm-cell-memory", "c", "c'")


def through_time(path: Path, claim: str) -> Proof:
    """The Jacobian of any number of steps is the product of those of one step, which is what is claimed."""
    i, j, k = (Index(letter, path.width) for letter in "ijk")
    factor = path.factor(claim)
    base_derivation = derive_jacobian(path.program, path.new, path.old)
    base = _verdict(path.program, base_derivation, factor)
    step_derivation = derive_jacobian(path.linear, _LATER, path.old)
    by = cast(Partial, step_derivation.steps[-1].left).by.indices[0]
    longer = rename(close(Sum, Array(_OPAQUE, (path.width,) * 2)[i, j] * factor, [j]), {k: by})
    step = _verdict(path.linear, step_derivation, longer)
    work = Proving(Notation.of(path.program), path.linear.definitions)
    _show(work, path, base_derivation, factor, base, "base")
    old = path.old
    one = {path.new: f"{old}_{{t}}", old: f"{old}_{{t-1}}"}
    work.state(renamed_in(base_derivation.steps[-1].left, one), "=", renamed_in(factor, one), base)
    _show(work, path, step_derivation, longer, step, "step")
    verdict = by_induction("k", base, step)
    state = Array(path.new, (path.width,))
    left = Partial(state[i], Array(old, (path.width,))[j])
    many = {path.new: f"{old}_{{t}}", old: f"{old}_{{t-k}}"}
    work.state(renamed_in(left, many), "=", _product(path.width)[i, j], verdict)
    if verdict.holds:
        work.also(_engine(path, factor))
    return work.proof()


def _product(width: Symbol) -> Array:
    return Array("(M_{t} M_{t-1} ⋯ M_{t-k+1})", (width, width))


def _verdict(program: Program, derivation: Derivation, claim: Expr) -> Verdict:
    raw = next(step for step in derivation.steps if step.rule == "differentiate")
    verdict = equality(raw.expression, claim, program.definitions, by_entry=False)
    return differentiated(verdict, cast(Partial, raw.left), claim, program.definitions)


def _show(work: Proving, path: Path, derivation: Derivation, found: Expr, verdict: Verdict, case: str) -> None:
    """The steps of one case, and what it shows, with the times written on the states."""
    old, new = path.old, path.new
    names = {new: f"{old}_{{t}}", old: f"{old}_{{t-1}}"}
    if case == "step":
        names = {_LATER: f"{old}_{{t}}", new: f"{old}_{{t-k}}", old: f"{old}_{{t-k-1}}", _OPAQUE: "J_{k}"}
    for line in derivation.steps:
        if case == "step" and isinstance(line.left, Entry):
            line = replace(line, relation="≈", reason="To first order, by the hypothesis for k steps.")
        left, right = renamed_in(line.left, names), renamed_in(line.expression, names)
        line = replace(line, left=left, expression=right, rule=f"{case}, {line.rule}")
        if not work.steps or line.text() != work.steps[-1].text():
            work.steps.append(line)
    if verdict.holds:
        left = renamed_in(derivation.steps[-1].left, names)
        work.add(left, "=", renamed_in(found, names), case, "In saved values.", str(verdict))


def run(path: Path) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
    """What every step of the engine's cell has seen, and the engine's Jacobian of the last state by the first.

    Only the state of the path carries a gradient from step to step: what else goes on is a constant.
    """
    inputs = path.known.arrays(SEED)
    rng = np.random.default_rng(SEED)
    row = {name: array[:1] for name, array in inputs.items() if name in _states(path)}
    given, seen = inputs | row, []
    start = state = Tensor(given[path.old], requires_grad=True)
    for _ in range(STEPS):
        given |= {"x": rng.standard_normal(inputs["x"][:1].shape), path.old: state}
        state = path.known.run(*(given[name] for name in path.known.program.inputs))
        values = given | {path.old: given[path.old].detach().numpy()}
        at = {name: value[0] if name in row else value for name, value in values.items()}
        seen.append(at | path.program.evaluate(at))
    eye = np.eye(state.shape[1])
    rows = [grad(state, [start], unit[None], retain_graph=True)[0].numpy()[0] for unit in eye]
    return seen, np.stack(rows)


def _states(path: Path) -> set[str]:
    """The inputs with a row for each member of the batch."""
    rows = path.known.program.array(path.old).dimensions[0]
    return {entry.name for entry in path.known.program.entries if rows in entry.dimensions}


def one_step(path: Path, factor: Expr, seen: Mapping[str, np.ndarray]) -> np.ndarray:
    """The claimed Jacobian of one step on arrays."""
    return evaluate(factor, seen, tuple(Index(letter, path.width) for letter in "jk"))


def _engine(path: Path, factor: Expr) -> str:
    seen, computed = run(path)
    product = np.linalg.multi_dot([one_step(path, factor, at) for at in reversed(seen)])
    what = f"the engine's Jacobian over {STEPS} steps"
    i, j = (Index(letter, path.width) for letter in "ij")
    return as_computed(_product(path.width)[i, j], {_product(path.width).name: product}, what, computed, (i, j))


RECURRENT = (
    Theorem(
        name="rnn-through-time",
        title="Through k steps of a tanh RNN the gradient is multiplied by k matrices diag(1 - h^2) U",
        claims=(ONE_STEP,),
        prove=lambda claim: through_time(RNN, claim),
        source="Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, equation 5",
        why="The same U is met at every step: its powers vanish or explode, and tanh only makes them smaller.",
        assumptions=("M_s is the claimed Jacobian of one step, with the state h' that step s has led to",),
    ),
    Theorem(
        name="lstm-cell-path",
        title="Along the cell of an LSTM the gradient is multiplied by forget gates, and by nothing else",
        claims=("delta(j,k) f[j]",),
        prove=lambda claim: through_time(LSTM, claim),
        source="Gers, Schmidhuber & Cummins 2000, Learning to forget, Neural Computation 12, section 3",
        why="No matrix and no tanh stand on this path: where forget gates are near 1, a gradient arrives unchanged.",
        assumptions=(
            "the direct path: the partial derivative by c with x and h held fixed, so that the gates are constants",
            "M_s is the claimed Jacobian of one step",
        ),
    ),
)
