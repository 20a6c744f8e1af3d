"""Does `python -m minitorch check` exit 0, 1 and 2 where it should, and never with a traceback?"""

from __future__ import annotations

import json

import pytest

from minitorch.commands import main

RIGHT = "def backward(S, G):\n    return S * (G - (S * G).sum())\n"
WRONG = "def backward(S, G):\n    return S * G\n\n\nclass Kernel:\n    pass\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="kernel.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_a_right_function_exits_with_0(file, capsys):
    assert main(["check", f"{file(RIGHT)}:backward", "--op", "softmax"]) == 0
    assert "all gradients right" in capsys.readouterr().out


def test_a_wrong_function_exits_with_1_and_the_diagnosis(file, capsys):
    assert main(["check", f"{file(WRONG)}:backward", "--op", "softmax"]) == 1
    assert "dx lacks the term" in capsys.readouterr().out


def test_the_diagnosis_is_plain_data_if_asked_for(file, capsys):
    assert main(["check", f"{file(WRONG)}:backward", "--op", "softmax", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["op"], found["ok"], found["inputs"][0]["cause"]) == ("softmax", False, "missing term")


def test_a_file_of_formulas_is_a_claim_too(file, capsys):
    claim = file("dx[i] = S[i] (G[i] - sum_j G[j] S[j])  # a comment\n", "dx.txt")
    assert main(["check", claim, "--op", "softmax"]) == 0
    assert "proved for all sizes" in capsys.readouterr().out


def test_an_operation_of_one_s_own_is_text_or_a_file(file):
    function = file("def backward(x, g):\n    return 2 * x * g\n") + ":backward"
    text = "x[n]: y[i] = x[i]**2"
    assert main(["check", function, "--formula", text, "--wrt", "x"]) == 0
    assert main(["check", function, "--formula", file(text, "op.txt")]) == 0


@pytest.mark.parametrize(
    ("text", "function", "said"),
    [
        (WRONG, "forward", "has no function 'forward'; there are: backward, Kernel."),
        ("def backward(:\n", "backward", "kernel.py:1 is not valid Python"),
        ("import no_such_module\n", "backward", "raised ModuleNotFoundError"),
        ("x = 1 / 0\n", "backward", "raised ZeroDivisionError: division by zero:1: x = 1 / 0"),
        ("def backward(S, G):\n    return S[99]\n", "backward", "raised IndexError"),
    ],
)
def test_bad_input_exits_with_2_and_a_sentence(file, capsys, text, function, said):
    assert main(["check", f"{file(text)}:{function}", "--op", "softmax"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.py:f", "--op", "softmax"], "there is no file nowhere.py"),
        (["nowhere.txt", "--op", "softmax"], "cannot read nowhere.txt"),
        (["nowhere.txt", "--formula", "nowhere"], "cannot read nowhere"),
    ],
)
def test_a_file_that_is_missing_is_said(capsys, arguments, said):
    assert main(["check", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_file_without_a_function_lists_those_there_are(file, capsys):
    assert main(["check", file(RIGHT), "--op", "softmax"]) == 2
    assert "names no function" in (said := capsys.readouterr().err)
    assert "there are: backward." in said


def test_a_setting_that_is_no_number_is_said(file, capsys):
    assert main(["check", f"{file(RIGHT)}:backward", "--op", "softmax", "--given", "eps=small"]) == 2
    assert "wanted NAME=NUMBER" in capsys.readouterr().err
