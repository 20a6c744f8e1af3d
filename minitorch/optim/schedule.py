"""How does the learning rate change?  A factor of the step t, counted from 0, on the rate that each group began with.

    lr_t = lr_0 f(t)

Call `step()` once after each step of the optimizer.  Names, options and values are PyTorch's where it has them; values
are computed from t alone, so that rounding errors do not add up and a schedule can be entered anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minitorch.arguments import check_callable, check_numbers, check_sizes
from minitorch.errors import DtypeError, OperandError, StateError
from minitorch.optim.optimizer import Optimizer


class LRScheduler:
    """Base of all schedules; a subclass gives `_lr`.

    Args:
        optimizer: whose groups' `lr` is set, now and at each `step()`.
        last_epoch: the step before the one to start from; -1 starts a new training.

    Raises:
        DtypeError: not an optimizer, or an option is of another kind.
        OperandError: an option has an impossible value.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        _check_optimizer(type(self).__name__, optimizer)
        check_sizes(type(self).__name__, -1, last_epoch=last_epoch)
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group["initial_lr"] = group["lr"]
            elif "initial_lr" not in group:
                raise OperandError(
                    f"last_epoch={last_epoch} goes on, but a group of the optimizer has no 'initial_lr'. Load it?"
                )
        self._set([float(group["initial_lr"]) for group in optimizer.param_groups], last_epoch + 1)

    def _lr(self, base: float, t: int, group: int) -> float:
        raise NotImplementedError(f"{type(self).__name__} does not define _lr")

    def _set(self, base_lrs: list[float], t: int) -> None:
        """Stand at step t: all rates are known before anything is changed."""
        rates = [self._lr(base, t, k) for k, base in enumerate(base_lrs)]
        self.base_lrs, self.last_epoch = base_lrs, t
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr

    def step(self) -> None:
        """Go on to the next step's rates."""
        self._set(self.base_lrs, self.last_epoch + 1)

    def get_last_lr(self) -> list[float]:
        """The rate of each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Where it stands; functions that were given to it are not in it."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there; the optimizer's rates are set at once.

        Raises:
            StateError: the state is of something else, or of another number of groups; nothing has been loaded.
        """
        if not isinstance(state_dict, Mapping) or not {"base_lrs", "last_epoch"} <= state_dict.keys():
            raise StateError(f"{type(self).__name__}.load_state_dict: it takes what `state_dict()` of a schedule gave.")
        base_lrs = list(state_dict["base_lrs"])
        if len(base_lrs) != len(self.base_lrs):
            raise StateError(
                f"{type(self).__name__}.load_state_dict: rates of {len(base_lrs)} groups in the state, "
                f"{len(self.base_lrs)} groups here; nothing was loaded."
            )
        check_sizes(f"{type(self).__name__}.load_state_dict", 0, last_epoch=state_dict["last_epoch"])
        check_numbers(
            f"{type(self).__name__}.load_state_dict", **{f"base_lrs[{k}]": lr for k, lr in enumerate(base_lrs)}
        )
        self._set(base_lrs, int(state_dict["last_epoch"]))


class LambdaLR(LRScheduler):
    """lr_t = lr_0 f(t) for a function f, or one function for each group.

    >>> import minitorch as mt
    >>> sgd = mt.optim.SGD([mt.Parameter([0.0])], lr=1.0)
    >>> schedule = LambdaLR(sgd, lambda t: 0.5**t)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ):
        _check_optimizer("LambdaLR", optimizer)
        n = len(optimizer.param_groups)
        for f in lr_lambda if isinstance(lr_lambda, list | tuple) else [lr_lambda]:
            check_callable("LambdaLR", f)
        self.lr_lambdas = [lr_lambda] * n if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != n:
            raise OperandError(f"LambdaLR: {len(self.lr_lambdas)} functions for {n} groups; give one, or one for each.")
        super().__init__(optimizer, last_epoch)

    def _lr(self, base: float, t: int, group: int) -> float:
        factor = self.lr_lambdas[group](t)
        check_numbers("LambdaLR", **{f"lr_lambda({t})": factor})
        return base * factor


class StepLR(LRScheduler):
    """lr_t = lr_0 gamma^floor(t / step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1):
        check_sizes("StepLR", step_size=step_size)
        check_numbers("StepLR", gamma=gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _lr(self, base: float, t: int, group: int) -> float:
        return base * self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """lr_t = lr_0 gamma^k, with k of the milestones not after t."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1, last_epoch: int = -1):
        if not isinstance(milestones, Sequence):
            raise DtypeError(f"MultiStepLR: milestones={milestones!r}; it takes a list of steps.")
        check_sizes("MultiStepLR", 0, **{f"milestones[{k}]": m for k, m in enumerate(milestones)})
        check_numbers("MultiStepLR", gamma=gamma)
        self.milestones, self.gamma = list(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _lr(self, base: float, t: int, group: int) -> float:
        return base * self.gamma ** sum(m <= t for m in self.milestones)


class ExponentialLR(LRScheduler):
    """lr_t = lr_0 gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        check_numbers("ExponentialLR", gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _lr(self, base: float, t: int, group: int) -> float:
        return base * self.gamma**t


class LinearLR(LRScheduler):
    """lr_t = lr_0 times a factor that goes evenly from start_factor to end_factor in total_iters steps, and stays."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        check_sizes("LinearLR", total_iters=total_iters)
        check_numbers("LinearLR", 0.0, start_factor=start_factor, end_factor=end_factor)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _lr(self, base: float, t: int, group: int) -> float:
        part = min(t, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * part)


class CosineAnnealingLR(LRScheduler):
    """lr_t = eta_min + (lr_0 - eta_min) (1 + cos(pi t / T_max)) / 2 (Loshchilov and Hutter 2017, arXiv 1608.03983, eq.
    5); after T_max it rises again, as in PyTorch."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1):
        check_sizes("CosineAnnealingLR", T_max=T_max)
        check_numbers("CosineAnnealingLR", eta_min=eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _lr(self, base: float, t: int, group: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * t / self.T_max)) / 2


class InverseSqrtLR(LRScheduler):
    """The Transformer's schedule: a linear warm-up, then the inverse square root (Vaswani et al. 2017, section 5.3).

        lr_t = lr_0 d_model^-0.5 min(s^-0.5, s warmup_steps^-1.5),    s = t + 1 = 1, 2, ...

    With the optimizer's lr = 1 it is the paper's equation.

    >>> import minitorch as mt
    >>> adam = mt.optim.Adam([mt.Parameter([0.0])], lr=1.0, betas=(0.9, 0.98), eps=1e-9)
    >>> schedule = InverseSqrtLR(adam, d_model=512, warmup_steps=4000)
    >>> round(4000 * schedule.get_last_lr()[0], 6)  # the largest rate, reached at step 4000
    0.000699
    """

    def __init__(self, optimizer: Optimizer, d_model: int, warmup_steps: int = 4000, last_epoch: int = -1):
        check_sizes("InverseSqrtLR", d_model=d_model, warmup_steps=warmup_steps)
        self.d_model, self.warmup_steps = d_model, warmup_steps
        super().__init__(optimizer, last_epoch)

    def _lr(self, base: float, t: int, group: int) -> float:
        s = t + 1
        return base * self.d_model**-0.5 * min(s**-0.5, s * self.warmup_steps**-1.5)


def _check_optimizer(who: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise DtypeError(f"{who}: got a {type(optimizer).__name__}; its first argument is the optimizer.")
