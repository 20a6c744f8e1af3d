"""What is trained for?  Losses as layers, `loss(prediction, target)`: each applies the operation of its name.

Class weights are buffers, and so in the state dict, as in PyTorch.  Options but the first are given by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from minitorch.nn.module import Module
from minitorch.ops import distances, losses
from minitorch.primitive import Array

Weight: TypeAlias = "Array | Sequence[float] | None"


class _Loss(Module):
    """One operation with its options and its weights."""

    def __init__(self, operation: Any, reduction: str, weights: dict[str, Weight] | None = None, **options: Any):
        distances.known(reduction, type(self).__name__, ("batchmean",) * (operation is distances.kl_div))
        self._operation, self._options = operation, {"reduction": reduction, **options}
        self._weights = tuple(weights or ())
        for name, value in (weights or {}).items():
            self.register_buffer(name, value)  # type: ignore[arg-type]

    def forward(self, prediction: Array, target: Any) -> Any:
        """The loss; shapes as the operation takes them."""
        weights = {name: getattr(self, name) for name in self._weights}
        return self._operation(prediction, target, **self._options, **weights)

    def extra_repr(self) -> str:
        """The options."""
        return ", ".join(f"{name}={value!r}" for name, value in self._options.items())


class CrossEntropyLoss(_Loss):
    """-log softmax(logits)[target]; classes along the last axis: see `minitorch.cross_entropy`.

    (PyTorch has the classes along axis 1, which is the last one of (batch, classes).)

    >>> import minitorch as mt
    >>> CrossEntropyLoss()(mt.tensor([[0.0, 0.0]]), [1])
    Tensor(0.6931472, dtype=float32)
    """

    def __init__(
        self,
        weight: Weight = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        options = {"ignore_index": ignore_index, "label_smoothing": label_smoothing}
        super().__init__(losses.cross_entropy, reduction, {"weight": weight}, **options)


class NLLLoss(_Loss):
    """-logp[target]; classes along the last axis: see `minitorch.nll_loss`."""

    def __init__(self, weight: Weight = None, *, ignore_index: int = -100, reduction: str = "mean"):
        super().__init__(losses.nll_loss, reduction, {"weight": weight}, ignore_index=ignore_index)


class BCEWithLogitsLoss(_Loss):
    """-t log sigmoid(x) - (1 - t) log sigmoid(-x): see `minitorch.binary_cross_entropy_with_logits`."""

    def __init__(self, weight: Weight = None, *, reduction: str = "mean", pos_weight: Weight = None):
        operation = distances.binary_cross_entropy_with_logits
        super().__init__(operation, reduction, {"weight": weight, "pos_weight": pos_weight})


class MSELoss(_Loss):
    """(prediction - target)^2."""

    def __init__(self, *, reduction: str = "mean"):
        super().__init__(distances.mse_loss, reduction)


class HuberLoss(_Loss):
    """A parabola where the difference is below delta, then a line: see `minitorch.huber_loss`."""

    def __init__(self, *, reduction: str = "mean", delta: float = 1.0):
        super().__init__(distances.huber_loss, reduction, delta=delta)


class KLDivLoss(_Loss):
    """t (log t - prediction), the prediction being log-probabilities: see `minitorch.kl_div`."""

    def __init__(self, *, reduction: str = "mean", log_target: bool = False):
        super().__init__(distances.kl_div, reduction, log_target=log_target)
