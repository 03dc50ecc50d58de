"""What nbgrader is told: scores, reports, remarks, tables; and when a result is used again."""

from __future__ import annotations

import csv
import html
import io
import os
import shutil
import stat
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert.filters.markdown import markdown2html
from nbgrader.api import Gradebook

from autograder import contract
from autograder.classroom import ClassroomError
from autograder.faces.nbgrader import course, results
from autograder.faces.nbgrader.export import QuestionsExport
from autograder.faces.nbgrader.pages import page, remarks
from autograder.faces.nbgrader.preprocessors import cell_score
from autograder.faces.nbgrader.results import GradingError, HandedIn, Results
from autograder.report import Graded, Report, Verdict

STUB = 'def sum_pool(z):\n    raise NotImplementedError("sum_pool")\n'


def verdict(points, score, **more):
    failure = None if score == points else "value"
    return Verdict("pooling", "sum_pool", "test_it", "sum_pool sums.", points, score, failure, **more)


def graded(*verdicts, problem=None):
    return Graded("pooling", "Pooling", "pooling.ipynb", verdicts, problem)


def report(*verdicts, isolation="A", problems=(), problem=None, weak=()):
    return Report("somebody", isolation, (graded(*verdicts, problem=problem),), problems, weak)


# --- in the notebook ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "points", "score"),
    [
        ([verdict(2, 2), verdict(3, 3)], 5, 5.0),
        ([verdict(2, 2), verdict(3, 0)], 5, 2.0),
        ([verdict(2, 0), verdict(3, 0)], 5, 0.0),
        ([verdict(0.1, 0.1), verdict(0.2, 0.2)], 0.3, 0.3),  # 0.1 + 0.2 is more than 0.3
        ([verdict(2, 2), verdict(2, 0)], 10, 5.0),  # the suite was rewritten after the notebook was handed out
    ],
)
def test_a_cells_score_is_a_float_within_its_maximum(verdicts, points, score):
    found = cell_score(graded(*verdicts), "sum_pool", points)
    assert type(found) is float
    assert found == score


def test_a_report_reads_from_top_to_bottom():
    """Every requirement, what failed in it, and a hint once."""
    hint = "Only the last axis goes away."
    failed = verdict(
        3, 0, message="sum_pool(array of shape (2, 3))\nThe shape is (2, 1).", hint=hint, details="[1.23456]"
    )
    text = page(graded(verdict(2, 2), failed, failed), "sum_pool")
    assert text.splitlines()[:6] == [
        "sum_pool: 2 of 8 points",
        "",
        "✓ 2/2  sum_pool sums.",
        "✗ 0/3  sum_pool sums. (wrong values)",
        "      sum_pool(array of shape (2, 3))",
        "      The shape is (2, 1).",
    ]
    assert text.count(hint) == 1
    assert "1.23456" not in text, "what only the teacher may read"


def test_remarks_show_names_as_they_are():
    """A file's name is no markup."""
    name = "<script>alert(1)</script> **a** [b](http://c) `d`.ipynb"
    text = remarks(report(verdict(1, 1), problems=(f"{name} was left aside.",)), ["set-up was not there."])
    shown = markdown2html(text)
    assert html.unescape(shown).count(name) == 1
    assert "<script" not in shown
    assert "set-up was not there." in shown


def test_remarks_say_what_stands_open():
    text = remarks(report(verdict(1, 1), isolation="C", weak=("it can read hidden files",)), [])
    assert "isolation level C" in text
    assert "It can read hidden files" in text


def test_there_are_no_remarks_without_a_reason():
    assert remarks(report(verdict(1, 1)), []) == ""


# --- kept results ---------------------------------------------------------------------------------------------------


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A copy of the kit's own sources, to be changed."""
    root = tmp_path / "kit"
    for folder in ("solutions", "tests/hidden"):
        shutil.copytree(contract.kit_root() / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("AUTOGRADER_KIT", str(root))
    return root


@pytest.fixture
def handed_in(tmp_path):
    folder = tmp_path / "submitted" / "somebody" / "pooling"
    folder.mkdir(parents=True)
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(STUB)])
    nbformat.write(node, folder / "pooling.ipynb")
    return HandedIn("somebody", contract.assignment("pooling"), folder)


def keep(kept, handed_in, made=None):
    return kept.keep(handed_in, kept.key(handed_in), {"report": (made or report(verdict(1, 1))).to_json()})


def test_a_result_is_kept_for_the_teacher_alone(tmp_path, handed_in):
    kept = Results(tmp_path)
    made = keep(kept, handed_in)
    assert Results(tmp_path).kept(handed_in) == made
    assert made.student == "somebody"
    private = [path for path in (tmp_path / ".autograder").rglob("*") if path.is_file()]
    assert len(private) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_the_seed_is_drawn_once(tmp_path):
    assert Results(tmp_path).seed == Results(tmp_path).seed != Results(tmp_path, 5).seed
    assert Results(tmp_path).seed == 5


@pytest.mark.parametrize("change", ["submission", "module", "suite", "master", "misconceptions", "version", "seed"])
def test_a_result_is_used_only_for_what_was_graded(kit, tmp_path, monkeypatch, handed_in, change):
    """Submission, suite, references, version and seed: where one of them has changed, it is graded again."""
    kept = Results(tmp_path)
    keep(kept, handed_in)
    pooling = handed_in.assignment
    match change:
        case "submission":
            node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"{STUB}\n")])
            nbformat.write(node, handed_in.folder / "pooling.ipynb")
        case "module":
            (handed_in.folder / "helpers.py").write_text("x = 1\n")
        case "suite" | "master" | "misconceptions":
            with getattr(pooling, change).open("a") as stream:
                stream.write("\n")
        case "version":
            monkeypatch.setattr(results.autograder, "__version__", "99")
        case _:
            kept = Results(tmp_path, 5)
    assert kept.kept(handed_in) is None


def test_outputs_change_no_result(tmp_path, handed_in):
    """What is graded is code: a notebook that was only run and saved again is the same."""
    kept = Results(tmp_path)
    made = keep(kept, handed_in)
    output = nbformat.v4.new_output("stream", text="hello")
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(STUB, outputs=[output])])
    nbformat.write(node, handed_in.folder / "pooling.ipynb")
    assert kept.kept(handed_in) == made


def test_a_damaged_result_is_none(tmp_path, handed_in):
    kept = Results(tmp_path)
    keep(kept, handed_in)
    path = tmp_path / ".autograder" / "results" / "pooling" / "somebody.json"
    path.write_text(path.read_text()[:-100])
    assert kept.kept(handed_in) is None


def test_what_is_changed_while_it_is_graded_is_not_scored(tmp_path, handed_in):
    kept = Results(tmp_path)
    key = kept.key(handed_in)
    (handed_in.folder / "helpers.py").write_text("x = 1\n")
    with pytest.raises(GradingError, match="changed while it was graded"):
        kept.keep(handed_in, key, {"report": report(verdict(1, 1)).to_json()})


def test_the_kits_own_trouble_scores_nothing(tmp_path, handed_in):
    kept = Results(tmp_path)
    with pytest.raises(GradingError, match="the grading process died"):
        kept.keep(handed_in, kept.key(handed_in), {"trouble": "the grading process died"})
    assert kept.kept(handed_in) is None


# --- submissions under other names ----------------------------------------------------------------------------------


def test_a_notebook_of_another_name_is_given_its_own(handed_in):
    path = handed_in.folder / "pooling.ipynb"
    path.rename(handed_in.folder / "Copy of pooling (1).ipynb")
    course.name_as_nbgrader_does(handed_in)
    assert [item.name for item in handed_in.folder.iterdir()] == ["pooling.ipynb"]


def test_for_a_module_an_empty_notebook_stands_in(handed_in):
    """The module is what is graded, and the notebook is there for nbgrader."""
    (handed_in.folder / "pooling.ipynb").unlink()
    (handed_in.folder / "pooling.py").write_text("def sum_pool(z):\n    return z.sum(-1)\n")
    course.name_as_nbgrader_does(handed_in)
    assert nbformat.read(handed_in.folder / "pooling.ipynb", as_version=4).cells == []
    assert handed_in.read().answers["pooling"].file == "pooling.py"


def test_a_link_is_not_renamed(handed_in, tmp_path):
    """A name that is taken stays as it is, and so does what a link leads to."""
    secret = tmp_path / "secret.ipynb"
    (handed_in.folder / "pooling.ipynb").rename(secret)
    os.symlink(secret, handed_in.folder / "pooling.ipynb")
    course.name_as_nbgrader_does(handed_in)
    assert (handed_in.folder / "pooling.ipynb").is_symlink()


def test_a_folder_that_is_no_course_is_refused(tmp_path):
    with pytest.raises(ClassroomError, match=r"no nbgrader_config\.py in it"):
        course.Course(tmp_path)


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.fixture
def gradebook(tmp_path, monkeypatch):
    monkeypatch.setenv(
        "PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )  # nbgrader runs alembic
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        book.add_assignment("pooling")
        book.add_notebook("pooling", "pooling")
        for name, points in (("check-max_pool", 5), ("check-sum_pool", 10)):
            book.add_grade_cell(name, "pooling", "pooling", max_score=points, cell_type="code")
        yield book


def table(book, path, **options):
    QuestionsExport(to=str(path), **options).export(book)
    text = path.read_text(encoding="utf-8")
    return text, list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning")  # nbgrader's own
def test_the_table_has_a_row_per_question(gradebook, tmp_path):
    gradebook.add_student("a", first_name="A, B", last_name='C "D"')
    gradebook.add_student("=b", email="e\nf@g.h")
    gradebook.add_submission("pooling", "a", timestamp="2026-01-02 03:04:05")
    grade = gradebook.find_grade("check-sum_pool", "pooling", "pooling", "a")
    grade.auto_score, grade.manual_score, grade.extra_credit = 4.0, 6.0, 1.0
    gradebook.find_submission_notebook("pooling", "pooling", "a").late_submission_penalty = 2.0
    gradebook.db.commit()
    text, rows = table(gradebook, tmp_path / "questions.csv")
    assert '"A, B"' in text
    assert '"C ""D"""' in text
    assert [(row["student_id"], row["question"], row["score"], row["max_score"]) for row in rows] == [
        ("'=b", "sum_pool", "0.0", "10.0"),
        ("'=b", "max_pool", "0.0", "5.0"),
        ("a", "sum_pool", "7.0", "10.0"),
        ("a", "max_pool", "0.0", "5.0"),
        ("a", "late penalty", "-2.0", "0.0"),
    ]
    assert rows[2]["auto_score"], rows[2]["manual_score"] == ("4.0", "6.0")
    assert rows[2]["first_name"] == "A, B"
    assert rows[0]["email"] == "e\nf@g.h"


@pytest.mark.filterwarnings("ignore:Object of type:sqlalchemy.exc.SAWarning")
def test_the_table_holds_who_was_asked_for(gradebook, tmp_path):
    for student in ("a", "b"):
        gradebook.add_student(student)
    assert {row["student_id"] for row in table(gradebook, tmp_path / "one.csv", student=["b"])[1]} == {"b"}
    assert table(gradebook, tmp_path / "none.csv", assignment=["shapes"])[1] == []
