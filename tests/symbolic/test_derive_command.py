"""Does `python -m minitorch derive` print, write whole files, and refuse in one sentence?"""

from __future__ import annotations

import json
import os

import pytest

from minitorch.commands import derive, main
from minitorch.symbolic import library


def refused(capsys, *arguments: str) -> str:
    """The one sentence that is said, with status 2 and nothing on standard output."""
    assert main(["derive", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minitorch: ")
    assert "Traceback" not in err
    return err


def test_a_derivation_goes_to_standard_output(capsys):
    assert main(["derive", "softmax"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Softmax\n=======\n")
    assert library.find("softmax").source.split(",")[0] in out


def test_only_the_inputs_that_were_asked_for_are_derived(capsys):
    assert main(["derive", "linear", "--wrt", "x,bias"]) == 0
    assert main(["derive", "linear", "--wrt", "x", "bias"]) == 0
    out = capsys.readouterr().out
    assert out.count("The gradient by x\n") == out.count("The gradient by bias\n") == 2
    assert "The gradient by weight\n" not in out


@pytest.mark.parametrize(
    ("suffix", "start"),
    [("txt", "Softmax\n"), ("md", "# Softmax\n"), ("tex", "\\documentclass"), ("html", "<!doctype html>")],
)
def test_a_files_suffix_tells_its_format(tmp_path, suffix, start):
    target = tmp_path / f"softmax.{suffix}"
    assert main(["derive", "softmax", "-o", str(target)]) == 0
    assert target.read_text(encoding="utf-8").startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [target.name]


def test_a_formula_of_ones_own_is_derived(capsys):
    assert main(["derive", "--formula", "x[n], w: u = 2 w; y[i] = u tanh(x[i])", "--wrt", "x"]) == 0
    out = capsys.readouterr().out
    assert "∂L/∂x[i] = u*G[i]*(1 - tanh(x[i])**2)" in out
    assert "By (tanh(v))' = 1 - tanh(v)**2." in out  # u is the formula's own
    assert main(["derive", "--formula", "x[n], w: u = 2 w; y[i] = u tanh(x[i])", "--of", "u", "--format", "md"]) == 0
    assert "# Gradients of u" in capsys.readouterr().out


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, capsys, monkeypatch):
    target = tmp_path / "softmax.md"
    target.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    assert "No space left on device" in refused(capsys, "softmax", "-o", str(target))
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["softmax.md"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["attentoin"], "got operation 'attentoin', wanted one of: softmax"),
        (["attentoin"], "Did you mean attention?"),
        (["LayerNrm"], "Did you mean layer-norm?"),
        (["attention", "--wrt", "q"], "got input of attention 'q', wanted one of: Q, K, V. Did you mean Q?"),
        (["softmax", "-o", "x.pdf"], "the suffix '.pdf'; known are .txt, .md, .tex, .html."),
        (["softmax", "-o", "nowhere/x.md"], "the folder nowhere does not exist"),
        (["softmax", "-o", "."], "no suffix"),
        (["softmax", "-o", "x.md", "--format", "tex"], "the suffix says md, --format says tex"),
        (["--formula", "x[n: y"], "got ':', wanted ',' or ']'"),
        (["--formula", "x[n]: y[i] = x[i]", "--of", "z"], "got output 'z', wanted one of: y"),
        ([], "no operation was named"),
        (["--list", "--wrt", "x"], "--wrt is for one operation"),
        (["softmax", "--json"], "--json is for --list and --theorems"),
        (["softmax", "--of", "S"], "--of is for --formula"),
        (["--list", "-o", "x.md"], "--list is printed only"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(capsys, monkeypatch, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_list_has_operation_input_verdict_methods_and_seconds(capsys, monkeypatch):
    few = {name: library.LIBRARY[name] for name in ("softmax", "kl-divergence")}
    monkeypatch.setattr(library, "LIBRARY", few)
    assert main(["derive", "--list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(r["op"], r["input"]) for r in rows] == [(n, x) for n, known in few.items() for x in known.wrt]
    for row in rows:
        assert list(row) == ["op", "input", "verdict", "methods", "seconds"]
        assert row["verdict"] == "proved for all sizes"
        assert len(row["methods"]) >= 2
        assert all(isinstance(m, str) for m in row["methods"])
        assert row["seconds"] >= 0
    assert main(["derive", "--list"]) == 0
    out = capsys.readouterr().out
    assert "normal form" in out
    assert "kl-divergence" in out


def test_the_formats_are_those_that_documents_have():
    from minitorch.symbolic.document import FORMATS

    assert tuple(FORMATS) == derive.FORMS
