"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

_PREFIX: Final = ".autograder-"
_SUFFIX: Final = ".part"


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file at once: whoever looks sees the old content or the new, never a part.

    Args:
        mode: permission bits; 0o600 for what no student may read.

    Raises:
        OSError: it cannot be written; nothing half-written is left.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=_PREFIX, suffix=_SUFFIX)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def sweep(folder: Path) -> None:
    """Remove what a killed process was writing in a folder."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        path.unlink(missing_ok=True)


def write_json(path: Path, data: Any, mode: int = 0o644) -> None:
    """Write plain data as JSON, ASCII only, so that no text in it can confuse a terminal or a parser; no NaN."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=True, allow_nan=False) + "\n", mode)


def read_json(path: Path) -> Any:
    """What a JSON file holds, or None where it is missing or is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
