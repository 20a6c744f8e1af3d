"""How does gradient flow in this model, and in that one?  Side by side, in three lines.

    rnn, attention = transformer.RNN(32, 32), transformer.MultiHeadAttention(32, causal=True)
    viz.compare(rnn, attention, "the animal did not cross the street".split())

In the place of a model, a function that builds one is called anew for each seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import minitorch as mt
from viz import claims, dot, report, svg
from viz.errors import InputError
from viz.figure import comparison_figure
from viz.files import check_target, write_whole
from viz.inputs import Model, build, check_names, check_tokens
from viz.measure import ModelFlow, Progress, measure_models
from viz.palette import THEMES, Theme

SUFFIXES = (".html", ".svg", ".png", ".pdf", ".dot")


@dataclass(frozen=True)
class Comparison:
    """What `compare` measured; displays itself in a notebook, and saves itself.

    Attributes:
        models: one `ModelFlow` a model.
        tokens: the words.
        seeds: over how many the norms are averaged.
        width: of the embedded tokens.
        initialisation: how the weights were made, in words.
    """

    models: tuple[ModelFlow, ...]
    tokens: tuple[str, ...]
    seeds: int
    width: int
    initialisation: str

    @property
    def caption(self) -> list[str]:
        """What was measured, in words."""
        n = len(self.tokens)
        measured = claims.how_measured(len(self.models), self.width, self.seeds, n, self.initialisation)
        zeros = claims.exact_zeros(self.models)
        return [measured, claims.price(self.models), *zeros, *claims.unmarked(self.models)]

    @property
    def title(self) -> str:
        """What a screen reader says first."""
        return "Gradient paths: " + " and ".join(m.name for m in self.models)

    @property
    def description(self) -> str:
        """The figure in words, for those who cannot see it."""
        said = [
            f"{claims.title(m)}; {claims.path_length(m)}; token 1 gets {claims.percent(m.flow.arriving[0])}."
            for m in self.models
        ]
        return " ".join([*said, *self.caption])

    def dot(self, theme: Theme = "light") -> str:
        """The figure as DOT text with final positions; draw it with `neato -n2`.

        Raises:
            viz.InputError: an unknown theme.
        """
        return comparison_figure(self.models, self.tokens, self.caption, _fixed(theme))

    def svg(self, theme: Theme | Literal["auto"] = "auto", *, responsive: bool = False) -> str:
        """The figure as SVG; "auto" is light, and dark where the reader prefers a dark page.

        Raises:
            viz.InputError: an unknown theme.
            viz.dot.LayoutError: no layout engine.
        """
        drawn = dot.render(self.dot(_fixed(theme)), "svg", layout="neato", pinned=True)
        return svg.finished(drawn, self.title, self.description, follows_reader=theme == "auto", responsive=responsive)

    def save(self, path: str | Path, *, theme: Theme | Literal["auto"] = "auto") -> Path:
        """Write the figure (.svg, .png, .pdf, .dot) or a page with figure and tables (.html); whole or not at all.

        Raises:
            viz.InputError: an unknown suffix or theme, or a folder that cannot be written.
            viz.dot.LayoutError: no layout engine; save as .dot.
        """
        _fixed(theme)
        target = check_target(path, SUFFIXES)
        write_whole(target, self._content(target.suffix.lower(), theme))
        return target

    def _content(self, suffix: str, theme: Theme | Literal["auto"]) -> str | bytes:
        if suffix == ".html":
            return report.page(self.title, self.sections())
        if suffix == ".svg":
            return self.svg(theme)
        source = self.dot(_fixed(theme))
        if suffix == ".dot":
            return source
        return dot.render(source, "pdf" if suffix == ".pdf" else "png", layout="neato", pinned=True)

    def sections(self) -> list[str]:
        """The parts of the page: figure and table."""
        return [report.figure(self.figure_or_text()), report.norms_by_distance(self.models, self.tokens)]

    @cached_property
    def _drawn(self) -> str | dot.LayoutError:
        """The SVG for a page, or why there is none."""
        try:
            return self.svg(responsive=True)
        except dot.LayoutError as error:
            return error

    @property
    def undrawn(self) -> str:
        """Why the figure cannot be drawn here; empty if it can."""
        return str(self._drawn) if isinstance(self._drawn, dot.LayoutError) else ""

    def figure_or_text(self) -> str:
        """The SVG, or, without a layout engine, a sentence that says so and the DOT text."""
        return report.undrawn(self.undrawn, self.dot()) if isinstance(self._drawn, dot.LayoutError) else self._drawn

    def to_dict(self) -> dict[str, Any]:
        """All numbers: `models`, a list of `{name, tokens, gradient_norm, path_hops}`."""
        return {"models": [as_dict(m, self.tokens) for m in self.models]}

    def _repr_svg_(self) -> str | None:
        try:
            return self.svg()
        except dot.LayoutError:
            return None

    def _repr_html_(self) -> str:
        return report.fragment(self.sections())


def as_dict(model: ModelFlow, tokens: Sequence[str]) -> dict[str, Any]:
    """One model's numbers: norms relative to the norm at the loss, hops to the first token and to each token."""
    return {
        "name": model.name,
        "tokens": list(tokens),
        "gradient_norm": [float(g) for g in model.flow.arriving],
        "path_hops": model.hops[0],
        "path_hops_by_token": list(model.hops),
        "saved_bytes": model.saved_bytes,
        "zero_gradients": list(model.zero_gradients),
    }


def compare(
    left: Model,
    right: Model,
    tokens: str | Sequence[str],
    *,
    names: tuple[str, str] | None = None,
    seeds: int = 24,
    width: int | None = None,
    initialisation: str | None = None,
    progress: Progress = lambda name: None,
) -> Comparison:
    """Measure gradient flow in two models on the same tokens, and draw the paths side by side.

    Args:
        left, right: layers (batch, n, d) -> (batch, n, d), or `nn.Sequential` of such; a Module is measured with the
            weights that it has, a function that builds one is called anew for each seed.
        tokens: the words, or a sentence to be split at spaces; 1 to 512.
        names: what to call the models; their class names unless given.
        seeds: how many random embeddings and read-outs (and weights, for functions) to average over.
        width: d, for models that have no attribute `d_in`.
        initialisation: how the weights were made, for the caption.
        progress: called with a model's name after each seed.

    Raises:
        viz.InputError: no tokens or too many, an unknown width, or a model that is no such layer; it says which.

    A recurrence of your own is seen as one if it marks its time steps; without them, the layer counts as one hop:

    >>> import minitorch as mt
    >>> class Decay(mt.Module):
    ...     d_in = 8
    ...     def forward(self, x):
    ...         h, states = 0.0, []
    ...         for t in range(x.shape[1]):
    ...             with mt.step(t):
    ...                 h = mt.tanh(x[:, t] + 0.5 * h)
    ...             states.append(h)
    ...         return mt.stack(states, axis=1)
    >>> import transformer
    >>> c = compare(Decay(), transformer.MultiHeadAttention(8, causal=True), "a b c", seeds=2)
    >>> [(m.name, m.hops[0]) for m in c.models]
    [('Decay', 4), ('MultiHeadAttention', 2)]
    """
    words = check_tokens(tokens)
    left_name, right_name = _told_apart(*(_names(left, right) if names is None else check_names(names)))
    models = {left_name: left, right_name: right}
    measured = measure_models(models, words, seeds=seeds, width=width, progress=progress)
    said = claims.weights({name: isinstance(m, mt.Module) for name, m in models.items()})
    return Comparison(tuple(measured), words, seeds, measured[0].width, initialisation or said)


def _fixed(theme: str) -> Theme:
    """The theme to draw in; "auto" is light, until a style sheet changes it.

    Raises:
        InputError: it is not known.
    """
    if theme == "auto":
        return "light"
    for known in THEMES:
        if theme == known:
            return known
    raise InputError(f"the theme {theme!r}; known are auto, {', '.join(THEMES)}.")


def _names(left: Model, right: Model) -> tuple[str, str]:
    """The models' class names."""
    return type(build(left, 0)).__name__, type(build(right, 0)).__name__


def _told_apart(a: str, b: str) -> tuple[str, str]:
    """Names, with a number if they are equal."""
    return (a, b) if a != b else (f"{a} 1", f"{b} 2")
