"""How are many layers, or many parameters, held as one?  By number, by name, or one after the other; they are found
below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, overload

from minitorch.errors import DtypeError, OperandError
from minitorch.nn.module import Module
from minitorch.nn.tree import Tree
from minitorch.tensor import Parameter, Tensor


class _Container(Module):
    """Entries of one kind in a dictionary of their own, beside what a subclass assigns as attributes."""

    _kind: ClassVar[type] = Module
    _entries: dict[str, Any]

    def _replace(self, entries: Mapping[str, Any]) -> None:
        who, found = type(self).__name__, {}
        for name, entry in entries.items():
            if self._kind is Parameter and isinstance(entry, Tensor) and not isinstance(entry, Parameter):
                entry = Parameter(entry)
            if not isinstance(entry, self._kind):
                raise DtypeError(
                    f"{who}: entry {name} is a {type(entry).__name__}; it takes nn.{self._kind.__name__}s."
                )
            if not isinstance(name, str) or not name or "." in name:
                raise OperandError(f"{who}: {name!r} cannot be the name of an entry; take a text without dots.")
            if isinstance(entry, Parameter) and entry.name is None:
                entry.name = name
            found[name] = entry
        if "_entries" in self.__dict__:  # a new container is held by nobody yet, as a slice within a forward pass
            Tree._changes += 1
        self._entries = found

    def _held(self) -> Iterator[tuple[str, Any]]:
        yield from super()._held()
        yield from ((name, entry) for name, entry in self._entries.items() if isinstance(entry, Tree))

    def _own_parameters(self) -> dict[str, Parameter]:
        return super()._own_parameters() | {k: p for k, p in self._entries.items() if isinstance(p, Parameter)}

    def __getattr__(self, name: str) -> Any:
        """An entry by its name, as in `model.head`."""
        try:
            return self.__dict__["_entries"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None

    def __len__(self) -> int:
        return len(self._entries)


class _List(_Container):
    """Entries by number."""

    def __init__(self, entries: Iterable[Any] = ()):
        self._arrange([("0", entry) for entry in self._several(entries)])

    def _several(self, entries: Any) -> Iterable[Any]:
        if not isinstance(entries, Iterable) or isinstance(entries, Tensor):
            one = type(entries).__name__
            raise DtypeError(f"{type(self).__name__}: got a {one}; it takes a list of nn.{self._kind.__name__}s.")
        return entries

    def _arrange(self, entries: Iterable[tuple[str, Any]]) -> None:
        """Hold these; names that are numbers are counted anew, other names (of a Sequential) stay."""
        self._replace({str(k) if name.isdigit() else name: entry for k, (name, entry) in enumerate(entries)})

    def _pairs(self) -> list[tuple[str, Any]]:
        return list(self._entries.items())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries.values())

    @overload
    def __getitem__(self, k: int) -> Any: ...
    @overload
    def __getitem__(self, k: slice) -> Any: ...
    def __getitem__(self, k: int | slice) -> Any:
        if not isinstance(k, slice):
            return list(self)[k]
        part = type(self).__new__(type(self))
        part._arrange(self._pairs()[k])
        return part

    def __setitem__(self, k: int, entry: Any) -> None:
        pairs = self._pairs()
        pairs[k] = (pairs[k][0], entry)
        self._arrange(pairs)

    def __delitem__(self, k: int | slice) -> None:
        pairs = self._pairs()
        del pairs[k]
        self._arrange(pairs)

    def __contains__(self, entry: object) -> bool:
        return any(e is entry for e in self)

    def __add__(self, other: Iterable[Any]) -> Any:
        return self[:].extend(other)

    def append(self, entry: Any) -> Any:
        """Put one more at the end; returns itself."""
        return self.extend([entry])

    def extend(self, entries: Iterable[Any]) -> Any:
        """Put several more at the end; returns itself."""
        self._arrange([*self._pairs(), *(("0", entry) for entry in self._several(entries))])
        return self

    __iadd__ = extend

    def insert(self, k: int, entry: Any) -> None:
        """Put one before entry k."""
        pairs = self._pairs()
        pairs.insert(k, ("0", entry))
        self._arrange(pairs)

    def pop(self, k: int | slice = -1) -> Any:
        """Take one out, the last unless said otherwise, and return it."""
        taken = self[k]
        del self[k]
        return taken


class _Dict(_Container):
    """Entries by name."""

    def __init__(self, entries: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()):
        self._replace(self._named(entries))

    def _named(self, entries: Any) -> dict[str, Any]:
        try:
            return dict(entries)
        except (TypeError, ValueError):
            one = type(entries).__name__
            raise DtypeError(
                f"{type(self).__name__}: got a {one}; it takes a dictionary of names and entries."
            ) from None

    def __getitem__(self, name: str) -> Any:
        return self._entries[name]

    def __setitem__(self, name: str, entry: Any) -> None:
        self.update({name: entry})

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def update(self, entries: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add these, in the place of those that had the same names."""
        self._replace(self._entries | self._named(entries))

    def pop(self, name: str) -> Any:
        """Take one out and return it."""
        rest = dict(self._entries)
        taken = rest.pop(name)
        self._replace(rest)
        return taken

    def clear(self) -> None:
        """Take all out."""
        self._replace({})

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._entries.keys()

    def values(self) -> Iterable[Any]:
        """The entries."""
        return self._entries.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, entry) for each."""
        return self._entries.items()


class ModuleList(_List):
    """Modules by number; their parameters are found under `0`, `1`, ...

    >>> from minitorch.nn.layers import Linear
    >>> [name for name, _ in ModuleList([Linear(1, 1, bias=False), Linear(1, 1, bias=False)]).named_parameters()]
    ['0.weight', '1.weight']
    """


class ModuleDict(_Dict):
    """Modules by name.

    >>> from minitorch.nn.layers import Linear
    >>> heads = ModuleDict({"a": Linear(1, 1, bias=False)})
    >>> heads["b"] = Linear(1, 1, bias=False)
    >>> [name for name, _ in heads.named_parameters()]
    ['a.weight', 'b.weight']
    """


class ParameterList(_List):
    """Parameters by number; Tensors become parameters.

    >>> [name for name, _ in ParameterList([Parameter([0.0]), Parameter([1.0])]).named_parameters()]
    ['0', '1']
    """

    _kind = Parameter


class ParameterDict(_Dict):
    """Parameters by name; Tensors become parameters.

    >>> [name for name, _ in ParameterDict({"scale": Parameter([0.0])}).named_parameters()]
    ['scale']
    """

    _kind = Parameter


class Sequential(ModuleList):
    """Modules one after the other: the output of each is the input of the next.

    Give them one by one, in one list, or as a dictionary of names.

    >>> import numpy as np
    >>> from minitorch.nn.layers import Linear
    >>> Sequential(Linear(2, 3), Linear(3, 1))(np.ones((4, 2), np.float32)).shape
    (4, 1)
    >>> Sequential({"inner": Linear(2, 3), "head": Linear(3, 1)}).head
    Linear(4 parameters: weight (1, 3), bias (1,))
    """

    def __init__(self, *modules: Module | Iterable[Module] | Mapping[str, Module]):
        given: Any = modules
        if len(modules) == 1 and isinstance(modules[0], Iterable) and not isinstance(modules[0], Module):
            given = modules[0]
        if isinstance(given, Mapping):
            self._replace(given)
        else:
            super().__init__(given)

    def forward(self, x: Any) -> Any:
        """x through all of them."""
        for m in self:
            x = m(x)
        return x
