"""What people see of the intake: which files count, for whom and for what, and why others do not."""

import gzip
import io
import json
import os
import socket
import stat
import struct
import subprocess
import sys
import tarfile
import textwrap
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from autograder.intake import (
    Answer,
    IntakeError,
    find_submissions,
    group_by_student,
    read_submission,
    student_name,
)


@dataclass(frozen=True)
class Function:
    name: str


@dataclass(frozen=True)
class Assignment:
    name: str
    functions: tuple[Function, ...]


def assignment(name, *functions):
    return Assignment(name, tuple(map(Function, functions)))


ASSIGNMENTS = (
    assignment("convolution", "convolve1d", "correlate1d", "convolve2d", "moving_average", "convolution_matrix"),
    assignment("pooling", "sum_pool", "mean_pool", "max_pool", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"),
    assignment("conv2d", "Conv2d", "conv2d_backward"),
    assignment("training", "pick_device", "ConvNet", "train_one_epoch", "evaluate", "fit"),
)
POOLING = "def sum_pool(z):\n    return z.sum(-1)\n"
CONV2D = "class Conv2d:\n    pass\n"
STUB = 'def sum_pool(z):\n    """Sum."""\n    raise NotImplementedError("sum_pool")\n'
MB = 1 << 20


def notebook(*cells, assignment=None, outputs=(), **more):
    """A notebook as Jupyter writes it; strings are code cells."""
    written = [
        {
            "cell_type": "code",
            "execution_count": 1,
            "id": f"c{number}",
            "metadata": {},
            "outputs": list(outputs),
        }
        | {"source": cell.splitlines(keepends=True)}
        if isinstance(cell, str)
        else cell
        for number, cell in enumerate(cells)
    ]
    metadata = {"kernelspec": {"name": "python3"}} | ({"autograder": {"assignment": assignment}} if assignment else {})
    return json.dumps({"cells": written, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5} | more, indent=1)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    path.write_bytes(content)
    return path


def read(*paths):
    return read_submission(paths, ASSIGNMENTS)


def why(submission, name="pooling") -> str:
    """Why an answer cannot be graded."""
    return submission.answers[name].problem or ""


def only_answer(submission) -> Answer:
    (answer,) = submission.answers.values()
    return answer


@pytest.fixture
def folder(tmp_path):
    """Makes a folder `a-student` of the files given by name."""

    def make(files, name="a-student"):
        (tmp_path / name).mkdir(exist_ok=True)
        for place, content in files.items():
            write(tmp_path / name / place, content)
        return tmp_path / name

    return make


@pytest.fixture
def submission(folder):
    """Reads a folder of the files given by name."""
    return lambda files: read(folder(files))


CONTAINED = """
import json, resource, sys
from pathlib import Path
from types import SimpleNamespace
from autograder.intake import read_submission

path, extra, seconds, assignments = json.loads(sys.argv[1])
pages = int(Path("/proc/self/statm").read_text().split()[0])
memory = pages * resource.getpagesize() + extra
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
named = lambda name: SimpleNamespace(name=name)
assignments = [SimpleNamespace(name=name, functions=[*map(named, names)]) for name, names in assignments]
found = read_submission([Path(path)], assignments)
answers = {name: answer.problem for name, answer in found.answers.items()}
print(json.dumps([answers, found.problems]))
"""


def contained(path, megabytes, seconds=10):
    """What reading a path says of its answers and of the rest, with so much more memory and time only."""
    plain = [(item.name, [function.name for function in item.functions]) for item in ASSIGNMENTS]
    done = subprocess.run(
        [sys.executable, "-c", CONTAINED, json.dumps([str(path), megabytes * MB, seconds, plain])],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Which paths are submissions, and whose


def test_every_child_of_a_class_folder_is_a_submission_sorted_by_student(tmp_path):
    write(tmp_path / "dora.zip", b"")
    write(tmp_path / "carl.ipynb", notebook())
    write(tmp_path / "bert.py", "")
    write(tmp_path / "anna" / "pooling.py", POOLING)
    names = [path.name for path in find_submissions(tmp_path, ASSIGNMENTS)]
    assert names == ["anna", "bert.py", "carl.ipynb", "dora.zip"]


def test_no_child_of_a_class_folder_vanishes_however_useless(tmp_path):
    (tmp_path / "empty").mkdir()
    write(tmp_path / "letter.txt", "Dear professor")
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    groups = group_by_student(find_submissions(tmp_path, ASSIGNMENTS))
    assert list(groups) == ["empty", "letter", "link", "pipe"]
    for paths in groups.values():
        assert read(*paths).problems


@pytest.mark.parametrize(
    "litter",
    [".DS_Store", "._anna.py", "__MACOSX", "__pycache__", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini"],
)
def test_what_computers_leave_behind_is_no_submission(tmp_path, litter):
    write(tmp_path / "anna.py", POOLING)
    write(tmp_path / litter, "")
    assert find_submissions(tmp_path, ASSIGNMENTS) == [tmp_path / "anna.py"]


@pytest.mark.parametrize("name", ["pooling.py", "a-student.ipynb", "hand-in.zip", "hand-in.tar.gz", "hand-in.TGZ"])
def test_a_file_is_one_submission(tmp_path, name):
    path = write(tmp_path / name, "")
    assert find_submissions(path, ASSIGNMENTS) == [path]


@pytest.mark.parametrize(
    "name",
    [
        "pooling.py",
        "Pooling.PY",
        "Copy of pooling.ipynb",
        "Kopie von pooling.ipynb",
        "pooling (1).py",
        "pooling-final.py",
        "pooling_v2.py",
        "pooling/pooling.py",
    ],
)
def test_a_folder_that_holds_an_assignment_by_its_own_name_is_one_submission(folder, name):
    path = folder({name: POOLING, "utils/helpers.py": "", "data/x.csv": "", "old/pooling.py": POOLING})
    assert find_submissions(path, ASSIGNMENTS) == [path]


@pytest.mark.parametrize(
    "name",
    ["alice_pooling.py", "pooling_17.py", "smithjane_1_2_pooling.py", "pooling-2024001.py", "homework.py"],
)
def test_a_folder_of_files_that_may_be_named_after_students_is_a_class(folder, name):
    path = folder({name: POOLING})
    assert find_submissions(path, ASSIGNMENTS) == [path / name]


@pytest.mark.parametrize("stray", ["pooling.py", "pooling/pooling.py"])
def test_a_stray_copy_beside_the_folders_of_a_class_does_not_make_it_one_submission(folder, stray):
    path = folder({stray: POOLING, "anna/pooling.py": POOLING, "bert/pooling.ipynb": notebook()})
    assert [child.name for child in find_submissions(path, ASSIGNMENTS)] == [
        "anna",
        "bert",
        Path(stray).parts[0],
    ]


def test_a_stray_copy_beside_the_archives_of_a_class_does_not_make_it_one_submission(folder):
    path = folder(
        {
            "pooling.py": STUB,
            "anna.zip": zipped(("pooling.py", POOLING)),
            "bert.tgz": tarred(("pooling.py", POOLING)),
        }
    )
    assert [child.name for child in find_submissions(path, ASSIGNMENTS)] == [
        "anna.zip",
        "bert.tgz",
        "pooling.py",
    ]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path / "nowhere", "no such file or folder"),
        (lambda path: path, "the folder is empty"),
        (lambda path: write(path / "letter.txt", "Dear"), "it is no submission"),
        (lambda path: [os.mkfifo(path / "pipe.py"), path / "pipe.py"][1], "it is no submission"),
        (lambda path: path / "a\nb\u202e", "a[U+000A]b[U+202E]: no such"),
        (lambda path: Path("a\0b"), "it cannot be read"),
    ],
    ids=["missing", "empty", "text", "fifo", "escaped", "nul"],
)
def test_a_path_that_cannot_be_graded_is_refused_in_one_line_that_says_what_to_do(tmp_path, make, says):
    with pytest.raises(IntakeError, match=r"; (?:give|mend)") as caught:
        find_submissions(make(tmp_path), ASSIGNMENTS)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_folder_of_nothing_but_litter_is_empty(tmp_path):
    write(tmp_path / ".DS_Store", "")
    with pytest.raises(IntakeError, match="empty"):
        find_submissions(tmp_path, ASSIGNMENTS)


def test_a_link_that_the_instructor_gives_is_followed(tmp_path, folder):
    path = folder({"pooling.py": POOLING})
    (tmp_path / "latest").symlink_to(path)
    assert find_submissions(tmp_path / "latest", ASSIGNMENTS) == [path]
    (tmp_path / "one.py").symlink_to(path / "pooling.py")
    assert find_submissions(tmp_path / "one.py", ASSIGNMENTS) == [path / "pooling.py"]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("anna.py", "anna"),
        ("anna.smith.ipynb", "anna.smith"),
        ("anna.tar.gz", "anna"),
        ("anna.ZIP", "anna"),
        ("letter.txt", "letter"),
        ("Anna Smith_123_assignsubmission_file_", "Anna Smith_123_assignsubmission_file_"),
        ("smithanna_12_34_pooling-1.py", "smithanna_12_34_pooling-1"),
        ("an\u202e\nna.py", "an[U+202E][U+000A]na"),
        ("anne\u0301.py", "ann\u00e9"),
        ("  .py", "unnamed"),
    ],
)
def test_a_student_is_called_as_their_path_without_its_extension(name, student):
    assert student_name(Path(name)) == student


def test_a_folder_keeps_all_of_its_name_and_a_dot_is_the_folder_it_stands_for(tmp_path, monkeypatch):
    (tmp_path / "anna.smith").mkdir()
    assert student_name(tmp_path / "anna.smith") == "anna.smith"
    monkeypatch.chdir(tmp_path / "anna.smith")
    assert student_name(Path()) == "anna.smith"


def test_a_name_that_is_not_utf8_is_shown_escaped():
    assert student_name(Path(os.fsdecode(b"an\xffna.py"))) == "an[U+DCFF]na"


def test_two_paths_of_one_student_are_one_submission_and_nothing_is_lost(tmp_path):
    write(tmp_path / "anna.py", POOLING)
    write(tmp_path / "anna.ipynb", notebook("class Conv2d:\n    pass"))
    write(tmp_path / "anna" / "training.py", "def fit():\n    return 1\n")
    write(tmp_path / "anna.zip", zipped(("convolution.py", "def convolve1d(x, g):\n    return x\n")))
    write(tmp_path / "bert.py", POOLING)
    groups = group_by_student(find_submissions(tmp_path, ASSIGNMENTS))
    assert {student: len(paths) for student, paths in groups.items()} == {"anna": 4, "bert": 1}
    merged = read(*groups["anna"])
    assert merged.student == "anna"
    files = {name: answer.file for name, answer in merged.answers.items()}
    assert files == {
        "convolution": "anna.zip/convolution.py",
        "pooling": "anna.py",
        "conv2d": "anna.ipynb",
        "training": "anna/training.py",
    }
    assert "anna, anna.ipynb, anna.py, anna.zip belong to one student" in merged.problems[0]


# What an answer is made of


def test_a_module_is_one_cell(submission):
    answer = only_answer(submission({"pooling.py": POOLING}))
    assert answer == Answer("pooling", "pooling.py", (POOLING,), {}, notebook=False)


def test_a_notebook_is_one_cell_per_code_cell(submission):
    markdown = {"cell_type": "markdown", "metadata": {}, "source": ["# def max_pool"]}
    raw = {"cell_type": "raw", "metadata": {}, "source": "raw"}
    answer = only_answer(submission({"pooling.ipynb": notebook("import numpy", markdown, raw, "", POOLING)}))
    assert answer == Answer("pooling", "pooling.ipynb", ("import numpy", "", POOLING), {}, notebook=True)


def test_a_plain_submission_leaves_nothing_to_remark(submission):
    found = submission(
        {"pooling.py": POOLING, "conv2d.ipynb": notebook(CONV2D), "plot.png": b"\x89PNG", "a.csv": "1,2"}
    )
    assert list(found.answers) == ["pooling", "conv2d"]
    assert found.problems == ()


def test_answers_come_in_the_order_of_the_assignments(submission):
    found = submission({"training.py": "", "conv2d.py": CONV2D, "convolution.py": "", "pooling.py": POOLING})
    assert list(found.answers) == ["convolution", "pooling", "conv2d", "training"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old-mac"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
def test_line_ends_and_byte_order_marks_make_no_difference(submission, newline, mark):
    found = submission(
        {
            "pooling.py": mark + POOLING.replace("\n", newline).encode(),
            "conv2d.ipynb": mark + notebook("a = 1" + newline + "b = 2").encode(),
        }
    )
    assert found.answers["pooling"].cells == (POOLING,)
    assert found.answers["conv2d"].cells == ("a = 1\nb = 2",)


def test_a_submission_of_all_alphabets_is_read_as_it_is(submission):
    source = '# größer ≥ 0 — 池化 🎓\ndef sum_pool(z):\n    return "é\u2028"\n'
    found = submission({"pooling.py": source, "conv2d.ipynb": notebook(source)})
    assert found.answers["pooling"].cells == found.answers["conv2d"].cells == (source,)


def test_modules_are_what_the_answer_can_import_from_its_folder_and_those_above(submission):
    found = submission(
        {
            "hw/pooling.py": "import helpers, utils.windows\n" + POOLING,
            "hw/helpers.py": "NEAR = 1\n",
            "hw/utils/windows.py": "W = 1\n",
            "hw/utils/__init__.py": "U = 1\n",
            "helpers.py": "FAR = 1\n",
            "common.py": "C = 1\n",
            "my notes.py": "",
            "class.py": "",
        }
    )
    assert only_answer(found).modules == {
        "common": "C = 1\n",
        "helpers": "NEAR = 1\n",
        "hw.helpers": "NEAR = 1\n",
        "hw.utils": "U = 1\n",
        "hw.utils.windows": "W = 1\n",
        "utils": "U = 1\n",
        "utils.windows": "W = 1\n",
    }


def test_answers_may_import_each_other_but_not_themselves(submission):
    found = submission({"conv2d.py": CONV2D, "training.py": "from conv2d import Conv2d\n"})
    assert found.answers["training"].modules == {"conv2d": CONV2D}
    assert list(found.answers["conv2d"].modules) == ["training"]


def test_a_package_comes_before_a_module_of_the_same_name(submission):
    found = submission({"pooling.py": POOLING, "utils.py": "M = 1", "utils/__init__.py": "P = 1"})
    assert only_answer(found).modules == {"utils": "P = 1"}


def test_a_helper_that_cannot_be_read_is_left_aside_with_a_reason(submission):
    found = submission({"pooling.py": POOLING, "helpers.py": b"caf\xe9 = 1"})
    assert only_answer(found).modules == {}
    assert found.problems == ("helpers.py: it is not UTF-8 text (line 1); save it as UTF-8.",)


@pytest.mark.parametrize("line", ["from pools import *", "from .pools import sum_pool", "import math, pools as p"])
def test_what_a_better_named_answer_imports_is_a_part_of_it(submission, line):
    """The module does the work, and pooling.py shows it under the names that are asked for."""
    both = POOLING + "def mean_pool(z):\n    return z.mean(-1)\n"
    found = submission({"pooling.py": f"{line}\ndef max_pool(z): return z.max(-1)\n", "pools.py": both})
    assert only_answer(found).file == "pooling.py"
    assert only_answer(found).modules == {"pools": both}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("files", "graded"),
    [
        ({"pooling.py": STUB + "import done\n", "done.py": POOLING}, "done.py"),
        ({"pooling.py": '"""\nfrom left to right, it is done.\n"""\n' + STUB, "done.py": POOLING}, "done.py"),
        ({"pooling.py": "import numpy as done\n" + STUB, "done.py": POOLING}, "done.py"),
        ({"hw.py": "from pools import *\ndef max_pool(z): return z.max(-1)\n", "pools.py": POOLING}, "hw.py"),
        ({"pooling.py": "sum_pool = max_pool = print\n", "tools.py": POOLING}, "pooling.py"),
        ({"pooling.py": POOLING, "old/pooling.py": POOLING}, "pooling.py"),
        ({"pooling.py": "from src import pools\nsum_pool = print", "src/pools.py": POOLING}, "pooling.py"),
    ],
    ids=["stubs", "a sentence", "another's name", "unnamed", "made", "an older copy", "of a folder"],
)
def test_the_file_that_is_meant_is_graded(submission, files, graded):
    assert only_answer(submission(files)).file == graded


# Which assignment a file answers


@pytest.mark.parametrize(
    "name",
    [
        "pooling.py",
        "Pooling.PY",
        "pooling (1).py",
        "pooling(2).py",
        "pooling-final.py",
        "pooling_v2.py",
        "pooling2.py",
        "poolingFinal.py",
        "my pooling solution.py",
        "Copy of pooling.py",
        "Copy of Copy of pooling (3).py",
        "Kopie von pooling.py",
        "Copie de pooling.py",
        "smithjane_123_456_pooling.py",
        "smithjane_LATE_123_456_pooling-1.py",
        "Jane Smith_123_assignsubmission_file_pooling.py",
        "Pooling_js12_attempt_2024-05-01-12-00-00_pooling.py",
        "Conv2d_js12_attempt_2024-05-01-12-00-00_pooling.py",
        "123-456 - Jane Smith - May 1, 2024 1200 PM - pooling.py",
        "alice_pooling.py",
        "hw3-pooling-a-student.py",
        "Jane Smith_123_assignsubmission_file_/pooling.py",
    ],
)
def test_a_file_answers_the_assignment_that_it_is_named_after(submission, name):
    assert list(submission({name: POOLING}).answers) == ["pooling"]


@pytest.mark.parametrize("name", ["pooling.py", "smithjane_123_456_pooling-1.py", "conv2d_notes.py"])
def test_a_name_is_enough_where_there_is_nothing_else_to_go_by(submission, name):
    found = submission({name: "x = 1\n"})
    assert len(found.answers) == 1
    assert "it defines none of its functions" in found.problems[0]


@pytest.mark.parametrize(
    "name", ["spooling.py", "poolings.py", "pool.py", "conv.py", "conv3d.py", "conv2d_pooling.py", "x.py"]
)
def test_a_name_that_is_no_assignments_own_or_two_of_them_is_no_answer(submission, name):
    found = submission({name: "x = 1\n"})
    assert found.answers == {}
    assert f"No answer to an assignment was found in {name}" in found.problems[-1]


def test_a_word_in_a_name_does_not_make_a_tool_an_answer(submission):
    found = submission({"training.py": "def fit():\n    return 1\n", "plot_conv2d.py": "import matplotlib\n"})
    assert list(found.answers) == ["training"]
    assert list(found.answers["training"].modules) == ["plot_conv2d"]


def test_a_word_in_a_name_yields_to_what_the_file_defines(submission):
    assert list(submission({"pooling_like_notes.py": CONV2D}).answers) == ["conv2d"]


def test_an_assignments_own_name_does_not_yield_to_what_the_file_defines(submission):
    found = submission({"pooling.py": CONV2D})
    assert list(found.answers) == ["pooling"]
    assert found.problems == ("pooling.py was taken for pooling by its name; it defines none of its functions.",)


def test_the_metadata_of_a_notebook_that_the_kit_built_come_before_its_name(submission):
    found = submission({"conv2d.ipynb": notebook(POOLING, assignment="pooling")})
    assert list(found.answers) == ["pooling"]
    assert "was built for pooling" in found.problems[0]


@pytest.mark.parametrize("claim", ["cooking", "", 7, None, ["pooling"], {"pooling": 1}, "\ud800"])
def test_metadata_that_name_no_assignment_are_passed_over(submission, claim):
    text = notebook(POOLING).replace(
        '"metadata": {\n  "kernelspec"',
        f'"metadata": {{"autograder": {{"assignment": {json.dumps(claim)}}}, "kernelspec"',
    )
    assert "autograder" in text
    assert list(submission({"conv2d.ipynb": text}).answers) == ["conv2d"]


def test_a_file_without_a_telling_name_answers_what_most_of_its_definitions_belong_to(submission):
    source = POOLING + "def max_pool(z):\n    return z\n" + CONV2D
    found = submission(
        {"homework.py": source, "solution.ipynb": notebook("async def fit(): ...", "def evaluate(): ...")}
    )
    assert {name: answer.file for name, answer in found.answers.items()} == {
        "pooling": "homework.py",
        "training": "solution.ipynb",
    }
    assert (
        "homework.py was taken for pooling by what it defines; what it defines of conv2d was not" in found.problems[0]
    )


@pytest.mark.parametrize(
    "source", ["x.sum_pool = 1", "  def sum_pool(z): ...", "# def sum_pool(z)", "def sum_pooling(z): ..."]
)
def test_only_definitions_at_top_level_by_their_full_name_count(submission, source):
    assert submission({"homework.py": source}).answers == {}


def test_a_tie_is_not_guessed_but_told(submission):
    found = submission({"homework.py": POOLING + CONV2D})
    assert found.answers == {}
    assert "homework.py defines as much of pooling as of conv2d" in found.problems[0]


@pytest.mark.parametrize(
    "name",
    [
        "test_pooling.py",
        "pooling_test.py",
        "conftest.py",
        "sitecustomize.py",
        "smith_1_2_test_pooling.py",
        "test_pooling (1).py",
    ],
)
def test_tests_and_tools_files_are_neither_answers_nor_modules(submission, name):
    assert submission({"conv2d.py": CONV2D, name: POOLING}).answers["conv2d"].modules == {}
    alone = submission({name: POOLING, "conv2d.py": "", "sub/x.txt": ""})
    assert "pooling" not in alone.answers


def test_a_submission_of_tests_alone_says_so(submission):
    found = submission({"test_pooling.py": POOLING})
    assert found.answers == {}
    assert found.problems[0].startswith("Nothing to grade was found: test_pooling.py is ignored as a test")


def test_a_notebook_that_answers_nothing_is_told(submission):
    found = submission({"pooling.py": POOLING, "scratch.ipynb": notebook("x = 1")})
    assert found.problems == (
        "scratch.ipynb: it answers no assignment that is known here, by its name or by what it defines.",
    )


@pytest.mark.parametrize(
    "place",
    [
        "__MACOSX/._pooling.py",
        ".ipynb_checkpoints/pooling-checkpoint.ipynb",
        "pooling-checkpoint.ipynb",
        "__pycache__/pooling.py",
        ".git/pooling.py",
        "venv/lib/pooling.py",
        "env/lib/python3.11/site-packages/pooling.py",
        "~$pooling.py",
    ],
)
def test_caches_checkpoints_and_libraries_are_passed_over(submission, place):
    assert submission({place: POOLING}).answers == {}


# Several files for one assignment


@pytest.mark.parametrize(
    ("files", "graded", "reason"),
    [
        ({"pooling.py": STUB, "pooling_old.py": POOLING}, "pooling_old.py", "it is more finished"),
        (
            {"pooling.py": POOLING + STUB.replace("sum", "max"), "pooling2.py": POOLING},
            "pooling2.py",
            "it has fewer stubs left",
        ),
        (
            {
                "pooling.py": POOLING + "def max_pool(z):\n    return 1\n" + STUB.replace("sum", "mean"),
                "pooling2.py": POOLING,
            },
            "pooling.py",
            "it is more finished",
        ),
        ({"pooling.py": POOLING, "Copy of pooling.py": POOLING}, "pooling.py", "its name is closer"),
        ({"pooling (1).py": POOLING, "alice_pooling.py": POOLING}, "pooling (1).py", "its name is closer"),
        (
            {"pooling.ipynb": notebook(STUB, POOLING), "pooling.py": STUB},
            "pooling.ipynb",
            "it is more finished",
        ),
    ],
)
def test_the_more_finished_file_is_graded_then_the_one_by_the_assignments_name(submission, files, graded, reason):
    found = submission(files)
    assert only_answer(found).file == graded
    assert any(f"Two files answer pooling: {graded} was graded" in line and reason in line for line in found.problems)


def test_a_file_that_can_be_read_is_graded_rather_than_one_that_cannot(submission):
    found = submission({"pooling.ipynb": notebook(STUB), "pooling.py": b"\xff"})
    assert only_answer(found).cells == (STUB,)
    assert found.problems == ("pooling.py: it is not UTF-8 text (line 1); save it as UTF-8.",)


def test_of_two_alike_the_newer_one_is_graded(folder):
    path = folder({"a/pooling.py": POOLING, "b/pooling.py": POOLING})
    os.utime(path / "a/pooling.py", (1e9, 1e9))
    found = read(path)
    assert only_answer(found).file == "b/pooling.py"
    assert "for it is newer" in found.problems[0]
    os.utime(path / "b/pooling.py", (1e8, 1e8))
    assert only_answer(read(path)).file == "a/pooling.py"


def test_an_older_copy_stays_a_module_only_by_another_name(submission):
    found = submission(
        {"pooling.ipynb": notebook(POOLING), "pooling.py": STUB, "pooling_old.py": STUB, "conv2d.py": CONV2D}
    )
    assert found.answers["pooling"].notebook
    assert list(found.answers["pooling"].modules) == ["conv2d", "pooling_old"]
    assert list(found.answers["conv2d"].modules) == ["pooling_old"]


# What cannot be read says why


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("pooling.py", b"caf\xe9\n", "not UTF-8 text (line 1)"),
        ("pooling.py", POOLING.encode("utf-16"), "UTF-16"),
        ("pooling.py", POOLING.encode("utf-32"), "UTF-16 or UTF-32"),
        ("pooling.py", POOLING.encode("utf-16-le"), "NUL byte"),
        ("pooling.py", "x = 1\0\n", "NUL byte"),
        ("pooling.py", "\ud800".encode(errors="surrogatepass"), "not UTF-8"),
        ("pooling.py", "# -*- coding: latin-1 -*-\n", "an encoding other than UTF-8"),
        (
            "pooling.py",
            "#!/usr/bin/python\n# vim: set fileencoding=rot13 :\n",
            "an encoding other than UTF-8",
        ),
        ("pooling.py", "\r# coding=utf-7\r", "an encoding other than UTF-8"),
        ("pooling.py", "x" * (MB + 1), "larger than 1 MB"),
        ("pooling.py", notebook(POOLING), "it is a notebook under the name of a module"),
        ("pooling.ipynb", "", "it is empty"),
        ("pooling.ipynb", " \n", "it is empty"),
        ("pooling.ipynb", POOLING, "its content is not JSON"),
        ("pooling.ipynb", b"\x89PNG\r\n", "its content is not JSON"),
        ("pooling.ipynb", notebook(POOLING)[:-40], "cut short"),
        ("pooling.ipynb", notebook(POOLING)[:40], "cut short"),
        ("pooling.ipynb", notebook(POOLING)[:-1], "cut short"),
        ("pooling.ipynb", notebook(POOLING)[:-1] + "!", "damaged"),
        ("pooling.ipynb", notebook(POOLING) + "}", "damaged"),
        ("pooling.ipynb", "{}", "damaged"),
        ("pooling.ipynb", '{"cells": {}}', "damaged"),
        ("pooling.ipynb", '{"cells": [1]}', "damaged"),
        ("pooling.ipynb", '{"cells": [{"cell_type": "code"}]}', "damaged"),
        ("pooling.ipynb", '{"cells": [{"cell_type": "code", "source": 1}]}', "damaged"),
        ("pooling.ipynb", '{"cells": [{"cell_type": "code", "source": ["a", ["b"]]}]}', "damaged"),
        ("pooling.ipynb", notebook(POOLING).encode("utf-16"), "UTF-16"),
        ("pooling.ipynb", notebook("é").replace("\\u00e9", "\xe9").encode("latin-1"), "not UTF-8"),
        ("pooling.ipynb", notebook("x = '\0'"), "NUL byte"),
        ("pooling.ipynb", notebook("# coding: utf-7"), "an encoding other than UTF-8"),
        ("pooling.ipynb", notebook("x" * MB, "y"), "its code is larger than 1 MB"),
        ("pooling.ipynb", notebook(*["x"] * 5001), "more than 5,000 cells"),
    ],
)
def test_an_answer_that_cannot_be_read_says_why(submission, name, content, reason):
    found = submission({name: content})
    assert reason in why(found)
    assert why(found).startswith((f"{name}: it ", f"{name}: its "))
    assert why(found).endswith(".")
    assert (found.answers["pooling"].cells, found.answers["pooling"].modules) == ((), {})


@pytest.mark.parametrize(
    "line",
    [
        "# -*- coding: utf-8 -*-",
        "# coding=UTF8",
        "# vim: fileencoding=utf_8",
        "# -*- coding: utf-8-unix -*-",
        "x = 1\n# coding: latin-1",
        "'coding: latin-1'",
    ],
)
def test_a_coding_line_that_says_utf8_or_is_none_is_fine(submission, line):
    assert only_answer(submission({"pooling.py": line + "\n"})).problem is None


def test_a_module_of_a_megabyte_is_read(submission):
    assert only_answer(submission({"pooling.py": "#" * MB})).problem is None


def test_half_a_surrogate_pair_in_a_notebook_does_not_get_further(submission):
    answer = only_answer(submission({"pooling.ipynb": notebook("# \ud83d lost half, \U0001f600 whole")}))
    assert answer.cells == ("# ? lost half, \U0001f600 whole",)


@pytest.mark.parametrize("source", ["", "\n \n"])
def test_an_empty_module_is_an_answer_with_a_remark(submission, source):
    found = submission({"pooling.py": source})
    assert only_answer(found).problem is None
    assert "pooling.py is empty." in found.problems


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "Nothing to grade was found: it is empty."),
        ({"report.pdf": "%PDF", "a/data.csv": ""}, "there is report.pdf, a/data.csv, and only .py, .ipynb"),
        ({"homework.rar": b"Rar!"}, "there is homework.rar, and only .py"),
        ({"pooling.py.txt": POOLING}, "there is pooling.py.txt, and only .py"),
        (
            {"one.py": "", "two.py": ""},
            "No answer to an assignment was found in one.py, two.py. Name a file after",
        ),
    ],
)
def test_a_submission_without_an_answer_says_what_is_there_instead(submission, files, says):
    (problem,) = submission(files).problems
    assert says in problem


def test_remarks_are_counted_rather_than_endless(submission):
    found = submission({"pooling.py": POOLING} | {f"n{i}.ipynb": "{" for i in range(50)})
    assert len(found.problems) == 20
    assert found.problems[-1] == "And 31 more remarks like these."


def test_names_are_shown_without_what_cannot_be_seen(submission):
    found = submission({"pooling.py": POOLING, "a\u202egnp.\x1b[31m\n.ipynb": "{"})
    assert found.problems[0].startswith("a[U+202E]gnp.[U+001B][31m[U+000A].ipynb: it is cut short")


# Notebooks, honest and hostile


def test_thirty_megabytes_of_pictures_do_not_count(submission):
    picture = {"data": {"image/png": "QUJD" * (10 * MB // 4) + "\n", "text/html": '<i class="a">\\</i>' * 1000}}
    found = submission(
        {"pooling.ipynb": notebook(POOLING, "x", "y", outputs=[picture | {"output_type": "display_data"}])}
    )
    assert only_answer(found).cells == (POOLING, "x", "y")
    assert found.problems == ()


def test_a_picture_pasted_into_a_markdown_cell_does_not_count(submission):
    pasted = {"cell_type": "markdown", "metadata": {}, "source": f"![](data:image/png;base64,{'QUJD' * MB})"}
    assert only_answer(submission({"pooling.ipynb": notebook(pasted, POOLING)})).cells == (POOLING,)


@pytest.mark.parametrize("minor", ["", "keys-reordered", "compact", "ascii-escaped"])
def test_a_notebook_is_read_however_it_is_written(submission, minor):
    data = json.loads(notebook(POOLING, 'print("\\"é")', assignment="pooling"))
    if minor == "keys-reordered":
        data["cells"] = [dict(reversed(cell.items())) for cell in data["cells"]]
    text = json.dumps(data, ensure_ascii=minor == "ascii-escaped", indent=None if minor == "compact" else 2)
    assert only_answer(submission({"x.ipynb": text})).cells == (POOLING, 'print("\\"é")')


# Made when they are needed: some are large.
HOSTILE_NOTEBOOKS = {
    "deep": lambda: '{"cells": ' + "[" * 200_000,
    "deep-closed": lambda: '{"metadata": ' + "[" * 200_000 + "]" * 200_000 + ', "cells": []}',
    "deep-source": lambda: '{"cells": [{"cell_type": "code", "source": ' + "[" * 200_000 + "}]}",
    "deep-objects": lambda: '{"metadata": {"autograder": ' + '{"a":' * 200_000,
    "many-lists": lambda: '{"metadata": [' + "[]," * (5 * MB) + '[]], "cells": []}',
    "many-cells": lambda: '{"cells": [' + "{}," * (5 * MB) + "{}]}",
    "many-keys": lambda: '{"cells": [{' + '"a":1,' * (2 * MB) + '"b":1}]}',
    "many-lines": lambda: '{"cells": [{"cell_type": "code", "source": [' + '"",' * (5 * MB) + '""]}]}',
    "many-strings": lambda: '{"metadata": [' + '"",' * (5 * MB) + "",
    "many-backslashes": lambda: '{"metadata": "' + "\\\\" * (5 * MB) + '", "cells": []',
    "no-end-of-string": lambda: '{"metadata": "' + '\\"' * (5 * MB),
    "long-key": lambda: '{"' + "a" * (10 * MB) + '": 1}',
    "long-type": lambda: '{"cells": [{"cell_type": "' + "a" * (10 * MB) + '"}]}',
    "long-source": lambda: '{"cells": [{"cell_type": "code", "source": "' + "\\u0061" * (2 * MB) + '"}]}',
    "long-number": lambda: '{"nbformat": ' + "9" * (10 * MB),
}


@pytest.mark.attacks
@pytest.mark.parametrize("attack", HOSTILE_NOTEBOOKS)
def test_a_hostile_notebook_is_refused_in_bounded_time_and_memory(folder, attack):
    path = write(folder({}) / "pooling.ipynb", HOSTILE_NOTEBOOKS[attack]())
    # Its bytes twice, while they are gathered, and what the code that is allowed may take.
    answers, _ = contained(path, megabytes=2 * path.stat().st_size // MB + 40)
    assert answers["pooling"]


@pytest.mark.attacks
@pytest.mark.parametrize("name", ["pooling.ipynb", "pooling.py", "pooling.zip", "pooling.tar", "pooling.tar.gz"])
def test_a_sparse_file_of_a_terabyte_costs_nothing(folder, name):
    path = folder({name: b"PK\5\6"})
    os.truncate(path / name, 1 << 40)
    answers, problems = contained(path, megabytes=20, seconds=2)
    assert any("it is larger than" in line for line in [*problems, *answers.values()])


# Files that are none


@pytest.mark.attacks
@pytest.mark.parametrize("name", ["pooling.py", "pooling.ipynb", "pooling.zip", "pooling.tgz"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "it is a link"),
        (lambda path: path.symlink_to("nowhere"), "it is a link"),
        (lambda path: path.symlink_to(path.name), "it is a link"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5)), "it is not a regular file"),
    ],
    ids=["link", "dangling", "loop", "fifo", "device"],
)
def test_what_is_no_regular_file_is_a_reason_and_never_a_hang(folder, name, make, reason):
    path = folder({})
    try:
        make(path / name)
    except PermissionError:
        pytest.skip("no permission to make one here")
    for found in (read(path), read(path / name)):
        problems = [*found.problems, *(answer.problem for answer in found.answers.values())]
        assert any(reason in problem for problem in problems if problem)


@pytest.mark.attacks
def test_a_socket_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("pooling.py")
        assert "it is not a regular file" in why(read(tmp_path))


@pytest.mark.attacks
def test_links_to_folders_are_not_followed(folder, tmp_path):
    secret = folder({"pooling.py": POOLING}, name="secret")
    path = folder({"conv2d.py": CONV2D})
    (path / "more").symlink_to(secret)
    (path / "loop").symlink_to(path)
    (tmp_path / "mallory").symlink_to(secret)
    assert list(read(path).answers) == ["conv2d"]
    found = read(tmp_path / "mallory")
    assert found.answers == {}
    assert "mallory: it is a link, which is not followed" in found.problems[0]


@pytest.mark.attacks
def test_a_file_that_becomes_a_link_after_it_was_looked_at_is_not_followed(folder, monkeypatch):
    path = folder({"pooling.py": POOLING, "secret.txt": "secret"})
    regular = os.lstat(path / "secret.txt")
    (path / "pooling.py").unlink()
    (path / "pooling.py").symlink_to("secret.txt")
    monkeypatch.setattr("autograder.intake.files.os.lstat", lambda _: regular)
    assert "it is a link" in why(read(path / "pooling.py"))


def test_what_may_not_be_read_is_a_reason(folder, monkeypatch):
    path = folder({"conv2d.py": CONV2D, "pooling.py": POOLING, "closed/training.py": ""})
    opened, listed = os.open, os.scandir

    def refuse(real, name):
        def call(path, *rest):
            if Path(path).name == name:
                raise PermissionError(13, "Permission denied", path)
            return real(path, *rest)

        return call

    monkeypatch.setattr("autograder.intake.files.os.open", refuse(opened, "pooling.py"))
    monkeypatch.setattr("autograder.intake.folders.os.scandir", refuse(listed, "closed"))
    found = read(path)
    assert found.answers["conv2d"].problem is None
    assert found.answers["pooling"].problem == "pooling.py: the grader has no permission to read it."
    assert found.problems == ("closed: the grader has no permission to read it.",)


def test_a_path_that_is_gone_is_a_reason(tmp_path):
    assert "it cannot be opened" in read(tmp_path / "gone").problems[0]


@pytest.mark.attacks
def test_a_folder_of_ten_thousand_files_and_a_deep_one_are_bounded(folder):
    path = folder({"pooling.py": POOLING} | {f"many/x{number:05}.py": "" for number in range(2_000)})
    deep = path
    for _ in range(40):
        deep /= "d"
    write(deep / "conv2d.py", CONV2D)
    found = read(path)
    assert list(found.answers) == ["pooling"]  # what lies nearest to the top is read first
    assert len(only_answer(found).modules) == 199
    assert found.problems == ("There are more than 200 .py and .ipynb files; the others were not read.",)


@pytest.mark.attacks
def test_a_deep_folder_is_not_followed_to_its_end(folder):
    found = read(folder({"pooling.py": POOLING, "d/" * 40 + "conv2d.py": CONV2D}))
    assert list(found.answers) == ["pooling"]
    assert found.problems == ("d/d/d/d/d/d/d/d/d/d: it lies in too many folders.",)


# Archives


def zipped(*members, **options):
    """A .zip of (name or ZipInfo, content) pairs."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(*members, mode: Literal["w", "w:gz"] = "w:gz", **options):
    """A .tar of (name or TarInfo, content) pairs."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, **options) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            content = content.encode() if isinstance(content, str) else content
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


PACKERS = {
    "a-student.zip": zipped,
    "a-student.tar": lambda *members: tarred(*members, mode="w"),
    "a-student.tar.gz": tarred,
    "a-student.tgz": lambda *members: tarred(*members, format=tarfile.GNU_FORMAT),
}


@pytest.fixture(params=PACKERS)
def archive(request, tmp_path):
    """Reads an archive, of each kind in turn, of the (name, content) pairs given."""
    return lambda *members: read(write(tmp_path / request.param, PACKERS[request.param](*members)))


def test_an_archive_is_read_as_a_folder_is(archive):
    found = archive(
        ("hw/pooling.py", "import helpers\n" + POOLING),
        ("hw/helpers.py", "H = 1\n"),
        ("hw/conv2d.ipynb", notebook(CONV2D)),
        ("hw/data.csv", "1,2"),
        ("__MACOSX/hw/._pooling.py", b"\x00\x05\x16\x07"),
        ("hw/.ipynb_checkpoints/training-checkpoint.ipynb", "{}"),
        ("hw/" + "long " * 40 + "/training.py", ""),
    )
    assert found.student == "a-student"
    assert list(found.answers) == ["pooling", "conv2d", "training"]
    assert found.answers["pooling"].file == "hw/pooling.py"
    assert found.answers["pooling"].modules["helpers"] == "H = 1\n"
    assert found.answers["conv2d"].cells == (CONV2D,)
    assert found.problems == (
        "hw/" + "long " * 11 + "l" + "…" + found.problems[0].partition("…")[2],
        *found.problems[1:],
    )


def test_an_archive_in_a_folder_is_opened(submission):
    found = submission({"upload/hw.zip": zipped(("pooling.py", POOLING), ("helpers.py", "H = 1"))})
    assert only_answer(found).file == "upload/hw.zip/pooling.py"
    assert only_answer(found).modules == {"helpers": "H = 1"}


@pytest.mark.attacks
def test_an_archive_in_an_archive_is_not_opened(archive):
    found = archive(("conv2d.py", CONV2D), ("more.zip", zipped(("pooling.py", POOLING))), ("more.tgz", b""))
    assert list(found.answers) == ["conv2d"]
    assert [line for line in found.problems if "it is an archive in an archive" in line] == list(found.problems)
    assert len(found.problems) == 2


@pytest.mark.attacks
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/pooling.py", "an absolute path"),
        ("C:\\hw\\pooling.py", "an absolute path"),
        ("\\\\server\\pooling.py", "an absolute path"),
        ("../pooling.py", "points outside"),
        ("hw/../../pooling.py", "points outside"),
        ("hw\\..\\..\\pooling.py", "points outside"),
        ("d/" * 40 + "pooling.py", "too many folders"),
    ],
)
def test_a_member_that_points_outside_is_refused_and_the_rest_is_read(archive, name, reason):
    found = archive((name, POOLING), ("conv2d.py", CONV2D))
    assert reason in why(found)
    assert found.answers["conv2d"].cells == (CONV2D,)


@pytest.mark.parametrize(
    "name", ["./pooling.py", "hw//pooling.py", "hw\\pooling.py", "Übung/pooling.py", "U\u0308bung/pooling.py"]
)
def test_odd_but_honest_names_in_an_archive_are_read(archive, name):
    answer = only_answer(archive((name, POOLING)))
    assert answer.cells == (POOLING,)
    assert answer.file in ("pooling.py", "hw/pooling.py", "\u00dcbung/pooling.py")


@pytest.mark.attacks
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("twin", ["pooling.py", "POOLING.py", "./pooling.py"])
def test_of_two_members_by_one_name_the_second_is_refused(archive, twin):
    found = archive(("pooling.py", POOLING), (twin, STUB))
    assert only_answer(found).cells == (POOLING,)
    assert any("holds its name twice; the first of the two was read" in line for line in found.problems)


@pytest.mark.attacks
@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_a_special_member_of_a_zip_is_refused(tmp_path, kind):
    special = zipfile.ZipInfo("pooling.py")
    special.create_system, special.external_attr = 3, (kind | 0o777) << 16
    found = read(write(tmp_path / "a-student.zip", zipped((special, "/etc/passwd"), ("conv2d.py", CONV2D))))
    assert "it is a link or another special file" in why(found)
    assert found.answers["conv2d"].problem is None


@pytest.mark.attacks
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_a_special_member_of_a_tar_is_refused(tmp_path, kind):
    special = tarfile.TarInfo("pooling.py")
    special.type, special.linkname = kind, "/etc/passwd"
    found = read(write(tmp_path / "a-student.tar.gz", tarred((special, b""), ("conv2d.py", CONV2D))))
    assert "it is a link or another special file" in why(found)
    assert found.answers["conv2d"].problem is None


@pytest.mark.attacks
def test_setuid_bits_mean_nothing(tmp_path):
    info = zipfile.ZipInfo("pooling.py")
    info.external_attr = (stat.S_IFREG | 0o6777) << 16
    assert only_answer(read(write(tmp_path / "a-student.zip", zipped((info, POOLING))))).cells == (POOLING,)


def test_an_encrypted_member_is_refused_and_the_rest_is_read(tmp_path):
    data = bytearray(zipped(("pooling.py", POOLING), ("conv2d.py", CONV2D)))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    found = read(write(tmp_path / "a-student.zip", bytes(data)))
    assert "it is encrypted; pack it without a password" in why(found)
    assert found.answers["conv2d"].cells == (CONV2D,)


def test_a_member_packed_by_an_unusual_method_is_refused(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as pack:
        pack.writestr("pooling.py", POOLING)
    assert "unusual method" in why(read(write(tmp_path / "a-student.zip", packed.getvalue())))


def test_a_member_with_a_wrong_checksum_is_refused_and_the_rest_is_read(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as pack:  # stored, so that the text stands in it
        pack.writestr("pooling.py", POOLING)
        pack.writestr("conv2d.py", CONV2D)
    data = packed.getvalue().replace(b"z.sum(-1)", b"z.max(-1)")
    found = read(write(tmp_path / "a-student.zip", data))
    assert "it is damaged in the archive" in why(found)
    assert found.answers["conv2d"].cells == (CONV2D,)


def test_a_gzip_with_a_wrong_checksum_is_told(tmp_path):
    data = bytearray(tarred(("pooling.py", POOLING)))
    data[-6] ^= 1
    assert "a-student.tgz: it is damaged" in read(write(tmp_path / "a-student.tgz", bytes(data))).problems[0]


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"Rar!\x1a\x07", b"\x1f\x8b", POOLING.encode(), bytes(100_000)],
    ids=["empty", "short-zip", "rar", "short-gzip", "text", "zeros"],
)
def test_what_is_no_archive_says_so(tmp_path, name, content):
    found = read(write(tmp_path / name, content))
    assert found.answers == {}
    assert found.problems[0].startswith(f"{name}: it is damaged or not what its name says; pack it anew")


@pytest.mark.parametrize("name", PACKERS)
def test_an_archive_cut_short_anywhere_raises_nothing(tmp_path, name):
    whole = PACKERS[name](("pooling.py", POOLING), ("conv2d.ipynb", notebook(CONV2D)))
    for size in range(0, len(whole), 37):
        found = read(write(tmp_path / name, whole[:size]))
        assert found.problems or found.answers


def bomb(size, names, body=b"\0"):
    """A .zip of members by these names, each of which inflates to so many bytes."""
    return zipped(*((name, body * size) for name in names), compresslevel=9)


@pytest.mark.attacks
def test_a_zip_bomb_is_counted_while_it_is_inflated(tmp_path):
    path = write(tmp_path / "a-student.zip", bomb(100 * MB, ["pooling.py", "conv2d.ipynb"]))
    answers, _ = contained(path, megabytes=80)
    assert "it is larger than 1 MB" in answers["pooling"]
    assert "it is larger than 64 MB" in answers["conv2d"]


@pytest.mark.attacks
def test_a_zip_that_lies_about_its_sizes_is_counted_all_the_same(tmp_path):
    honest = bomb(100 * MB, ["pooling.py"])
    liar = honest.replace(struct.pack("<I", 100 * MB), struct.pack("<I", 1000))
    assert liar != honest
    answers, _ = contained(write(tmp_path / "a-student.zip", liar), megabytes=20)
    assert "it is damaged in the archive" in answers["pooling"]


@pytest.mark.attacks
def test_all_that_an_archive_inflates_to_is_bounded(archive):
    found = archive(*((f"x{number:02}.py", "#" * MB) for number in range(30)), ("zz/pooling.py", POOLING))
    assert "Not all files were read, as they are so large in all; hand in the code alone." in found.problems


def overlapping(count, size):
    """A .zip whose members share one compressed body: each inflates to the next one's header and all behind it."""
    squeeze = zlib.compressobj(9, wbits=-15)
    body, content = squeeze.compress(b"#" * size) + squeeze.flush(), b"#" * size
    local, directory = b"", []
    for number in reversed(range(count)):
        if local:  # quoted, as a stored block of the deflate stream
            body = struct.pack("<BHH", 0, len(local), 0xFFFF - len(local)) + local + body
            content = local + content
        name = b"x%03d.py" % number
        fields = (20, 0, 8, 0, 33, zlib.crc32(content), len(body), len(content), len(name), 0)
        local = struct.pack("<4s5H3L2H", b"PK\3\4", *fields) + name
        directory.append((fields, name, len(body)))
    whole = local + body
    header = struct.Struct("<4sH5H3L2H3H2L")
    entries = [
        header.pack(b"PK\1\2", 20, *fields, 0, 0, 0, 0, len(whole) - length - len(local)) + name
        for fields, name, length in directory
    ]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, sum(map(len, entries)), len(whole), 0)
    return whole + b"".join(entries) + tail


@pytest.mark.attacks
def test_overlapping_members_are_counted_each(tmp_path):
    path = write(tmp_path / "a-student.zip", overlapping(150, 900_000))
    assert path.stat().st_size < 30_000
    answers, problems = contained(path, megabytes=80)
    assert answers == {}
    # Newer versions of zipfile see that they overlap.
    assert any("so large in all" in line or "damaged in the archive" in line for line in problems)


@pytest.mark.attacks
def test_an_archive_of_too_many_files_is_bounded(archive):
    found = archive(*((f"x{number:05}.py", "") for number in range(3_000)))
    assert "There are more than 200 .py and .ipynb files; the others were not read." in found.problems


@pytest.mark.attacks
def test_a_zip_directory_without_end_is_not_read(tmp_path):
    entry = zipped(("a" * 60_000 + ".py", ""))
    start, end = entry.index(b"PK\1\2"), entry.index(b"PK\5\6")
    directory = entry[start:end] * 300
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 300, 300, len(directory), start, 0)
    found = read(write(tmp_path / "a-student.zip", entry[:start] + directory + tail))
    assert "a-student.zip: it holds more files than are looked at" in found.problems[0]


def tar_header(kind, size, name=b"pooling.py"):
    """One header of a .tar, with the right checksum."""
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)[:512])
    header[:100] = name.ljust(100, b"\0")
    header[124:136] = b"\x80" + size.to_bytes(11, "big")
    header[156:157] = kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.attacks
@pytest.mark.parametrize(
    "stream",
    [
        lambda: tar_header(b"x", 1 << 40),
        lambda: tar_header(b"L", 1 << 40),
        lambda: tar_header(b"g", 1 << 40),
        lambda: tar_header(b"0", 1 << 40),
        lambda: tar_header(b"0", 1 << 87),
        lambda: tar_header(b"S", 1 << 62),
        lambda: tar_header(b"g", 0) * 40_000,
        lambda: (tar_header(b"x", 512) + b"1 path=" * 73 + b"x") * 2_000,
        lambda: tar_header(b"0", 1 << 30, b"data.bin") + bytes(100 * MB),
    ],
    ids=["pax", "long-name", "global", "file", "huge", "sparse", "many", "records", "inflating"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["tar", "gz"])
def test_a_hostile_tar_is_refused_in_bounded_time_and_memory(tmp_path, stream, packed):
    path = tmp_path / ("a-student.tgz" if packed else "a-student.tar")
    write(path, gzip.compress(stream(), 1) if packed else stream())
    answers, problems = contained(path, megabytes=20)
    assert problems or answers["pooling"]


@pytest.mark.parametrize("packed", [False, True], ids=["tar", "gz"])
def test_what_stands_before_the_damage_in_a_tar_is_graded(tmp_path, packed):
    folder = tarfile.TarInfo("hw")
    folder.type = tarfile.DIRTYPE
    whole = bytearray(tarred((folder, b""), ("hw/pooling.py", POOLING), ("hw/conv2d.py", CONV2D), mode="w"))
    whole[whole.index(b"hw/conv2d")] ^= 1  # its header's checksum tells
    found = read(write(tmp_path / "a-student.tar", gzip.compress(whole) if packed else bytes(whole)))
    assert only_answer(found).file == "hw/pooling.py"
    assert found.problems[0].startswith("a-student.tar: it is damaged")


def test_a_member_without_a_name_is_passed_over(tmp_path):
    data = zipped(("x.py", POOLING), ("conv2d.py", CONV2D)).replace(b"x.py", b"\0.py")
    found = read(write(tmp_path / "a-student.zip", data))
    assert list(found.answers) == ["conv2d"]


def test_a_zip_that_does_not_say_that_its_names_are_utf8_is_read(tmp_path):
    data = bytearray(zipped(("Übung/pooling.py", POOLING)))
    for signature, offset in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        data[data.index(signature) + offset] &= ~8
    assert only_answer(read(write(tmp_path / "a-student.zip", bytes(data)))).file == "Übung/pooling.py"


def test_a_large_data_set_in_an_archive_is_passed_over(archive):
    found = archive(("pooling.py", POOLING), ("mnist.npz", bytes(30 * MB)), ("conv2d.py", CONV2D))
    assert list(found.answers) == ["pooling", "conv2d"]
    assert found.problems == ()


# Trust and speed


@pytest.mark.attacks
def test_nothing_of_a_submission_is_parsed_compiled_imported_or_left_behind(folder):
    """What a submission holds would leave a mark if Python ever looked at it as a program."""
    mark = "import pathlib; pathlib.Path('MARK').touch()\n"
    path = folder(
        dict.fromkeys(("pooling.py", "conftest.py", "numpy.py", "sitecustomize.py", "utils/__init__.py"), mark)
        | {"conv2d.ipynb": notebook(mark), "pytest.ini": "[pytest]\naddopts = --boom\n"}
    )
    before = sorted(path.rglob("*"))
    watch = """
        import sys
        from pathlib import Path
        from types import SimpleNamespace as N
        from autograder.intake import read_submission
        assignments = [N(name=n, functions=[N(name="sum_pool")]) for n in ("pooling", "conv2d")]
        path = Path(sys.argv[1])
        def hook(event, args):
            if event in ("compile", "exec", "import", "subprocess.Popen", "os.system") or (
                event == "open" and isinstance(args[1], str) and set(args[1]) & set("wxa+")
            ):
                raise SystemExit(f"{event} {args}")
        read_submission([path], assignments)  # what is imported late is imported now
        sys.addaudithook(hook)
        print(list(read_submission([path], assignments).answers))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(watch), path],
        cwd=path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONSAFEPATH": "1"},
        check=False,
    )
    assert (done.stdout, done.returncode) == ("['pooling', 'conv2d']\n", 0), done.stderr
    assert sorted(path.rglob("*")) == before


def test_an_ordinary_submission_is_read_in_milliseconds(folder):
    pictures = [{"output_type": "display_data", "data": {"image/png": "QUJD" * 50_000}}]
    path = folder(
        {f"{item.name}.ipynb": notebook(*["x = 1\n" * 20] * 30, outputs=pictures[:1]) for item in ASSIGNMENTS[:2]}
        | {f"{item.name}.py": POOLING * 50 for item in ASSIGNMENTS[2:]}
    )

    def seconds():
        began = time.process_time()
        read(path)
        return time.process_time() - began

    assert min(seconds() for _ in range(5)) < 0.25  # 40 ms on a slow machine, with 12 MB of pictures
