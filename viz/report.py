"""How do the measurements become a page?  One HTML file that needs nothing else: no script, no font, no image from
outside.

Every text that comes from users is escaped here, in one place: `_text`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING

from viz import claims
from viz.dot import visible
from viz.lengths import AtLength
from viz.measure import ModelFlow

if TYPE_CHECKING:  # importing the derivations would load SymPy
    from minitorch.symbolic import Derivation
    from viz.derivations import Derived

_ROWSPAN = ' rowspan="2"'


def page(title: str, sections: Sequence[str]) -> str:
    """A whole page."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_text(title)}</title><style>html{{background:#fff}}"
        f"@media(prefers-color-scheme:dark){{html{{background:#0d1117}}}}body{{margin:0}}</style></head>"
        f"<body>{fragment(sections)}</body></html>\n"
    )


def fragment(sections: Sequence[str]) -> str:
    """The same without the page around it, for a notebook."""
    style = resources.files("viz").joinpath("report.css").read_text(encoding="utf-8")
    return f'<style>{style}</style><main class="gradient-report">{"".join(sections)}</main>'


def heading(title: str, sentence: Sequence[str]) -> str:
    """The page's title and what it is about."""
    return f"<h1>{_text(title)}</h1><p>“{_text(' '.join(sentence))}”</p>"


def figure(content: str) -> str:
    """The figure; its caption is part of the drawing."""
    return f"<figure>{content}</figure>"


def undrawn(reason: str, source: str) -> str:
    """What stands in the place of a figure that no layout engine could draw."""
    return (
        f'<p class="note">The figure is not drawn: {_text(reason)} Its DOT text follows; any Graphviz draws it with '
        f"<code>neato -n2</code>.</p><pre>{_text(source)}</pre>"
    )


def norms_by_distance(models: Sequence[ModelFlow], tokens: Sequence[str]) -> str:
    """The norm that reaches each token, nearest first."""
    n = len(tokens)
    rows = [
        [_text(tokens[n - 1 - distance]), str(distance), *(_norm(m.flow.arriving[n - 1 - distance]) for m in models)]
        for distance in range(n)
    ]
    head = ["token", "distance from the loss", *(_text(m.name) for m in models)]
    note = (
        "Norm of the gradient that reaches each token, relative to the norm at the last position. Norms of different "
        "tokens do not add up to 100%. "
    ) + _honest(models)
    return _section("Gradient norm by distance", head, rows, note)


def _honest(models: Sequence[ModelFlow]) -> str:
    """What the table does not let one claim."""
    recurrent, direct = [m for m in models if m.recurs], [m for m in models if not m.recurs]
    if not (recurrent and direct):
        return ""
    said = []
    for r in recurrent:
        ahead = [d for d in range(r.flow.n) if r.flow.arriving[-1 - d] > direct[0].flow.arriving[-1 - d]]
        if len(ahead) == r.flow.n:
            said.append(f"{r.name} is ahead of {direct[0].name} at every distance of this sentence")
        elif ahead:
            shown = ", ".join(map(str, ahead[:8])) + (", …" if len(ahead) > 8 else "")
            said.append(f"{r.name} is ahead of {direct[0].name} at distance {shown}")
    lead = "; ".join(said) + ". " if said else ""
    return _text(
        lead + "What this shows is the length of the path, and what each initialisation does along it; another "
        "initialisation or training changes the norms, not the path."
    )


def by_length(rows: Sequence[AtLength], shapes: Sequence[str], growth: Sequence[str]) -> str:
    """Path length, bytes and norm by the number of tokens.

    Args:
        shapes: the models whose hops and bytes are shown; initialisations of one model share them.
        growth: sentences about the exact terms of the bytes kept.
    """
    models = list(dict.fromkeys(r.model for r in rows))
    at = {(r.model, r.n): r for r in rows}
    body = [
        [
            str(n),
            *(str(at[m, n].path_hops) for m in shapes),
            *(f"{at[m, n].saved_bytes:,}" for m in shapes),
            *(_norm(at[m, n].first_token_norm) for m in models),
        ]
        for n in sorted({r.n for r in rows})
    ]
    groups = {"hops to token 1": shapes, "bytes kept": shapes, "gradient norm at token 1": models}
    note = _text(
        "Hops: edges on the shortest path from the loss to token 1, found by breadth-first search on the real graph. "
        "Bytes: buffers that are alive only because of the graph, each once; no parameters, no inputs; batch 1, "
        "float32. Norm: relative to the norm at the last position."
    )
    sentences = "".join(f"<p>{_text(sentence)}</p>" for sentence in growth)
    return _section("What a longer sentence costs", ["tokens n"], body, note, groups) + sentences


def derivations(items: Iterable[Derived]) -> str:
    """Each operation: its definitions, and the derivations with their verdicts and steps."""
    parts = [
        "<h2>The gradient, derived with symbolic sizes</h2>",
        '<p class="note">Sums are always written out; δ is the Kronecker delta, G the gradient that arrives at the '
        "output, and dX stands for ∂L/∂X. Every step that is not a definition was checked (✓) by the method named "
        "beside it.</p>",
    ]
    for item in items:
        parts.append(f"<h3>{_text(item.title)}</h3>{''.join(item.forward)}")
        parts += [_derivation(d) for d in item.derivations]
    return "".join(parts)


def _derivation(d: Derivation) -> str:
    """The finished equations, the verdict, and the steps, folded: as every page shows them."""
    from minitorch.symbolic.document import compose
    from minitorch.symbolic.document import html as page

    return f"<h4>Derivative by {_text(d.input)}</h4>" + page.fragment(compose.derivation_blocks(d))


def how(sentences: Sequence[str]) -> str:
    """How it was measured, and with which command."""
    return "<h2>How this was made</h2>" + "".join(f'<p class="note">{_text(s)}</p>' for s in sentences)


def _norm(value: float) -> str:
    """A relative norm as per cent, in powers of ten where a decimal fraction would be long."""
    if value >= 1e-5 or value == 0:
        return claims.percent(value)
    mantissa, _, exponent = f"{100 * value:.1e}".partition("e")
    return f"{mantissa}·10<sup>{int(exponent)}</sup>%".replace("-", "−")


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> str:
    """A table of texts, with notes under it."""
    cells = [[_text(cell) for cell in row] for row in rows]
    return _section(title, [_text(h) for h in head], cells, "<br>".join(map(_text, notes)))


def _section(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    note: str,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """A table, called by its title, that scrolls where the page is narrow, and the note under it, which does not.

    Args:
        head, rows: cells, which are HTML already; the first column is text.
        note: HTML.
        groups: further columns, under common headings: heading -> columns.
    """
    groups = groups or {}
    top = "".join(f'<th scope="col"{_ROWSPAN if groups else ""}>{c}</th>' for c in head)
    top += "".join(f'<th scope="colgroup" colspan="{len(names)}">{_text(g)}</th>' for g, names in groups.items())
    if groups:
        top += "</tr><tr>" + "".join(f'<th scope="col">{_text(n)}</th>' for names in groups.values() for n in names)
    body = "".join(
        "<tr>" + "".join(f'<td class="word">{c}</td>' if k == 0 else f"<td>{c}</td>" for k, c in enumerate(r)) + "</tr>"
        for r in rows
    )
    table = f'<table aria-label="{_text(title)}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
    return f'<h2>{_text(title)}</h2><div class="scroll">{table}</div><p class="note">{note}</p>'


def _text(value: str) -> str:
    """Text from anywhere, shown as text."""
    return html.escape(visible(value))
