"""How does a model learn?  A step at a time, and so that it can stop after any of them and go on as if it had not.

    loss.backward();  clip;  optimizer.step()

All that the next step depends on is in the trainer's state: weights, moments, step, place in the data, random state.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.batches import Batch, Batches
from transformer.errors import DivergedError, RunError
from transformer.loss import sequence_loss
from transformer.recipe import Recipe

Evaluate = Callable[[nn.Module], dict[str, float]]


@dataclass
class Progress:
    """Where a training stands.  Plain numbers."""

    step: int = 0  # steps of the optimizer that were made
    epoch: int = 0  # the epoch of the next batch, and its place there
    index: int = 0
    seconds: float = 0.0  # spent so far, in all processes together
    tokens: int = 0  # tokens that were predicted since the last line of the log
    nats: float = 0.0  # and their loss
    logged: float = 0.0  # the seconds at that line
    lr: float = 0.0  # of the last step
    norm: float = 0.0  # of its gradient, before it was clipped
    best: float | None = None  # the best score of an evaluation, the lower the better
    best_step: int = 0
    worse: int = 0  # evaluations since then
    scores: dict[str, float] = field(default_factory=dict)  # of the last evaluation


class Trainer:
    """A model, its optimizer and its data.

    Args:
        model: gives logits, see `sequence_loss`.
        batches: what it learns from.
        recipe: how.
        evaluate: model -> scores; the first is the one that tells whether a model is better (lower) than another.

    >>> from transformer.batches import Windows
    >>> class Bigram(nn.Module):
    ...     def __init__(self):
    ...         self.table = nn.Embedding(5, 5)
    ...     def forward(self, tokens):
    ...         return self.table(tokens)
    >>> _ = mt.seed(0)
    >>> trainer = Trainer(Bigram(), Windows(np.array([3, 4] * 50), 10, 2), Recipe(steps=100, lr=0.5, warmup=5))
    >>> first, *_, last = [trainer.step() for _ in range(100)]
    >>> first > 1 > last
    True
    """

    def __init__(self, model: nn.Module, batches: Batches, recipe: Recipe, evaluate: Evaluate | None = None):
        self.model, self.batches, self.recipe, self.evaluate = model, batches, recipe, evaluate
        self.parameters = list(model.parameters())
        self.optimizer = mt.optim.AdamW(
            self.parameters, recipe.lr, recipe.betas, recipe.eps, weight_decay=recipe.weight_decay
        )
        self.at = Progress()
        self._started, self._order = time.perf_counter(), (-1, [])

    @property
    def over(self) -> bool:
        """Whether the steps or the time are used up, or the model has stopped becoming better."""
        patience = self.recipe.patience
        return self.recipe.progress(self.at.step, self.at.seconds) >= 1 or 0 < patience <= self.at.worse

    def step(self) -> float:
        """One step of the optimizer; the loss of a token, in nats, with smoothing.

        Raises:
            DivergedError: the loss or a gradient is not finite; says what made it, and the weights are as before.
        """
        batches = [self._next() for _ in range(self.recipe.accumulate)]
        tokens = sum(batch.tokens for batch in batches)
        before = mt.random.generator().bit_generator.state
        loss = self._gradients(batches, tokens)
        norm = float(mt.optim.clip_grad_norm_(self.parameters, self.recipe.clip or math.inf))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            self._explain(batches, tokens, before, "loss" if not math.isfinite(loss) else "gradient")
        at, recipe = self.at, self.recipe
        at.lr = recipe.rate(at.step + 1, recipe.progress(at.step, at.seconds))
        for group in self.optimizer.param_groups:
            group["lr"] = at.lr
        self.optimizer.step()
        self.optimizer.zero_grad()
        at.step, at.tokens, at.nats, at.norm = at.step + 1, at.tokens + tokens, at.nats + loss * tokens, norm
        self._tick()
        return loss

    def assess(self) -> bool:
        """Evaluate the model; whether it is the best so far."""
        if self.evaluate is None:
            return True
        self.model.eval()
        try:
            with mt.no_grad():
                self.at.scores = {name: float(v) for name, v in self.evaluate(self.model).items()}
        finally:
            self.model.train()
        score = next(iter(self.at.scores.values()))
        better = self.at.best is None or score < self.at.best
        if better:
            self.at.best, self.at.best_step, self.at.worse = score, self.at.step, 0
        else:
            self.at.worse += 1
        self._tick()
        return better

    def start_clock(self) -> None:
        """Time counts from now on."""
        self._started = time.perf_counter()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.at.seconds += now - self._started
        self._started = now

    def _next(self) -> Batch:
        """The next batch; after the last of an epoch comes the first of the next."""
        if self._order[0] != self.at.epoch:
            self._order = (self.at.epoch, list(self.batches.epoch(self.at.epoch)))
        batch = self.batches.take(self._order[1][self.at.index])
        self.at.index += 1
        if self.at.index == len(self._order[1]):
            self.at.epoch, self.at.index = self.at.epoch + 1, 0
        return batch

    def _gradients(self, batches: list[Batch], tokens: int) -> float:
        """Leave the gradients of the mean loss of all tokens, whatever batch they are in; the loss."""
        total = 0.0
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is not finite is looked for below
            for batch in batches:
                loss = sequence_loss(self.model, batch, self.recipe.label_smoothing) / tokens
                loss.backward()
                total += loss.item()
        return total

    def _explain(self, batches: list[Batch], tokens: int, random: Mapping[str, Any], what: str) -> None:
        """Run the step again, with the same random numbers, and stop at the first value that is not finite."""
        where = f"step {self.at.step + 1}: the {what} is not finite"
        self.optimizer.zero_grad()
        bad = [name for name, p in self.model.named_parameters() if not np.isfinite(p.numpy()).all()]
        if bad:
            raise DivergedError(f"{where}: NaN or infinity in the weights {', '.join(bad)}. Start from other weights?")
        mt.random.generator().bit_generator.state = random
        try:
            with mt.detect_anomaly():
                self._gradients(batches, tokens)
        except mt.AnomalyError as error:
            raise DivergedError(f"{where}: {error.message}. A smaller --lr, or a longer --warmup?") from None
        finally:
            self.optimizer.zero_grad()
        raise DivergedError(f"{where}, though no operation's result is; its norm is too large. A smaller --lr?")

    # -- what a later process needs to go on ---------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Everything as arrays by name, and as plain data."""
        optimizer = self.optimizer.state_dict()
        arrays: dict[str, Any] = {f"model.{name}": v for name, v in self.model.state_dict().items()}
        numbers: dict[str, dict[str, Any]] = {}
        for k, values in optimizer["state"].items():
            for name, value in values.items():
                if isinstance(value, np.ndarray):
                    arrays[f"optimizer.{k}.{name}"] = value
                else:
                    numbers.setdefault(str(k), {})[name] = value
        return arrays, {
            "recipe": self.recipe.to_json(),
            "progress": vars(self.at),
            "optimizer": {"numbers": numbers, "param_groups": optimizer["param_groups"]},
            "random": mt.random.generator().bit_generator.state,
        }

    def load_state(self, arrays: Mapping[str, Any], plain: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            RunError: everything that does not fit, all at once; then nothing is loaded.
        """
        wrong: list[str] = []
        model = {n.removeprefix("model."): v for n, v in arrays.items() if n.startswith("model.")}
        weights = {name: v.numpy().copy() for name, v in self.model.state_dict().items()}
        fresh = self.optimizer.state_dict()
        random = np.random.default_rng(0)
        try:
            at = Progress(**plain["progress"])
            random.bit_generator.state = plain["random"]
            recipe = plain["recipe"]
            optimizer = _optimizer_state(arrays, plain["optimizer"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"the state is incomplete, or of another kind: {error!r}; nothing was loaded.") from None
        if recipe != self.recipe.to_json():
            ours = self.recipe.to_json()
            differ = [n for n in {**ours, **recipe} if recipe.get(n) != ours.get(n)]
            wrong += [f"{n}: {recipe.get(n)} in the state, {ours.get(n)} in the recipe" for n in differ]
        wrong += [
            f"{name}: {model[name].dtype} in the state, {v.dtype} in the model"
            for name, v in weights.items()
            if name in model and model[name].dtype != v.dtype
        ]
        for load, given in ((self.model.load_state_dict, model), (self.optimizer.load_state_dict, optimizer)):
            try:
                load(given)
            except mt.MinitorchError as error:
                wrong.append(getattr(error, "message", str(error)))
        if wrong:
            self.model.load_state_dict(weights)
            self.optimizer.load_state_dict(fresh)
            raise RunError("the state does not fit this run; nothing was loaded.\n" + "\n".join(wrong))
        self.at = at
        mt.seed(0).bit_generator.state = plain["random"]
        self.start_clock()


def _optimizer_state(arrays: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """What `Optimizer.state_dict` gave."""
    state: dict[int, dict[str, Any]] = {int(k): dict(values) for k, values in plain["numbers"].items()}
    for name, value in arrays.items():
        if name.startswith("optimizer."):
            _, k, which = name.split(".", 2)
            state.setdefault(int(k), {})[which] = value
    groups = [{**g, "betas": tuple(g["betas"])} for g in plain["param_groups"]]
    return {"state": state, "param_groups": groups}
