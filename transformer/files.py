"""How does plain data get into a file and back?  As JSON, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minitorch.files import write_whole
from transformer.errors import RunError


def write_json(path: Path, value: Any) -> None:
    """Put plain data in its place.

    Raises:
        minitorch.MinitorchError: the file system refuses; a file that was there before is as it was.
    """
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in a JSON file.

    Raises:
        RunError: there is no such file, or it holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}.") from None
    except ValueError as error:  # not UTF-8, or not JSON
        raise RunError(f"{path}: not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise RunError(f"{path}: holds a {type(found).__name__}; a JSON object was expected.")
    return found
