"""Continue a training that was stopped or killed, as if it had not been."""

from __future__ import annotations

import argparse

from transformer import charlm, g2p
from transformer.commands.progress import keep_training
from transformer.errors import RunError, close_to
from transformer.runs import Run

TRAINERS = {g2p.TASK: g2p.trainer_of, charlm.TASK: charlm.trainer_of}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument("run", metavar="RUN", help="the folder of the run")


def run(options: argparse.Namespace) -> int:
    """Go on from the last checkpoint."""
    found = Run.open(options.run)
    task = found.config["task"]
    if task not in TRAINERS:
        raise RunError(f"{found.folder}: there is no task {task!r}. {close_to(str(task), TRAINERS)}")
    trainer = TRAINERS[task](found)
    found.load_checkpoint(trainer)
    return keep_training(found, trainer)
