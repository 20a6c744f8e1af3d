"""The task of the story: how is a word pronounced?  Letters are read, phonemes written, a run made of both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import minitorch as mt
from transformer.batches import Pairs, in_order
from transformer.data import Entry, check_known, read_dictionary, shipped, split, vocabularies
from transformer.errors import RunError
from transformer.loss import mean_loss
from transformer.metrics import score
from transformer.recipe import Recipe
from transformer.registry import build, rebuild
from transformer.runs import Run
from transformer.training import Evaluate, Trainer
from transformer.transcribe import Speaker, transcribe
from transformer.vocabulary import Vocabulary

TASK = "g2p"
SAMPLE = 1000  # words that are transcribed at each evaluation


def config_of(
    kind: str, options: Mapping[str, Any], recipe: Recipe, data: str | None, validation: str | None
) -> tuple[dict[str, Any], Trainer]:
    """What a new run is told, and a trainer before its first step.

    Args:
        kind, options: the model, see `registry.build`.
        recipe: how it is trained.
        data: a file of words; None for the dictionary that is shipped.
        validation: another one to evaluate with; None for a part of `data`.

    Raises:
        DataError, RunError: the data cannot be read, or the model cannot be made.
    """
    learn, held = _data(data, validation)
    letters, phonemes = vocabularies(learn)
    mt.seed(recipe.seed)
    sizes = {"source_size": len(letters), "target_size": len(phonemes)}
    model: Any = build(kind, TASK, options, sizes)
    config = {
        "task": TASK,
        "model": {"kind": kind, "config": model.config},
        "recipe": recipe.to_json(),
        "letters": list(letters.symbols),
        "phonemes": list(phonemes.symbols),
        "data": data,
        "validation": validation,
        "fingerprint": _fingerprint(learn),
    }
    return config, _trainer(Speaker(model, letters, phonemes), recipe, learn, held, validation)


def trainer_of(run: Run) -> Trainer:
    """A trainer of a run that is there, before its first step.

    Raises:
        DataError, RunError: the data are not there any more, or are others.
    """
    config = run.config
    learn, held = _data(config.get("data"), config.get("validation"))
    if _fingerprint(learn) != config.get("fingerprint"):
        raise RunError(f"{config.get('data') or 'the shipped dictionary'}: not the words that the run began with.")
    recipe = Recipe.from_json(config["recipe"])
    mt.seed(recipe.seed)
    return _trainer(_speaker(run), recipe, learn, held, config.get("validation"))


def speaker_of(run: Run) -> Speaker:
    """The model of a run, with its best weights, ready to be used.

    Raises:
        RunError: the run is of another task, or has no weights yet.
    """
    speaker = _speaker(run)
    run.load_weights(speaker.model)
    return speaker


def _speaker(run: Run) -> Speaker:
    config = run.config
    if config["task"] != TASK:
        raise RunError(f"{run.folder}: a run of {config['task']}; this is for {TASK}. Use generate?")
    try:
        letters, phonemes = Vocabulary(config["letters"]), Vocabulary(config["phonemes"])
        model = rebuild(config["model"]["kind"], TASK, config["model"]["config"])
    except (KeyError, TypeError) as error:
        raise RunError(f"{run.folder}: config.json is incomplete: {error!r}.") from None
    return Speaker(model, letters, phonemes)


def _trainer(
    speaker: Speaker, recipe: Recipe, learn: list[Entry], held: list[Entry], validation: str | None
) -> Trainer:
    check_known(held, speaker.letters, speaker.phonemes, validation or "validation")
    batches = Pairs.of(learn, speaker.letters, speaker.phonemes, recipe.batch, recipe.seed)
    return Trainer(speaker.model, batches, recipe, _evaluation(speaker, held or learn))


def _evaluation(speaker: Speaker, held: list[Entry]) -> Evaluate:
    """Error rates of some words, always the same, and the loss of a phoneme."""
    chosen = held[:: -(-len(held) // SAMPLE)]
    batches = list(in_order(Pairs.of(chosen, speaker.letters, speaker.phonemes, 256, 0)))

    def evaluate(model: Any) -> dict[str, float]:
        found = score(chosen, transcribe(speaker, [e.word for e in chosen]))
        return {"wer": found.wer, "per": found.per, "validation_loss": mean_loss(model, batches)}

    return evaluate


def _data(data: str | None, validation: str | None) -> tuple[list[Entry], list[Entry]]:
    """The words to learn from and those to validate with."""
    if validation is not None:
        return (shipped("train") if data is None else read_dictionary(data)), read_dictionary(validation)
    return (shipped("train"), shipped("validation")) if data is None else split(read_dictionary(data))


def _fingerprint(entries: list[Entry]) -> str:
    return hashlib.sha256(repr([tuple(e) for e in entries]).encode()).hexdigest()[:16]
