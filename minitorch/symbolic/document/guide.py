"""What does a student read from top to bottom?  The notation on one page, then every operation, as the story goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from minitorch.symbolic.derivation import Derivation
from minitorch.symbolic.derive import derive_gradients
from minitorch.symbolic.document.blocks import (
    Block,
    Checked,
    Document,
    Equations,
    Heading,
    Items,
    Line,
    Paragraph,
    Steps,
)
from minitorch.symbolic.document.compose import compose_operation, operation_blocks, theorem_blocks
from minitorch.symbolic.library import LIBRARY, Known
from minitorch.symbolic.library.record import SEED
from minitorch.symbolic.parse import parse
from minitorch.symbolic.phrase import Code, Maths, Phrase
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.theorems import theorems

THEOREMS_TITLE = "Theorems of the subject"
TITLE = "The gradients of the library, derived"
# What each chapter tells, in the order of the story; operations that are named nowhere come last.
CHAPTERS: dict[str, tuple[str, ...]] = {
    "From scores to a loss": (
        "softmax",
        "log-softmax",
        "logsumexp",
        "cross-entropy",
        "cross-entropy-soft",
        "cross-entropy-smoothed",
        "kl-divergence",
        "sigmoid-cross-entropy",
    ),
    "Layers and normalisation": ("linear", "embedding", "layer-norm", "rms-norm", "group-norm"),
    "Activations": ("gelu", "gelu-tanh", "silu", "swiglu"),
    "Recurrent cells": ("rnn-cell", "lstm-cell", "lstm-cell-memory", "gru-cell"),
    "Convolution": ("causal-conv1d",),
    "Attention": (
        "additive-attention",
        "attention",
        "attention-scaled",
        "attention-masked",
        "multi-head-attention",
        "cross-attention",
        "linear-attention",
        "rope",
    ),
}
_EXAMPLE = parse("x[n]: y[i] = sum_k x[k] x[i]")


def compose_known(known: Known, wrt: Sequence[str]) -> Document:
    """The document of one operation of the library, with the gradients by some of its inputs."""
    from minitorch.symbolic.library import derivations

    chosen = [d for d in derivations(known) if d.input in wrt]
    return compose_operation(known.title, known.program, known.differentiated, SEED, chosen, known.about)


def compose_guide(watched: Callable[[list[str]], Iterable[str]] = lambda names: names) -> Document:
    """The whole library as one document.

    Arguments:
        watched: gives the names of the operations as they are, one by one; a place for a progress bar.
    """
    blocks: list[Block] = [Heading(1, TITLE), *_introduction()]
    chapter = ""
    for name in watched(story()):
        if chapter != (chapter := chapter_of(name)):
            blocks.append(Heading(2, chapter))
        blocks += chapter_blocks(name)
    blocks.append(Heading(2, THEOREMS_TITLE))
    for theorem in theorems():
        blocks += [Heading(3, theorem.title), *map(_portable, theorem_blocks(theorem))]
    return Document(TITLE, tuple(blocks))


def compose_theorems() -> Document:
    """The theorems as one document."""
    parts = (block for theorem in theorems() for block in (Heading(2, theorem.title), *theorem_blocks(theorem)))
    return Document(THEOREMS_TITLE, (Heading(1, THEOREMS_TITLE), *parts))


def story() -> list[str]:
    """The names of all operations, in the order in which they are told."""
    told = [name for names in CHAPTERS.values() for name in names if name in LIBRARY]
    return [*told, *(name for name in LIBRARY if name not in told)]


def chapter_of(name: str) -> str:
    """The chapter in which an operation is told."""
    return next((chapter for chapter, names in CHAPTERS.items() if name in names), "Further operations")


def chapter_blocks(name: str) -> list[Block]:
    """The section of one operation."""
    known, seed = LIBRARY[name], SEED
    before = _told_before(known)
    said = Phrase("By itself: ", _command(name), ".")
    if before is not None:
        said = Phrase("The steps are those of the section ", before.title, "; to see them: ", _command(name), ".")
    inside = operation_blocks(
        known.program, known.differentiated, seed, steps_of(name), known.about, level=4, with_steps=before is None
    )
    return [Heading(3, known.title), Paragraph(said), *inside]


def _portable(block: Block) -> Block:
    """A block that does not say the rounding errors that were met: those depend on the machine."""
    if isinstance(block, Checked):
        return replace(block, methods=tuple(map(_without_error, block.methods)))
    if isinstance(block, Steps):
        return replace(block, parts=tuple(replace(p, lines=tuple(map(_portable_line, p.lines))) for p in block.parts))
    return block


def _portable_line(line: Line) -> Line:
    return replace(line, proof=_without_error(line.proof))


def _without_error(method: str) -> str:
    return re.sub(r", largest error [^ ;]*", "", method)


def _told_before(known: Known) -> Known | None:
    """An operation that is told earlier and has the same formula, for another case or another output."""
    names = story()
    for name in names[: names.index(known.name)]:
        other = LIBRARY[name]
        if (other.operation, other.formula) == (known.operation, known.formula):
            return other
    return None


@cache
def steps_of(name: str) -> tuple[Derivation, ...]:
    """The derivations of an operation by all its inputs, without numbers that depend on the machine."""
    known = LIBRARY[name]
    derived = derive_gradients(
        known.program,
        known.differentiated,
        known.wrt,
        SEED,
        name,
        known.sizes,
        textbook=known.closed_definitions,
        source=known.source,
    )
    return tuple(derived)


def _command(arguments: str) -> Code:
    return Code(f"python -m minitorch derive {arguments}")


def _introduction() -> Iterator[Block]:
    notation = Notation.of(_EXAMPLE)
    yield Paragraph(
        Phrase(
            "Everything below was derived, checked and written by ",
            _command("--all"),
            ". Each operation stands as the engine computes it, entry by entry; then comes the gradient by each of its "
            "inputs, with every step from the chain rule to what one would program.",
        )
    )
    yield Heading(2, "How to read it")
    yield Paragraph(Phrase("A formula tells one entry of an array, and every sum is written out:"))
    yield Equations(tuple(notation.shown(d) for d in _EXAMPLE.definitions))
    yield Items(tuple(_notation()))
    yield Paragraph(
        Phrase(
            "Every step says what checked it (✓). ",
            "Steps that are definitions, such as the chain rule itself, have nothing to check. The methods share no "
            "code:",
        )
    )
    yield Items(
        (
            Phrase("normal form: both sides, with sums flattened and deltas contracted, become the same expression, "
                   "which proves them equal for all sizes;"),
            Phrase("random field: both sides have the same value at random points of the integers modulo 2^61 - 1, "
                   "computed exactly (Schwartz and Zippel); this guards the prover;"),
            Phrase("sympy.diff: written out entry by entry at the sizes that are given, the derivative is the one that "
                   "SymPy finds;"),
            Phrase("float64: the two agree in floating point; that alone proves nothing, and the verdict says so."),
        )
    )  # fmt: skip


def _notation() -> Iterator[Phrase]:
    i, k, n = Maths("i", "i"), Maths("k", "k"), Maths("n", "n")
    yield Phrase(
        i, " is free: the equation holds for each of its values. ", k, " is bound by the sum; its letter has no "
        "meaning outside, and could be any other. An index runs over one dimension, such as ", n, ", whose size is "
        "left open: what is proved is proved for every size."
    )  # fmt: skip
    yield Phrase(
        "The Kronecker delta ", Maths("δ(i,k)", r"\delta_{i k}"), " is 1 where its indices agree, else 0. It is the "
        "derivative of an entry by another one, ",
        Maths("∂x[i]/∂x[k] = δ(i,k)", r"\partial x_{i} / \partial x_{k} = \delta_{i k}"),
        ", and under a sum it leaves one term: ",
        Maths("Σ_k δ(i,k)*x[k] = x[i]", r"\sum_{k} \delta_{i k} \, x_{k} = x_{i}"), "."
    )  # fmt: skip
    yield Phrase(
        Maths("L", "L"), " is any number computed from the output, such as a loss, and ", Maths("G", "G"),
        " is its gradient by the output. ", Maths("∂L/∂x[k]", r"\partial L / \partial x_{k}"),
        " is what is sought; where its value is used again it is called ", Maths("dx[k]", r"\mathrm{d}x_{k}"), "."
    )  # fmt: skip
    yield Phrase(
        "The chain rule goes through the arrays that read x: ",
        Maths("∂L/∂x[k] = Σ_i dy[i]*∂y[i]/∂x[k]",
              r"\partial L / \partial x_{k} = \sum_{i} \mathrm{d}y_{i} \, \partial y_{i} / \partial x_{k}"), "."
    )  # fmt: skip
    yield Phrase(
        "A backward pass may use what the forward pass has kept. Where a derivative contains such a value, the value's "
        "name takes its place; a gradient that only one other one needs is written out there."
    )
