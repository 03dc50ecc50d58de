"""The whole way with nbgrader itself: what is built is released, handed in, graded, read and exported."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from broken_notebooks import CHEATS, DAMAGE, UNREADABLE

from autograder import contract, leaks
from autograder.bundles import readable

pytestmark = pytest.mark.pipeline

ASSIGNMENTS = [assignment.name for assignment in contract.assignments()]
SEED = 314_159_265
POOLING = contract.assignment("pooling")
SAMPLES = Path(__file__).parent.parent / "submissions"
# Of everything, some; test_everything.py takes it all.
SOME_DAMAGE = ("duplicated-answer", "duplicated-tests", "answer-became-text", "deleted-tests", "metadata-stripped")
SOME_CHEATS = ("forged-output", "answer-marked-as-graded", "repairs-of-its-own", "script-for-the-teacher")
SOME_UNREADABLE = ("cut-short", "no-json")
QUICK = {"pads-max-with-zeros": "pooling.py", "syntax-error": "pooling.py"}
MISTAKE = ("constant_values=-np.inf", "constant_values=0")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def course(new_course, tmp_path_factory):
    """The course, with all assignments generated and pooling released."""
    made = new_course(tmp_path_factory.mktemp("nbgrader"))
    module = "def given():\n    ### BEGIN SOLUTION\n    return 'a secret'\n    ### END SOLUTION\n"
    (made.folder / "source/pooling/helpers.py").write_text(module)
    generate = [f"generate_assignment {name}" for name in ASSIGNMENTS]
    made.nbgrader(*generate, "release_assignment pooling")
    made.nbgrader("fetch_assignment pooling", at=made.desk)
    return made


@pytest.fixture(scope="module")
def solved(course):
    return course.solved()


@pytest.fixture(scope="module")
def mistaken(solved):
    assert MISTAKE[0] in solved
    return solved.replace(*MISTAKE)


@pytest.fixture(scope="module")
def graded(course, solved, mistaken):
    """A class with everything in it: handed in, graded by `autograder grade`, and again through nbgrader."""
    (course.desk / "pooling/pooling.ipynb").write_text(mistaken)
    course.nbgrader("submit pooling", at=course.desk)
    course.nbgrader("collect pooling")
    for kind in SOME_DAMAGE:
        node = nbformat.reads(mistaken, as_version=4)
        DAMAGE[kind][0](node)
        course.hand_in(kind, "pooling.ipynb", json.dumps(node))
    for kind in SOME_CHEATS:
        node = course.released()
        CHEATS[kind](node)
        course.hand_in(kind, "pooling.ipynb", json.dumps(node))
    for kind in SOME_UNREADABLE:
        course.hand_in(kind, "pooling.ipynb", UNREADABLE[kind])
    for student, file in QUICK.items():
        course.hand_in(student, file, (SAMPLES / student / file).read_bytes())
    course.hand_in("right", "Copy of pooling (1).ipynb", solved)
    course.hand_in("untouched", "pooling.ipynb", nbformat.writes(course.released()))
    course.hand_in("a-picture-only", "pooling.png", b"no code")
    out = course.root / "graded"
    course.autograder("grade", course.folder / "submitted", "-o", out, "-a", "pooling", "--seed", SEED)
    said = course.autograder("nbgrader", course.folder, "-a", "pooling", "--seed", SEED)
    said += course.nbgrader("autograde pooling", "generate_feedback pooling", "export --to all.csv")
    assert said.count(" left") == len(list(course.folder.glob("submitted/*/pooling")))
    return out


# --- handed out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_nothing_hidden_is_released(course, name):
    """Neither the notebook nor a file beside it, nor anything that nbgrader has put into its database."""
    text = readable(f"{name}.ipynb", (course.folder / f"release/{name}/{name}.ipynb").read_text(encoding="utf-8"))
    kept = sqlite3.connect(course.folder / "gradebook.db").execute(_SOURCES, (name,)).fetchall()
    assert len(kept) > 2 * len(contract.assignment(name).functions)
    text += "\n".join(source for (source,) in kept).replace("\\n", "\n")
    assert leaks.in_text(contract.assignment(name), f"{name}.ipynb", text) == []


_SOURCES = """
select source_cell.source from source_cell join notebook on notebook.id = source_cell.notebook_id
where notebook.name = ?
"""


def test_a_module_is_released_without_its_solution(course):
    """It comes to students at their desk as a stub, and in the teacher's source it is still whole."""
    assert (course.desk / "pooling/helpers.py").read_text() == "def given():\n    raise NotImplementedError\n"
    assert "a secret" in (course.folder / "source/pooling/helpers.py").read_text()


def test_validate_tells_right_from_wrong(course, solved, mistaken):
    """What `nbgrader validate` says is what the visible tests say, in a kernel of the student's own."""
    desk = course.root / "validated"
    for name, text in (("right", solved), ("mistaken", mistaken)):
        (desk / name).mkdir(parents=True)
        (desk / name / "pooling.ipynb").write_text(text)
    said = course.nbgrader("validate right/pooling.ipynb", "validate mistaken/pooling.ipynb", at=desk)
    right, _, wrong = said.partition("Success! Your notebook passes all the tests.")
    assert "VALIDATION FAILED" not in right
    assert "VALIDATION FAILED ON 1 CELL(S)" in wrong
    assert "max_pool2d([[-3, -1, -2]]" in wrong
    assert "Zeros have won" in wrong


# --- graded ---------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_the_command(course, graded):
    """Every student and every function: nbgrader's gradebook says what `autograder grade` says."""
    assert course.scores() == pytest.approx(course.expected(graded))
    students = [*SOME_DAMAGE, *SOME_CHEATS, *SOME_UNREADABLE, *QUICK, "right", "untouched", "a-picture-only"]
    assert {student for student, _ in course.scores()} == {*students, submitter(course)}


def total(course, student):
    return sum(score for (name, _), score in course.scores().items() if name == student)


def submitter(course):
    """Who has handed in through the exchange: whoever runs these tests."""
    (path,) = course.folder.glob("submitted/*/pooling/timestamp.txt")
    return path.parent.parent.name


def test_what_was_handed_in_through_the_exchange_is_graded(course, graded):
    assert 80 <= total(course, submitter(course)) < 100
    assert total(course, "right") == 100
    assert total(course, "untouched") == total(course, "a-picture-only") == 0


@pytest.mark.parametrize("kind", SOME_DAMAGE)
def test_damage_costs_nothing_but_what_is_gone(course, graded, kind):
    """A broken notebook earns what its code earns, and says what was repaired."""
    assert total(course, kind) == total(course, submitter(course))
    assert DAMAGE[kind][1] in re.sub(r"\\(.)", r"\1", course.graded(kind).cells[0].source)


@pytest.mark.parametrize("kind", SOME_CHEATS)
def test_a_cheat_earns_nothing(course, graded, kind):
    """What changes an untouched notebook so that nbgrader would take it for a right one earns no point here."""
    assert total(course, kind) == 0
    marks = [cell.metadata.get("nbgrader", {}) for cell in course.graded(kind).cells]
    assert [mark["points"] for mark in marks if mark.get("grade")] == [item.points for item in POOLING.functions]


@pytest.mark.parametrize("kind", SOME_UNREADABLE)
def test_what_cannot_be_read_scores_nothing_and_says_why(course, graded, kind):
    """The class goes on, and the notebook that nbgrader shows has all of its cells."""
    assert total(course, kind) == 0
    shown = course.graded(kind)
    assert "could not be opened" in shown.cells[0].source
    assert any("raise NotImplementedError" in cell.source for cell in shown.cells)
    assert [line for line in shown.cells[0].source.splitlines() if "pooling" in line], (
        "the file, and what is wrong with it"
    )


def test_a_report_stands_below_each_function(course, graded):
    """What failed, and the hint; and the number that nbgrader reads is the last that the cell says."""
    shown = course.graded("duplicated-tests")
    cell = next(cell for cell in shown.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "check-max_pool2d")
    report, number = cell.outputs
    assert "✗" in report.text
    assert "Hint: " in report.text
    assert float(number.data["text/plain"]) == course.scores()["duplicated-tests", "max_pool2d"]


def test_nothing_of_a_student_was_run(course, graded):
    """Neither a cell's output nor a file is there that only running the notebook could have made."""
    for student in SOME_CHEATS:
        for cell in course.graded(student).cells:
            assert not cell.get("outputs") or cell.metadata.nbgrader.grade
    assert not list(course.folder.glob("autograded/*/pooling/tests"))


def test_feedback_tells_nothing_hidden(course, graded):
    """Of every student: no line of a solution that is not the student's own, no hidden number, no teacher's detail."""
    for student in [*SOME_DAMAGE, *SOME_CHEATS, *SOME_UNREADABLE, "untouched"]:
        page = course.feedback(student).partition("<body")[2]
        report = json.loads((course.folder / f".autograder/results/pooling/{student}.json").read_text())["report"]
        verdicts = report["assignments"][0]["verdicts"]
        lines = {line.strip() for verdict in verdicts for line in verdict["details"].splitlines()}
        assert [line for line in lines - set(POOLING.names) if len(line) > 12 and line in page] == []
        assert str(SEED) not in page
        assert "a secret" not in (course.folder / f"feedback/{student}/pooling/helpers.py").read_text()
    page = course.feedback("untouched")
    assert [line for line in leaks.solution_lines(POOLING) if line in page] == []


def test_the_database_holds_nothing_hidden(course, graded):
    text = "\n".join(sqlite3.connect(course.folder / "gradebook.db").iterdump()).replace("\\n", "\n")
    assert leaks.in_text(POOLING, "gradebook.db", text) == []
    assert str(SEED) not in text


@pytest.fixture(scope="module")
def again(course, graded):
    """A second round: one result is gone, one score was given by hand, and one submission has become late."""
    results = course.folder / ".autograder/results/pooling"
    before = {path.name: (path.stat().st_mtime_ns, path.read_text()) for path in results.iterdir()}
    said = course.autograder("nbgrader", course.folder, "-a", "pooling")
    (results / "right.json").unlink()
    with (course.folder / "nbgrader_config.py").open("a") as stream:
        stream.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    with sqlite3.connect(course.folder / "gradebook.db") as database:
        database.execute(_BY_HAND, ("untouched", "check-sum_pool"))
        database.execute("update assignment set duedate = '2026-01-01 00:00:00.000000' where name = 'pooling'")
    database.close()
    force = [f"autograde pooling --force --student {name}" for name in ("right", "untouched", submitter(course))]
    course.nbgrader(*force, "export --to again.csv")
    after = {path.name: (path.stat().st_mtime_ns, path.read_text()) for path in results.iterdir()}
    return said, before, after


def test_results_that_are_there_are_used(again):
    """What `autograder nbgrader` has graded is not graded again, neither by itself nor by `nbgrader autograde`."""
    said, before, after = again
    assert said.count("(from an earlier run)") == len(before)
    assert {name for name in before if before[name] != after[name]} == {"right.json"}


def test_a_result_that_is_not_there_is_made(again):
    """Without `autograder nbgrader`, nbgrader has each submission graded as it comes to it."""
    _, before, after = again
    assert after["right.json"][1] == before["right.json"][1]


def rows(course):
    with (course.folder / "again.csv").open(encoding="utf-8", newline="") as stream:
        return {(row["student_id"], row["question"]): row for row in csv.DictReader(stream)}


def test_a_manual_score_stays(course, again):
    """A teacher's own score survives another autograding."""
    row = rows(course)["untouched", "sum_pool"]
    assert (row["auto_score"], row["manual_score"], row["score"]) == ("0.0", "1.0", "1.0")


def test_late_points_are_taken_off(course, again):
    """By nbgrader's own settings; the table says so in a row of its own."""
    assert float(rows(course)[submitter(course), "late penalty"]["score"]) == -total(course, submitter(course))
    assert ("right", "late penalty") not in rows(course), "what has no time is not late"


_BY_HAND = """
update grade set manual_score = 1 where id in (
select grade.id from grade join base_cell on base_cell.id = grade.cell_id
join submitted_notebook on submitted_notebook.id = grade.notebook_id
join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
where submitted_assignment.student_id = ? and base_cell.name = ?)
"""


# --- looked at ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def formgrader(course, graded):
    """Formgrader, served to this machine alone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--IdentityProvider.token=", "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True",
    ]  # fmt: skip
    own = {f"JUPYTER_{name}_DIR": str(course.root / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    with (course.root / "formgrader.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=course.folder, env={**os.environ, **own, "HOME": str(course.root)}, stdout=log, stderr=log
        )
    try:
        yield _answering(f"http://127.0.0.1:{port}/formgrader")
    finally:
        server.terminate()
        server.wait(30)


def _answering(url):
    for _ in range(120):
        try:
            get(f"{url}/gradebook")
        except OSError:
            time.sleep(0.5)
        else:
            return url
    raise AssertionError("formgrader does not answer")


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def seen(url, folder, height=1400):
    """A page as Chromium shows it once its scripts have run: what stands in it, and a picture of it."""
    picture = folder / "page.png"
    common = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000"]
    shoot = [f"--window-size=1200,{height}", f"--screenshot={picture}", url]
    subprocess.run([*common, f"--user-data-dir={folder}/a", *shoot], check=True, capture_output=True, timeout=180)
    done = subprocess.run(
        [*common, f"--user-data-dir={folder}/b", "--dump-dom", url], check=True, capture_output=True, timeout=180
    )
    return done.stdout.decode(), picture


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_formgrader_shows_a_submission(course, formgrader, tmp_path):
    """Score, report and remarks on the page; and no script of the student's runs in the teacher's browser."""
    notebooks = json.loads(get(f"{formgrader}/api/submitted_notebooks/pooling/pooling"))
    ids = {item["student"]: item["id"] for item in notebooks}
    assert {item["student"]: item["score"] for item in notebooks}["right"] == 100
    page, picture = seen(f"{formgrader}/submissions/{ids['duplicated-answer']}/", tmp_path)
    assert picture.stat().st_size > 20_000
    assert "max_pool2d was there more than once" in page
    assert "Hint: " in page
    assert "_shared = " not in page, "the long lines of the set-up cell are folded away"
    page, _ = seen(f"{formgrader}/submissions/{ids['script-for-the-teacher']}/", tmp_path)
    assert "<title>owned" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_formgrader_lists_the_class(formgrader, tmp_path):
    """All submissions, with their scores; none waits for a person."""
    page, picture = seen(f"{formgrader}/gradebook/pooling/pooling", tmp_path)
    assert picture.stat().st_size > 20_000
    assert page.count("Submission #") >= 10
    assert "100 / 100" in page


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_feedback_is_a_page_that_students_can_read(course, graded, tmp_path):
    path = course.folder / "feedback/script-for-the-teacher/pooling/pooling.html"
    page, picture = seen(path.as_uri(), tmp_path)
    assert picture.stat().st_size > 20_000
    assert "<title>owned" not in page
    assert "sum_pool: 0 of 5 points" in page
