r"""Which gradient does an operation of the engine have, and does the engine compute it?

The formula is read from the operation's own record, derived with symbolic sizes, proved, and then evaluated on random
arrays beside the engine's gradients; the verdict lists that comparison with its largest error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from minitorch.errors import FormulaError
from minitorch.ops.fused import softmax
from minitorch.primitive import Composite, Primitive
from minitorch.reverse import grad
from minitorch.symbolic.derivation import Derivation
from minitorch.symbolic.derive import derive_gradients, derive_jacobian, gradients
from minitorch.symbolic.entrywise import shown_sizes
from minitorch.symbolic.parse import parse
from minitorch.symbolic.printing import Notation, to_mathml
from minitorch.symbolic.program import Program
from minitorch.symbolic.sampling import draw_arrays
from minitorch.symbolic.sizes import infer_sizes
from minitorch.tensor import Tensor

Operation = Primitive[...] | Composite[...]
TOLERANCE = 1e-12  # in float64, relative to the largest entry of a gradient


def program_of(
    operation: Operation, ranks: Mapping[str, int] | None = None, static: Mapping[str, Any] | None = None
) -> Program:
    """The formula in an operation's record, as a program whose inputs stand in the order of the operation's.

    Args:
        ranks: the number of axes of each input, for operations of any rank; 1 unless given.
        static: static arguments that the formula depends on; their defaults unless given.

    Raises:
        FormulaError: the record has no formula.

    >>> print(program_of(softmax))
    Z = Σ_k exp(x[k])
    S[i] = exp(x[i])/Z
    """
    defaults: Mapping[str, Any] = {}
    if isinstance(operation, Primitive):
        defaults, ranks = operation.static, dict.fromkeys(operation.inputs, 1) if ranks is None else ranks
    text: str | None = None
    if callable(operation.formula):
        text = operation.formula(ranks or {}, {**defaults, **(static or {})})
    elif operation.formula is not None:
        text = operation.formula
    if text is None:
        case = f" for {dict(static)}" if static else ""
        raise FormulaError(f"{operation.name}: its record has no formula{case}. Give one with formula=...")
    program = parse(text, ranks)
    if isinstance(operation, Composite):
        return program
    order = {name: place for place, name in enumerate(operation.inputs)}
    return replace(program, entries=tuple(sorted(program.entries, key=lambda entry: order[entry.name])))


def inputs_of(operation: Operation, program: Program, seed: int = 0) -> dict[str, Any]:
    """Inputs that an operation can take: random arrays for its formula's, its own numbers for the settings among them.

    >>> from minitorch.ops.norms import layer_norm
    >>> inputs_of(layer_norm, program_of(layer_norm))["eps"]
    1e-05
    """
    options = inspect.signature(operation).parameters if isinstance(operation, Composite) else {}
    numbers = {name: options[name].default for name, sizes in program.inputs.items() if not sizes and name in options}
    return random_arrays(program, seed) | {name: n for name, n in numbers.items() if isinstance(n, float)}


def definitions_mathml(operation: Operation) -> list[str]:
    """The equations of an operation's formula, as MathML."""
    program = program_of(operation)
    return [to_mathml(Notation.of(program).equation_latex(d)) for d in program.definitions]


def derive_operation(
    operation: Operation, wrt: Sequence[str], *, name: str | None = None, sizes: Mapping[str, int] | None = None
) -> list[Derivation]:
    """The gradients of an operation by some of its inputs, derived, proved, and compared with the engine's.

    Args:
        operation: a primitive, or a composite, with a formula.
        wrt: the inputs' names.
        name: what to call it; its own name unless given.
        sizes: for the comparison with `sympy.diff`, see `derive_gradients`.

    Raises:
        FormulaError: no formula, a step that does not follow, or an engine that disagrees.
    """
    program = program_of(operation)
    derived = derive_gradients(program, program.outputs[-1], wrt, op=name or operation.name, sizes=sizes)
    said = engine_agrees(program, operation, wrt)
    return [d.with_method(said) for d in derived]


def derive_softmax_jacobian() -> Derivation:
    r"""The Jacobian of softmax, dS_i/dx_j = S_i (delta_ij - S_j), from the engine's own formula.

    >>> derivation = derive_softmax_jacobian()
    >>> print(derivation.steps[-1].text())
    ∂S[i]/∂x[j] = S[i]*(δ(i,j) - S[j])
    >>> derivation.verdict.kind
    'proved for all sizes'
    """
    program = program_of(softmax)
    return derive_jacobian(program, "S", "x", op="softmax").with_method(engine_agrees(program, softmax, ["x"]))


def engine_agrees(
    program: Program,
    function: Callable[..., Any],
    wrt: Sequence[str],
    seed: int = 0,
    *,
    output: str = "",
    arrays: Mapping[str, Any] | None = None,
) -> str:
    """Compare the derived gradients with the engine's on float64 arrays; say the largest error and the sizes.

    Args:
        program: the formula of `function`, whose inputs are the function's arguments in this order.
        function: takes Tensors and gives a Tensor.
        wrt: the inputs to differentiate by.
        output: what `function` gives; the last output unless given.
        arrays: the inputs by name, floating ones as arrays, which become Tensors; those of `inputs_of` unless given.

    Raises:
        FormulaError: they differ by more than 1e-12.
    """
    output = output or program.outputs[-1]
    if arrays is None:
        known = isinstance(function, Primitive | Composite)
        arrays = inputs_of(function, program, seed) if known else random_arrays(program, seed)
    given = {name: arrays[name] for name in program.inputs}
    tensors = {n: Tensor(a, requires_grad=n in wrt) if _is_floating(a) else a for n, a in given.items()}
    value = function(*tensors.values())
    cotangent = np.random.default_rng(seed).standard_normal(value.shape)
    derived = gradients(program, arrays, output, cotangent, wrt)
    worst = 0.0
    for name, g in zip(wrt, grad(value, [tensors[n] for n in wrt], cotangent), strict=True):
        error = float(np.abs(derived[name] - g.numpy()).max() / max(1.0, np.abs(derived[name]).max()))
        if not error <= TOLERANCE:
            raise FormulaError(
                f"the engine's gradient by {name} differs from the derived one by {error:.1e}, wanted at most "
                f"{TOLERANCE:g}. Check the operation's rule against its formula."
            )
        worst = max(worst, error)
    sizes = infer_sizes(program.entries, {name: np.asarray(a) for name, a in given.items()})
    return f"engine's gradient on random float64 arrays, largest error {worst:.0e} at {shown_sizes(sizes)}"


def random_arrays(program: Program, seed: int = 0) -> dict[str, Any]:
    """Standard normal float64 inputs of a program; all dimensions differ, so that no swapped axis can hide."""
    sizes = dict(zip(_dimensions(program), count(3), strict=False))
    return dict(draw_arrays(program.entries, sizes, np.random.default_rng(seed)))


def _is_floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _dimensions(program: Program) -> list[Any]:
    """The dimension symbols of the inputs, in order of appearance."""
    sizes = [size for entry in program.entries for size in entry.dimensions]
    ranges = [entry.values for entry in program.entries if entry.values is not None]
    return list(dict.fromkeys(s for size in (*sizes, *ranges) for s in sorted(size.free_symbols, key=str)))
