"""Where does it go?  Files are written whole or not at all, by `minitorch.files`; a refusal is an InputError."""

from __future__ import annotations

from pathlib import Path

from minitorch import files
from minitorch.errors import TargetError
from viz.errors import InputError


def check_target(path: str | Path, suffixes: tuple[str, ...]) -> Path:
    """The path, if it can be written and its suffix is known; asked before work begins.

    Raises:
        InputError: an unknown suffix, a folder that does not exist or cannot be written, or a path that is a folder.
    """
    try:
        return files.check_target(path, suffixes)
    except TargetError as error:
        raise InputError(str(error)) from None


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a file in its place.

    Raises:
        InputError: the file system refuses.
    """
    try:
        files.write_whole(path, content)
    except TargetError as error:
        raise InputError(str(error)) from None
