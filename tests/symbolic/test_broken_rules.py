"""Every rule of the normal form, broken on purpose: what it proves is refuted, what it misses is not called proved."""

import pytest
from sympy import Add, Mul, Pow, S

from minitorch import symbolic
from minitorch.symbolic import normal
from minitorch.symbolic.binders import close, rename, swap
from minitorch.symbolic.expression import Delta, Index, Sum

HEADER = "x[n], y[n], A[n,m], u, v, w[n]: unused = 0; looked_up[i] = x[w[i]]"
RULES = {name: getattr(normal, name) for name in vars(normal) if callable(getattr(normal, name))}


def first_term_only(factors):
    return Mul(*(Add.make_args(factor)[0] for factor in factors))


def forget_the_delta(product):
    for factor in Mul.make_args(product):
        if isinstance(factor, Delta) and isinstance(factor.args[1], Index):
            return swap(swap(product, {factor: S.One}), {factor.args[1]: factor.args[0]})
    return product


def exponentials_added(argument):
    return Add(*(RULES["exp"](term) for term in Add.make_args(argument)))


def power_of_every_term(base, exponent):
    return Add(*(Pow(term, exponent) for term in Add.make_args(base)))


def first_monomial_only(body, bound):
    return RULES["_sum_of_monomial"](min(Add.make_args(normal.normal_form(body)), key=str), bound)


def the_same_index_again(binder):
    renaming = {index: Index(f"{index.name}~0", index.dimension) for index in binder.bound}
    return rename(binder.body, renaming), tuple(renaming.values())


def summed_index_stays(delta, index, other, factors, bound):
    return normal.sum_normal(swap(Mul(*(f for f in factors if f is not delta)), {index: other}), bound)


def sum_of_every_factor(factors, bound):
    return Mul(*(RULES["_split_components"]([factor], bound & factor.atoms(Index)) for factor in factors))


def idle_dimensions_forgotten(factors, bound):
    return Mul(*factors)


def every_delta_is_met(group, bound):
    return isinstance(group[0], Delta)


def tangent_not_doubled(expression):
    return RULES["by_exponentials"](expression.replace(normal.tanh, lambda x: 2 * normal.sigmoid(x) - 1))


def nothing_above_the_line(expression):
    return S.Zero, S.One


def logarithms_added(argument):
    return Add(*(normal.log(term) for term in Add.make_args(argument)))


UNSOUND = [
    ("_logarithm", logarithms_added, "log(exp(u) + exp(v))", "u + v"),
    ("_product", first_term_only, "(u + v) x[i]", "u x[i]"),
    ("_exponential", exponentials_added, "exp(u + v)", "exp(u) + exp(v)"),
    ("_rename_by_free_deltas", forget_the_delta, "delta(i,j) x[j]", "x[i]"),
    ("_power", power_of_every_term, "(x[i] + y[i])**2", "x[i]**2 + y[i]**2"),
    ("sum_normal", first_monomial_only, "sum_i (x[i] + y[i])", "sum_i x[i]"),
    ("opened", the_same_index_again, "sum_i (sum_j A[i,j]) (sum_j A[i,j]**2)", "sum_{i,j} A[i,j]**3"),
    ("_contract_delta", summed_index_stays, "sum_j delta(i,j) x[j]", "n x[i]"),
    ("_split_components", sum_of_every_factor, "sum_j x[j] y[j]", "(sum_j x[j]) (sum_j y[j])"),
    ("_split_components", idle_dimensions_forgotten, "sum_i x[i] / x[i]", "1"),
    ("_is_whole", every_delta_is_met, "sum_j delta(j, i - 1) x[j] / x[j]", "1"),
    ("by_exponentials", tangent_not_doubled, "tanh(u)", "2 sigmoid(u) - 1"),
    ("over_one_line", nothing_above_the_line, "u", "2 u"),
]
LOSSY = [
    ("_logarithm", lambda argument: normal.log(argument), "log(exp(u) sum_j exp(x[j]))", "u + log(sum_j exp(x[j]))"),
    ("_product", lambda factors: Mul(*factors), "sum_i (x[i] + y[i]) x[i]", "sum_i x[i]**2 + sum_i x[i] y[i]"),
    (
        "_exponential",
        lambda argument: RULES["exp"](argument),
        "sum_j exp(u + x[j])",
        "exp(u) sum_j exp(x[j])",
    ),
    ("_monomial", lambda product: product, "delta(i,j) x[j]", "delta(i,j) x[i]"),
    ("_rename_by_free_deltas", lambda product: product, "delta(i,j) x[j]", "delta(i,j) x[i]"),
    ("_power", lambda base, exponent: Pow(base, exponent), "(u + v)**2", "u**2 + 2 u v + v**2"),
    (
        "_flatten",
        lambda monomial, bound: (list(Mul.make_args(monomial)), bound),
        "sum_i x[i] (sum_j A[i,j])",
        "sum_j sum_i x[i] A[i,j]",
    ),
    (
        "_contract_delta",
        lambda delta, index, other, factors, bound: close(Sum, Mul(*factors), bound),
        "sum_{i,j} delta(i,j) x[j]",
        "sum_k x[k]",
    ),
    ("_split_components", lambda factors, bound: close(Sum, Mul(*factors), bound), "sum_j u x[j]", "u sum_k x[k]"),
    ("_is_whole", lambda group, bound: False, "sum_j delta(j, w[i])", "1"),
    ("by_exponentials", lambda expression: expression, "tanh(u)", "2 sigmoid(2 u) - 1"),
    ("over_one_line", lambda expression: (expression, S.One), "1 / (1 + u) + u / (1 + u)", "1"),
]


@pytest.fixture
def break_rule(monkeypatch):
    """Replaces one rule of the normal form; what was remembered before or meanwhile is forgotten."""

    def replace(name, rule):
        monkeypatch.setattr(normal, name, rule)
        normal.normal_form.cache_clear()

    yield replace
    monkeypatch.undo()
    normal.normal_form.cache_clear()


def sides(left, right):
    program = symbolic.parse(HEADER)
    return program.expression(left), program.expression(right), program.definitions


@pytest.mark.parametrize(("name", "rule", "left", "right"), UNSOUND, ids=[rule.__name__ for _, rule, *_ in UNSOUND])
def test_a_false_equation_that_a_broken_rule_proves_is_refuted(name, rule, left, right, break_rule):
    a, b, definitions = sides(left, right)
    assert not normal.equal_by_normal_form(a, b)
    break_rule(name, rule)
    assert normal.equal_by_normal_form(a, b)  # the prover is fooled
    assert symbolic.prove_equal(a, b, definitions).kind == "refuted"  # the verdict is not


@pytest.mark.parametrize(("name", "rule", "left", "right"), LOSSY, ids=[name for name, *_ in LOSSY])
def test_a_rule_that_does_nothing_loses_a_proof_and_the_verdict_says_so(name, rule, left, right, break_rule):
    a, b, definitions = sides(left, right)
    assert symbolic.prove_equal(a, b, definitions).kind == "proved for all sizes"
    break_rule(name, rule)
    assert symbolic.prove_equal(a, b, definitions).kind in ("probable", "tested")


def test_every_rule_is_broken_in_both_ways():
    rules = {
        n for n, f in vars(normal).items() if n.startswith("_") and getattr(f, "__module__", "") == normal.__name__
    }
    helpers = {"_is_zero", "_distributes", "_sum_of_monomial"}  # these only choose between the rules
    assert rules - helpers <= {name for name, *_ in LOSSY}
