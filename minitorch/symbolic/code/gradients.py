r"""Which program computes an output and its gradients together, and which of its values are kept in between?"""

from __future__ import annotations

from collections.abc import Sequence

from minitorch.symbolic.program import Program
from minitorch.symbolic.reverse import gradient_name


def with_gradients(program: Program, output: str, wrt: Sequence[str], seed: str = "G") -> Program:
    """The definitions of a program followed by those of the gradients of ``sum(seed * output)``.

    Arguments and errors as for :func:`minitorch.symbolic.reverse.vjp`.

    Example:
        >>> from minitorch.symbolic import parse
        >>> print(with_gradients(parse("x[n]: h[i] = tanh(x[i])"), "h", ["x"]))
        h[i] = tanh(x[i])
        dx[i] = G[i]*(1 - h[i]**2)
    """
    back = program.vjp(output, wrt, seed)
    entries = (*program.entries, back.targets[seed]) if seed in back.targets else program.entries
    return Program(entries, (*program.definitions, *back.definitions), program.indices)


def kept(program: Program, output: str, wrt: Sequence[str], seed: str = "G") -> tuple[str, ...]:
    """The arrays of the forward pass that the derived backward pass reads: inputs and definitions, in order.

    >>> from minitorch.symbolic import parse
    >>> kept(parse("x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z"), "S", ["x"])
    ('S',)
    """
    back = program.vjp(output, wrt, seed)
    return tuple(name for name in program.targets if name in back.inputs)


def gradient_names(wrt: Sequence[str]) -> tuple[str, ...]:
    """What the gradients are called."""
    return tuple(map(gradient_name, wrt))
