"""What is said of an operation, and in which order?  What it computes, each gradient, its steps, the textbook's form,
and how far all that is known to be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Expr

from minitorch.symbolic.derivation import Derivation, Step
from minitorch.symbolic.document.blocks import (
    Block,
    Checked,
    Document,
    Equations,
    Heading,
    Line,
    Paragraph,
    Part,
    Steps,
)
from minitorch.symbolic.expression import Entry
from minitorch.symbolic.phrase import Maths, Phrase, listed
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Program
from minitorch.symbolic.reverse import seed_entry


def compose_operation(
    title: str, program: Program, output: str, seed: str, derivations: Sequence[Derivation], about: str = ""
) -> Document:
    """The document of an operation: its definitions, and its gradients derived."""
    blocks = (Heading(1, title), *operation_blocks(program, output, seed, derivations, about, level=2))
    return Document(title, blocks)


def compose_formula(program: Program, output: str, seed: str, derivations: Sequence[Derivation]) -> Document:
    """The document of somebody's own formula."""
    return compose_operation(f"Gradients of {output}", program, output, seed, derivations)


def operation_blocks(
    program: Program,
    output: str,
    seed: str,
    derivations: Sequence[Derivation],
    about: str,
    level: int,
    with_steps: bool = True,
) -> Iterable[Block]:
    """The blocks of an operation, without its title."""
    notation = Notation.of(program)
    if about:
        yield Paragraph(Phrase(about))
    arrays = listed([_with_shape(notation, entry) for entry in program.entries])
    yield Paragraph(Phrase("From ", arrays, " it computes"))
    yield Equations(tuple(notation.shown(d) for d in program.definitions))
    incoming = notation.maths(seed_entry(program, output, seed))
    target = notation.maths(program.definition(output).target)
    arrives = Maths(f"{incoming.text} = ∂L/∂{target.text}", rf"{incoming.latex} = \partial L / \partial {target.latex}")
    yield Paragraph(Phrase("Given is the gradient that arrives at the output, ", arrives, "."))
    told: dict[tuple[Step, ...], str] = {}
    for derivation in derivations:
        yield Heading(level, f"The gradient by {derivation.input}")
        yield from derivation_blocks(derivation, told, with_steps)


def derivation_blocks(
    derivation: Derivation, told: dict[tuple[Step, ...], str] | None = None, with_steps: bool = True
) -> Iterable[Block]:
    """One gradient: the result, the steps, the textbook's form, the verdict.

    Arguments:
        told: chains of steps that the document has shown already, with the input that they were shown for; grows.
    """
    told = {} if told is None else told
    new = [chain for chain in derivation.chains if chain not in told]
    before = [(chain, told[chain]) for chain in derivation.chains if chain in told]
    shown = {id(step) for chain in new for step in chain}
    yield Equations(tuple(step.maths for step in derivation.summary if id(step) in shown))
    if before:
        where = listed(dict.fromkeys(by for _, by in before))
        yield Paragraph(
            Phrase(listed([_name(c) for c, _ in before]), " as in the gradient by ", where, ", above."),
        )
    if with_steps:
        yield steps_block(new)
    if derivation.textbook:
        source = derivation.textbook.source.rstrip(".")
        yield Paragraph(Phrase("The textbook's form is equal to it", f" ({source})" if source else "", ":"))
        yield Equations(derivation.textbook.equations)
        yield Checked(derivation.textbook.verdict.kind, derivation.textbook.verdict.methods)
    yield Paragraph(Phrase("The result itself, by methods that do not use the steps:"))
    yield Checked(derivation.verdict.kind, derivation.verdict.methods)
    told.update(dict.fromkeys(new, derivation.input))


def steps_block(chains: Sequence[tuple[Step, ...]]) -> Steps:
    """The steps of some chains, each chain under the name of its gradient."""
    parts = [Part(Phrase("The gradient ", _name(chain)), tuple(map(_line, chain))) for chain in chains]
    count = sum(len(part.lines) for part in parts)
    return Steps(f"The {count} steps" if count > 1 else "The step", tuple(parts))


def _line(step: Step) -> Line:
    return Line(step.maths, step.rule, Phrase(step.reason), step.proof if step.checked else "")


def _name(chain: Sequence[Step]) -> Maths:
    """What a chain of steps arrives at."""
    last = chain[-1]
    gradient = isinstance(last.left, Entry) and last.left.name in last.notation.gradients
    shown = last.notation.maths(last.left)
    return shown if gradient else Maths(last.notation.left_text(last.left), last.notation.left_latex(last.left))


def _with_shape(notation: Notation, entry: Entry) -> Phrase:
    """An array with its dimensions: ``Q (n × d_k)``."""
    name = notation.maths(Entry(entry.symbol))
    sizes: list[Expr] = list(entry.dimensions)
    if not sizes:
        return Phrase("the number ", name)
    shown = [notation.maths(size) for size in sizes]
    text, latex = " × ".join(m.text for m in shown), r" \times ".join(m.latex for m in shown)
    return Phrase(name, " (", Maths(text, latex), ")")
