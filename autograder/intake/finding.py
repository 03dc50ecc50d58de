"""The submissions of a class: which paths they are, and whose."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder import contract
from autograder.intake.archives import names_in
from autograder.intake.choosing import Assignment
from autograder.intake.names import KINDS_IN_WORDS, bears, is_litter, kind_of, shown, stem_of


class IntakeError(Exception):
    """What the instructor pointed at cannot be graded: one line that says what, where and what to do."""


def find_submissions(path: Path, assignments: Sequence[Assignment] | None = None) -> list[Path]:
    """The submissions that a path holds, sorted by student.

    A file is one submission. So is a folder that directly holds a file with an assignment's own name and no
    room left in it for a student's: `pooling.py`, `Copy of pooling.ipynb`, `pooling (1).py`,
    `pooling-final.py`, but not `alice_pooling.py` or `pooling_17.py`; or that holds `pooling/pooling.py`, as
    assignments are handed out. Any other folder is a class: each of its children is a submission, be it a
    folder, an archive, a file or something unreadable; none is passed over but hidden files and what
    computers leave behind. A folder is a class, too, if two of the folders and archives in it answer the same
    assignment: what lies beside them under that assignment's name is a stray copy.

    Args:
        path: what the instructor gave.
        assignments: whose names tell a submission from a class; the kit's own if not given.

    Raises:
        IntakeError: there is nothing there, or nothing that can be read.
    """
    where = shown(str(path), limit=300)
    try:
        path = path.resolve() if path.is_symlink() else path  # unlike a student's links
        mode = path.stat().st_mode
        children = [child for child in path.iterdir() if not is_litter(child.name)] if stat.S_ISDIR(mode) else []
    except FileNotFoundError as error:
        raise IntakeError(f"{where}: no such file or folder; give the folder of the submissions.") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise IntakeError(f"{where}: it cannot be read ({why}); mend that or give another path.") from error
    if not stat.S_ISDIR(mode):
        if not stat.S_ISREG(mode) or kind_of(path.name) is None:
            raise IntakeError(f"{where}: it is no submission; give a folder or one of {KINDS_IN_WORDS}.")
        return [path]
    if not children:
        raise IntakeError(f"{where}: the folder is empty; give the folder of the submissions.")
    if _is_one_submission(path, children, assignments):
        return [path]
    return sorted(children, key=lambda child: (student_name(child), child.name))


def student_name(path: Path) -> str:
    """Whose submission a path is: its name without the extension, with what is invisible spelled out."""
    name = path.name if path.name not in ("", "..") else path.resolve().name
    if kind_of(name):
        name = stem_of(name)
    elif not _is_folder(path):  # a folder's whole name may be first.last
        name = Path(name).stem
    return shown(name.strip(), limit=120) or "unnamed"


def group_by_student(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """The paths of each student: `a.py`, `a.ipynb`, `a.zip` and `a/` are one's, and one submission."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(student_name(path), []).append(path)
    return groups


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _is_one_submission(folder: Path, children: list[Path], assignments: Sequence[Assignment] | None) -> bool:
    names = [item.name for item in (contract.assignments() if assignments is None else assignments)]
    if not _answered(folder, names):
        return False
    others = [child for child in children if child.name not in names]
    inside = Counter(name for child in others for name in _answered(child, names))
    return max(inside.values(), default=0) < 2


def _answered(place: Path, names: Sequence[str]) -> set[str]:
    """The assignments whose own names files bear in a folder, or anywhere in an archive."""
    if _is_folder(place):
        files, folders = _listed(place)
        handed_out = {folder.name for folder in folders if folder.name in names}
        return _borne(files, names) | {name for name in handed_out if name in _borne(_listed(place / name)[0], names)}
    return _borne(names_in(place), names) if kind_of(place.name) == "archive" else set()


def _listed(folder: Path) -> tuple[list[str], list[Path]]:
    """The names of a folder's files, and its folders; none if it cannot be read: read_submission says why."""
    files: list[str] = []
    folders: list[Path] = []
    try:
        for child in folder.iterdir():
            if _is_folder(child):
                folders.append(child)
            else:
                files.append(child.name)
    except OSError:
        pass
    return files, folders


def _borne(files: Iterable[str], names: Sequence[str]) -> set[str]:
    """The assignments whose own names some of the files bear."""
    code = (file for file in files if kind_of(file) in ("source", "notebook") and not is_litter(file))
    return {name for file in code if (name := bears(file, names)) is not None}
