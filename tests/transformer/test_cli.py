"""Do the commands train, continue, measure and decode, and answer bad input with a sentence?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import minitorch as mt
from transformer import registry
from transformer.commands import main
from transformer.commands.progress import keep_training
from transformer.g2p import speaker_of, trainer_of
from transformer.heatmap import heatmap
from transformer.registry import Kind
from transformer.runs import Run
from transformer.transcribe import Speaker, transcribe, write
from transformer.vocabulary import Vocabulary

ROOT = Path(__file__).parent.parent.parent
WORDS = ROOT / "tests" / "data" / "cmudict" / "words.tsv"
SMALL = "tests.transformer.small_models"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Two small models, known by name; and the dtype of real trainings."""
    monkeypatch.setitem(registry.KINDS, "aligned", Kind("g2p", SMALL, "Aligned", {}))
    monkeypatch.setitem(registry.KINDS, "bigram", Kind("charlm", SMALL, "Bigram", {}))
    with mt.default_dtype("float32"):
        yield


@pytest.fixture
def few(tmp_path):
    """A file of a few words."""
    path = tmp_path / "few.tsv"
    path.write_text("CAT\tK AE T\nDOG\tD AO G\nA\tAH\nA\tEY\nBOB\tB AA B\n")
    return path


@pytest.fixture
def trained(tmp_path, few):
    """A run that knows these words by heart."""
    options = "--steps 300 --batch 4 --lr 0.03 --warmup 20 --dropout 0 --label-smoothing 0 --evaluate-every 100"
    command = ["train", "g2p", "--model", "aligned", "--data", str(few), "-o", str(tmp_path / "run"), "--d", "16"]
    assert main([*command, "--validation", str(few), *options.split()]) == 0
    return tmp_path / "run"


def test_a_model_learns_words_by_heart_and_says_them(trained, few, capsys):
    assert main(["evaluate", str(trained), "--data", str(few), "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["words"], found["wer"], found["per"]) == (4, 0.0, 0.0)
    assert {n: s["words"] for n, s in found["by_length"].items()} == {"1": 1, "3": 3}
    assert main(["decode", str(trained), "cat", "DOG"]) == 0
    assert capsys.readouterr().out == "CAT\tK AE T\nDOG\tD AO G\n"
    assert main(["decode", str(trained), "cat", "--beam", "3"]) == 0
    assert capsys.readouterr().out == "CAT\tK AE T\n"
    assert main(["evaluate", str(trained), "--data", str(few)]) == 0
    assert "4 words, WER 0.00%, PER 0.00%" in capsys.readouterr().out


def test_attention_is_drawn_with_its_letters_and_phonemes(trained, tmp_path, capsys):
    assert main(["decode", str(trained), "CAT", "--show-attention", str(tmp_path / "heat.svg")]) == 0
    tree = ElementTree.parse(tmp_path / "heat.svg")
    texts = [e.text for e in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[-8:] == ["C", "A", "T", "<eos>", "K", "AE", "T", "<eos>"]


def test_labels_of_a_picture_are_escaped():
    assert ElementTree.fromstring(heatmap(np.ones((1, 1, 1, 1)), ["<&>"], ['"'], "<b>")) is not None


def test_resume_goes_on_where_a_signal_stopped_it(tmp_path, few, capsys):
    command = ["train", "g2p", "--model", "aligned", "--data", str(few), "--steps", "40", "--log-every", "1"]
    assert main([*command, "-o", str(tmp_path / "whole")]) == 0
    assert main([*command, "-o", str(tmp_path / "run")]) == 0
    run = Run.open(tmp_path / "run")
    for name in ("log.jsonl", "checkpoint.safetensors", "model.safetensors"):
        (run.folder / name).unlink()
    trainer = trainer_of(run)
    step = trainer.step

    def stopped_at_ten():
        if trainer.at.step == 10:
            os.kill(os.getpid(), signal.SIGTERM)
        return step()

    trainer.step = stopped_at_ten
    assert keep_training(run, trainer) == 0
    assert trainer.at.step == 11
    assert "resume" in capsys.readouterr().err
    assert main(["resume", str(run.folder)]) == 0
    losses = [
        [line["loss"] for line in map(json.loads, (f / "log.jsonl").read_text().splitlines()) if "loss" in line]
        for f in (run.folder, tmp_path / "whole")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 40


def test_a_text_is_learned_and_gone_on_with(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("abcd" * 300)
    run = str(tmp_path / "run")
    options = ["--steps", "200", "--lr", "0.05", "--warmup", "5", "--window", "16", "--batch", "4"]
    assert main(["train", "charlm", "--model", "bigram", "--data", str(text), "-o", run, *options]) == 0
    capsys.readouterr()
    assert main(["generate", run, "--prompt", "bc", "--length", "6", "--temperature", "0"]) == 0
    assert capsys.readouterr().out == "bcdabcda\n"
    assert main(["generate", run, "--prompt", "xyz"]) == 2
    assert "prompt: 'x', 'y', 'z' are unknown" in capsys.readouterr().err
    assert main(["decode", run, "CAT"]) == 2
    assert "a run of charlm" in capsys.readouterr().err


BAD = {
    "no such run": (["evaluate", "{tmp}/none"], "there is no run"),
    "no such file": (["train", "g2p", "--data", "{tmp}/none", "-o", "{tmp}/r"], "none: cannot be read"),
    "no tab": (["train", "g2p", "--data", "{tmp}/bad", "-o", "{tmp}/r"], "bad:2: no tab"),
    "empty": (["train", "g2p", "--data", "{tmp}/empty", "-o", "{tmp}/r"], "there are no words"),
    "empty text": (["train", "charlm", "--data", "{tmp}/empty", "-o", "{tmp}/r"], "the file is empty"),
    "unknown model": (["train", "g2p", "--model", "lstmm", "-o", "{tmp}/r"], "Did you mean lstm?"),
    "a model of the other task": (["train", "g2p", "--model", "bigram", "-o", "{tmp}/r"], "no model 'bigram'"),
    "unknown option": (["train", "g2p", "--model", "aligned", "--h", "4", "-o", "{tmp}/r"], "no option h"),
    "impossible option": (["train", "g2p", "--model", "aligned", "--d", "-4", "-o", "{tmp}/r"], "aligned: "),
    "bad setting": (["train", "g2p", "--set", "norm", "-o", "{tmp}/r"], "it takes NAME=VALUE"),
    "bad recipe": (["train", "g2p", "--warmup", "0", "--lr", "-1", "-o", "{tmp}/r"], "warmup is 0"),
    "a full folder": (["train", "g2p", "--model", "aligned", "--data", "{tmp}/few.tsv", "-o", "{tmp}"], "not empty"),
    "a folder below a file": (
        ["train", "g2p", "--model", "aligned", "--data", "{tmp}/few.tsv", "-o", "{tmp}/few.tsv/run"],
        "cannot be a folder",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_sentence_and_leaves_nothing(tmp_path, few, capsys, name):
    (tmp_path / "bad").write_text("CAT\tK AE T\nDOG D AO G\n")
    (tmp_path / "empty").write_text("\n")
    arguments, said = BAD[name]
    before = sorted(tmp_path.rglob("*"))
    assert main([a.format(tmp=tmp_path) for a in arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.startswith("transformer: ")
    assert "Traceback" not in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["decode", "{run}", "C4T"], "'C4T': '4' is unknown; known are: A B C D G O T"),
        (["decode", "{run}", "CAT", "--show-attention", "heat.png"], "the suffix '.png'"),
        (["decode", "{run}", "CAT", "DOG", "--show-attention", "heat.svg"], "draws one word"),
        (["evaluate", "{run}"], "are unknown; known are: A B C D G O T"),
        (["generate", "{run}"], "a run of g2p"),
    ],
)
def test_what_a_model_cannot_do_is_said(trained, capsys, arguments, said):
    assert main([a.format(run=trained) for a in arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_damaged_run_is_refused(trained, capsys):
    weights = trained / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:99])
    assert main(["decode", str(trained), "CAT"]) == 2
    assert "truncated" in capsys.readouterr().err
    mt.save({"other": np.ones(2)}, weights)
    assert main(["decode", str(trained), "CAT"]) == 2
    said = capsys.readouterr().err
    assert "missing: " in said
    assert "unexpected: other" in said
    weights.unlink()
    assert main(["decode", str(trained), "CAT"]) == 2
    assert "no model.safetensors" in capsys.readouterr().err


def test_data_that_changed_are_not_gone_on_with(trained, few, capsys):
    few.write_text(few.read_text() + "CAB\tK AE B\n")
    assert main(["resume", str(trained)]) == 2
    assert "not the words that the run began with" in capsys.readouterr().err


def test_help_says_what_there_is():
    said = subprocess.run([sys.executable, "-m", "transformer", "--help"], capture_output=True, check=True, cwd=ROOT)
    assert b"evaluate" in said.stdout
    said = subprocess.run(
        [sys.executable, "-m", "transformer", "train", "g2p", "--help"], capture_output=True, check=True, cwd=ROOT
    )
    assert b"lstm-attention" in said.stdout


class Rare:
    """Writes A with 0.6, and then anything; or B with 0.4, and then surely EOS."""

    def __init__(self):
        self.after = {(): [0.6, 0.4, 0.0], (0,): [0.3, 0.35, 0.35]}

    def start(self, source, lengths):
        return {"written": np.full((len(source), 0), 0)}

    def step(self, tokens, state):
        before = (
            state["written"] if (tokens == 1).all() else np.concatenate([state["written"], tokens[:, None]], axis=1)
        )
        rows = [self.after.get(tuple(int(t) - 3 for t in row), [0.0, 0.0, 1.0]) for row in before]
        p = np.array([[0, 0, r[2], r[0], r[1]] for r in rows])
        with np.errstate(divide="ignore"):
            return mt.tensor(np.log(p)), {"written": before}


def test_a_beam_finds_what_greed_passes_by():
    model, source = Rare(), np.array([[5, 2], [5, 2]])
    assert write(model, source, np.array([2, 2]), 1)[0] == (3, 2)
    assert write(model, source, np.array([2, 2]), 2) == [(4, 2), (4, 2)]


def test_the_words_together_are_said_as_alone(trained):
    speaker = speaker_of(Run.open(trained))
    words = ["CAT", "A", "TACO", "DOGGOD"]
    for beam in (1, 3):
        assert transcribe(speaker, words, beam) == [transcribe(speaker, [w], beam)[0] for w in words]


def test_a_model_that_never_ends_is_stopped():
    class Endless(Rare):
        def step(self, tokens, state):
            return mt.tensor(np.tile([0.0, 0, 0, 9, 0], (len(tokens), 1))), state

    speaker = Speaker(Endless(), Vocabulary("AB"), Vocabulary("AB"))
    assert transcribe(speaker, ["AB"]) == [["A"] * 14]
