"""Does the text of a formula give the program it says, and does an error point at its place?"""

import pytest

from minitorch import symbolic
from minitorch.errors import FormulaError
from minitorch.symbolic.prove import prove_equal

from .programs import ATTENTION, SOFTMAX


def caret(error: pytest.ExceptionInfo) -> str:
    """The rest of the shown line from the character that the caret points at."""
    _, line, mark, *_ = str(error.value).split("\n")
    return line[mark.index("^") :]


def same(program, left: str, right: str) -> bool:
    return prove_equal(program.expression(left), program.expression(right), program.definitions).holds


def test_a_header_names_dimensions_and_scalars():
    program = symbolic.parse("x[n,d_k], eps: y[i] = sum_e x[i,e]**2 / d_k + eps")
    assert {name: tuple(map(str, sizes)) for name, sizes in program.inputs.items()} == {"x": ("n", "d_k"), "eps": ()}
    assert program.outputs == ("y",)


def test_without_a_header_dimensions_are_named_by_letters_and_unified_by_use():
    program = symbolic.parse("S[i] = exp(x[i]) / sum_k exp(x[k])")
    assert [str(size) for size in program.inputs["x"]] == ["n_i"]


def test_unused_definitions_are_the_outputs():
    assert symbolic.parse("x[n]: a[i] = x[i]; b[i] = a[i]; c[i] = a[i] + 1").outputs == ("b", "c")


def test_a_sum_takes_its_whole_term_and_stops_at_a_plus():
    program = symbolic.parse("x[n], y[n]: s = sum_k x[k] y[k] / 2 + 1")
    assert same(program, "s", "(sum_k x[k] y[k]) / 2 + 1")
    assert not same(program, "s", "sum_k (x[k] y[k] / 2 + 1)")


def test_mean_powers_minus_and_braced_sums_mean_what_mathematics_means():
    text = "x[n], y[m], z: a = mean_k x[k]; b = sum_{k,q} x[k] y[q]; c = -z**2; d = 2**-1"
    program = symbolic.parse(text)
    assert same(program, "a", "sum_k x[k] / n")
    assert same(program, "b", "(sum_k x[k]) (sum_q y[q])")
    assert same(program, "c", "-(z z)")
    assert same(program, "d", "0.5")


def test_bound_letters_do_not_matter():
    program = symbolic.parse("x[n]: a = sum_i x[i]; b = sum_k x[k]")
    assert program.definitions[0].value == program.definitions[1].value


@pytest.mark.parametrize(
    ("text", "ranks", "left", "indices"),
    [
        ("out[...,i,j] = sum_k a[...,i,k] b[...,k,j]", None, 2, {"a": 2, "b": 2}),
        ("out[...,i,j] = sum_k a[...,i,k] b[...,k,j]", {"a": 4, "b": 3}, 4, {"a": 4, "b": 3}),
        ("out[...] = a[...] * b[...]", None, 1, {"a": 1, "b": 1}),
        ("out[...] = a[...] * b[...]", {"a": 0, "b": 2}, 2, {"a": 0, "b": 2}),
    ],
)
def test_an_ellipsis_stands_for_the_leading_axes(text, ranks, left, indices):
    program = symbolic.parse(text, ranks)
    assert len(program.definitions[0].indices) == left
    assert {name: len(sizes) for name, sizes in program.inputs.items()} == indices


def test_an_ellipsis_aligns_axes_at_the_right():
    a, b = symbolic.parse("out[...,i] = a[...,i] b[...,i]", {"a": 3, "b": 2}).inputs.values()
    assert a[1:] == b


def test_letters_of_an_ellipsis_do_not_meet_those_of_the_formula():
    program = symbolic.parse("out[...,b] = sum_b1 x[...,b,b1]", {"x": 3})
    assert len({index.name for index in program.indices}) == 3


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("x[n]: y[i] = exp(x[i]", "wanted ')'", ""),
        ("x[n]: y[i] = x[i] + x[j]", "index j is neither on the left nor summed", "j]"),
        ("x[n], y[m]: z[i] = x[i] + y[i]", "index i runs over n", "i]"),
        ("x[n]: z[i] = x[i] + x[i,i]", "x has 2 indices here and 1 elsewhere", "x[i,i]"),
        ("x[n]: z[i] = w[i]", "w is not an input", "w[i]"),
        ("x[n]: z[i] = u[i]; u[i] = x[i]", "used before it is defined", "u[i]; u"),
        ("x[n]: z[i] = x[i]; z[i] = x[i]", "already defined", "z[i] = x[i]"),
        ("x[n,n]: z[i,i] = x[i,i]", "stands twice on the left", "i] ="),
        ("x[n]: z[i] = sum_i x[i]", "index i already has a meaning", "i x[i]"),
        ("x[n]: z[i] = x[i+1]", "declare i<n", "i] = x[i+1]"),
        ("x[n]: z[i] = x[i] ? 2", "'?'", "? 2"),
        ("x[n]: z[i] = exp(x[i], x[i])", "exp got 2 arguments, wanted 1", "exp("),
        ("x[n]: z[i] = x[i] z = 1", "got '='", "= 1"),
        ("x[n], x[m]: z[i] = x[i]", "declared twice", "x[m]"),
        ("x[n]:\n  z[i] = x[i] *\n  + 2", "wanted a value", "+ 2"),
    ],
)
def test_an_error_says_what_was_wanted_and_points_at_the_place(text, message, place):
    with pytest.raises(FormulaError) as error:
        symbolic.parse(text)
    assert message in str(error.value)
    assert caret(error).startswith(place)


def test_a_rank_too_small_or_missing_is_an_error():
    with pytest.raises(FormulaError, match="rank 1, wanted at least 2"):
        symbolic.parse("y[...,i] = sum_k x[...,i,k]", {"x": 1})
    with pytest.raises(FormulaError, match="no rank was given"):
        symbolic.parse("y[...] = x[...] z[...]", {"x": 1})


@pytest.mark.parametrize("text", [ATTENTION, SOFTMAX, "x[n], a: y[i] = -(x[i] - a)**2 / (2 a) + δ(i,i)"])
def test_printed_text_is_read_back_as_the_same_program(text):
    program = symbolic.parse(text)
    header = text.partition(":")[0]
    again = symbolic.parse(f"{header}: {str(program).replace(chr(10), '; ')}")
    assert [d.value for d in again.definitions] == [d.value for d in program.definitions]
