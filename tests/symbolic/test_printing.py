"""Do bound indices get letters that clash with nothing, and do names look as one writes them?"""

import pytest

from minitorch import symbolic
from minitorch.symbolic.expression import free
from minitorch.symbolic.letters import with_letters
from minitorch.symbolic.styles import array_latex, name_latex

from .programs import ATTENTION


def shown(text: str) -> str:
    return str(symbolic.parse(text))


def test_a_bound_letter_avoids_the_free_ones_and_those_around_it():
    assert shown("x[n], A[n,n]: y[i] = x[i] sum_k A[i,k] sum_j A[k,j] x[j]") == "y[i] = x[i]*Σ_k A[i,k]*Σ_j A[k,j]*x[j]"


def test_a_bound_letter_avoids_those_on_the_left_even_where_the_right_does_not_use_them():
    assert shown("x[n]: z[i] = x[i]; y[i] = sum_k x[k]").endswith("y[i] = Σ_k x[k]")


def test_bound_letters_never_clash_with_names_of_dimensions():
    text = shown("x[k]: y[i] = x[i] sum_j x[j] sum_p x[p] x[j]")
    assert "Σ_k" not in text


@pytest.mark.parametrize("depth", [2, 5, 9])
def test_nested_sums_of_one_dimension_all_get_different_letters(depth):
    letters = [f"i{k}" for k in range(depth)]
    body = " ".join(f"x[{letter}]" for letter in letters)
    program = symbolic.parse(f"x[n]: y = exp(sum_{{{','.join(letters)}}} {body})")
    lettered = with_letters(program.definitions[0].value, ())
    (total,) = lettered.atoms(symbolic.Sum)
    assert len({index.name for index in total.bound}) == depth
    assert not free(lettered)


@pytest.mark.parametrize(
    ("name", "latex"),
    [("d_k", "d_{k}"), ("n", "n"), ("mu", r"\mu"), ("n_b1", r"n_{\mathrm{b1}}"), ("i'", "i'"), ("b1", "b_{1}")],
)
def test_names_of_dimensions_and_indices(name, latex):
    assert name_latex(name) == latex


@pytest.mark.parametrize(
    ("name", "latex"),
    [("Q", "Q"), ("W_q", "W^{(q)}"), ("gamma", r"\gamma"), ("xhat", r"\hat{x}"), ("out", r"\mathrm{out}")],
)
def test_names_of_arrays(name, latex):
    assert array_latex(name) == latex


def test_a_gradient_is_a_derivative_on_the_left_and_a_differential_on_the_right():
    program = symbolic.parse(ATTENTION)
    back = program.vjp("O", ["Q"])
    notation = symbolic.Notation.of(program, [d.name for d in back.definitions])
    assert notation.equation_latex(back.definition("dQ")) == (
        r"\frac{\partial L}{\partial Q_{i e}} = \frac{1}{\sqrt{d_{k}}} \, \sum_{j} \mathrm{d}A_{i j} \, K_{j e}"
    )


def test_signs_powers_and_fractions_have_the_brackets_they_need():
    program = symbolic.parse("x, y, z[n]: a = -(x + y)**2 / (3 x y); b = (x - y) / sum_k z[k]; c = 2 x**(-1/2)")
    assert str(program).split("\n") == ["a = -(x + y)**2/(3*x*y)", "b = (x - y)/(Σ_k z[k])", "c = 2/sqrt(x)"]
