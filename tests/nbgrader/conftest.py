"""An nbgrader course, made and used by nbgrader itself."""

from __future__ import annotations

import csv
import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbgrader.preprocessors import ComputeChecksums

sys.path.insert(0, str(Path(__file__).parent))

from autograder import contract, notebooks
from autograder.faces.nbgrader import building


@dataclass(frozen=True)
class Course:
    """A course's folder, a student's folder, and the exchange between them."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "course"

    @property
    def desk(self) -> Path:
        """Where a student works."""
        return self.root / "desk"

    def nbgrader(self, *commands: str, at: Path | None = None, fails: bool = False) -> str:
        """Run nbgrader's commands one after another in one process, which saves seconds; what they say."""
        steps = [command.split() for command in commands]
        where = at or self.folder
        return self._run([sys.executable, Path(__file__).with_name("steps.py"), json.dumps(steps)], where, fails)

    def autograder(self, *arguments: object) -> str:
        """Run the kit's own command."""
        return self._run([Path(sys.executable).with_name("autograder"), *map(str, arguments)], self.root, False)

    def _run(self, command: list[object], where: Path, fails: bool) -> str:
        own = {f"JUPYTER_{name}_DIR": str(self.root / name) for name in ("CONFIG", "DATA", "RUNTIME")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # nbgrader runs alembic by its name
        done = subprocess.run(
            list(map(str, command)),
            check=False,
            capture_output=True,
            text=True,
            cwd=where,
            env={**os.environ, **own, "IPYTHONDIR": str(self.root / "ipython"), "HOME": str(self.root), "PATH": path},
            stdin=subprocess.DEVNULL,
            timeout=1200,
        )
        said = done.stdout + done.stderr
        assert (done.returncode != 0) is fails, said
        return said

    def hand_in(self, student: str, name: str, text: str | bytes, assignment: str = "pooling") -> None:
        """Put a file where `nbgrader collect` would."""
        path = self.folder / "submitted" / student / assignment / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def graded(self, student: str, assignment: str = "pooling") -> nbformat.NotebookNode:
        """What formgrader shows of a submission."""
        return nbformat.read(self.folder / "autograded" / student / assignment / f"{assignment}.ipynb", as_version=4)

    def feedback(self, student: str, assignment: str = "pooling") -> str:
        """What a student reads."""
        return (self.folder / "feedback" / student / assignment / f"{assignment}.html").read_text(encoding="utf-8")

    def released(self, assignment: str = "pooling") -> nbformat.NotebookNode:
        """What students were given."""
        return nbformat.read(self.folder / f"release/{assignment}/{assignment}.ipynb", as_version=4)

    def solved(self, assignment: str = "pooling") -> str:
        """What was released, with the solutions written in."""
        node = self.released(assignment)
        source = nbformat.read(self.folder / f"source/{assignment}/{assignment}.ipynb", as_version=4)
        right = {cell.id: cell.source for cell in source.cells}
        for cell in node.cells:
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source = right[cell.id].replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")
        return nbformat.writes(node)

    def scores(self, assignment: str = "pooling", table: str = "all.csv") -> dict[tuple[str, str], float]:
        """What nbgrader's gradebook holds, by student and question."""
        with (self.folder / table).open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["assignment"] == assignment]
        return {(row["student_id"], row["question"]): float(row["score"]) for row in rows}

    def expected(self, out: Path) -> dict[tuple[str, str], float]:
        """What `autograder grade` wrote, by student and function."""
        found: dict[tuple[str, str], float] = {}
        for path in out.glob("students/*/results.json"):
            for test in json.loads(path.read_text(encoding="utf-8"))["tests"]:
                key = (path.parent.name, test["extra_data"]["function"])
                found[key] = found.get(key, 0) + test["score"]
        return found


def course(root: Path) -> Course:
    """A course as it is built, with an exchange of its own."""
    made = Course(root)
    for name, text in building.course().items():
        path = made.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in (made.desk, root / "exchange"):
        folder.mkdir()
    (root / "exchange").chmod(0o777)  # nbgrader wants it so
    exchange = f'c.Exchange.root = "{root / "exchange"}"\n'
    with (made.folder / "nbgrader_config.py").open("a", encoding="utf-8") as stream:
        stream.write(exchange)
    (made.desk / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "convolution"\n{exchange}', encoding="utf-8"
    )
    return made


@functools.cache
def _solved(name: str) -> str:
    assignment = contract.assignment(name)
    node, _ = ComputeChecksums().preprocess(building.released(assignment), {})
    right = {cell.id: cell.source for cell in notebooks.solution(assignment).cells}
    for cell in node.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = right[cell.id]
    return nbformat.writes(node)


@pytest.fixture
def solved():
    """The notebook of an assignment as a student hands it in who has solved it."""
    return lambda name="pooling": nbformat.reads(_solved(name), as_version=4)


@pytest.fixture(scope="session")
def new_course():
    return course
