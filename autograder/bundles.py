"""What leaves the house: `dist/students/*.zip` to hand out, `dist/solutions/*.ipynb` for after the deadline."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import nbformat

from autograder import contract, leaks, notebooks, running
from autograder.contract import Assignment, ContractError
from autograder.files import write_text

PAGES: Final = ("README.md", "AGENTS.md")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can hold


class LeakError(ContractError):
    """Something that students must not see is in what they get."""


def student_files(assignment: Assignment) -> dict[str, str]:
    """What students get of an assignment: names in its folder, and contents."""
    root = contract.kit_root() / "assignments"
    folder = root / assignment.name
    name = assignment.name
    own = [f"{name}.ipynb", f"{name}.py", f"test_{name}.py", "conftest.py", "hand_in.py"]
    paths = [folder / file for file in own] + sorted((folder / "tests").glob("*.py"))
    files = {path.relative_to(folder).as_posix(): path for path in paths}
    files |= {page: root / page for page in PAGES if (root / page).exists()}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def archives() -> Iterator[tuple[str, bytes]]:
    """The zip files for students: one per assignment, and one with all of them; names and bytes.

    Raises:
        LeakError: one of them would give something away.
    """
    everything: dict[str, str] = {}
    for assignment in contract.assignments():
        files = {f"{assignment.name}/{name}": text for name, text in student_files(assignment).items()}
        insist(leak for name, text in files.items() for leak in leaks.in_text(assignment, name, readable(name, text)))
        yield f"{assignment.name}.zip", zipped(files)
        everything |= files
        everything |= {PurePosixPath(name).name: text for name, text in files.items() if name.endswith(PAGES)}
    yield "all.zip", zipped(everything)


def write() -> list[Path]:
    """Write the zip files for students."""
    folder = contract.kit_root() / "dist" / "students"
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, data in list(archives()):  # all are looked through before the first is written
        (folder / name).write_bytes(data)
        written.append(folder / name)
    return written


def solution_path(assignment: Assignment) -> Path:
    """Where an assignment's notebook with solutions and pictures stands."""
    return contract.kit_root() / "dist" / "solutions" / f"{assignment.name}.ipynb"


def has_solution(assignment: Assignment) -> bool:
    """Whether that notebook is there and, but for what its cells have shown, what the master builds today."""
    path = solution_path(assignment)
    if not path.exists():
        return False
    written: Any = nbformat.read(path, as_version=4)
    for cell in written.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    return notebooks.as_text(written) == notebooks.as_text(notebooks.solution(assignment))


def write_solution(assignment: Assignment) -> Path:
    """Write an assignment's notebook with its solutions and pictures: it is run, which takes up to a minute.

    Raises:
        LeakError: it would give a hidden test or a misconception away.
    """
    path = solution_path(assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = notebooks.as_text(running.executed(notebooks.solution(assignment)))
    found = leaks.in_text(assignment, path.name, readable(path.name, text))
    insist(leak for leak in found if not leak.secret.startswith("a line of the solution"))
    write_text(path, text)
    return path


def readable(name: str, text: str) -> str:
    """A file as whoever looks for secrets reads it: of a notebook its cells and its outputs, lines unfolded."""
    if not name.endswith(".ipynb"):
        return text
    cells: list[Any] = nbformat.reads(text, as_version=4).cells
    outputs = [json.dumps(cell.outputs, ensure_ascii=False) for cell in cells if cell.cell_type == "code"]
    return "\n".join([*(cell.source for cell in cells), *outputs]).replace("\\n", "\n").replace('\\"', '"')


def insist(found: Iterable[leaks.Leak]) -> None:
    """Raise LeakError where something was found."""
    sentences = [leak.sentence for leak in found]
    if sentences:
        raise LeakError("\n".join(sentences[:20]))


def zipped(files: Mapping[str, str], programs: Collection[str] = ()) -> bytes:
    """A zip file, the same on every machine: it holds no dates, and is not compressed, which varies with zlib.

    Args:
        files: names and contents.
        programs: names of those that can be run.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            mode = 0o100755 if name in programs else 0o100644  # a plain file, as Linux sees it
            entry.create_system, entry.external_attr = 3, mode << 16
            archive.writestr(entry, files[name].encode())
    return buffer.getvalue()
