"""How is a model trained?  Numbers only; they stand in a run's `config.json`.

The learning rate warms up, falls with the inverse square root of the step s, and cools down to 0 at the end:

    lr_s = lr min(s / warmup, sqrt(warmup / s)) min(1, (1 - progress) / cooldown)

Sources: Vaswani et al. 2017, section 5.3 (warm-up and inverse square root); Zhai et al. 2022 (arXiv 2106.04560),
section 3.5 (the cooldown, which lets a training end after any time that was planned).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from transformer.errors import RunError


@dataclass(frozen=True)
class Recipe:
    """Sizes and rates of a training; `steps` or `minutes` says when it ends, and the first of both if both are given.

    Args:
        steps: steps of the optimizer.
        minutes: time, evaluation included.  The schedule then follows the clock; with `steps` alone it is a function of
            the step, and a run that was interrupted repeats exactly what it would have done.
        batch: sequences that are computed together.
        accumulate: batches whose gradients make one step.
        lr: the largest learning rate.
        warmup: steps until it is reached.
        cooldown: the last part of the training, 0 to 1, over which the rate goes to 0.
        label_smoothing, weight_decay, betas, eps: of the loss and of AdamW.
        clip: the largest norm of the gradient; 0 for any.
        evaluate_every, log_every, checkpoint_every: in steps.
        patience: evaluations without progress after which the training stops; 0 for never.
        seed: of the initialisation, of dropout and of the order of the data.
    """

    steps: int | None = None
    minutes: float | None = None
    batch: int = 64
    accumulate: int = 1
    lr: float = 1e-3
    warmup: int = 1000
    cooldown: float = 0.5
    label_smoothing: float = 0.1
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    eps: float = 1e-9
    clip: float = 1.0
    evaluate_every: int = 1000
    log_every: int = 50
    checkpoint_every: int = 200
    patience: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is {getattr(self, name)!r}, {wanted}"
            for name, wanted, right in (
                ("steps", "wanted 1 or more", self.steps is None or self.steps >= 1),
                ("minutes", "wanted more than 0", self.minutes is None or 0 < self.minutes < math.inf),
                *((n, "wanted 1 or more", getattr(self, n) >= 1) for n in ("batch", "accumulate", "warmup")),
                *((n, "wanted 1 or more", getattr(self, f"{n}") >= 1) for n in _EVERY),
                ("lr", "wanted more than 0", 0 < self.lr < math.inf),
                *((n, "wanted 0 to 1", 0 <= getattr(self, n) <= 1) for n in ("cooldown", "label_smoothing")),
                *((n, "wanted 0 or more", getattr(self, n) >= 0) for n in ("clip", "weight_decay", "patience", "seed")),
            )
            if not right
        ]
        if self.steps is None and self.minutes is None:
            wrong.append("neither steps nor minutes are given; one of them ends the training")
        if wrong:
            raise RunError(f"recipe: {'; '.join(wrong)}.")

    def progress(self, step: int, seconds: float) -> float:
        """How much of the training is over, 0 to 1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    def rate(self, step: int, progress: float) -> float:
        """The learning rate of a step, counted from 1.

        >>> recipe = Recipe(steps=1000, lr=1.0, warmup=100, cooldown=0.5)
        >>> [round(recipe.rate(s, recipe.progress(s - 1, 0)), 3) for s in (1, 100, 400, 1000)]
        [0.01, 1.0, 0.5, 0.001]
        """
        warm = min(step / self.warmup, math.sqrt(self.warmup / step))
        return self.lr * warm * (min(1.0, (1 - progress) / self.cooldown) if self.cooldown else 1.0)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "betas": list(self.betas)}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Recipe:
        """The recipe of a `config.json`.

        Raises:
            RunError: entries that are not known, or impossible.
        """
        known = {f.name for f in fields(cls)}
        if unknown := [name for name in given if name not in known]:
            raise RunError(f"recipe: unknown entries {', '.join(unknown)}. Was the run made by a newer version?")
        try:
            return cls(**{**given, "betas": tuple(given.get("betas", cls.betas))})
        except TypeError as error:
            raise RunError(f"recipe: an entry is of the wrong kind: {error}.") from None


_EVERY = ("evaluate_every", "log_every", "checkpoint_every")
