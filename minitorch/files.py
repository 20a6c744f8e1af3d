"""How does a file come to be written whole or not at all?  Beside its place, under another name, and then renamed.

Whoever reads sees the old file or the new one, never half of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from minitorch.errors import TargetError

if TYPE_CHECKING:
    from pathlib import Path


def check_target(path: str | os.PathLike[str], suffixes: Sequence[str] = ()) -> Path:
    """The path, if it can be written and its suffix is one of those; asked before work begins.

    Raises:
        TargetError: an unknown suffix, a folder that does not exist or cannot be written, or a path that is a folder.
    """
    from pathlib import Path  # here, since importing it would take a tenth of importing the whole package

    target = Path(path)
    if suffixes and target.suffix.lower() not in suffixes:
        shown = f"the suffix {target.suffix!r}" if target.suffix else "no suffix"
        raise TargetError(f"{target}: {shown}; known are {', '.join(suffixes)}.")
    if target.is_dir():
        raise TargetError(f"{target} is a folder; give the name of a file.")
    folder = target.parent
    if not folder.is_dir():
        raise TargetError(f"{target}: the folder {folder} does not exist. Create it first?")
    if not os.access(folder, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise TargetError(f"{target}: cannot be written, permission is missing. Choose another folder?")
    return target


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Put a file in its place, text as UTF-8.

    Raises:
        TargetError: the file system refuses.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(f"{folder}/a.txt", "whole")
    ...     os.listdir(folder)
    ['a.txt']
    """
    try:
        with replacing(path) as partial:
            partial.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise TargetError(f"{path}: cannot be written: {error.strerror}.") from None


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new file beside ``path``, to be written; it takes that place, with the old one's permissions, if nothing fails.

    Raises:
        OSError: the file system refuses; a file that was there before is as it was.
    """
    from pathlib import Path

    target = Path(os.path.realpath(path))  # the file that a link points to, not the link
    partial = target.with_name(f".{target.name}.{os.urandom(6).hex()}.part")
    try:
        partial.touch(exist_ok=False)  # a missing folder is an OSError here, with its name
        mode = (target if target.exists() else partial).stat().st_mode & 0o777
        yield partial
        partial.chmod(mode)  # who writes may have made a file that only its owner can read
        with partial.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
