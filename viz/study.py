"""What does the main job measure?  One sentence through an RNN and through self-attention, and what a longer one would
cost.

Bare layers, one of the RNN and `layers` of attention, so that what is compared is the layer and not what is put around
it; with `block`, both stand in the Transformer's encoder block (residuals, layer norms, feed-forward network).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer import RNN, EncoderBlock, MultiHeadAttention
from transformer.recurrent import SMALL
from viz import report
from viz.compare import Comparison, as_dict
from viz.derivations import DERIVATIONS, Derived, derive_all
from viz.errors import InputError
from viz.inputs import Model, check_tokens
from viz.lengths import LENGTHS, AtLength, by_length, exact_terms, growth_sentences, said
from viz.measure import ModelFlow, Progress, measure_models

SENTENCE = "the animal did not cross the street because it was tired"
_INIT_WORDS = {"uniform": "default initialisation", "orthogonal": "orthogonal recurrent weights, small input weights"}
MAX_WIDTH, MAX_LAYERS, MAX_SEEDS = 1024, 12, 1000


@dataclass(frozen=True)
class Options:
    """What can be chosen.

    Attributes:
        sentence: its words are the tokens.
        width: d of both models; `heads` must divide it.
        layers: of attention; the RNN has one.
        heads: of attention.
        seeds: over how many random models, embeddings and read-outs the norms are averaged.
        rnn_init: of the RNN in the figure; the table shows the other one too.
        causal: whether attention sees the past only.
        block: compare encoder blocks instead of bare layers.
    """

    sentence: str = SENTENCE
    width: int = 32
    layers: int = 1
    heads: int = 1
    seeds: int = 24
    rnn_init: Literal["uniform", "orthogonal"] = "uniform"
    causal: bool = True
    block: bool = False

    def check(self) -> tuple[str, ...]:
        """The tokens, if all choices are possible.

        Raises:
            InputError: says which is not, and what it could be.
        """
        for name, most in (("width", MAX_WIDTH), ("layers", MAX_LAYERS), ("heads", MAX_WIDTH), ("seeds", MAX_SEEDS)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                raise InputError(f"--{name} {value}: give a number from 1 to {most}.")
        try:
            with mt.random.fork(0):
                MultiHeadAttention(self.width, self.heads)
        except mt.ShapeError as error:  # its second line is a line of the user's code, of which there is none here
            raise InputError(f"--heads {self.heads} --width {self.width}: {str(error).splitlines()[0]}") from None
        return check_tokens(self.sentence)

    @property
    def initialisation(self) -> str:
        """How the weights are made, in words."""
        words = _INIT_WORDS[self.rnn_init]
        return words if self.rnn_init == "uniform" else f"RNN with {words}, attention by default"

    @property
    def names(self) -> tuple[str, str]:
        """What to call the two models."""
        return ("RNN block", "Self-attention block") if self.block else ("RNN", "Self-attention")

    @property
    def other_init(self) -> Literal["uniform", "orthogonal"]:
        """The RNN initialisation that only the tables show."""
        return "orthogonal" if self.rnn_init == "uniform" else "uniform"

    def rnn(self, init: Literal["uniform", "orthogonal"]) -> Callable[[], nn.Module]:
        """A builder of the RNN."""
        return lambda: self._around(RNN(self.width, self.width, init=init))

    def attention(self) -> Callable[[], nn.Module]:
        """A builder of the attention layers."""

        def build() -> nn.Module:
            one = lambda: self._around(MultiHeadAttention(self.width, self.heads, causal=self.causal))
            return one() if self.layers == 1 else nn.Sequential([one() for _ in range(self.layers)])

        return build

    def _around(self, mixer: nn.Module) -> nn.Module:
        return EncoderBlock(self.width, mixer) if self.block else mixer


@dataclass(frozen=True)
class Study:
    """All that the main job measured and derived."""

    options: Options
    comparison: Comparison
    other_rnn: ModelFlow
    lengths: tuple[AtLength, ...]
    derived: tuple[Derived, ...]
    terms: dict[str, str]  # model name -> the bytes that it keeps, in n, d and h
    command: str = field(default="")

    def sections(self) -> list[str]:
        """The parts of the page."""
        c = self.comparison
        rnn, attention = c.models
        return [
            report.heading("How does gradient flow in an RNN, and in self-attention?", c.tokens),
            report.figure(c.figure_or_text()),
            report.norms_by_distance([rnn, self.other_rnn, attention], c.tokens),
            report.by_length(self.lengths, [rnn.name, attention.name], growth_sentences(c.models, self.terms)),
            report.derivations(self.derived),
            report.how(self._how()),
        ]

    def _how(self) -> list[str]:
        o = self.options
        around = (
            "each in an encoder block with residuals, layer norms and a feed-forward network"
            if o.block
            else "bare layers"
        )
        mask = "causal" if o.causal else "without a mask"
        return [
            f"One tanh RNN and {o.layers} layer{'s' * (o.layers > 1)} of self-attention "
            f"({o.heads} head{'s' * (o.heads > 1)}, {mask}), {around}. Both get the same embedded tokens: "
            f"standard normal vectors of width {o.width}, equal for equal words, plus sinusoidal positions. The loss "
            "is a random linear read-out of the last position, the same for both.",
            f"Orthogonal initialisation: an orthogonal recurrent matrix, and input weights {1 / SMALL:g} times smaller "
            "than by default.",
            f"minitorch-transformer {mt.__version__}, NumPy {np.__version__}"
            + (f"; {self.command}" if self.command else ""),
        ]

    def page(self) -> str:
        """The whole report as HTML."""
        return report.page(self.comparison.title, self.sections())

    def to_dict(self) -> dict[str, Any]:
        """All numbers, as `--json` prints them."""
        c = self.comparison
        return {
            "models": [as_dict(m, c.tokens) for m in (*c.models, self.other_rnn)],
            "by_length": [
                {
                    "model": r.model,
                    "n": r.n,
                    "path_hops": r.path_hops,
                    "saved_bytes": r.saved_bytes,
                    "gradient_norm_token_1": r.first_token_norm,
                }
                for r in self.lengths
            ],
            "saved_bytes_terms": self.terms,
            "derivations": [
                {
                    "op": d.op,
                    "input": d.input,
                    "verdict": d.verdict.kind,
                    "methods": list(d.verdict.methods),
                    "result": d.result,
                }
                for item in self.derived
                for d in item.derivations
            ],
        }


def run(options: Options, *, progress: Progress = lambda done: None, command: str = "") -> Study:
    """Measure and derive everything.

    Args:
        progress: called with the name of what was just done; `steps` says how often.
        command: what was typed, for the page.

    Raises:
        InputError: an option that is not possible.
    """
    comparison = compare_only(options, progress=progress)
    words, o = comparison.tokens, options
    rnn_name, attention_name = o.names
    other_name = f"{rnn_name}, {o.other_init}"
    (other,) = measure_models({other_name: o.rnn(o.other_init)}, words, seeds=o.seeds, progress=progress)
    models: dict[str, Model] = {
        rnn_name: o.rnn(o.rnn_init),
        other_name: o.rnn(o.other_init),
        attention_name: o.attention(),
    }
    lengths = by_length(models, LENGTHS, seeds=o.seeds, progress=progress)
    terms = {
        rnn_name: said(exact_terms(lambda d, h: replace(o, width=d, heads=h).rnn(o.rnn_init))),
        attention_name: said(exact_terms(lambda d, h: replace(o, width=d, heads=h).attention())),
    }
    return Study(o, comparison, other, tuple(lengths), tuple(derive_all(progress)), terms, command)


def compare_only(options: Options, *, progress: Progress = lambda done: None) -> Comparison:
    """What the figure alone needs."""
    o, words = options, options.check()
    models: dict[str, Model] = dict(zip(o.names, (o.rnn(o.rnn_init), o.attention()), strict=True))
    measured = measure_models(models, words, seeds=o.seeds, progress=progress)
    return Comparison(tuple(measured), words, o.seeds, o.width, o.initialisation)


def steps(options: Options, *, figure_only: bool) -> int:
    """How often `progress` will be called."""
    return 2 * options.seeds if figure_only else 3 * options.seeds + 3 * len(LENGTHS) + len(DERIVATIONS)
