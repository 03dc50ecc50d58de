"""What becomes of notebooks on their way: each kind of damage, what is said of it, and cheats that worked elsewhere."""

from __future__ import annotations

import copy

import nbformat


def cell(node, name):
    return next(item for item in node.cells if item.id == name)


def place(node, name):
    return next(index for index, item in enumerate(node.cells) if item.id == name)


# --- damage: name: (what happens to a notebook, words that its student reads) ---------------------------------------


def duplicated_answer(node):
    node.cells.insert(0, copy.deepcopy(cell(node, "max_pool2d")))


def duplicated_tests(node):
    node.cells.append(copy.deepcopy(cell(node, "check-max_pool2d")))


def copied_from_elsewhere(node):
    stranger = copy.deepcopy(cell(node, "check-sum_pool"))
    stranger.id, stranger.metadata.nbgrader.grade_id = "stranger", "check-of-another-assignment"
    node.cells.append(stranger)


def answer_became_text(node):
    found = cell(node, "max_pool2d")
    found.cell_type = "markdown"
    del found["outputs"], found["execution_count"]


def tests_became_raw(node):
    found = cell(node, "check-max_pool2d")
    found.cell_type = "raw"
    del found["outputs"], found["execution_count"]


def deleted_tests(node):
    del node.cells[place(node, "check-max_pool2d")]


def deleted_answer(node):
    del node.cells[place(node, "max_pool2d")]


def flags_flipped(node):
    for item in node.cells:
        mark = item.metadata.get("nbgrader")
        if mark:
            mark.update(locked=not mark.locked, grade=not mark.grade, points=1000)


def metadata_stripped(node):
    for item in node.cells:
        item.metadata = nbformat.NotebookNode()


def metadata_and_ids_stripped(node):
    metadata_stripped(node)
    for number, item in enumerate(node.cells):
        item.id = f"cell-{number}"


def marks_of_no_shape(node):
    cell(node, "max_pool2d").metadata["nbgrader"] = ["no", "dictionary"]
    cell(node, "sum_pool").metadata["nbgrader"] = {"grade_id": 7, "grade": "yes", "schema_version": 99}


def old_schema(node):
    for item in node.cells:
        if "nbgrader" in item.metadata:
            item.metadata.nbgrader.schema_version = 1


def reordered(node):
    node.cells.reverse()
    node.cells.sort(key=lambda item: item.id == "given")  # even what others need comes last


def tests_edited(node):
    cell(node, "check-max_pool2d").source = "pass"


def no_cells(node):
    node.cells = []


DAMAGE = {
    "duplicated-answer": (duplicated_answer, "max_pool2d was there more than once"),
    "duplicated-tests": (duplicated_tests, "check-max_pool2d was there more than once"),
    "copied-from-elsewhere": (copied_from_elsewhere, "of no cell of this notebook"),
    "answer-became-text": (answer_became_text, "max_pool2d had become a markdown cell"),
    "tests-became-raw": (tests_became_raw, "check-max_pool2d had become a raw cell"),
    "deleted-tests": (deleted_tests, "check-max_pool2d was not there"),
    "deleted-answer": (deleted_answer, "max_pool2d was not there"),
    "flags-flipped": (flags_flipped, "check-max_pool2d had other marks"),
    "metadata-stripped": (metadata_stripped, "check-max_pool2d had lost its marks"),
    "metadata-and-ids-stripped": (metadata_and_ids_stripped, "max_pool2d had lost its marks"),
    "marks-of-no-shape": (marks_of_no_shape, "max_pool2d had lost its marks"),
    "old-schema": (old_schema, "max_pool2d had other marks"),
    "reordered": (reordered, ""),
    "tests-edited": (tests_edited, "check-max_pool2d is no cell to write in"),
    "no-cells": (no_cells, "has no cells"),
}

# --- files that are no notebooks ------------------------------------------------------------------------------------

UNREADABLE = {
    "empty-file": b"",
    "cut-short": b'{"cells": [{"cell_type": "code", "source": ["x = 1',
    "no-json": b"this is not a notebook",
    "no-text": bytes(range(256)),
    "too-deep": b'{"cells": ' + b"[" * 100_000,
    "cells-of-no-shape": b'{"cells": {"a": 1}, "metadata": 3, "nbformat": 4, "nbformat_minor": 5}',
    "just-a-list": b"[1, 2, 3]",
    "of-the-future": b'{"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 0}',
}


# --- cheats: what changes an untouched notebook so that it looks like a right one -----------------------------------


def full_marks(value="35"):
    return nbformat.v4.new_output("execute_result", data={"text/plain": value}, execution_count=1)


def forged_output(node):
    for item in node.cells:
        if item.cell_type == "code":
            item.outputs = [full_marks()]


def forged_score(node):
    for item in node.cells:
        if "nbgrader" in item.metadata:
            item.metadata.nbgrader.update(score=100, points=100, max_score=100, auto_score=100)


def forged_checksum(node):
    found = cell(node, "check-max_pool2d")
    found.source, found.metadata.nbgrader.checksum = "35.0", "0" * 32


def tests_that_say_yes(node):
    cell(
        node, "set-up"
    ).source = "get_ipython().register_magic_function(lambda line, text: 35.0, 'cell', 'visible_tests')"


def answer_that_prints_points(node):
    cell(node, "max_pool2d").source = "print(35)\n35.0"


def answer_marked_as_graded(node):
    cell(node, "max_pool2d").metadata.nbgrader.update(grade=True, points=35, solution=False, locked=False)
    cell(node, "max_pool2d").source = "35.0"


def tests_marked_as_answer(node):
    cell(node, "check-max_pool2d").metadata.nbgrader.update(solution=True)
    cell(node, "check-max_pool2d").source = "35.0"


def second_tests_that_pass(node):
    found = copy.deepcopy(cell(node, "check-max_pool2d"))
    found.source, found.id, found.outputs = "35.0", "twin", [full_marks()]
    node.cells += [found]


def comparisons_that_hold(node):
    cell(node, "imports").source += (
        "\nimport numpy.testing, builtins\nnp.allclose = np.array_equal = lambda *_, **__: True\n"
        "numpy.testing.assert_allclose = lambda *_, **__: None\nbuiltins.AssertionError = ZeroDivisionError\n"
    )


def errors_that_vanish(node):
    cell(node, "imports").source += "\nget_ipython().set_custom_exc((BaseException,), lambda *_, **__: None)\n"


def kernel_that_ends(node):
    cell(node, "imports").source += "\nimport os\nos._exit(0)\n"


def writes_the_gradebook(node):
    cell(node, "imports").source += (
        "\nimport glob, sqlite3\nfor path in glob.glob('/**/gradebook.db', recursive=True):\n"
        "    base = sqlite3.connect(path)\n    base.execute('update grade set auto_score = 35')\n    base.commit()\n"
    )


def repairs_of_its_own(node):
    node.metadata["autograder"] = {"assignment": "pooling", "repairs": ["All points were given by hand."]}


def script_for_the_teacher(node):
    text = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
    node.cells.insert(0, nbformat.v4.new_markdown_cell(text, id="script"))
    cell(node, "script").metadata["nbgrader"] = {"grade_id": text, "grade": True}


CHEATS = {
    "forged-output": forged_output,
    "forged-score": forged_score,
    "forged-checksum": forged_checksum,
    "tests-that-say-yes": tests_that_say_yes,
    "answer-that-prints-points": answer_that_prints_points,
    "answer-marked-as-graded": answer_marked_as_graded,
    "tests-marked-as-answer": tests_marked_as_answer,
    "second-tests-that-pass": second_tests_that_pass,
    "comparisons-that-hold": comparisons_that_hold,
    "errors-that-vanish": errors_that_vanish,
    "kernel-that-ends": kernel_that_ends,
    "writes-the-gradebook": writes_the_gradebook,
    "repairs-of-its-own": repairs_of_its_own,
    "script-for-the-teacher": script_for_the_teacher,
}
