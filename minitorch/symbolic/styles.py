r"""How do an entry, a sum or a fraction look in LaTeX, and how in plain text?

Plain text is the formula language itself (``Σ_k P[i,k]*V[k,c]``), so that what is printed can be parsed again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from sympy import Expr, latex

from minitorch.symbolic.expression import Entry
from minitorch.symbolic.places import Placed
from minitorch.symbolic.writer import Writer

_GREEK = (
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "phi",
    "chi",
    "psi",
    "omega",
)
_HATS = ("hat", "bar", "tilde")
_AVERAGES = {"Mean": r"\mathbb{E}", "Variance": r"\operatorname{Var}"}


class Latex(Writer):
    """LaTeX for mathematics mode."""

    times = r" \, "
    line_brackets = True

    def entry(self, e: Entry) -> str:
        name = array_latex(e.name, self.gradients)
        between = r",\, " if any(isinstance(i, Placed) for i in e.indices) else " "
        return f"{name}_{{{between.join(self.axes(e))}}}" if e.indices else name

    def delta(self, a: str, b: str) -> str:
        return rf"\delta_{{{a}{' ' if len(a + b) == 2 else ', '}{b}}}"

    def selected(self, index: str, largest: str) -> str:
        under = largest.removeprefix(r"\max")
        return rf"\left[{self.symbol(index)} = \operatorname*{{arg\,max}}{under}\right]"

    def partial(self, of: str, by: str) -> str:
        return rf"\frac{{\partial {of}}}{{\partial {by}}}"

    def binder(self, kind: str, indices: Sequence[str], body: str) -> str:
        sign = r"\sum" if kind == "Sum" else r"\max"
        return rf"{sign}_{{{', '.join(map(self.symbol, indices))}}} {body}"

    def symbol(self, name: str) -> str:
        return name_latex(name)

    def constant(self, e: Expr) -> str:
        return latex(e)

    def call(self, name: str, arguments: Sequence[str]) -> str:
        inside = r",\, ".join(arguments)
        if name == "Abs":
            return rf"\left|{inside}\right|"
        if name == "Norm":
            return rf"\left\|{inside}\right\|"
        if name in ("Mean", "Variance"):
            return rf"{_AVERAGES[name]}\left[{inside}\right]"
        if name == "step":
            return rf"\mathbf{{1}}\left[{inside} > 0\right]"
        known = {"sigmoid": r"\sigma", "maximum": r"\max", "erf": r"\operatorname{erf}", "sign": r"\operatorname{sign}"}
        return rf"{known.get(name, chr(92) + name)}\left({inside}\right)"

    def exponential(self, argument: str) -> str:
        return f"e^{{{argument}}}"

    def root(self, inside: str) -> str:
        return rf"\sqrt{{{inside}}}"

    def power(self, base: str, exponent: str) -> str:
        # An array's name may carry a superscript of its own; braces keep the two apart.
        return f"{{{base}}}^{{{exponent}}}" if "^" in base else f"{base}^{{{exponent}}}"

    def brackets(self, inside: str) -> str:
        return rf"\left({inside}\right)"

    def fraction(self, above: list[str], below: list[str], last: list[str]) -> str:
        if not below:
            return self.times.join([*above, *last])
        return self.times.join([rf"\frac{{{self.times.join(above) or '1'}}}{{{self.times.join(below)}}}", *last])


class Inline(Latex):
    """LaTeX for a sentence: fractions with a slash, so that lines stay as far apart as they are."""

    line_brackets = False

    def partial(self, of: str, by: str) -> str:
        return rf"\partial {of} / \partial {by}"

    def fraction(self, above: list[str], below: list[str], last: list[str]) -> str:
        under = f" / {below[0]}" if len(below) == 1 else f" / ({self.times.join(below)})" if below else ""
        front = (self.times.join(above) or "1") + under if above or below else ""
        return self.times.join([front, *last] if front else last)


class Text(Writer):
    """The formula language, with Σ and δ."""

    times = "*"
    line_brackets = False

    def entry(self, e: Entry) -> str:
        return f"{e.name}[{','.join(self.axes(e))}]" if e.indices else e.name

    def delta(self, a: str, b: str) -> str:
        return f"δ({a},{b})"

    def selected(self, index: str, largest: str) -> str:
        return f"[{index} = arg{largest}]"

    def partial(self, of: str, by: str) -> str:
        return f"∂{of}/∂{by}"

    def binder(self, kind: str, indices: Sequence[str], body: str) -> str:
        under = indices[0] if len(indices) == 1 else f"{{{','.join(indices)}}}"
        return f"Σ_{under} {body}" if kind == "Sum" else f"max_{under} ({body})"

    def symbol(self, name: str) -> str:
        return name

    def constant(self, e: Expr) -> str:
        return str(e)

    def call(self, name: str, arguments: Sequence[str]) -> str:
        known = {"Abs": "abs", "maximum": "max", "Mean": "E", "Variance": "Var", "Norm": "norm"}
        return f"{known.get(name, name)}({', '.join(arguments)})"

    def exponential(self, argument: str) -> str:
        return f"exp({argument})"

    def root(self, inside: str) -> str:
        return f"sqrt({inside})"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}**{exponent}" if re.fullmatch(r"\w+", exponent) else f"{base}**({exponent})"

    def brackets(self, inside: str) -> str:
        return f"({inside})"

    def fraction(self, above: list[str], below: list[str], last: list[str]) -> str:
        under = f"/{below[0]}" if len(below) == 1 else f"/({self.times.join(below)})" if below else ""
        front = (self.times.join(above) or "1") + under if above or below else ""
        return self.times.join([front, *last] if front else last)


def name_latex(name: str) -> str:
    """A dimension's or index's name: ``d_k`` is a d with index k, ``mu`` is a Greek letter, ``i'`` a primed one."""
    match = re.fullmatch(r"([A-Za-z]+)_?(\w*?)('*)", name)
    if match is None:
        return name
    base, index, primes = match.groups()
    return _base_latex(base) + (f"_{{{_base_latex(index)}}}" if index else "") + primes


def array_latex(name: str, gradients: Collection[str] = ()) -> str:
    """An array's name, to which indices will be put: its own subscript goes up, as in W^{(q)}."""
    if name.startswith("("):  # a product such as (M_{t} ⋯ M_{1}), which is written already
        return name.replace("⋯", r"\cdots")
    if name in gradients:
        return r"\mathrm{d}" + array_latex(name[1:])
    base, _, index = name.partition("_")
    primes = "'" * base.count("'")
    written = _base_latex(base.rstrip("'")) + primes
    return written + (rf"^{{({_base_latex(index)})}}" if index else "")


def _base_latex(word: str) -> str:
    for accent in _HATS:
        if word.endswith(accent) and len(word) > len(accent):
            return rf"\{accent}{{{_base_latex(word[: -len(accent)])}}}"
    if word in _GREEK:
        return "\\" + word
    # A subscript in braces, such as {t-1}, is written already.
    return word if len(word) <= 1 or word.isdigit() or word.startswith("{") else rf"\mathrm{{{word}}}"
