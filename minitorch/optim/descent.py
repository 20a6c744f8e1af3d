"""How does a gradient change a parameter?  One equation a class; names and numbers of all options are PyTorch's.

Throughout, p is a parameter, g its gradient, t counts the steps of this parameter from 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minitorch.arguments import check_numbers
from minitorch.errors import DtypeError, OperandError
from minitorch.optim.optimizer import Optimizer

State = dict[str, Any]


class SGD(Optimizer):
    """Gradient descent with momentum (Polyak 1964; Sutskever et al. 2013, ICML, section 2).

        g <- g + weight_decay p
        v <- momentum v + (1 - dampening) g              (v = g at the first step)
        p <- p - lr v                                    (with nesterov: p - lr (g + momentum v))

    >>> import minitorch as mt
    >>> p = mt.Parameter([1.0])
    >>> (p * p).sum().backward()
    >>> SGD([p], lr=0.25).step()
    >>> p.numpy().tolist()
    [0.5]
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ):
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, {**options, "nesterov": nesterov, "maximize": maximize})

    def _check(self, group: State) -> None:
        super()._check(group)
        check_numbers("SGD", dampening=group["dampening"])
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise OperandError("SGD: nesterov needs a momentum above 0 and no dampening.")

    def _update(self, p: np.ndarray, g: np.ndarray, state: State, group: State) -> Any:
        lr, momentum = float(group["lr"]), float(group["momentum"])
        g = _decayed(p, g, group)
        if momentum:
            v = state.get("momentum_buffer")
            if v is None:
                v = state["momentum_buffer"] = np.array(g)
            else:
                v *= momentum
                v += (1 - float(group["dampening"])) * g
            g = g + momentum * v if group["nesterov"] else v
        return p - lr * g


class Adam(Optimizer):
    """Steps of the size of lr, whatever the gradient's scale (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1).

        g <- g + weight_decay p
        m <- beta_1 m + (1 - beta_1) g,    v <- beta_2 v + (1 - beta_2) g^2
        p <- p - lr (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + eps)

    With amsgrad the largest v so far takes the place of v (Reddi et al. 2018).
    """

    _decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ):
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**options, "amsgrad": amsgrad, "maximize": maximize})

    def _check(self, group: State) -> None:
        super()._check(group)
        who, betas = type(self).__name__, group["betas"]
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise DtypeError(f"{who}: betas={betas!r}; it takes two numbers, as (0.9, 0.999).")
        check_numbers(who, **{f"betas[{k}]": beta for k, beta in enumerate(betas)})
        if not all(0 <= beta < 1 for beta in betas):
            raise OperandError(f"{who}: betas={betas}; both must be in [0, 1).")

    def _update(self, p: np.ndarray, g: np.ndarray, state: State, group: State) -> Any:
        lr, eps, (beta_1, beta_2) = float(group["lr"]), float(group["eps"]), map(float, group["betas"])
        if self._decoupled:
            p = p * (1 - lr * float(group["weight_decay"]))
        else:
            g = _decayed(p, g, group)
        t = state["step"] = state.get("step", 0) + 1
        m, v = _kept(state, "exp_avg", p), _kept(state, "exp_avg_sq", p)
        m *= beta_1
        m += (1 - beta_1) * g
        v *= beta_2
        v += (1 - beta_2) * g * g
        if group["amsgrad"]:
            v = np.maximum(v, _kept(state, "max_exp_avg_sq", p), out=state["max_exp_avg_sq"])
        return p - lr / (1 - beta_1**t) * m / (np.sqrt(v) / (1 - beta_2**t) ** 0.5 + eps)


class AdamW(Adam):
    """Adam whose weight decay does not pass through the moments: p <- (1 - lr weight_decay) p at each step (Loshchilov
    and Hutter 2019, arXiv 1711.05101, algorithm 2)."""

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


class RMSprop(Optimizer):
    """Each step divided by the root of a running mean of squares (Tieleman and Hinton 2012, lecture 6e).

    g <- g + weight_decay p
    v <- alpha v + (1 - alpha) g^2
    u <- g / (sqrt(v) + eps)                         (centered: v minus the square of the running mean of g)
    b <- momentum b + u
    p <- p - lr b
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ):
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(params, {**options, "centered": centered, "maximize": maximize})

    def _update(self, p: np.ndarray, g: np.ndarray, state: State, group: State) -> Any:
        alpha, momentum = float(group["alpha"]), float(group["momentum"])
        g = _decayed(p, g, group)
        state["step"] = state.get("step", 0) + 1
        v = _kept(state, "square_avg", p)
        v *= alpha
        v += (1 - alpha) * g * g
        if group["centered"]:
            mean = _kept(state, "grad_avg", p)
            mean += (1 - alpha) * (g - mean)
            v = np.maximum(v - mean * mean, 0)  # a constant gradient has variance 0, and rounding may go below
        u = g / (np.sqrt(v) + float(group["eps"]))
        if momentum:
            b = _kept(state, "momentum_buffer", p)
            b *= momentum
            b += u
            u = b
        return p - float(group["lr"]) * u


class Adagrad(Optimizer):
    """Each step divided by the root of the sum of all squares (Duchi, Hazan and Singer 2011, JMLR 12, figure 1).

    g <- g + weight_decay p
    s <- s + g^2                                     (s = initial_accumulator_value at the start)
    p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ):
        options = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        start = {"initial_accumulator_value": initial_accumulator_value}
        super().__init__(params, {**options, **start, "maximize": maximize})

    def _update(self, p: np.ndarray, g: np.ndarray, state: State, group: State) -> Any:
        g = _decayed(p, g, group)
        t = state["step"] = state.get("step", 0) + 1
        s = _kept(state, "sum", p, float(group["initial_accumulator_value"]))
        s += g * g
        lr = float(group["lr"]) / (1 + (t - 1) * float(group["lr_decay"]))
        return p - lr * g / (np.sqrt(s) + float(group["eps"]))


def _decayed(p: np.ndarray, g: np.ndarray, group: State) -> Any:
    """The gradient of the loss plus weight_decay |p|^2 / 2."""
    decay = float(group["weight_decay"])
    return g + decay * p if decay else g


def _kept(state: State, name: str, p: np.ndarray, start: float = 0.0) -> np.ndarray:
    """What a parameter's state has under this name; an array that is changed in place."""
    if name not in state:
        state[name] = np.full(p.shape, start, p.dtype)
    return state[name]
