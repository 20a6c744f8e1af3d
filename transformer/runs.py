"""Where does a training leave what it made?  In a folder, from which it can be continued and its model be rebuilt.

    config.json              what was asked for: task, model, vocabularies, data, recipe
    log.jsonl                a line for every few steps, and one for every evaluation
    model.safetensors        the weights of the best evaluation
    checkpoint.safetensors   everything that the next step depends on, in one file, so that it is all of one moment

Each file but the log is replaced in one operation of the file system.  The checkpoint says how long the log was then:
a process that was killed after it leaves lines that its successor writes again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.errors import RunError
from transformer.files import read_json, write_json
from transformer.training import Trainer

FORMAT = 1
PLAIN = "training.json"  # the name of the plain data among the arrays of a checkpoint


class Run:
    """A folder with a training in it.

    Args:
        folder: where.
        config: what was asked for.
    """

    def __init__(self, folder: str | os.PathLike[str], config: Mapping[str, Any]):
        self.folder, self.config = Path(folder), dict(config)
        self.log_path, self.weights_path = self.folder / "log.jsonl", self.folder / "model.safetensors"
        self.checkpoint_path = self.folder / "checkpoint.safetensors"

    @classmethod
    def create(cls, folder: str | os.PathLike[str], config: Mapping[str, Any]) -> Run:
        """Begin a run in a new or empty folder.

        Raises:
            RunError: there is something in it, or it cannot be made.
        """
        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise RunError(f"{path}: the folder is not empty. Continue it with resume, or choose another?")
        except OSError as error:
            raise RunError(f"{path}: cannot be a folder for a run: {error.strerror}.") from None
        run = cls(path, {"format": FORMAT, **config})
        write_json(path / "config.json", run.config)
        return run

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Run:
        """A run that is there.

        Raises:
            RunError: there is none, or it was made by another version.
        """
        path = Path(folder)
        if not (path / "config.json").is_file():
            raise RunError(f"{path}: there is no run: no config.json in it. Was it made by train with -o {path}?")
        config = read_json(path / "config.json")
        if config.get("format") != FORMAT:
            raise RunError(f"{path}: config.json has format {config.get('format')!r}; this version reads {FORMAT}.")
        if missing := [name for name in ("task", "model", "recipe") if name not in config]:
            raise RunError(f"{path}: config.json has no {', '.join(missing)}. Is it of a run?")
        return cls(path, config)

    def train(
        self, trainer: Trainer, stop: Callable[[], bool] = lambda: False, show: Callable[[Trainer], None] | None = None
    ) -> None:
        """Make steps until the training is over or `stop()`; `show` is called after each."""
        recipe, at = trainer.recipe, trainer.at
        trainer.start_clock()
        while not trainer.over and not stop():
            trainer.step()
            ends = trainer.over
            if ends or at.step % recipe.log_every == 0:
                self._log_steps(trainer)
            if ends or at.step % recipe.evaluate_every == 0:
                if trainer.assess():
                    self.save_weights(trainer.model)
                self._log({"step": at.step, **at.scores})
            if ends or trainer.over or at.step % recipe.checkpoint_every == 0:
                self.save_checkpoint(trainer)
            if show is not None:
                show(trainer)
        if not trainer.over:
            self.save_checkpoint(trainer)

    def save_weights(self, model: nn.Module) -> None:
        """Write the model's weights."""
        _saved(model.state_dict(), self.weights_path)

    def load_weights(self, model: nn.Module) -> nn.Module:
        """Read the weights of the best evaluation; the same model, ready to be used.

        Raises:
            RunError: there are none yet.
            minitorch.StateError: the file is damaged, or does not fit; nothing is loaded.
        """
        if not self.weights_path.is_file():
            raise RunError(f"{self.folder}: no model.safetensors; it is written at the first evaluation. Resume it?")
        model.load_state_dict(mt.load(self.weights_path))
        return model.eval()

    def save_checkpoint(self, trainer: Trainer) -> None:
        """Write everything that the next step depends on."""
        arrays, plain = trainer.state()
        plain["log"] = self.log_path.stat().st_size if self.log_path.exists() else 0
        text = np.frombuffer(json.dumps(plain).encode(), np.uint8)
        _saved({**arrays, PLAIN: text}, self.checkpoint_path)

    def load_checkpoint(self, trainer: Trainer) -> bool:
        """Bring a trainer to where the run was; False if no checkpoint was written yet, so that it starts at step 0.

        Raises:
            RunError: the file is damaged or foreign, or does not fit; everything is named, and nothing loaded.
        """
        if not self.checkpoint_path.is_file():
            self._cut_log(0)
            return False
        try:
            arrays = mt.load(self.checkpoint_path)
            plain = json.loads(arrays.pop(PLAIN).numpy().tobytes())
            trainer.load_state(arrays, plain)
            self._cut_log(int(plain["log"]))
        except mt.StateError as error:
            raise RunError(error.message) from None
        except RunError as error:
            raise RunError(f"{self.checkpoint_path}: {error}") from None
        except (KeyError, ValueError, TypeError):
            raise RunError(f"{self.checkpoint_path}: has weights, but no {PLAIN}; no checkpoint of a run.") from None
        return True

    def _cut_log(self, size: int) -> None:
        """Forget the lines that a process wrote after its last checkpoint."""
        if self.log_path.exists() and self.log_path.stat().st_size > size:
            os.truncate(self.log_path, size)

    def _log_steps(self, trainer: Trainer) -> None:
        at = trainer.at
        line = {"step": at.step, "epoch": at.epoch, "loss": at.nats / max(at.tokens, 1), "lr": at.lr, "norm": at.norm}
        speed = at.tokens / max(at.seconds - at.logged, 1e-9)
        self._log({**line, "tokens_per_second": round(speed), "seconds": round(at.seconds, 2)})
        at.nats, at.tokens, at.logged = 0.0, 0, at.seconds

    def _log(self, line: Mapping[str, Any]) -> None:
        try:
            with self.log_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise RunError(f"{self.log_path}: cannot be written: {error.strerror}.") from None


def _saved(state: Mapping[str, Any], path: Path) -> None:
    try:
        mt.save(state, path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror or error}.") from None
