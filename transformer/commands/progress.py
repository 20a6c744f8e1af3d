"""How far is it?  A bar on a terminal, and a signal that ends a training after a whole step."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from transformer.runs import Run
from transformer.training import Trainer


def keep_training(run: Run, trainer: Trainer) -> int:
    """Train to the end, or until a signal; say where it stands."""
    with _signals() as stopped, _bar(trainer) as show:
        run.train(trainer, lambda: bool(stopped), show)
    at = trainer.at
    scores = ", ".join(f"{name} {value:.4f}" for name, value in at.scores.items())
    print(f"{run.folder}: {at.step:,} steps, {at.seconds / 60:.1f} minutes{', ' if scores else ''}{scores}")
    if stopped:
        print(f"stopped; continue with: python -m transformer resume {run.folder}", file=sys.stderr)
    return 0


@contextmanager
def _signals() -> Iterator[list[int]]:
    """A list that a signal to end is put into; the second one ends at once."""
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        seen.append(number)
        signal.signal(number, before[number])

    if threading.current_thread() is not threading.main_thread():  # where signals cannot be caught
        yield seen
        return
    before: dict[int, Any] = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bar(trainer: Trainer) -> Iterator[Callable[[Trainer], None] | None]:
    """What shows the loss, tokens a second and the time left, where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    recipe, last = trainer.recipe, [trainer.at.seconds]
    layout = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"
    with tqdm(total=1.0, initial=_part(trainer), file=sys.stderr, bar_format=layout, leave=False) as bar:

        def show(trainer: Trainer) -> None:
            at = trainer.at
            if at.seconds - last[0] < 0.2 or not at.tokens:
                return
            last[0] = at.seconds
            speed = at.tokens / max(at.seconds - at.logged, 1e-9)
            steps = f"{at.step:,}" + (f"/{recipe.steps:,}" if recipe.steps else "")
            bar.set_description_str(f"step {steps}, loss {at.nats / at.tokens:.3f}, {speed:,.0f} tokens/s", False)
            bar.n = _part(trainer)
            bar.refresh()

        yield show


def _part(trainer: Trainer) -> float:
    return trainer.recipe.progress(trainer.at.step, trainer.at.seconds)
