"""What does a claimed function give, and does it behave?  Called on copies; its result is read by name or order."""

from __future__ import annotations

import linecache
import re
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from minitorch.errors import FormulaError
from minitorch.symbolic.claims.arrays import to_numpy
from minitorch.symbolic.claims.binding import Binding, alike_in, bind, named
from minitorch.symbolic.claims.subject import MASKS, TARGETS, Subject
from minitorch.symbolic.claims.worlds import World, as_sizes

Gradients = dict[str, np.ndarray]


class Raised(FormulaError):
    """The claimed function raised at some sizes; says which exception, and at which of its lines."""


class FunctionClaim:
    """A function of arrays that is claimed to give gradients.

    Attributes:
        binding: which array each parameter gets.
    """

    def __init__(
        self, function: Callable[..., Any], subject: Subject, explicit: bool, convert: Callable, dtype: Any = np.float64
    ):
        self.function, self.subject, self.explicit = function, subject, explicit
        self.convert, self.dtype = convert, np.dtype(dtype)
        self.binding: Binding = bind(function, subject)
        self.title = named(function)

    @property
    def wanted(self) -> frozenset[str]:
        """Everything that is handed in."""
        return self.binding.wanted

    @property
    def words(self) -> frozenset[str]:
        """The names of its variables."""
        return frozenset(getattr(getattr(self.function, "__code__", None), "co_varnames", ()))

    def __call__(self, world: World) -> Gradients:
        """The gradients that the function gives in a world; inputs for which it gives None are left out.

        Raises:
            Raised: the function raised.
            FormulaError: it wrote to its inputs, or did not return gradients.
        """
        arrays = {n: self.argument(world, n) for n in self.binding.wanted}
        return self.called(world, arrays)

    def orders(self) -> list[FunctionClaim]:
        """The claim, and those with other orders of parameters that were matched by place."""
        claims: list[FunctionClaim] = [self]
        for places in self.binding.unsure:
            other = copy(self)
            other.binding = Binding(places, {})
            claims.append(other)
        return claims

    def called(self, world: World, arrays: Mapping[str, Any]) -> Gradients:
        """The gradients on given arguments."""
        kept = {n: np.array(a, copy=True) for n, a in arrays.items() if isinstance(a, np.ndarray)}
        handed = {n: self.convert(a.copy()) if isinstance(a, np.ndarray) else a for n, a in arrays.items()}
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.function(
                    *(handed[n] for n in self.binding.places),
                    **{word: handed[n] for word, n in self.binding.names.items()},
                )
        except Exception as error:
            raise Raised(self._raised(error, world)) from None
        self._check_writes(kept, handed)
        return self.read(returned)

    def argument(self, world: World, name: str) -> Any:
        """What a parameter gets: an array, a Python number for a scalar, or a size."""
        if name not in self.subject.entries:
            return next(n for d, n in world.sizes.items() if d.name == name)
        array = np.asarray(world.array(name))
        if array.dtype.kind != "f":
            return array
        return float(array) if array.ndim == 0 and name != self.subject.seed.name else array.astype(self.dtype)

    def _raised(self, error: Exception, world: World) -> str:
        frames = traceback.extract_tb(error.__traceback__)
        code = getattr(getattr(self.function, "__wrapped__", self.function), "__code__", None)
        own = [f for f in frames if code is not None and f.filename == code.co_filename] or frames[1:] or frames
        where = f"{own[-1].filename}:{own[-1].lineno}"
        source = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
        return (
            f"check_vjp: {self.title} raised {type(error).__name__}: {error}\n  at {where}"
            f"{': ' + source if source else ''}\n  called with sizes {as_sizes(world.sizes)}"
        )

    def _check_writes(self, kept: Mapping[str, np.ndarray], handed: Mapping[str, Any]) -> None:
        for name, before in kept.items():
            after = to_numpy(handed[name], name) if before.dtype.kind == "f" else np.asarray(handed[name])
            if not np.array_equal(before, after, equal_nan=before.dtype.kind == "f"):
                raise FormulaError(
                    f"check_vjp: {self.title} writes to its input {name}, which the caller still needs. "
                    f"Work on a copy: {name} = {name}.copy()."
                )

    def read(self, returned: Any) -> Gradients:
        """The returned gradients by input.

        Raises:
            FormulaError: nothing, too many or too few, or names that mean nothing were returned.
        """
        if returned is None:
            raise FormulaError(
                f"check_vjp: {self.title} returned None, wanted the gradients of {', '.join(self.subject.wrt)}. "
                "Does it end with a return?"
            )
        if hasattr(returned, "_asdict"):
            returned = returned._asdict()
        if isinstance(returned, Mapping):
            found = {self._input_of(key): value for key, value in returned.items()}
        elif isinstance(returned, tuple | list):
            found = dict(zip(self._order(len(returned)), returned, strict=True))
        else:
            found = {self._order(1)[0]: returned}
        return {n: to_numpy(v, f"the gradient of {n}") for n, v in found.items() if v is not None}

    def _input_of(self, key: Any) -> str:
        word = str(key)
        forms = {form: n for n in self.subject.wrt for form in forms_of(n)}
        folded = {form.replace("_", "").lower(): n for form, n in reversed(forms.items())}
        name = forms.get(word) or folded.get(word.replace("_", "").lower())
        if name is None:
            bare = re.sub(r"^(dL_d|grad_|d_?|g_)|(_grad|_bar)$", "", word)
            name = alike_in(bare, self.subject.wrt)
        if name is None:
            wanted = ", ".join(f"d{n}" for n in self.subject.wrt)
            raise FormulaError(f"check_vjp: {self.title} returned {word!r}, wanted gradients by name: {wanted}.")
        return name

    def _order(self, count: int) -> Sequence[str]:
        """Which inputs a number of gradients belongs to: those of wrt, or those that it was given."""
        wrt = self.subject.wrt
        if count == len(wrt):
            return wrt
        given = [n for n in wrt if n in self.binding.wanted]
        arrays = [n for n in wrt if self.subject.entries[n].indices]
        parameters = [n for n in arrays if n not in TARGETS]
        unmasked = [n for n in arrays if n not in MASKS]
        for order in (arrays, parameters, unmasked, given):
            if not self.explicit and count == len(order):
                return order
        wanted = ", ".join(f"d{n}" for n in wrt)
        raise FormulaError(
            f"check_vjp: {self.title} returned {count} gradient{'s' * (count != 1)}, wanted {len(wrt)} in this order: "
            f"{wanted}. Return all of them (None for one that is not claimed), return a dict, or name fewer in wrt=."
        )


def forms_of(name: str) -> tuple[str, ...]:
    """The names that the gradient by an input goes by."""
    return name, f"d{name}", f"grad_{name}", f"d_{name}", f"g_{name}", f"{name}_grad", f"{name}_bar", f"dL_d{name}"
