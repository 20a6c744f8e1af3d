"""Which operations are drawn as one box?  The tree of modules is cut at a depth, and long repetitions keep their ends.

Operations are taken in the order of execution, and every box holds a stretch of it without a break; a leaf stands
before its first user.  An edge goes forward in that order, so boxes can never form a cycle, whatever the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from minitorch import Graph, Node
from viz.shown import FIRST, LAST

Level = Literal["op", "module", "model"]
MOST_NODES = 60  # boxes, at module and model level
_LATE = 2 / 3  # of a drawing that is too long, how much is kept of its end, where the loss is

Path = tuple[str, ...]


@dataclass
class Group:
    """Nodes that are drawn as one box.

    Attributes:
        id: its name in the drawing.
        kind: one operation or leaf ("single"), a call of a module at one time step, or what is left out ("gap").
        members: its nodes, operations first.
        at: the modules around it, outermost first.
        call: the module that was called.
        said: of a gap, what it stands for.
        frames: the frames around it, outermost first: one for each call of a module in `at`.
    """

    id: str
    kind: Literal["single", "call", "gap"]
    members: list[Node]
    at: Path
    call: Path = ()
    said: str = ""
    frames: tuple[Frame, ...] = ()

    @property
    def operations(self) -> list[Node]:
        """Its members without leaves."""
        return [n for n in self.members if not n.is_leaf]


@dataclass(frozen=True)
class Frame:
    """A labelled frame around the boxes of one call of a module."""

    id: str
    label: str
    parent: str = field(default="")  # the id of the frame around it


def cut(graph: Graph, level: Level) -> list[Group]:
    """The boxes of a level, in an order in which no arrow goes back.

    "op": every operation.  "module": the deepest cut with at most 60 boxes, in which a call of a module at that depth,
    or of a module without modules, is one box for each time step; before the modules of a list become one box, the
    middle of many is left out.  "model": one box for a call of an outermost module.  More than 8 time steps or modules
    keep the first 3 and the last 4.
    """
    if level == "op":
        return _cut(graph, None)
    if level == "model":
        return _shortened(_cut(graph, 1, steps=False))
    paths = set(map(path_of, graph.nodes))
    listed = min((_numbered(p) + 1 for p in paths if _numbered(p) < len(p)), default=1)
    apart = range(max(map(len, paths)), listed - 1, -1)  # cuts at which modules of a list are boxes of their own
    tried = chain(
        (_cut(graph, d) for d in apart),
        (_cut(graph, d, siblings=True) for d in apart),
        (_cut(graph, d) for d in range(listed - 1, 0, -1)),
    )
    return next((groups for groups in tried if len(groups) <= MOST_NODES), None) or _shortened(_cut(graph, 1))


def path_of(n: Node) -> Path:
    """The modules in which it ran, outermost first."""
    return tuple(n.scope.split(".")) if n.scope else ()


def label_of(path: Path) -> str:
    """The name of a module; a number alone says little, so it follows the name of its list.

    >>> label_of(("Net", "layers", "0")), label_of(("Net", "attention"))
    ('layers.0', 'attention')
    """
    k = max((k for k, name in enumerate(path) if not name.isdecimal()), default=0)
    return ".".join(path[k:])


def _cut(graph: Graph, depth: int | None, *, steps: bool = True, siblings: bool = False) -> list[Group]:
    """The boxes of a cut at a depth; None for every operation."""
    operations = [n for n in graph.nodes if not n.is_leaf]
    with_modules = {p[:k] for p in map(path_of, operations) for k in range(len(p))}
    with_steps = {p[:k] for n in operations if n.step is not None for p in [path_of(n)] for k in range(len(p) + 1)}
    hidden = _middle(operations, lambda n: n.step, _steps) if steps else {}
    if siblings:
        hidden |= _middle(operations, lambda n: _sibling(n)[0], lambda a, b: f"{_sibling(a)[1]} … {_sibling(b)[1]}")
    groups: list[Group] = []
    last: object = None
    for n in operations:
        p = path_of(n)
        at, call, key = p, p[:depth], None
        step = n.step if steps else None
        if depth is not None and (len(p) >= depth or p not in with_modules) and (p or step is not None):
            at, key = call if steps and call in with_steps else call[:-1], (call, step)
        if n.id in hidden:
            key = hidden[n.id]
        if key is None or key != last:
            kind = "gap" if n.id in hidden else "single" if key is None else "call"
            groups.append(Group(f"{kind[0]}{n.id}" if key else f"n{n.id}", kind, [], at, call))
        group, last = groups[-1], key
        group.members.append(n)
        if group.kind == "gap":
            group.at, group.said = _common([group.at, at]), hidden[n.id][1]
    _frame(groups)
    return _with_leaves(graph, groups)


def _steps(first: Node, last: Node) -> str:
    low, high = sorted((first.step or 0, last.step or 0))
    return f"steps {low + 1} … {high + 1}"


def _numbered(path: Path) -> int:
    """The place of its first number; its length if it has none."""
    return next((k for k, name in enumerate(path) if name.isdecimal()), len(path))


def _sibling(n: Node) -> tuple[int | None, str]:
    """The number and the name of the outermost numbered module in which it ran."""
    path = path_of(n)
    k = _numbered(path)
    return (None, "") if k == len(path) else (int(path[k]), label_of(path[: k + 1]))


def _middle(
    operations: Sequence[Node], number: Callable[[Node], int | None], say: Callable[[Node, Node], str]
) -> dict[int, tuple[int, str]]:
    """What is left out of repetitions: id -> (the id at which the gap starts, what it stands for).

    A repetition is a stretch in which the number goes one way.  Of more than 8 numbers, all from the first operation of
    the fourth to the last operation of the fifth from the end is left out, whether it has a number or not.
    """
    hidden: dict[int, tuple[int, str]] = {}
    for numbers in _one_way(operations, number):
        if len(numbers) > FIRST + LAST + 1:
            start, end = numbers[FIRST][0], numbers[-LAST - 1][1]
            said = say(operations[start], operations[end])
            hidden |= {n.id: (operations[start].id, said) for n in operations[start : end + 1]}
    return hidden


def _one_way(operations: Sequence[Node], number: Callable[[Node], int | None]) -> Iterable[list[list[int]]]:
    """For each repetition, the first and the last place of each of its numbers."""
    spans: list[list[int]] = []
    last, way = None, 0
    for place, n in enumerate(operations):
        k = number(n)
        if k is None:
            continue
        if last is None or k != last:
            turn = 0 if last is None else 1 if k > last else -1
            if way and turn != way:
                yield spans
                spans, turn = [], 0
            spans.append([place, place])
            last, way = k, turn
        spans[-1][1] = place
    yield spans


def _common(paths: Sequence[tuple]) -> tuple:
    """What all paths start with."""
    equal = [len(set(names)) == 1 for names in zip(*paths, strict=False)]
    return tuple(paths[0][: equal.index(False) if False in equal else len(equal)])


def _frame(groups: Sequence[Group]) -> None:
    """Give each group its frames; a module that is called again, after something else, has another frame."""
    around: list[tuple[str, Frame]] = []
    count = 0
    for g in groups:
        del around[len(_common([tuple(name for name, _ in around), g.at])) :]
        for k in range(len(around), len(g.at)):
            parent = around[-1][1].id if around else ""
            around.append((g.at[k], Frame(f"f{count}", label_of(g.at[: k + 1]), parent)))
            count += 1
        g.frames = tuple(frame for _, frame in around)


def _with_leaves(graph: Graph, groups: list[Group]) -> list[Group]:
    """The same with leaves: in the box of their only user if that is a call (for named ones) or a gap; in one box if
    time steps of one call share them; else alone."""
    place = {n.id: k for k, g in enumerate(groups) for n in g.members}
    before: dict[int, list[Group]] = {}
    shared: dict[tuple, Group] = {}
    for n in graph.nodes:
        if not n.is_leaf:
            continue
        places = sorted({place[e.target] for e in graph.out_of[n.id]})
        users = [groups[k] for k in places]
        if len(users) == 1 and (users[0].kind == "gap" or (users[0].kind == "call" and n.name is not None)):
            users[0].members.append(n)
            continue
        frames = _common([g.frames for g in users]) if n.name is not None and users else ()
        alone = Group(f"n{n.id}", "single", [], (), frames=frames)
        calls = {(g.call, g.kind == "call" and g.members[0].step is not None) for g in users if g.kind != "gap"}
        if n.name is not None and len(calls) == 1 and (*calls,)[0][1]:
            group = shared.setdefault((*calls, frames), alone)
        else:
            group = alone
        group.members.append(n)
        if group is alone:
            before.setdefault(places[0] if places else 0, []).append(alone)
    if not groups:
        return before[0]
    return [g for k, group in enumerate(groups) for g in (*before.get(k, ()), group)]


def _shortened(groups: list[Group]) -> list[Group]:
    """Of more than 60 boxes the middle is one gap."""
    if len(groups) <= MOST_NODES:
        return groups
    late = round(MOST_NODES * _LATE)
    early = MOST_NODES - 1 - late
    middle = groups[early:-late]
    members = sorted((n for g in middle for n in g.members), key=lambda n: n.is_leaf)
    count = sum(not n.is_leaf for n in members)
    said = f"{count} operations" if count else f"{len(members)} leaves"
    gap = Group("gap", "gap", members, (), said=said, frames=_common([g.frames for g in middle]))
    return [*groups[:early], gap, *groups[-late:]]
