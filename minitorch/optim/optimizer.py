"""What has every optimizer?  Groups of parameters with options, a state for each parameter, and a step over all."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import DtypeError, StateError
from minitorch.nn.state import write
from minitorch.tensor import Tensor

_BESIDES = ("params", "initial_lr", "name")  # what a group may have beside the options


class Optimizer:
    """Base of all optimizers; a subclass gives the equation, `_update`.

    Args:
        params: parameters, or dictionaries `{"params": parameters, "lr": ...}`, each a group with options of its own.
        options: what holds for a group that says nothing else.

    Raises:
        ValueError: there are no parameters, one is there twice, or an option is impossible or unknown.
        DtypeError: something is not a Tensor that requires a gradient.
    """

    param_groups: list[dict[str, Any]]
    state: dict[Tensor, dict[str, Any]]  # of each parameter that has had a step

    def __init__(self, params: Iterable[Any], options: dict[str, Any]):
        if isinstance(params, Tensor | Mapping):
            raise DtypeError(f"{type(self).__name__}: got one {type(params).__name__}; it takes a list of parameters.")
        self.defaults, self.param_groups, self.state = options, [], {}
        given = list(params)
        if not given:
            raise ValueError(f"{type(self).__name__}: there are no parameters to optimize")
        for group in given if all(isinstance(g, Mapping) for g in given) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Optimize more parameters, with options of their own: `{"params": parameters, "lr": ...}`."""
        who = type(self).__name__
        if unknown := [k for k in group if k not in self.defaults and k not in _BESIDES]:
            raise ValueError(f"{who}: no options {unknown}; a group can have {[*_BESIDES, *self.defaults]}")
        new = {**self.defaults, **group}
        new["params"] = [new["params"]] if isinstance(new["params"], Tensor) else list(new["params"])
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for k, p in enumerate(new["params"]):
            if not isinstance(p, Tensor):
                raise DtypeError(f"{who}: parameter {k} is a {type(p).__name__}; it takes Tensors.")
            if not p.is_leaf or p.dtype.kind != "f":
                raise DtypeError(
                    f"{who}: parameter {k} of shape {p.shape} is {'a result' if not p.is_leaf else p.dtype}; only leaf "
                    "tensors of floating-point numbers are optimized. Pass model.parameters()?"
                )
            if id(p) in known:
                said = f" ({p.name})" if p.name else ""
                raise ValueError(f"{who}: parameter {k}{said} of shape {p.shape} is there twice; each has one group")
            known.add(id(p))
        for option in ("lr", "eps", "weight_decay", "momentum", "lr_decay"):
            if not new.get(option, 0) >= 0:
                raise ValueError(f"{who}: {option}={new[option]}; it must be at least 0")
        self._check(new)
        self.param_groups.append(new)

    def _check(self, group: dict[str, Any]) -> None:
        """Raise ValueError if a subclass cannot have these options."""

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
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
            raise StateError(
                f"{type(self).__name__}.load_state_dict: it takes what `state_dict()` of an optimizer gave."
            )
        groups = list(state_dict["param_groups"])
        wrong = []
        if len(groups) != len(self.param_groups):
            wrong.append(f"{len(groups)} groups in the state, {len(self.param_groups)} here")
        for k, (theirs, ours) in enumerate(zip(groups, self.param_groups, strict=False)):
            if len(theirs["params"]) != len(ours["params"]):
                wrong.append(f"group {k}: {len(theirs['params'])} parameters in the state, {len(ours['params'])} here")
            if missing := [o for o in self.defaults if o not in theirs]:
                wrong.append(f"group {k}: the state has no {', '.join(missing)}")
        fitting = zip(groups, self.param_groups, strict=False)
        found = {n: p for g, ours in fitting for n, p in zip(g["params"], ours["params"], strict=False)}
        state: dict[Tensor, dict[str, Any]] = {}
        for number, values in state_dict["state"].items():
            if (p := found.get(number)) is None:
                wrong.append(f"parameter {number}: it has a state, but is in no group")
                continue
            state[p] = {name: self._own(v, p) for name, v in values.items()}
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
        array = np.asarray(value)
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
