"""What has every optimizer?  Groups of parameters with options, a state for each parameter, and a step over all."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.arguments import check_callable, check_numbers
from minitorch.errors import ArgumentError, DtypeError, MinitorchError, OperandError, StateError
from minitorch.nn.state import read, write
from minitorch.signature import parameters
from minitorch.tensor import Tensor

if TYPE_CHECKING:
    from typing import Self

_BESIDES = ("params", "initial_lr", "name")  # what a group may have beside the options
_AT_LEAST_0 = ("lr", "eps", "weight_decay", "momentum", "lr_decay", "alpha", "initial_accumulator_value")
_ELSEWHERE = {  # PyTorch's options that are not here
    **dict.fromkeys(("foreach", "fused", "capturable"), "It chooses how PyTorch computes the same; leave it out?"),
    "decoupled_weight_decay": "Use AdamW?",
}


def listed(who: str, given: Any) -> list[Tensor]:
    """Parameters that were given in any of the ways that are taken: one, several, or pairs of names and parameters.

    Raises:
        DtypeError: it is something else, or holds something else.
    """
    if isinstance(given, Tensor):
        return [given]
    if hasattr(given, "parameters"):
        raise DtypeError(f"{who}: got a {type(given).__name__}; it takes parameters. Pass model.parameters()?")
    if not isinstance(given, Iterable) or isinstance(given, Mapping | set | frozenset | str):
        raise DtypeError(f"{who}: got a {type(given).__name__}; it takes a list of parameters.")
    found: list[Any] = [p[1] if isinstance(p, tuple) and len(p) == 2 and isinstance(p[0], str) else p for p in given]
    for k, p in enumerate(found):
        if not isinstance(p, Tensor):
            raise DtypeError(f"{who}: parameter {k} is a {type(p).__name__}; it takes Tensors.")
    return found


class Optimizer:
    """Base of all optimizers; a subclass gives the equation, `_update`.

    Args:
        params: parameters, pairs of names and parameters, or dictionaries `{"params": parameters, "lr": ...}`, each a
            group with options of its own.
        options: what holds for a group that says nothing else.

    Raises:
        ArgumentError: an option is unknown, or a group has no parameters.
        OperandError: there are no parameters, one is there twice, or an option has an impossible value.
        DtypeError: something is not a leaf Tensor of floating-point numbers, or an option is no number.
    """

    param_groups: list[dict[str, Any]]
    state: dict[Tensor, dict[str, Any]]  # of each parameter that has had a step

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """An optimizer to be initialised, unless an option has a name that its class does not know."""
        taken = parameters(cls.__init__)
        known = [p.name for p in taken[1:]]
        unknown = [o for o in options if o not in known]
        if unknown and not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in taken):
            said = " ".join(dict.fromkeys(_ELSEWHERE[o] for o in unknown if o in _ELSEWHERE))
            raise ArgumentError(
                f"{cls.__name__}: no option {', '.join(unknown)}; there are {', '.join(known[1:])}. {said}".rstrip()
            )
        return super().__new__(cls)

    def __init__(self, params: Iterable[Any], options: dict[str, Any]):
        who = type(self).__name__
        if isinstance(params, Tensor):
            raise DtypeError(f"{who}: got one {type(params).__name__}; it takes a list of parameters.")
        self.defaults, self.param_groups, self.state = options, [], {}
        given: Any = list(params) if isinstance(params, Iterator | list | tuple) else params
        grouped = isinstance(given, list) and bool(given) and all(isinstance(g, Mapping) for g in given)
        for group in given if grouped else [{"params": given}]:
            self.add_param_group(group)
        if not grouped and not self.param_groups[0]["params"]:
            raise OperandError(f"{who}: there are no parameters to optimize.")

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Optimize more parameters, with options of their own: `{"params": parameters, "lr": ...}`."""
        who = type(self).__name__
        if not isinstance(group, Mapping) or "params" not in group:
            raise ArgumentError(f'{who}: a group without parameters; it takes {{"params": parameters, ...}}.')
        if unknown := [k for k in group if k not in self.defaults and k not in _BESIDES]:
            raise ArgumentError(f"{who}: no options {unknown}; a group can have {[*_BESIDES, *self.defaults]}.")
        new = {**self.defaults, **group, "params": listed(who, group["params"])}
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for k, p in enumerate(new["params"]):
            if not p.is_leaf or p.dtype.kind != "f":
                raise DtypeError(
                    f"{who}: parameter {k} of shape {p.shape} is {'a result' if not p.is_leaf else p.dtype}; only leaf "
                    "tensors of floating-point numbers are optimized. Pass model.parameters()?"
                )
            if id(p) in known:
                said = f" ({p.name})" if p.name else ""
                raise OperandError(f"{who}: parameter {k}{said} of shape {p.shape} is there twice; each has one group.")
            known.add(id(p))
        self._check(new)
        self.param_groups.append(new)

    def _check(self, group: dict[str, Any]) -> None:
        """Raise a DtypeError or an OperandError if the options are impossible; a subclass may know more of them."""
        check_numbers(type(self).__name__, 0.0, **{o: group[o] for o in _AT_LEAST_0 if o in group})

    def _update(self, p: np.ndarray, g: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> Any:
        """The new values of a parameter with values p and gradient g; `state` is kept for the next time."""
        raise NotImplementedError(f"{type(self).__name__} does not define _update")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients anew, and returns the loss.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            check_callable(f"{type(self).__name__}.step", closure)
            with modes.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    g = p.grad.numpy()
                    state = self.state.setdefault(p, {})
                    write(p, self._update(p.numpy(), -g if group.get("maximize") else g, state, group))
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with `set_to_none=False` those that exist become zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None if set_to_none or p.grad is None else Tensor(np.zeros_like(p.grad.numpy()))

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything a later run needs to go on: parameters are counted through, as in PyTorch."""
        number = self._numbers()
        return {
            "state": {number[id(p)]: copy.deepcopy(s) for p, s in self.state.items()},
            "param_groups": [
                {k: [number[id(p)] for p in v] if k == "params" else copy.deepcopy(v) for k, v in group.items()}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where another run stopped.

        Args:
            state_dict: what `state_dict()` of an optimizer of the same kind, over the same parameters, gave.

        Raises:
            StateError: everything that does not fit, all at once; then nothing has been loaded.
        """
        if not (
            isinstance(state_dict, Mapping)
            and isinstance(state_dict.get("state"), Mapping)
            and isinstance(state_dict.get("param_groups"), list | tuple)
        ):
            raise StateError(
                f"{type(self).__name__}.load_state_dict: it takes what `state_dict()` of an optimizer gave."
            )
        groups = list(state_dict["param_groups"])
        wrong = []
        if len(groups) != len(self.param_groups):
            wrong.append(f"{len(groups)} groups in the state, {len(self.param_groups)} here")
        for k, (theirs, ours) in enumerate(zip(groups, self.param_groups, strict=False)):
            if not isinstance(theirs, Mapping) or "params" not in theirs:
                raise StateError(f"{type(self).__name__}.load_state_dict: group {k} of the state has no params.")
            if len(theirs["params"]) != len(ours["params"]):
                wrong.append(f"group {k}: {len(theirs['params'])} parameters in the state, {len(ours['params'])} here")
            if missing := [o for o in self.defaults if o not in theirs]:
                wrong.append(f"group {k}: the state has no {', '.join(missing)}")
            try:
                self._check({**ours, **theirs})
            except MinitorchError as error:
                wrong.append(f"group {k}: {str(error).partition(chr(10))[0]}")
        fitting = zip(groups, self.param_groups, strict=False)
        found = {n: p for g, ours in fitting for n, p in zip(g["params"], ours["params"], strict=False)}
        state: dict[Tensor, dict[str, Any]] = {}
        for number, values in state_dict["state"].items():
            if (p := found.get(number)) is None:
                wrong.append(f"parameter {number}: it has a state, but is in no group")
                continue
            try:
                state[p] = {name: self._own(v, p) for name, v in values.items()}
            except (TypeError, ValueError, RuntimeError) as error:
                wrong.append(f"parameter {number}: its state cannot be read: {error}")
                continue
            wrong += [
                f"parameter {number}: {name} of shape {v.shape} in the state, {p.shape} here"
                for name, v in state[p].items()
                if isinstance(v, np.ndarray) and v.shape != p.shape
            ]
        if wrong:
            raise StateError(
                f"{type(self).__name__}.load_state_dict: the state does not fit; nothing was loaded.\n  "
                + "\n  ".join(wrong)
            )
        self.state = state
        for theirs, ours in zip(groups, self.param_groups, strict=True):
            ours.update({k: copy.deepcopy(v) for k, v in theirs.items() if k != "params"})

    @staticmethod
    def _own(value: Any, p: Tensor) -> Any:
        """A copy: a number as it is, an array in the parameter's dtype."""
        if value is None or isinstance(value, int | float):
            return value
        array = read(value)
        return array.item() if not array.ndim and p.ndim else np.array(array, p.dtype)

    def _numbers(self) -> dict[int, int]:
        return {id(p): k for k, p in enumerate(p for group in self.param_groups for p in group["params"])}

    def __repr__(self) -> str:
        lines = [
            f"  group {k}: {sum(p.size for p in g['params']):,} parameters in {len(g['params'])} tensors, "
            + ", ".join(f"{o}={v}" for o, v in g.items() if o != "params")
            for k, g in enumerate(self.param_groups)
        ]
        return "\n".join([type(self).__name__, *lines])
