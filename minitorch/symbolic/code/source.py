r"""Which NumPy function computes a program?

One that looks as if written by hand: the formula's own names, one line for a definition with its equation above and its
shape behind, what is needed twice computed once.  It is made from the definitions *as they are written*, never from a
normal form: a variance stays the mean of squared differences.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, cast

from sympy import Expr, Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.code import writing
from minitorch.symbolic.code.accurate import stable
from minitorch.symbolic.code.layout import Code, Pattern
from minitorch.symbolic.code.line import Line, lines_of
from minitorch.symbolic.code.lowering import Lowering
from minitorch.symbolic.code.names import Names, identifier, may_be_defined, one_line
from minitorch.symbolic.code.sharing import shared, without_single_helpers
from minitorch.symbolic.code.shift import shifted
from minitorch.symbolic.code.vanishing import without_vanishing
from minitorch.symbolic.code.vocabulary import HELPERS
from minitorch.symbolic.expression import Entry, Index, dimension, dimensions, free
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Program

_NARROW = Index("_", dimension("_"))  # stands where an array has an axis of size 1
_numbers = count(1)


def numpy_source(
    program: Program,
    name: str = "formula",
    outputs: Sequence[str] = (),
    given: Collection[str] = (),
    title: str = "",
) -> str:
    """The source of a NumPy function that computes a program.

    The function takes the arrays that the outputs need, in the order of the program, with exactly the shapes that its
    docstring gives (nothing is broadcast), after them the sizes that no array tells, and gives the outputs, a tuple if
    there are several.  Floating-point arrays keep their dtype.  It does not write to its arguments.

    Arguments:
        program: forward, backward (:meth:`Program.vjp`) or both (:func:`with_gradients`).
        name: the function's name.
        outputs: the definitions to return; those that no other one reads unless given.
        given: definitions that are passed in, such as values that a forward pass has saved.
        title: the first line of the docstring.

    Raises:
        FormulaError: an output is not defined, or the name is no identifier.

    Example:
        >>> from minitorch.symbolic import parse
        >>> program = parse("x[n,d]: m[i] = mean_k x[i,k]; c[i,k] = x[i,k] - m[i]")
        >>> for line in numpy_source(program, "center").splitlines()[-5:]:
        ...     print(line)
            # m[i] = 1/d*Σ_k x[i,k]
            m = x.mean(axis=1, keepdims=True)  # (n, 1)
            # c[i,k] = x[i,k] - m[i]
            c = x - m  # (n, d)
            return c
    """
    if not may_be_defined(name) or name in HELPERS:
        raise FormulaError(f"code: got the function name {name!r}, wanted a Python identifier. Try {identifier(name)}.")
    outputs = tuple(outputs) or program.outputs
    for output in outputs:
        program.definition(output)
        if output in given:
            raise FormulaError(f"code: {output} is given and wanted. Leave it out of one of them.")
    return _Function(program, name, outputs, given, title).source()


def numpy_function(
    program: Program, name: str = "formula", outputs: Sequence[str] = (), given: Collection[str] = (), title: str = ""
) -> Callable[..., Any]:
    """The function that :func:`numpy_source` writes; ``inspect.getsource`` shows it, and so does a traceback.

    Arguments and errors as for :func:`numpy_source`.

    Example:
        >>> from minitorch.symbolic import parse
        >>> f = numpy_function(parse("x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z"), "softmax")
        >>> import numpy as np
        >>> f(np.array([1e6, 1e6]))
        array([0.5, 0.5])
    """
    text = numpy_source(program, name, outputs, given, title)
    file = f"<formula {name} {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": file}
    exec(compile(text, file, "exec"), space)
    return space[name]


class _Function:
    """A function in the making."""

    def __init__(self, program: Program, name: str, outputs: Sequence[str], given: Collection[str], title: str):
        self.program, self.name, self.outputs, self.given, self.title = program, name, outputs, given, title
        self.notation = Notation.of(program)
        self.lines = self.prepared()
        read = {e.name for line in self.lines for e in line.value.atoms(Entry)}
        defined = {line.name for line in self.lines}
        self.arguments = [n for n in program.targets if n in read - defined]
        arrays = [*self.arguments, *(line.name for line in self.lines)]
        mentioned = [*program.targets.values(), *(line.value for line in self.lines)]
        sizes = dict.fromkeys(str(size) for e in mentioned for size in sorted(dimensions(e), key=str))
        self.names = Names(arrays, sizes, {name, *HELPERS})

    def prepared(self) -> list[Line]:
        """The lines, rewritten: nothing that vanishes, nothing that overflows, nothing twice."""
        lines = lines_of(self.program, self.outputs, self.given)
        lines = without_vanishing(lines, self.program.definitions, self.notation)
        lines = shifted(lines, self.outputs, set(self.program.targets), self.notation)
        lines = [line.with_value(stable(line.value)) for line in lines]
        lines = shared(lines, set(self.program.targets), self.notation)
        return without_single_helpers(lines)

    def source(self) -> str:
        lowering, written = self.lowered()
        body = [*self.docstring(lowering.sizes), *self.size_lines(lowering.sizes)]
        for line, code in zip(self.lines, written, strict=True):
            body += self.line(line, code, lowering.narrow.get(line.name))
        body += writing.result([self.names.array(n) for n in self.outputs])
        untold = [self.names.dimension(s.name) for s in lowering.sizes if not self.told(s)]
        defined = [*writing.signature(self.name, [*map(self.names.array, self.arguments), *untold]), *body]
        helpers = [HELPERS[h].rstrip("\n") for h in lowering.helpers]
        whole = "\n\n\n".join([*helpers, "\n".join(defined)])
        imports = [f"import {m}" for m, used in (("math", "math."), ("numpy as np", "np.")) if used in whole]
        return "\n".join(["\n\n".join(imports), "", "", whole, ""]) if imports else whole + "\n"

    def lowered(self) -> tuple[Lowering, list[Code]]:
        """The code of every line, once it is known which arrays are best kept with axes of size 1."""
        best = self.lower({})
        tried: set[str] = set()
        while untried := {n: p for n, p in self.narrowable(best[0]).items() if n not in tried}:
            name, pattern = untried.popitem()
            tried.add(name)
            other = self.lower({**best[0].narrow, name: pattern})
            if _stretches(other[1]) <= _stretches(best[1]):
                best, tried = other, set(other[0].narrow)
        return best

    def lower(self, narrow: Mapping[str, Pattern]) -> tuple[Lowering, list[Code]]:
        lowering = Lowering(self.names, self.program.indices, narrow)
        return lowering, [self.value(line, lowering) for line in self.lines]

    def narrowable(self, lowering: Lowering) -> dict[str, Pattern]:
        """The arrays inside the function that are only read with the same axes of size 1."""
        inside = {line.name for line in self.lines} - set(self.outputs)
        single = {n: next(iter(found)) for n, found in lowering.patterns.items() if n in inside and len(found) == 1}
        return {name: pattern for name, pattern in single.items() if not all(pattern)}

    def value(self, line: Line, lowering: Lowering) -> Code:
        indices = line.definition.indices
        narrow = lowering.narrow.get(line.name)
        places = iter(indices)
        order = tuple(next(places) if there else _NARROW for there in narrow) if narrow else indices
        code = lowering.code(line.value, order)
        if isinstance(line.value, Entry) and line.name in self.outputs and line.value.name in self.arguments:
            code = Code(f"{code.within(3)}.copy()")
        if set(indices) <= free(line.value):
            return code
        shape = ", ".join(lowering.size(i.dimension).text if i is not _NARROW else "1" for i in order)
        if not indices:
            return code
        return Code(f"np.broadcast_to({code.text}, ({shape}{',' if len(order) == 1 else ''})).copy()")

    def line(self, line: Line, code: Code, narrow: Pattern | None) -> list[str]:
        equation = self.notation.equation(line.shown)
        said = [text for remark in ("", *line.remarks) for text in writing.comment(one_line(remark or equation))]
        sizes = iter(line.definition.target.dimensions)
        shape = [str(next(sizes)) if there else "1" for there in narrow] if narrow else list(map(str, sizes))
        return [*said, *writing.assignment(self.names.array(line.name), code, _shape(shape) if shape else "scalar")]

    def docstring(self, sizes: Iterable[Symbol]) -> list[str]:
        """What the function computes, and the shapes."""
        targets = self.program.targets

        def entry(name: str) -> str:
            sizes = [str(size) for size in targets[name].dimensions]
            called = f", {one_line(name)} of the formula" if self.names.array(name) != name else ""
            return f"        {self.names.array(name)}: {_shape(sizes) if sizes else 'scalar'}{called}"

        first = one_line(self.title) or f"Computes {', '.join(self.names.array(n) for n in self.outputs)}."
        parts = [*writing.paragraph(f'"""{first}'), ""]
        untold = [f"        {self.names.dimension(s.name)}: a size" for s in sizes if not self.told(s)]
        if self.arguments or untold:
            parts += ["    Arguments:", *map(entry, self.arguments), *untold, ""]
        return [*parts, "    Returns:", *map(entry, self.outputs), '    """']

    def size_lines(self, sizes: Iterable[Symbol]) -> list[str]:
        """The dimensions that the code uses as numbers, read off the arguments' shapes."""
        told = [(self.names.dimension(s.name), self.told(s)) for s in sizes]
        return [f"    {name} = {text}" for name, text in told if text]

    def told(self, size: Symbol) -> str:
        """The axis that tells a dimension, as code; empty if none does."""
        axes = [
            (f"{self.names.array(name)}.shape[{axis}]", d)
            for name in self.arguments
            for axis, d in enumerate(self.program.targets[name].dimensions)
        ]
        for text, dim in axes:
            if dim == size:
                return text
        for text, dim in axes:
            factor, rest = cast(Expr, dim.coeff(size)), cast(Expr, dim.coeff(size, 0))
            if factor.is_Integer and factor.is_positive and rest.is_Integer:
                less = f"({text} - {rest})" if rest else text
                return f"{less} // {factor}" if factor != 1 else less
        return ""


def _stretches(written: Sequence[Code]) -> int:
    """How many axes of size 1 have to be put in."""
    return sum(code.text.count("None") for code in written)


def _shape(sizes: Sequence[str]) -> str:
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
