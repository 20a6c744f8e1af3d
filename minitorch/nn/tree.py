"""What is a model made of?  A tree: parameters, buffers and further modules, each under a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from minitorch.errors import DtypeError, OperandError
from minitorch.primitive import Array
from minitorch.tensor import Parameter, Tensor


class Tree:
    """What `Module` is as a container: it finds the Parameters, buffers and Modules among its attributes.

    The names of the methods, their order and what they count twice are PyTorch's.
    """

    _changes: int = 0  # how often any tree has changed; paths that were found earlier are then stale

    def __setattr__(self, name: str, value: Any) -> None:
        before = self.__dict__.get(name)
        if isinstance(before, Parameter) and not isinstance(value, Parameter | None):
            raise DtypeError(
                f"{type(self).__name__}.{name} is a Parameter; a {type(value).__name__} in its place would no longer "
                f"be trained or saved. Assign nn.Parameter(value), or None?"
            )
        if name in self._buffers and not isinstance(value, Tensor | None):
            raise DtypeError(
                f"{type(self).__name__}.{name} is a buffer; it takes a Tensor or None, not a {type(value).__name__}. "
                "Assign mt.tensor(value)?"
            )
        if isinstance(value, Parameter):
            self._buffers.pop(name, None)
            value.name = name if value.name is None else value.name
        if isinstance(value, Tree) or isinstance(before, Tree):
            Tree._changes += 1
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._buffers.pop(name, None)
        Tree._changes += 1

    @property
    def _buffers(self) -> dict[str, bool]:
        """The name of each buffer, and whether the state dict has it."""
        return self.__dict__.setdefault("_buffer_names", {})

    def register_buffer(self, name: str, value: Array | None, persistent: bool = True) -> None:
        """Hold a tensor that is not trained, as an attribute; the state dict has it unless `persistent` is False.

        Raises:
            OperandError: the name is empty, has a dot in it, or is that of something else.

        >>> from minitorch import nn
        >>> layer = nn.Module()
        >>> layer.register_buffer("steps", 3)
        >>> layer.state_dict()
        {'steps': Tensor(3)}
        """
        self._check_new(name, allowed=self._buffers)
        self._buffers[name] = persistent
        setattr(self, name, value if isinstance(value, Tensor | None) else Tensor(value))

    def register_parameter(self, name: str, value: Parameter | None) -> None:
        """Hold a parameter as the attribute `name`; the same as assigning it."""
        self._hold(name, value, Parameter)

    def add_module(self, name: str, module: Any) -> None:
        """Hold a module as the attribute `name`; the same as assigning it."""
        self._hold(name, module, Tree)

    def _hold(self, name: str, value: Any, kind: type) -> None:
        if value is not None and not isinstance(value, kind):
            wanted = "nn.Module" if kind is Tree else f"nn.{kind.__name__}"
            raise DtypeError(f"{type(self).__name__}.{name}: got a {type(value).__name__}; it takes an {wanted}.")
        self._check_new(name, allowed=self.__dict__)
        setattr(self, name, value)

    def _check_new(self, name: str, allowed: Mapping[str, Any]) -> None:
        if not name or "." in name:
            raise OperandError(f"{name!r} cannot name a part of {type(self).__name__}: it is empty or has a dot in it.")
        if hasattr(self, name) and name not in allowed:
            raise OperandError(
                f"{type(self).__name__}.{name} exists already, and is something else. Take another name?"
            )

    def _held(self) -> Iterator[tuple[str, Any]]:
        """(name, module) for each module right below, also those that are held twice."""
        return ((k, v) for k, v in self.__dict__.items() if isinstance(v, Tree))

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """(name, module) for the modules right below this one, each once."""
        seen: set[int] = set()
        for name, child in self._held():
            if id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Any]:
        """The modules right below this one, each once."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        """(path, module) for this one (path ""), then all below it, each once unless `remove_duplicate` is False."""
        yield from self._walk(prefix, set() if remove_duplicate else None)

    def _walk(self, prefix: str, seen: set[int] | None) -> Iterator[tuple[str, Any]]:
        if seen is not None:
            if id(self) in seen:
                return
            seen.add(id(self))
        yield prefix, self
        for name, child in self._held():
            yield from child._walk(f"{prefix}.{name}" if prefix else name, seen)

    def modules(self) -> Iterator[Any]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) for each parameter, once, in the order of assignment; own ones before those of children."""
        return self._tensors(prefix, recurse, remove_duplicate, lambda part: part._own_parameters())

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(path, buffer) for each buffer, once."""
        return self._tensors(prefix, recurse, remove_duplicate, lambda part: part._own_buffers())

    def _tensors(self, prefix: str, recurse: bool, once: bool, own: Callable[[Tree], dict[str, Any]]) -> Iterator:
        seen: set[int] = set()
        for path, module in self.named_modules(prefix, once) if recurse else ((prefix, self),):
            for name, t in own(module).items():
                if not (once and id(t) in seen):
                    seen.add(id(t))
                    yield (f"{path}.{name}" if path else name), t

    def _own_parameters(self) -> dict[str, Parameter]:
        return {k: v for k, v in self.__dict__.items() if isinstance(v, Parameter)}

    def _own_buffers(self) -> dict[str, Tensor]:
        return {k: self.__dict__[k] for k in self._buffers if self.__dict__[k] is not None}

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Each parameter once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each buffer once."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, path: str) -> Any:
        """The module at a path such as "layers.0"; "" is this one.

        Raises:
            AttributeError: there is none.
        """
        return self._found(path, "module", dict(self.named_modules(remove_duplicate=False)))

    def get_parameter(self, path: str) -> Parameter:
        """The parameter at a path such as "layers.0.weight".

        Raises:
            AttributeError: there is none.
        """
        return self._found(path, "parameter", dict(self.named_parameters(remove_duplicate=False)))

    def get_buffer(self, path: str) -> Tensor:
        """The buffer at a path.

        Raises:
            AttributeError: there is none.
        """
        return self._found(path, "buffer", dict(self.named_buffers(remove_duplicate=False)))

    def _found(self, path: str, what: str, held: Mapping[str, Any]) -> Any:
        if path not in held:
            known = ", ".join(name for name in held if name) or "none"
            raise AttributeError(f"{type(self).__name__} has no {what} {path!r}; below it are {known}")
        return held[path]

    def _stateful(self) -> Iterator[tuple[str, Tensor]]:
        """(path, tensor) for everything that a state dict has, tied ones under each of their paths."""
        for path, part in self.named_modules(remove_duplicate=False):
            kept = {k: b for k, b in part._own_buffers().items() if part._buffers[k]}
            for name, t in (part._own_parameters() | kept).items():
                yield (f"{path}.{name}" if path else name), t

    def _path_of(self, module: Tree) -> str | None:
        """Under which path this module holds another one; None if it does not."""
        changes, paths = self.__dict__.get("_paths", (-1, {}))
        if changes != Tree._changes:
            paths = {id(m): path for path, m in self.named_modules()}
            self.__dict__["_paths"] = Tree._changes, paths
        return paths.get(id(module))

    def __getstate__(self) -> dict[str, Any]:
        """What copy, deepcopy and pickle take along: everything but the paths found so far."""
        own = {k: v for k, v in self.__dict__.items() if k != "_paths"}
        return {k: v.copy() if k in ("_buffer_names", "_hooks", "_entries") else v for k, v in own.items()}
