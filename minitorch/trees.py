"""How do dicts, lists and tuples of tensors go in and out?  A tree is containers around leaves; its structure is kept.

    flatten    {"W": a, "layers": [b, (c, None)]}  ->  [("['W']", a), ("['layers'][0]", b), ("['layers'][1][0]", c)]
    rebuild    the same containers around other leaves

Containers are dicts, lists, tuples and named tuples, each rebuilt as its own type.  None holds no leaf and stays None.
Anything else is a leaf; a list of plain numbers too, since it is an array, as in `mt.tensor([1, 2])`.  Dicts match by
key, in any order.  A path is what stands behind the tree's name in Python.  The notion is JAX's (jax.tree_util); no
classes are registered here, since a module's parameters are a dict already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minitorch.errors import ShapeError

Tree = Any
"""A leaf, None, or a dict, list, tuple or named tuple of trees."""


class TreeError(ShapeError):
    """Two trees have different structures, or a leaf is not what it should be; names the path."""


def flatten(tree: Tree) -> list[tuple[str, Any]]:
    """(path, leaf) for each leaf, from left to right.

    >>> flatten({"a": 1, "b": [2, (3, None)]})
    [("['a']", 1), ("['b'][0]", 2), ("['b'][1][0]", 3)]
    """
    return list(_walk(tree, ""))


def leaves(tree: Tree) -> list[Any]:
    """The leaves, from left to right.

    >>> leaves([1, {"a": 2}, None])
    [1, 2]
    """
    return [leaf for _, leaf in _walk(tree, "")]


def rebuild(tree: Tree, new: Iterable[Any]) -> Tree:
    """The containers of `tree` around the leaves `new`, given in the order of `leaves(tree)`.

    >>> rebuild({"a": 1, "b": (2,)}, "xy")
    {'a': 'x', 'b': ('y',)}
    """
    rest = iter(new)
    rebuilt = _rebuilt(tree, rest)
    if next(rest, rest) is not rest:
        raise TreeError("rebuild was given more leaves than the tree has.")
    return rebuilt


def aligned(tree: Tree, other: Tree, *, name: str = "the tree", other_name: str = "the other") -> list[Any]:
    """What `other` has where `tree` has its leaves; None in `other` stands for a whole part that is left out.

    Raises:
        TreeError: the containers differ; names the path.

    >>> aligned({"a": 1, "b": (2, 3)}, {"b": (20, None), "a": 10})
    [10, 20, None]
    """
    return list(_align(tree, other, "", name, other_name))


def map(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """`function(leaf, *leaves of the others at the same place)`, in the containers of `tree`.

    Raises:
        TreeError: another tree has other containers; names the path.

    >>> map(lambda p, g: p - g, {"w": 3, "b": (1,)}, {"w": 1, "b": (1,)})
    {'w': 2, 'b': (0,)}
    """
    columns = [aligned(tree, other) for other in others]
    return rebuild(tree, [function(*row) for row in zip(leaves(tree), *columns, strict=True)])


def _items(tree: Tree) -> list[tuple[str, Any]] | None:
    """(step of a path, part) for a container; None for a leaf."""
    if isinstance(tree, dict):
        return [(f"[{key!r}]", value) for key, value in tree.items()]
    if isinstance(tree, tuple) and (fields := getattr(tree, "_fields", None)):
        return [(f".{field}", value) for field, value in zip(fields, tree, strict=True)]
    if isinstance(tree, list | tuple) and not _is_array(tree):
        return [(f"[{k}]", value) for k, value in enumerate(tree)]
    return None


def _is_array(tree: Any) -> bool:
    """Whether it is a list of plain numbers, or of such lists."""
    return isinstance(tree, list) and bool(tree) and all(isinstance(x, int | float) or _is_array(x) for x in tree)


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, Any]]:
    items = _items(tree)
    if items is None:
        if tree is not None:
            yield path, tree
        return
    for step, part in items:
        yield from _walk(part, path + step)


def _rebuilt(tree: Tree, new: Iterator[Any]) -> Tree:
    items = _items(tree)
    if items is None:
        if tree is None:
            return None
        leaf = next(new, new)
        if leaf is new:
            raise TreeError("rebuild was given fewer leaves than the tree has.")
        return leaf
    parts = [_rebuilt(part, new) for _, part in items]
    if isinstance(tree, dict):
        from copy import copy

        same = copy(tree)  # a subclass keeps what else it holds, as a defaultdict its factory
        same.update(zip(tree, parts, strict=True))
        return same
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def _align(tree: Tree, other: Tree, path: str, name: str, other_name: str) -> Iterator[Any]:
    items = _items(tree)
    if items is None:
        if tree is not None:
            yield other
        elif other is not None:
            raise TreeError(f"{other_name}{path} is a {_said(other)}, but {name}{path} is None. Give None there too?")
        return
    if other is None:
        yield from (None for _ in _walk(tree, path))
        return
    theirs = _items(other)
    if theirs is None or _kind(tree) is not _kind(other):
        raise TreeError(f"{other_name}{path} is a {_said(other)}, but {name}{path} is a {_said(tree)}.")
    parts = dict(theirs)
    steps = [step for step, _ in items]
    missing, extra = [s for s in steps if s not in parts], [s for s in parts if s not in steps]
    if missing or extra:
        said = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(extra)} besides"] * bool(extra)
        raise TreeError(f"{other_name}{path} {' and '.join(said)}, compared with {name}{path}. Give one for each part.")
    for step, part in items:
        yield from _align(part, parts[step], path + step, name, other_name)


def _kind(tree: Tree) -> type:
    """Lists and plain tuples of equal length hold the same leaves; a dict does not."""
    return dict if isinstance(tree, dict) else list


def _said(tree: Tree) -> str:
    items = _items(tree)
    return type(tree).__name__ + ("" if items is None else f" of {len(items)}")
