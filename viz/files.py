"""Where does it go?  Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from viz.errors import InputError


def check_target(path: str | Path, suffixes: tuple[str, ...]) -> Path:
    """The path, if it can be written and its suffix is known; asked before work begins.

    Raises:
        InputError: an unknown suffix, a folder that does not exist or cannot be written, or a path that is a folder.
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        shown = f"the suffix {target.suffix!r}" if target.suffix else "no suffix"
        raise InputError(f"{target}: {shown}; known are {', '.join(suffixes)}.")
    if target.is_dir():
        raise InputError(f"{target} is a folder; give the name of a file.")
    folder = target.parent
    if not folder.is_dir():
        raise InputError(f"{target}: the folder {folder} does not exist. Create it first?")
    if not os.access(folder, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise InputError(f"{target}: cannot be written, permission is missing. Choose another folder?")
    return target


def write_whole(path: Path, content: str | bytes) -> None:
    """Write beside the target and rename: a reader sees the old file or the new one, never half of one.

    Raises:
        InputError: the file system refuses.
    """
    data = content.encode() if isinstance(content, str) else content
    path = path.resolve()  # through a symbolic link, not in its place
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise InputError(f"{path}: cannot be written: {error.strerror}.") from None


def _umask() -> int:
    """The process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
