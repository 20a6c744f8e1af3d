"""The other task: how does a text go on?  A decoder alone reads characters and guesses the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

import minitorch as mt
from transformer.batches import Windows
from transformer.data import read_text
from transformer.decoding import likely, log_softmax, reading_only
from transformer.errors import DataError, RunError
from transformer.loss import mean_loss
from transformer.recipe import Recipe
from transformer.registry import build, rebuild
from transformer.runs import Run
from transformer.training import Trainer
from transformer.vocabulary import SPECIAL, Vocabulary

TASK = "charlm"
HELD_OUT = 20  # one of so many parts of the text, its end, is to validate with


class Writer(NamedTuple):
    """A model with the characters that it knows, and how many of them it reads at a time."""

    model: Any
    characters: Vocabulary
    n: int


def config_of(
    kind: str, options: Mapping[str, Any], recipe: Recipe, data: str, n: int
) -> tuple[dict[str, Any], Trainer]:
    """What a new run is told, and a trainer before its first step; see `g2p.config_of`.  `n` is the window's length."""
    text = read_text(data)
    characters = Vocabulary.of([text])
    mt.seed(recipe.seed)
    model: Any = build(kind, TASK, options, {"size": len(characters)})
    config = {
        "task": TASK,
        "model": {"kind": kind, "config": model.config},
        "recipe": recipe.to_json(),
        "characters": list(characters.symbols),
        "n": n,
        "data": data,
        "fingerprint": _fingerprint(text),
    }
    return config, _trainer(Writer(model, characters, n), recipe, text)


def trainer_of(run: Run) -> Trainer:
    """A trainer of a run that is there, before its first step.

    Raises:
        DataError, RunError: the text is not there any more, or is another.
    """
    text = read_text(run.config["data"])
    if _fingerprint(text) != run.config.get("fingerprint"):
        raise RunError(f"{run.config['data']}: not the text that the run began with.")
    recipe = Recipe.from_json(run.config["recipe"])
    mt.seed(recipe.seed)
    return _trainer(_writer(run), recipe, text)


def writer_of(run: Run) -> Writer:
    """The model of a run, with its best weights, ready to be used.

    Raises:
        RunError: the run is of another task, or has no weights yet.
    """
    writer = _writer(run)
    run.load_weights(writer.model)
    return writer


def generate(
    writer: Writer, prompt: str, length: int, temperature: float = 1.0, seed: int = 0, top_k: int | None = None
) -> str:
    """The prompt, and so many characters more, each drawn from softmax(logits / temperature); 0 takes the likeliest.

    The model reads the last `n` characters, as many as in training.  `top_k`: drawn from so many of the likeliest only.

    Raises:
        DataError: the prompt is empty, or has a character that the model does not know.
    """
    if not prompt:
        raise DataError("generate: the prompt is empty; give at least one character.")
    ids, draw = writer.characters.encode(prompt, "prompt"), np.random.default_rng(seed)
    with reading_only(writer.model):
        for _ in range(length):
            logits = writer.model(np.array([ids[-writer.n :]])).numpy()[0, -1]  # (vocabulary,)
            logits = np.where(np.arange(len(logits)) < len(SPECIAL), -np.inf, logits)  # a text has no such characters
            if temperature == 0:
                ids.append(int(logits.argmax()))
            else:
                ids.append(int(draw.choice(len(logits), p=likely(log_softmax(logits / temperature), top_k))))
    return "".join(writer.characters.decode(ids))


def _writer(run: Run) -> Writer:
    config = run.config
    if config["task"] != TASK:
        raise RunError(f"{run.folder}: a run of {config['task']}; this is for {TASK}. Use decode?")
    try:
        model = rebuild(config["model"]["kind"], TASK, config["model"]["config"])
        return Writer(model, Vocabulary(config["characters"]), int(config["n"]))
    except (KeyError, TypeError) as error:
        raise RunError(f"{run.folder}: config.json is incomplete: {error!r}.") from None


def _trainer(writer: Writer, recipe: Recipe, text: str) -> Trainer:
    tokens = np.array(writer.characters.encode(text), np.int64)
    cut = len(tokens) - max(2, len(tokens) // HELD_OUT)
    if cut < 2:
        raise DataError(f"the text has {len(tokens)} characters; to learn and to validate takes at least 4.")
    held = Windows(tokens[cut:], writer.n, recipe.batch)
    batches = [held.take(indices) for indices in held.epoch(0)[:20]]
    learn = Windows(tokens[:cut], writer.n, recipe.batch, recipe.seed)
    return Trainer(writer.model, learn, recipe, lambda model: {"validation_loss": mean_loss(model, batches)})


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
