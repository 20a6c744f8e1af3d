"""Does a training learn, stop, and go on as if it had not stopped?  And does it say what is wrong?"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from tests.transformer.small_models import Aligned
from tests.transformer.training_process import RECIPE, go_on, trainer_of
from transformer.batches import Pairs
from transformer.errors import DivergedError, RunError
from transformer.loss import mean_loss, sequence_loss
from transformer.recipe import Recipe
from transformer.runs import PLAIN, Run
from transformer.training import Trainer

ROOT = Path(__file__).parent.parent.parent
WORDS = ROOT / "tests" / "data" / "cmudict" / "words.tsv"
CLOCK = ("seconds", "tokens_per_second")


def lines(folder: Path) -> list[dict[str, float]]:
    """The log, without what the clock says."""
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in CLOCK} for line in found]


@pytest.fixture(autouse=True)
def float32():
    """The dtype of real trainings, also where the other tests of the folder have another."""
    with mt.default_dtype("float32"):
        yield


def size(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody interrupted."""
    return go_on(tmp_path_factory.mktemp("runs") / "whole", WORDS)


def test_a_process_that_is_killed_20_times_repeats_every_loss_to_the_bit(tmp_path, whole):
    folder, draw = tmp_path / "run", random.Random(4)
    log, whole_size = folder / "log.jsonl", whole.log_path.stat().st_size
    command = [sys.executable, "-m", "tests.transformer.training_process", str(folder), str(WORDS)]
    for _ in range(20):
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
        until = size(log) + draw.uniform(0, 2) * whole_size / 30  # a moment in the run, measured by what it has logged
        while process.poll() is None and size(log) < until:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.01))
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        assert process.returncode == -signal.SIGKILL, said.decode()
    go_on(folder, WORDS)
    assert lines(folder) == lines(whole.folder)
    assert (folder / "model.safetensors").read_bytes() == whole.weights_path.read_bytes()
    a, b = mt.load(folder / "checkpoint.safetensors"), mt.load(whole.checkpoint_path)
    assert {n: v.numpy().tobytes() for n, v in a.items() if n != PLAIN} == {
        n: v.numpy().tobytes() for n, v in b.items() if n != PLAIN
    }


def test_the_log_has_every_step_once_and_the_loss_falls(whole):
    losses = {line["step"]: line["loss"] for line in lines(whole.folder) if "loss" in line}
    assert list(losses) == list(range(1, RECIPE.steps + 1))
    assert np.mean(list(losses.values())[-10:]) < 0.8 * np.mean(list(losses.values())[:10])
    assert [line["step"] for line in lines(whole.folder) if "size" in line] == [90, 180, 270, 360, 400]


def test_a_resumed_trainer_makes_the_steps_of_one_that_went_on():
    one, other = trainer_of(WORDS), trainer_of(WORDS)
    mt.seed(1)
    for _ in range(5):
        one.step()
    state = json.loads(json.dumps(one.state()[1]))
    arrays = {
        name: np.array(value.numpy() if hasattr(value, "numpy") else value) for name, value in one.state()[0].items()
    }
    went_on = [one.step() for _ in range(30)]
    mt.seed(2)
    other.load_state(arrays, state)
    assert [other.step() for _ in range(30)] == went_on


def test_a_finished_run_has_nothing_to_do(whole):
    before = whole.log_path.read_bytes()
    go_on(whole.folder, WORDS)
    assert whole.log_path.read_bytes() == before


def test_accumulated_gradients_are_those_of_one_large_batch():
    pairs = trainer_of(WORDS).batches
    with mt.default_dtype("float64"):
        model = Aligned(source_size=40, target_size=50, dropout=0.0)
    trainer = Trainer(model, pairs, Recipe(steps=1, label_smoothing=0.1))
    parts = [pairs.take(np.arange(0, 5)), pairs.take(np.arange(5, 30))]
    together = pairs.take(np.arange(30))
    loss = trainer._gradients(parts, together.tokens)
    apart = [p.grad.numpy() for p in model.parameters()]
    trainer.optimizer.zero_grad()
    assert trainer._gradients([together], together.tokens) == pytest.approx(loss, rel=1e-13)
    for p, g in zip(model.parameters(), apart, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), g, rtol=1e-11, atol=1e-14)


def test_padding_changes_no_loss():
    pairs = Pairs([([3, 4], [3]), ([3], [4, 5, 6, 7])], 2)
    model = Aligned(source_size=9, target_size=9).eval()
    apart = [float(sequence_loss(model, pairs.take(np.array([k])))) for k in (0, 1)]
    assert float(sequence_loss(model, pairs.take(np.array([0, 1])))) == pytest.approx(sum(apart), rel=1e-6)
    assert mean_loss(model.train(), [pairs.take(np.array([0, 1]))]) == pytest.approx(sum(apart) / 7, rel=1e-6)
    assert model.training


def test_a_gradient_is_clipped_to_its_norm():
    trainer = trainer_of(WORDS, Recipe(steps=3, clip=1e-3, lr=1e-9))
    trainer.step()
    assert trainer.at.norm > 1e-3
    seen = []
    trainer.optimizer.step = lambda: seen.append([p.grad.numpy() for p in trainer.parameters])
    trainer.step()
    assert np.sqrt(sum((g**2).sum() for g in seen[0])) == pytest.approx(1e-3, rel=1e-3)


class Fragile(nn.Module):
    """Takes a logarithm in one of its parts, which becomes NaN when it is told so."""

    def __init__(self):
        self.inner = Logarithm()
        self.table = nn.Embedding(60, 60)

    def forward(self, source, target, lengths):
        return self.inner(self.table(target))


class Logarithm(nn.Module):
    low = 1.0

    def forward(self, x):
        return mt.log(mt.absolute(x) + self.low)


def test_nan_stops_with_the_operation_and_the_module_that_made_it():
    trainer = trainer_of(WORDS)
    model = Fragile()
    trainer = Trainer(model, trainer.batches, Recipe(steps=9))
    trainer.step()
    before = {n: v.numpy().copy() for n, v in model.state_dict().items()}
    model.inner.low = -100.0
    with pytest.raises(DivergedError) as caught:
        trainer.step()
    assert "step 2: the loss is not finite: log: its out" in str(caught.value)
    assert "in module Fragile.inner" in str(caught.value)
    assert all((before[n] == v.numpy()).all() for n, v in model.state_dict().items())


def test_nan_in_the_weights_is_named():
    trainer = trainer_of(WORDS)
    trainer.model.state_dict()["hidden.bias"].copy_(np.full(8, np.nan))
    with pytest.raises(DivergedError, match=r"weights hidden\.bias"):
        trainer.step()


def test_training_stops_when_it_does_not_become_better(tmp_path):
    trainer = trainer_of(WORDS, Recipe(steps=100, evaluate_every=2, patience=3))
    scores = iter([3.0, 2.0, 2.5, 2.0, 9.0])
    trainer.evaluate = lambda model: {"score": next(scores)}
    Run.create(tmp_path / "run", {}).train(trainer)
    assert (trainer.at.step, trainer.at.best, trainer.at.best_step) == (10, 2.0, 4)


def test_training_ends_with_its_time(tmp_path):
    trainer = trainer_of(WORDS, Recipe(minutes=0.3 / 60, warmup=1, checkpoint_every=1000))
    start = time.perf_counter()
    run = Run.create(tmp_path / "run", {})
    run.train(trainer)
    assert 0.3 <= time.perf_counter() - start < 3
    assert trainer.at.lr < 0.2e-3  # cooled down
    assert run.checkpoint_path.is_file()
    assert run.weights_path.is_file()


def test_a_stopped_training_has_a_checkpoint_of_its_last_step(tmp_path):
    trainer, run = trainer_of(WORDS), Run.create(tmp_path / "run", {})
    run.train(trainer, stop=lambda: trainer.at.step == 5)
    again = trainer_of(WORDS)
    assert run.load_checkpoint(again)
    assert again.at.step == 5


@pytest.mark.parametrize("damage", ["cut", "pickle", "weights", "empty"])
def test_a_damaged_or_foreign_checkpoint_is_refused(tmp_path, damage):
    trainer, run = trainer_of(WORDS), Run.create(tmp_path / "run", {})
    run.save_checkpoint(trainer)
    data = run.checkpoint_path.read_bytes()
    made = {"cut": data[: len(data) // 2], "pickle": b"\x80\x04K\x01.", "empty": b""}
    if damage == "weights":
        mt.save(trainer.model.state_dict(), run.checkpoint_path)
    else:
        run.checkpoint_path.write_bytes(made[damage])
    said = {"cut": "truncated", "pickle": "a pickle", "weights": "no checkpoint", "empty": "truncated"}[damage]
    with pytest.raises(RunError, match=said) as caught:
        run.load_checkpoint(trainer)
    assert "checkpoint.safetensors" in str(caught.value)


def test_everything_that_does_not_fit_is_named_and_nothing_is_loaded(tmp_path):
    trainer, run = trainer_of(WORDS), Run.create(tmp_path / "run", {})
    trainer.step()
    run.save_checkpoint(trainer)
    arrays = {name: v.numpy() for name, v in mt.load(run.checkpoint_path).items()}
    arrays["model.hidden.weight"] = np.ones((3, 3), np.float32)
    arrays["model.extra"] = arrays.pop("model.out.bias")
    arrays["optimizer.0.exp_avg"] = np.ones(4, np.float32)
    arrays["model.hidden.bias"] = arrays["model.hidden.bias"].astype("float64")
    mt.save(arrays, run.checkpoint_path)
    other = trainer_of(WORDS, Recipe(steps=9, lr=0.5))
    before = {n: v.numpy().copy() for n, v in other.model.state_dict().items()}
    mt.seed(0)
    with pytest.raises(RunError) as caught:
        run.load_checkpoint(other)
    for said in (
        "hidden.weight: shape (3, 3)",
        "hidden.bias: float64 in the state",
        "extra",
        "out.bias",
        "parameter 0: exp_avg",
        "lr: 0.01 in the state, 0.5",
    ):
        assert said in str(caught.value)
    assert all((before[n] == v.numpy()).all() for n, v in other.model.state_dict().items())
    assert not other.optimizer.state
    assert other.at.step == 0
    assert mt.random.generator().random() == np.random.default_rng(0).random()


def test_a_folder_with_something_in_it_is_no_place_for_a_new_run(tmp_path, whole):
    with pytest.raises(RunError, match="not empty"):
        Run.create(whole.folder, {})
    with pytest.raises(RunError, match="there is no run"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(RunError, match="holds a list"):
        Run.open(tmp_path)
    (tmp_path / "config.json").write_text('{"format": 99}')
    with pytest.raises(RunError, match="format 99"):
        Run.open(tmp_path)


def test_an_impossible_recipe_is_refused_with_all_that_is_wrong():
    with pytest.raises(RunError, match=r"warmup is 0.*lr is -1.*neither steps nor minutes"):
        Recipe(warmup=0, lr=-1)
    with pytest.raises(RunError, match="unknown entries colour"):
        Recipe.from_json({"steps": 1, "colour": 3})
    assert Recipe.from_json(json.loads(json.dumps(RECIPE.to_json()))) == RECIPE
