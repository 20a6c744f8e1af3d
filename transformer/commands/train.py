"""Train a model: g2p reads words and writes phonemes, charlm reads characters and guesses the next.

What is not given has a value that works; `-o` alone trains the Transformer for an hour on the shipped dictionary.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import fields
from typing import Any

from transformer import charlm, g2p
from transformer.commands.progress import keep_training
from transformer.errors import DataError, RunError
from transformer.recipe import Recipe
from transformer.registry import kinds_of
from transformer.runs import Run

MINUTES = 60.0
WINDOW = 128
_RECIPE: dict[str, str] = {  # options that are entries of the recipe
    "steps": "steps of the optimizer; without --minutes the run can be repeated to the bit",
    "minutes": f"time, evaluation included (default: {MINUTES:g}, unless --steps is given)",
    "batch": "sequences that are computed together",
    "accumulate": "batches that make one step",
    "lr": "the largest learning rate",
    "warmup": "steps until it is reached",
    "cooldown": "the last part of the training, 0 to 1, over which it goes to 0",
    "label_smoothing": "how much of the target is spread over the vocabulary",
    "weight_decay": "of AdamW",
    "clip": "the largest norm of the gradient; 0 for any",
    "evaluate_every": "steps between evaluations",
    "log_every": "steps between lines of the log",
    "checkpoint_every": "steps between checkpoints",
    "patience": "evaluations without progress after which it stops; 0 for never",
    "seed": "of weights, dropout and the order of the data",
}
_MODEL = {"d": int, "h": int, "layers": int, "d_ff": int, "dropout": float}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    words = tasks.add_parser("g2p", help="grapheme to phoneme: how words are pronounced", allow_abbrev=False)
    text = tasks.add_parser("charlm", help="a language model of characters", allow_abbrev=False)
    words.add_argument("--data", metavar="FILE", help="WORD, tab, phonemes (default: the shipped dictionary)")
    words.add_argument("--validation", metavar="FILE", help="words to evaluate with (default: a part of the data)")
    text.add_argument("--data", metavar="FILE", required=True, help="a text, UTF-8")
    text.add_argument("--window", type=int, default=WINDOW, help=f"characters read at a time (default: {WINDOW})")
    for sub, task in ((words, g2p.TASK), (text, charlm.TASK)):
        known = kinds_of(task)
        sub.add_argument("--model", default=known[0], help=f"{', '.join(known)} (default: {known[0]})")
        sub.add_argument("-o", "--output", metavar="RUN", required=True, help="a new folder")
        _add_model(sub.add_argument_group("the model"))
        _add_recipe(sub.add_argument_group("the recipe"))


def _add_model(group: Any) -> None:
    for name, kind in _MODEL.items():
        group.add_argument(f"--{name.replace('_', '-')}", dest=f"model_{name}", type=kind, metavar="X")
    said = "any other option of its constructor, as JSON or text: --set attention=dot"
    group.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=said)


def _add_recipe(group: Any) -> None:
    default = {f.name: f.default for f in fields(Recipe)}
    for name, said in _RECIPE.items():
        integer = isinstance(default[name], int) or name == "steps"
        shown = "" if default[name] is None else f" (default: {default[name]})"
        group.add_argument(
            f"--{name.replace('_', '-')}", type=int if integer else float, metavar="X", help=said + shown
        )


def run(options: argparse.Namespace) -> int:
    """Train from the beginning."""
    given: dict[str, Any] = {name: value for name in _RECIPE if (value := getattr(options, name)) is not None}
    recipe = Recipe(**(given if "steps" in given else {"minutes": MINUTES, **given}))
    model = {name: value for name in _MODEL if (value := getattr(options, f"model_{name}")) is not None}
    model |= dict(_setting(text) for text in options.set)
    data = None if options.data is None else os.path.abspath(options.data)
    if options.task == g2p.TASK:
        validation = None if options.validation is None else os.path.abspath(options.validation)
        config, trainer = g2p.config_of(options.model, model, recipe, data, validation)
    elif data is None:
        raise DataError("charlm: --data is missing; give the file of a text.")
    else:
        config, trainer = charlm.config_of(options.model, model, recipe, data, options.window)
    return keep_training(Run.create(options.output, config), trainer)


def _setting(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise RunError(f"--set {text}: it takes NAME=VALUE, such as --set norm=pre.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
