"""Do containers go in and come out as they were, and does an error say where?"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple

import pytest

import minitorch as mt
from minitorch import trees
from minitorch.trees import TreeError

Pair = namedtuple("Pair", "w b")


def test_leaves_are_found_from_left_to_right_with_their_paths():
    tree = {"W": "a", "rest": ["b", ("c", None)], "pair": Pair("d", {1: "e"})}
    assert trees.flatten(tree) == [
        ("['W']", "a"),
        ("['rest'][0]", "b"),
        ("['rest'][1][0]", "c"),
        ("['pair'].w", "d"),
        ("['pair'].b[1]", "e"),
    ]


def test_a_path_is_what_stands_behind_the_name_in_python():
    tree = {"W": "a", "rest": ["b", ("c", None)], "pair": Pair("d", {1: "e"})}
    for path, leaf in trees.flatten(tree):
        assert eval(f"tree{path}") == leaf


def test_a_leaf_alone_is_a_tree_with_an_empty_path():
    assert trees.flatten("a") == [("", "a")]
    assert trees.rebuild("a", ["b"]) == "b"


def test_every_container_comes_back_as_its_own_type():
    counts = defaultdict(list, {"k": "a"})
    tree = [{"x": "a"}, ("b",), Pair("c", "d"), OrderedDict(z="e", y="f"), counts, None, (), {}]
    new = trees.rebuild(tree, "ABCDEFG")
    assert new == [{"x": "A"}, ("B",), Pair("C", "D"), OrderedDict(z="E", y="F"), {"k": "G"}, None, (), {}]
    assert [type(part) for part in new] == [type(part) for part in tree]
    assert new[4].default_factory is list
    assert counts == {"k": "a"}  # the old one is left alone


def test_a_list_of_numbers_is_one_leaf_as_it_is_one_tensor():
    assert trees.leaves({"x": [1.0, 2.0], "y": [[1], [2]], "z": (1.0, 2.0)}) == [[1.0, 2.0], [[1], [2]], 1.0, 2.0]


def test_a_tensor_is_a_leaf_and_not_a_sequence():
    x = mt.tensor([1.0, 2.0])
    assert trees.leaves([x])[0] is x


def test_dicts_match_by_key_in_any_order():
    assert trees.aligned({"a": 1, "b": 2}, {"b": 20, "a": 10}) == [10, 20]
    assert trees.map(lambda x, y: x + y, {"a": 1, "b": 2}, {"b": 20, "a": 10}) == {"a": 11, "b": 22}


def test_none_stands_for_a_whole_part_that_is_left_out():
    assert trees.aligned({"a": (1, 2), "b": 3}, {"a": None, "b": 30}) == [None, None, 30]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"a": (1, 2)}, r"the other lacks \['b'\], compared with the tree"),
        ({"a": (1, 2), "b": {"c": 1}, "d": 1}, r"the other has \['d'\] besides"),
        ({"a": (1,), "b": {"c": 1}}, r"the other\['a'\] lacks \[1\], compared with the tree\['a'\]"),
        ({"a": 1, "b": {"c": 1}}, r"the other\['a'\] is a int, but the tree\['a'\] is a tuple of 2"),
        ({"a": (1, 2), "b": (1,)}, r"the other\['b'\] is a tuple of 1, but the tree\['b'\] is a dict of 1"),
        ({"a": (1, 2), "b": {"c": 1, "e": 2}}, r"the other\['b'\] has \['e'\] besides"),
    ],
)
def test_trees_that_differ_are_refused_with_the_path(other, message):
    with pytest.raises(TreeError, match=message):
        trees.aligned({"a": (1, 2), "b": {"c": 3}}, other)


def test_a_value_where_the_tree_has_none_is_refused():
    with pytest.raises(TreeError, match=r"the other\['a'\] is a int, but the tree\['a'\] is None"):
        trees.aligned({"a": None}, {"a": 1})


@pytest.mark.parametrize(("new", "said"), [([1], "fewer"), ([1, 2, 3], "more")])
def test_the_number_of_new_leaves_must_fit(new, said):
    with pytest.raises(TreeError, match=said):
        trees.rebuild(["a", "b"], new)
