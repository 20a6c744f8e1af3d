"""What is a record?  A class whose fields are its annotations: given once, by place or by name, and never changed.

It does what a frozen dataclass does, but `dataclasses` writes and compiles methods for each class, which takes 0.4 ms,
and is a module to load.  The classes that `import minitorch` defines are records; those that it does not are
dataclasses.
"""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, dataclass_transform

_set = object.__setattr__


@dataclass_transform(eq_default=False, frozen_default=True)
class Record:
    """The base of records.  Two of them are equal if they are the same one.

    >>> class Point(Record):
    ...     x: float
    ...     y: float = 0.0
    >>> Point(1.0), Point(y=2.0, x=3.0).y
    (Point(x=1.0, y=0.0), 2.0)
    """

    _names: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = cls.__annotations__
        cls._names = (*cls._names, *own)
        cls._defaults = {**cls._defaults, **{name: value for name, value in vars(cls).items() if name in own}}

    def __init__(self, *args: Any, **given: Any):
        count = len(args) + len(given)
        given.update(zip(self._names, args, strict=False))
        fields = {**self._defaults, **given}
        if len(given) != count or fields.keys() != set(self._names):
            raise TypeError(f"{type(self).__name__} takes each once: {', '.join(self._names)}.")
        for name in self._names:
            _set(self, name, fields[name])  # one by one: quicker to read later than what `__dict__` is given

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: a record is not changed.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted: a record is not changed.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self._names)})"
