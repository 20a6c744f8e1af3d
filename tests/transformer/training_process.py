"""A training that a test may kill: `python -m tests.transformer.training_process FOLDER WORDS`."""

from __future__ import annotations

import sys
from pathlib import Path

import minitorch as mt
from tests.transformer.small_models import Aligned
from transformer.batches import Pairs
from transformer.data import read_dictionary, vocabularies
from transformer.recipe import Recipe
from transformer.runs import Run
from transformer.training import Trainer

RECIPE = Recipe(
    steps=400, batch=16, accumulate=2, lr=1e-2, warmup=20, evaluate_every=90, log_every=1, checkpoint_every=5
)


def trainer_of(words: str | Path, recipe: Recipe = RECIPE) -> Trainer:
    """A small model before its first step."""
    entries = read_dictionary(words)
    letters, phonemes = vocabularies(entries)
    mt.seed(recipe.seed)
    model = Aligned(source_size=len(letters), target_size=len(phonemes))
    batches = Pairs.of(entries, letters, phonemes, recipe.batch, recipe.seed)
    return Trainer(model, batches, recipe, lambda m: {"size": float(sum((p * p).sum() for p in m.parameters()))})


def go_on(folder: str | Path, words: str | Path) -> Run:
    """Begin the run, or continue it, to its end."""
    path = Path(folder)
    plain = {"task": "test", "model": {}, "recipe": RECIPE.to_json()}
    run = Run.open(path) if (path / "config.json").exists() else Run.create(path, plain)
    trainer = trainer_of(words)
    run.load_checkpoint(trainer)
    run.train(trainer)
    return run


if __name__ == "__main__":
    go_on(*sys.argv[1:])
