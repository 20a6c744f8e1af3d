"""What does a longer sentence cost?  Path length, bytes kept and gradient norm by the number of tokens, each on the
real graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from transformer.complexity import exact_polynomial
from viz.flow import arriving, geometric_mean_of, probe
from viz.inputs import Model, build, width_of
from viz.measure import ModelFlow, Progress, embed, kept_bytes

LENGTHS = (2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class AtLength:
    """One model on one number of tokens."""

    model: str
    n: int
    path_hops: int
    saved_bytes: int
    first_token_norm: float  # relative to the norm at the loss, geometric mean over the seeds


def by_length(
    models: Mapping[str, Model],
    lengths: Sequence[int] = LENGTHS,
    *,
    seeds: int = 24,
    progress: Progress = lambda name: None,
) -> list[AtLength]:
    """Measure each model on sentences of made-up words.

    Args:
        models: name -> model or builder, as for `compare`.
        lengths: numbers of tokens.
        seeds: for the norms; hops and bytes do not depend on them.
    """
    rows = []
    for name, model in models.items():
        first = build(model, 0)
        d = width_of(first, None)
        for n in lengths:
            words = [f"w{k}" for k in range(n)]
            norms = []
            for seed in range(seeds):
                x, readout = embed(words, d, seed)
                norms.append(arriving(build(model, seed), x, readout)[0])
            hops = probe(first, embed(words, d, 0)[0], ()).hops[0]
            assert hops is not None, "a model whose first token is out of reach is refused before"
            rows.append(AtLength(name, n, hops, kept_bytes(model, n, d), geometric_mean_of(norms)))
            progress(name)
    return rows


def exact_terms(build: Callable[[int, int], Model]) -> dict[tuple[int, int, int], Fraction]:
    """The bytes kept as a polynomial in n (to degree 2), d and h (to degree 1): (power of n, of d, of h) ->
    coefficient.

    Args:
        build: (width d, heads h) -> a model or a builder.

    Raises:
        ValueError: the counts are no such polynomial.
    """
    widths, heads = (12, 24, 36), (1, 2, 3)
    in_n = {
        (d, h): exact_polynomial({n: kept_bytes(build(d, h), n, d) for n in (3, 4, 6, 8)}).coefficients
        for d in widths
        for h in heads
    }
    terms = {}
    for k in range(3):
        in_d = {h: exact_polynomial({d: in_n[d, h][k] for d in widths}, 1).coefficients for h in heads}
        for a in range(2):
            for b, c in enumerate(exact_polynomial({h: in_d[h][a] for h in heads}, 1).coefficients):
                if c:
                    terms[k, a, b] = c
    return terms


def said(terms: Mapping[tuple[int, int, int], Fraction]) -> str:
    """The terms as text, the highest power of n first.

    >>> said({(1, 1, 0): Fraction(16), (2, 0, 1): Fraction(4)})
    '4 h n² + 16 d n'
    """

    def one(powers: tuple[int, int, int], c: Fraction) -> str:
        n, d, h = powers
        return " ".join([str(c), *["h"] * h, *["d"] * d, *[("n", "n²")[n - 1]] * bool(n)])

    return " + ".join(one(p, c) for p, c in sorted(terms.items(), reverse=True)).replace("+ -", "− ")


def growth_sentences(models: Sequence[ModelFlow], terms: Mapping[str, str]) -> list[str]:
    """For each model, the exact terms of the bytes kept, and what they mean.

    Args:
        terms: model name -> the terms in n, d and h as text.
    """
    sentences = []
    longest = LENGTHS[-1]
    for m in models:
        if m.growth is None:
            continue
        over = m.growth.takes_over()
        meaning = "linear in n" if over is None else f"the square overtakes the linear term at n = {ceil(over)}"
        sentences.append(
            f"{m.name} keeps exactly {terms[m.name]} bytes, here {m.growth}: {meaning}. "
            f"From n = {longest // 2} to {longest} the exponent is {m.growth.last_doubling(longest):.2f}."
        )
    return sentences
