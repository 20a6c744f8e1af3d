r"""What do sines and cosines of positions make easy to see?  Distances.

With the angles $a_i = t\,w_i$ of position $t$, going on by $k$ is a rotation that does not depend on $t$,

$$ \begin{pmatrix} \sin (t + k) w_i \\ \cos (t + k) w_i \end{pmatrix}
   = \begin{pmatrix} \cos k w_i & \sin k w_i \\ -\sin k w_i & \cos k w_i \end{pmatrix}
     \begin{pmatrix} \sin t w_i \\ \cos t w_i \end{pmatrix} , $$

and the product of a query turned by $m\,w$ and a key turned by $n\,w$ depends on $m - n$ alone.

Source: Vaswani et al. 2017, arXiv 1706.03762, section 3.5; Su et al. 2021, arXiv 2104.09864, equations 11 and 16.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from sympy import Expr, Symbol, cos, sin

from minitorch.errors import FormulaError
from minitorch.ops.rotary import rotary
from minitorch.symbolic.binders import swap
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Array, free
from minitorch.symbolic.library import find
from minitorch.symbolic.parse import parse
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.theorems.checks import as_computed
from minitorch.symbolic.theorems.programs import joined, renamed, with_value
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.theorems.trigonometry import equal_angles

SINUSOIDAL = "w[d], t, k: s[i] = sin(t w[i]); c[i] = cos(t w[i])"  # two of the 2 d columns of position t


def sinusoidal() -> Program:
    """The columns at position t, and as s' and c' those at t + k."""
    program = parse(SINUSOIDAL)
    t, k = program.targets["t"], program.targets["k"]
    moved = with_value(program, Definition(t, t + k))
    later = renamed(moved, {name: f"{name}'" for name in ("s", "c")})
    return joined(program, later)


def _claim(work: Proving, program: Program, left: Expr, claim: str, rule: str, reason: str) -> bool:
    """Say what the left side is in angles, and compare it with the claim."""
    right = program.expression(claim)
    work.given(left, program.inline(left), "definition", reason)
    verdict = equal_angles(left, right, program.definitions)
    work.claim(right, verdict, rule, "The addition theorem of sine and cosine.")
    return verdict.holds


def _rotation(first: str, second: str, length: str, product: str) -> Proof:
    program = sinusoidal()
    work, read = Proving(Notation.of(program), program.definitions), program.expression
    _claim(work, program, read("s'[i]"), first, "rotate", "The sine column at t + k.")
    _claim(work, program, read("c'[i]"), second, "rotate", "The cosine column at t + k.")
    turn = read("cos(k w[i])**2 + sin(k w[i])**2")
    _claim(work, program, turn, length, "Pythagoras", "The rows of the matrix have this squared length.")
    both = read("sum_i (s[i] s'[i] + c[i] c'[i])")
    _claim(work, program, both, product, "sum", "The product of two position vectors.")
    return work.proof()


def turned(vector: str, position: str) -> Program:
    """A pair of columns as the engine's rotary turns it: u and v from the columns x and y at an angle position * w."""
    engine = find("rotary-positions").program
    angle, u, v = (engine.definition(name) for name in "auv")
    row, k = angle.indices
    named = lambda name: Array(f"{name}_{vector}", (k.dimension,))[k]
    place, w, a = Array(position)[()], Array("w", (k.dimension,))[k], named("a")
    # u = x cos a - y sin a, where x and y are two columns of a row; which ones does not matter here.
    first, second = (cast(Expr, u.value.coeff(function(angle.target))) for function in (cos, sin))
    columns = {first: named("x"), -second: named("y")}
    changed = [Definition(named(d.name), swap(d.value, {angle.target: a} | columns)) for d in (u, v)]
    frequency = angle.value / row
    if row in free(frequency):
        raise FormulaError(f"theorem: the angle {angle.value} of the engine's rotary is no multiple of the position.")
    return Program((place, w, *columns.values()), (Definition(a, place * w), *changed), (k,))


def _relative(score: str) -> Proof:
    program = joined(turned("q", "m"), turned("k", "n"))
    work = Proving(Notation.of(program), program.definitions)
    both = program.expression("sum_k (u_q[k] u_k[k] + v_q[k] v_k[k])")
    if _claim(work, program, both, score, "sum", "The product of a turned query and a turned key."):
        work.also(_rotary_in_engine(program, program.expression(score)))
    return work.proof()


def _rotary_in_engine(program: Program, claim: Expr) -> str:
    """Compare the claim with a product of rows that the engine has turned."""
    rng, pairs = np.random.default_rng(0), 3
    q, k = rng.standard_normal((2, 2 * pairs))
    m, n = 7, 3
    engine = find("rotary-positions")
    turn = lambda x, position: np.asarray(rotary(x[None], positions=[position], **engine.static))[0]
    (index,) = program.indices
    frequency = engine.program.definition("a")
    w = evaluate(frequency.value / frequency.indices[0], {}, (index,), {cast(Symbol, index.dimension): pairs})
    arrays = {"m": m, "n": n, "w": w, "x_q": q[::2], "y_q": q[1::2], "x_k": k[::2], "y_k": k[1::2]}
    return as_computed(claim, arrays, "the engine's rotary", turn(q, m) @ turn(k, n))


POSITIONS = (
    Theorem(
        name="sinusoidal-rotation",
        title="PE(t + k) is a rotation of PE(t), the same for every t",
        claims=(
            "cos(k w[i]) s[i] + sin(k w[i]) c[i]",
            "cos(k w[i]) c[i] - sin(k w[i]) s[i]",
            "1",
            "sum_i cos(k w[i])",
        ),
        prove=_rotation,
        source="Vaswani et al. 2017, arXiv 1706.03762, section 3.5",
        why="One matrix looks k positions ahead from anywhere, and the product of two position vectors depends on "
        "their distance alone.",
        assumptions=(
            "PE(t, 2i) = sin(t w[i]) and PE(t, 2i + 1) = cos(t w[i]), with w[i] = 10000**(-i / d), 2 d columns",
        ),
    ),
    Theorem(
        name="rotary-relative",
        title="With rotary positions, a score depends on the distance m - n alone",
        claims=(
            "sum_k ((x_q[k] x_k[k] + y_q[k] y_k[k]) cos((m - n) w[k])"
            " + (x_q[k] y_k[k] - y_q[k] x_k[k]) sin((m - n) w[k]))",
        ),
        prove=_relative,
        source="Su et al. 2021, arXiv 2104.09864, equations 11 and 16",
        why="Absolute positions are turned in, and only relative ones come out: no table of distances is needed.",
        assumptions=("x and y are the two columns of pair k, w[k] is the frequency in the engine's formula",),
    ),
)
