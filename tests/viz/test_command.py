"""Does the command do its job, and does every bad input end in one clear sentence and exit status 2?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.viz.pages import Page
from viz import dot, study
from viz.__main__ import main

MODULE = [sys.executable, "-m", "viz"]


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch) -> None:
    """No engine is chosen, and what is written falls into a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINITORCH_DOT", raising=False)


def _refused(capsys, *arguments: str) -> str:
    """The sentence on standard error of a run that fails and leaves nothing behind."""
    before = _files()
    try:
        status = main(["compare", *arguments])
    except SystemExit as stopped:  # argparse
        status = stopped.code
    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    assert _files() == before
    return said.err


def _files() -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in Path().iterdir() if p.is_file()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["", "-o", "f.svg"], "the sentence is empty"),
        ([" \t\n ", "-o", "f.svg"], "the sentence is empty"),
        (["w " * 513, "-o", "f.svg"], "513 tokens; the limit is 512, because attention's map has one entry"),
        (["a b", "--heads", "5", "-o", "f.svg"], "--heads 5 --width 32: 5 heads do not divide the width 32; "),
        (["a b", "--heads", "0", "-o", "f.svg"], "--heads 0: give a number from 1"),
        (["a b", "--seeds", "0", "-o", "f.svg"], "--seeds 0: give a number from 1"),
        (["a b", "--width", "0", "-o", "f.svg"], "--width 0: give a number from 1"),
        (["a b", "--width", "-4", "-o", "f.svg"], "--width -4: give a number from 1"),
        (["a b", "--layers", "0", "-o", "f.svg"], "--layers 0: give a number from 1"),
        (["a b", "--layers", "999999", "-o", "f.svg"], "--layers 999999: give a number from 1"),
        (["a b", "-o", "f.gif"], "the suffix '.gif'; known are .html, .svg, .png, .pdf, .dot."),
        (["a b", "-o", "f"], "no suffix; known are .html"),
        (["a b", "-o", ""], "no suffix; known are .html"),
        (["a b", "-o", "missing/f.svg"], "the folder missing does not exist"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_sentence(capsys, arguments, said):
    err = _refused(capsys, *arguments)
    assert said in err
    assert err.startswith("viz: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("output", [["-o", "f.html"], [], ["--json"], ["--json", "-o", "f.html"]])
def test_a_theme_for_what_has_none_is_refused(capsys, theme, output):
    err = _refused(capsys, "a b", "--seeds", "1", "--theme", theme, *output)
    assert err.startswith(f"viz: --theme {theme}: a page follows its reader's preference")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--heads", "two"], ["--rnn-init", "zero"], ["--nonsense"], ["a", "b"]])
def test_what_cannot_be_parsed_is_said_with_the_usage(capsys, arguments):
    err = _refused(capsys, *arguments)
    assert "usage: python -m viz" in err
    assert "error:" in err


def test_a_target_that_is_a_folder_is_refused(capsys):
    Path("f.svg").mkdir()
    assert "f.svg is a folder; give the name of a file." in _refused(capsys, "a b", "-o", "f.svg")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(capsys):
    Path("locked").mkdir(mode=0o500)
    assert "permission is missing" in _refused(capsys, "a b", "-o", "locked/f.svg")


def test_missing_permission_is_refused_even_where_root_could_write(capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "permission is missing" in _refused(capsys, "a b", "-o", "f.svg")


@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(capsys, monkeypatch, failing):
    Path("f.svg").write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    assert "f.svg: cannot be written: No space left on device." in _refused(
        capsys, "a b", "--seeds", "1", "-o", "f.svg"
    )
    assert Path("f.svg").read_text() == "old"


def test_a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own():
    mask = os.umask(0o022)
    try:
        main(["compare", "a b", "--seeds", "1", "-o", "new.dot"])
        Path("old.dot").write_text("old")
        Path("old.dot").chmod(0o640)
        main(["compare", "a b", "--seeds", "1", "-o", "old.dot"])
    finally:
        os.umask(mask)
    assert Path("new.dot").stat().st_mode & 0o777 == 0o644
    assert Path("old.dot").stat().st_mode & 0o777 == 0o640
    assert Path("old.dot").read_text().startswith("digraph")


@pytest.mark.parametrize("suffix", [".svg", ".png", ".dot", ".SVG"])
def test_each_kind_of_figure_is_written_and_valid(capsys, suffix):
    assert main(["compare", "a b c", "--seeds", "1", "-o", f"f{suffix}"]) == 0
    content = Path(f"f{suffix}").read_bytes()
    if suffix == ".png":
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert content.endswith(b"IEND\xaeB`\x82")
    elif suffix == ".dot":
        assert dot.render(content.decode(), layout="neato", pinned=True).lstrip().startswith(b"<?xml")
    else:
        assert ET.fromstring(content).tag.endswith("svg")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"wrote f{suffix}\n", "and no progress bar where nobody watches"
    assert list(_files()) == [f"f{suffix}"]


@pytest.mark.parametrize(
    "options",
    [["--no-causal"], ["--layers", "2"], ["--heads", "4"], ["--block"], ["--rnn-init", "orthogonal"],
     ["--width", "6"], ["--theme", "dark"], ["--block", "--layers", "2", "--heads", "2", "--no-causal"]],
)  # fmt: skip
def test_options_are_taken(options):
    assert main(["compare", "a b c d", "--seeds", "1", "-o", "plain.dot"]) == 0
    assert main(["compare", "a b c d", "--seeds", "1", "-o", "other.dot", *options]) == 0
    assert Path("plain.dot").read_text() != Path("other.dot").read_text()


def test_one_token_works():
    assert main(["compare", "alone", "--seeds", "1", "-o", "f.svg"]) == 0
    text = "".join(ET.parse("f.svg").getroot().itertext())
    assert "W_q, W_k get exactly zero gradient: a softmax over one entry is 1" in text


def test_512_tokens_work_the_figure_shows_the_ends_and_the_table_all(monkeypatch):
    monkeypatch.setattr(study, "LENGTHS", (2,))
    monkeypatch.setattr(study, "derive_all", lambda progress: ())
    words = " ".join(f"w{k}" for k in range(512))
    assert main(["compare", words, "--seeds", "1", "--width", "4", "-o", "f.html"]) == 0
    page = Page(Path("f.html").read_text())
    cells = [w for w in page.words if w.startswith("w") and w[1:].isdigit()]
    figure, table = cells[:-512], cells[-512:]
    assert figure == [f"w{k}" for k in (0, 1, 2, 508, 509, 510, 511)] * 2
    assert table == [f"w{k}" for k in reversed(range(512))]


@pytest.mark.parametrize("suffix", [".svg", ".png", ".html"])
def test_without_a_layout_engine_the_dot_text_is_written_and_it_is_said(capsys, monkeypatch, suffix):
    monkeypatch.setattr(dot, "_bundled", lambda: None)
    monkeypatch.setattr(dot.shutil, "which", lambda name: None)
    monkeypatch.setattr(study, "LENGTHS", (2,))
    monkeypatch.setattr(study, "derive_all", lambda progress: ())
    assert main(["compare", "a b <i>", "--seeds", "1", "-o", f"f{suffix}"]) == 2
    err = capsys.readouterr().err
    assert "Install graphviz-pure" in err
    if suffix == ".html":
        assert "wrote f.html with the DOT text in place of the figure" in err
        page = Page(Path("f.html").read_text())
        assert any("digraph" in w and "<i>" in w for w in page.words)
        assert list(_files()) == ["f.html"]
    else:
        assert "wrote the DOT text to f.dot" in err
        assert Path("f.dot").read_text().startswith("digraph")
        assert list(_files()) == ["f.dot"]


def test_a_broken_engine_is_a_sentence_too(capsys, monkeypatch):
    monkeypatch.setenv("MINITORCH_DOT", "/nonexistent/dot")
    assert main(["compare", "a b", "--seeds", "1", "-o", "f.svg"]) == 2
    err = capsys.readouterr().err
    assert "/nonexistent/dot could not be started" in err
    assert "Traceback" not in err


def test_interrupted_it_stops_without_a_traceback(capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("viz.__main__.compare_only", interrupt)
    assert main(["compare", "a b", "-o", "f.svg"]) == 130
    assert capsys.readouterr().err.strip() == "viz: interrupted; nothing was written."
    assert not _files()


def test_ctrl_c_on_the_real_program_leaves_nothing():
    listen = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # a job in the background is started deaf
    code = f"import signal, sys, viz.__main__ as m; {listen}; print(flush=True); sys.exit(m.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "compare", "a b c", "--seeds", "1000", "-o", "f.svg"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.readline()  # all is imported, however slow the machine
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=20)
    assert run.returncode == 130
    assert b"Traceback" not in err
    assert not _files()


def test_json_goes_to_standard_output_alone_whatever_its_encoding():
    """Korean and half an emoji, to a reader of ASCII in a pipe."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([*MODULE, "compare", "한국 \udcff b", "--seeds", "1", "--json"], capture_output=True,
                          env=environment, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["models"][0]["tokens"] == ["한국", "\udcff", "b"]


@pytest.mark.parametrize("sentence", ["a b", "a " * 30])
def test_a_reader_that_stops_early_is_no_error(sentence):
    command = [*MODULE, "compare", sentence, "--seeds", "1", "--width", "4", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 0


def test_without_a_sentence_it_takes_the_one_of_the_paper_and_it_explains_itself():
    done = subprocess.run(
        [*MODULE, "compare", "--seeds", "1", "-o", "f.svg"], capture_output=True, check=False, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote f.svg\n")
    assert "animal" in Path("f.svg").read_text()
    help_ = subprocess.run([*MODULE, "compare", "--help"], capture_output=True, check=False, text=True)
    assert help_.returncode == 0
    assert "--rnn-init" in help_.stdout
