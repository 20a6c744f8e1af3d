"""How are many layers held as one?  By number, by name, or one after the other; their parameters are found below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, overload

from minitorch.errors import DtypeError
from minitorch.nn.module import Module
from minitorch.nn.tree import Tree


class _Container(Module):
    """Modules in a dictionary of their own, beside those that a subclass assigns as attributes."""

    _modules: dict[str, Module]

    def _replace(self, modules: Mapping[str, Any]) -> None:
        for name, m in modules.items():
            if not isinstance(m, Module):
                raise DtypeError(f"{type(self).__name__}: entry {name} is a {type(m).__name__}; it takes nn.Modules.")
            if not isinstance(name, str) or not name or "." in name:
                raise ValueError(
                    f"{type(self).__name__}: {name!r} cannot be the name of an entry; take a text without dots"
                )
        if "_modules" in self.__dict__:  # a new container is held by nobody yet, as a slice within a forward pass
            Tree._changes += 1
        self._modules = dict(modules)

    def _held(self) -> Iterator[tuple[str, Any]]:
        yield from super()._held()
        yield from self._modules.items()

    def __getattr__(self, name: str) -> Any:
        """An entry by its name, as in `model.head`."""
        try:
            return self.__dict__["_modules"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}") from None

    def __len__(self) -> int:
        return len(self._modules)


class ModuleList(_Container):
    """Modules by number; their parameters are found under `0`, `1`, ...

    >>> from minitorch.nn.layers import Linear
    >>> [name for name, _ in ModuleList([Linear(1, 1, bias=False), Linear(1, 1, bias=False)]).named_parameters()]
    ['0.weight', '1.weight']
    """

    def __init__(self, modules: Iterable[Module] = ()):
        self._arrange([("0", m) for m in modules])

    def _arrange(self, entries: Iterable[tuple[str, Module]]) -> None:
        """Hold these; names that are numbers are counted anew, other names (of a Sequential) stay."""
        self._replace({str(k) if name.isdigit() else name: m for k, (name, m) in enumerate(entries)})

    def _entries(self) -> list[tuple[str, Module]]:
        return list(self._modules.items())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    @overload
    def __getitem__(self, k: int) -> Any: ...
    @overload
    def __getitem__(self, k: slice) -> ModuleList: ...
    def __getitem__(self, k: int | slice) -> Any:
        if not isinstance(k, slice):
            return list(self)[k]
        part = type(self).__new__(type(self))
        part._arrange(self._entries()[k])
        return part

    def __setitem__(self, k: int, module: Module) -> None:
        entries = self._entries()
        entries[k] = (entries[k][0], module)
        self._arrange(entries)

    def __delitem__(self, k: int | slice) -> None:
        entries = self._entries()
        del entries[k]
        self._arrange(entries)

    def __contains__(self, module: object) -> bool:
        return any(m is module for m in self)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return self[:].extend(other)

    def append(self, module: Module) -> ModuleList:
        """Put one more at the end."""
        return self.extend([module])

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Put several more at the end."""
        self._arrange([*self._entries(), *(("0", m) for m in modules)])
        return self

    __iadd__ = extend

    def insert(self, k: int, module: Module) -> None:
        """Put one before entry k."""
        entries = self._entries()
        entries.insert(k, ("0", module))
        self._arrange(entries)


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


class ModuleDict(_Container):
    """Modules by name.

    >>> from minitorch.nn.layers import Linear
    >>> heads = ModuleDict({"a": Linear(1, 1, bias=False)})
    >>> heads["b"] = Linear(1, 1, bias=False)
    >>> [name for name, _ in heads.named_parameters()]
    ['a.weight', 'b.weight']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()):
        self._replace(dict(modules))

    def __getitem__(self, name: str) -> Any:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.update({name: module})

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add these, in the place of those that had the same names."""
        self._replace(self._modules | dict(modules))

    def pop(self, name: str) -> Any:
        """Take one out and return it."""
        rest = dict(self._modules)
        taken = rest.pop(name)
        self._replace(rest)
        return taken

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, module) for each."""
        return self._modules.items()
