"""Is Table 1 counted on real graphs, and is what cannot be counted said to be so?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from transformer import RNN, MultiHeadAttention
from viz import table1
from viz.__main__ import main


@pytest.fixture(scope="module")
def lines():
    return table1.table1()


def test_what_is_counted_is_what_the_paper_prints(lines):
    attention, recurrent, *_ = lines
    assert attention.found == attention.printed == ("O(n² d)", "O(1)", "O(1)")
    assert recurrent.found == recurrent.printed == ("O(n d²)", "O(n)", "O(n)")
    assert all(line.agrees for line in lines)


def test_a_recurrent_layer_waits_for_every_step_and_attention_for_none():
    recurrent = [table1.longest_chain(RNN(8, 8), n) for n in (3, 4, 5)]
    attention = [table1.longest_chain(MultiHeadAttention(8), n) for n in (3, 4, 5)]
    assert recurrent == [recurrent[0], recurrent[0] + 3, recurrent[0] + 6]  # a product, a sum and tanh each
    assert len(set(attention)) == 1


def test_what_was_not_counted_stands_in_brackets(lines):
    assert [line.cells()[2:] for line in lines[2:]] == [("(O(1))", "(O(log_k n))"), ("(O(1))", "(O(n/r))")]


def test_a_disagreement_would_be_said(lines):
    wrong = replace(lines[0], found=("O(n d)", "O(1)", "O(1)"))
    assert not wrong.agrees
    assert "but printed is O(n² d)" in table1.notes([wrong])[0]


@pytest.mark.parametrize("suffix", ["md", "txt", "html"])
def test_the_command_writes_the_table(suffix, tmp_path, capsys):
    target = tmp_path / f"table.{suffix}"
    assert main(["table1", "-o", str(target)]) == 0
    assert "O(k n d²)" in target.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_the_command_prints_markdown(capsys):
    assert main(["table1"]) == 0
    assert "| Recurrent | O(n d²) | O(n) | O(n) |" in capsys.readouterr().out


def test_an_unknown_suffix_is_refused(tmp_path, capsys):
    assert main(["table1", "-o", str(tmp_path / "t.xyz")]) == 2
    assert "known are .md, .html, .txt" in capsys.readouterr().err
