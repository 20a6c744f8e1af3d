"""Which array does each parameter of a claimed function want?  Found by its name.

Inputs, saved values, the incoming gradient under any of its usual names, gradients of saved values, and sizes; then the
same without regard to case, then usual other names (gamma for weight), and last, if no name is known, by place.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.nearest import folded

_SEEDS = (
    *("g", "grad", "grads", "grad_output", "grad_outputs", "grad_out", "gradient", "gout", "g_out"),
    *("dout", "d_out", "dy", "dl_dout", "dl_dy", "dldy", "upstream", "cotangent", "ct", "delta_out", "output_grad"),
)
_OUTPUT = ("out", "output", "o", "y", "result")
_ALIKE = (
    ("gamma", "weight", "weights", "w", "g", "scale"),
    ("beta", "bias", "b"),
    ("eps", "epsilon"),
    ("mask", "m", "attn_mask", "bias_mask", "additive_mask"),
    ("rstd", "r", "inv_std", "invstd", "inv", "rsqrt", "rms", "rrms", "s"),
    ("mu", "mean", "m", "mu_x"),
    ("var", "v", "variance", "sigma2"),
    ("xhat", "x_hat", "xh", "h", "normalized", "normalised", "xnorm", "n"),
    ("p", "probs", "prob", "attn", "attention", "a", "s", "softmax", "weights", "probabilities"),
    _OUTPUT,
    ("x", "input", "inp", "inputs", "logits", "z"),
    ("q", "query", "queries"),
    ("k", "key", "keys"),
    ("v", "value", "values"),
    ("y", "t", "target", "targets", "labels", "label"),
    ("lse", "l", "logsumexp"),
    ("u", "tanh_c", "tanhc", "tc"),
)


@dataclass(frozen=True)
class Binding:
    """How a claimed function is called.

    Attributes:
        places: what its positional parameters get, in order.
        names: what its keyword-only parameters get.
        unsure: other orders that would do as well, when parameters were matched by place.
    """

    places: tuple[str, ...]
    names: Mapping[str, str]
    unsure: tuple[tuple[str, ...], ...] = ()

    @property
    def wanted(self) -> frozenset[str]:
        """Everything that is handed in."""
        return frozenset((*self.places, *self.names.values()))


def bind(function: Callable[..., Any], subject: Subject) -> Binding:
    """The binding of a function's parameters.

    Raises:
        FormulaError: a parameter has a name that means nothing here; the message lists the names that do.
    """
    parameters = _parameters(function)
    if parameters is None:
        return _by_place(subject, None)
    found = _matched([p.name for p in parameters], subject)
    required = [p for p in parameters if p.default is p.empty]
    unknown = [p.name for p in required if p.name not in found]
    if not any(p.name in found for p in parameters) or (unknown and _orders(subject, len(required))):
        by_place = _by_place(subject, len(required))
        if by_place.places:
            return by_place
    if unknown:
        raise FormulaError(
            f"check_vjp: parameter {unknown[0]!r} of {named(function)} is no name of {subject.name}. There are inputs "
            f"{', '.join(subject.program.inputs)}; saved values {_saved(subject)}; the incoming gradient "
            f"{subject.seed.name} (or dout, grad_output, ...); sizes {', '.join(map(str, subject.dimensions))}. "
            "Rename it, or give it a default."
        )
    places: list[str] = []
    names: dict[str, str] = {}
    skipped = False
    for p in parameters:
        if p.name not in found:
            skipped = True
        elif p.kind == p.KEYWORD_ONLY or (skipped and p.kind == p.POSITIONAL_OR_KEYWORD):
            names[p.name] = found[p.name]
        elif not skipped:
            places.append(found[p.name])
    return Binding(tuple(places), names)


def named(function: Callable[..., Any]) -> str:
    """What a function is called in a message."""
    return getattr(function, "__name__", type(function).__name__)


def _saved(subject: Subject) -> str:
    return ", ".join(d.name for d in subject.program.definitions)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """The parameters that have names; None if they are not known."""
    try:
        all_of_them = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    kept = [p for p in all_of_them if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return kept or None


def _matched(words: Sequence[str], subject: Subject) -> dict[str, str]:
    """What each name means, where it means something."""
    own, seeds = _own_names(subject), seed_names(subject)
    found = {w: own[w] for w in words if w in own}
    found |= {w: subject.seed.name for w in words if w not in found and w in seeds}
    by_folded = {folded(name): meant for name, meant in reversed(own.items())}
    for word in words:
        if word not in found and folded(word) in by_folded and by_folded[folded(word)] not in found.values():
            found[word] = by_folded[folded(word)]
        elif word not in found and folded(word) in {folded(s) for s in seeds}:
            found[word] = subject.seed.name
    _one_cotangent(found, seeds, subject)
    for word in words:
        if word not in found:
            alike = alike_in(word, (n for n in subject.program.targets if n not in found.values()))
            found |= {word: alike} if alike else {word: word} if word in subject.entries else {}
        if word not in found and word.lower() in _OUTPUT:
            found[word] = subject.output
    return found


def _one_cotangent(found: dict[str, str], seeds: set[str], subject: Subject) -> None:
    """A gate may be called g, but a backward pass needs its cotangent; and beside dy, g is a weight."""
    seeded = [w for w, meant in found.items() if meant == subject.seed.name]
    for word in seeded if len(seeded) > 1 else ():
        if word in ("g", "G"):
            del found[word]
    if not seeded:
        inputs = subject.program.inputs
        found |= {w: subject.seed.name for w, meant in found.items() if w in seeds and meant not in inputs}


def _own_names(subject: Subject) -> dict[str, str]:
    names = [*subject.program.inputs, *(d.name for d in subject.program.definitions), subject.seed.name]
    sizes = [str(d) for d in subject.dimensions if str(d) not in names]
    plain = {n: n for n in (*names, *sizes)}
    return {form: n for n in names for form in _steps(n, names)} | plain


def _steps(name: str, names: Sequence[str]) -> Iterator[str]:
    """What Python calls the state h' after a step and the state h before it, since no name has a prime there."""
    base = name.rstrip("'")
    if name != base:
        yield from (
            f"{base}_next",
            f"{base}_new",
            f"{base}_t",
            f"{base}_out",
            f"next_{base}",
            f"new_{base}",
            f"{base}n",
        )
    elif f"{name}'" in names:
        yield from (f"{name}_prev", f"prev_{name}", f"{name}_old", f"{name}0", f"{name}p", f"{name}_in")


def seed_names(subject: Subject) -> set[str]:
    """The usual names of the incoming gradient."""
    out = subject.output
    words = [out.rstrip("'"), *(_steps(out, ()))]
    forms = [(f"d{o}", f"d_{o}", f"grad_{o}", f"g_{o}", f"G_{o}", f"{o}_grad", f"{o}_bar", f"{o}bar") for o in words]
    return {*_SEEDS, *itertools.chain(*forms), "G", "dO", "dY", "dOut", "dL"}


def alike_in(word: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that goes by a usual other name, the likeliest one first."""
    known = list(names)
    for group in _ALIKE:
        if word.lower() in group:
            candidates = sorted((n for n in known if n.lower() in group), key=lambda n: group.index(n.lower()))
            if candidates:
                return candidates[0]
    return None


def _orders(subject: Subject, count: int | None) -> list[tuple[str, ...]]:
    """The usual orders: inputs and the incoming gradient, the gradient last or first."""
    inputs, seed = tuple(subject.program.inputs), subject.seed.name
    orders = []
    for chosen in dict.fromkeys((inputs, tuple(n for n in inputs if n in subject.wrt))):
        orders += [(*chosen, seed), (seed, *chosen)]
    return [order for order in orders if count is None or len(order) == count]


def _by_place(subject: Subject, count: int | None) -> Binding:
    orders = _orders(subject, count)
    return Binding(orders[0], {}, tuple(orders[1:])) if orders else Binding((), {})
