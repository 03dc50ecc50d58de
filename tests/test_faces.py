"""The faces: views of a report that add nothing, hide what students may not read, and do no harm."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

import pytest

from autograder.faces import gradescope, html
from autograder.faces.gradebook import Row, gradebook, harmless
from autograder.faces.nbgrader import pages
from autograder.files import write_json
from autograder.report import FAILURES, Graded, Report, Verdict

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror='a()'>{{ 7 * 7 }}{% raw %}&amp;\"'"
SECRET = "0.123456789 is a hidden value"


def verdict(**more):
    about: dict[str, Any] = {
        "assignment": "pooling",
        "function": "max_pool",
        "test": "test_values",
        "requirement": "The largest value of every window.",
        "points": 4,
        "score": 0,
        "failure": "value",
        "message": "max_pool(array of shape (3, 5))\nThe result has the right shape, and values that are wrong.",
        "hint": "Look at the windows.\nThen at the stride.",
        "details": SECRET,
        "misconceptions": ("no-stride", "mean-for-max"),
    }
    return Verdict(**{**about, **more})


PASSED = verdict(
    test="test_shape", score=4, failure=None, message="", hint="", details="", misconceptions=(), requirement="A shape."
)


def report(*verdicts, student="early", problems=(), problem=None, isolation="A", review=(), **more):
    graded = Graded("pooling", "Pooling", "pooling.py", tuple(verdicts) or (verdict(), PASSED), problem, review)
    return Report(student, isolation, (graded,), problems, **more)


# --- Gradescope -------------------------------------------------------------------------------------------------------


def test_results_have_the_scores_of_the_report():
    results = gradescope.results(report())
    assert results["score"] == 4
    assert [(test["score"], test["max_score"]) for test in results["tests"]] == [(0, 4), (4, 4)]
    assert [test["status"] for test in results["tests"]] == ["failed", "passed"]


def test_every_test_says_what_it_grades_and_how_it_failed():
    failed, passed = (test["extra_data"] for test in gradescope.results(report())["tests"])
    assert failed == {
        "assignment": "pooling", "function": "max_pool", "failure": "value", "misconception": "no-stride"
    }  # fmt: skip
    assert passed == {"assignment": "pooling", "function": "max_pool", "failure": None, "misconception": None}


@pytest.mark.parametrize("failure", FAILURES)
def test_every_kind_of_failure_is_passed_on(failure):
    assert gradescope.results(report(verdict(failure=failure)))["tests"][0]["extra_data"]["failure"] == failure


def test_a_test_shows_its_requirement_the_message_and_the_hint():
    test = gradescope.results(report())["tests"][0]
    assert test["name"] == "max_pool: The largest value of every window."
    assert test["output"].startswith("max_pool(array of shape (3, 5))\n")
    assert test["output"].endswith("\n\nLook at the windows.\nThen at the stride.")


def test_results_hold_nothing_for_the_instructor_alone():
    text = json.dumps(gradescope.results(report()))
    assert SECRET not in text
    assert "mean-for-max" not in text


def test_what_a_person_should_look_at_is_for_the_instructor_alone():
    """It accuses nobody: a suspicion stands on the instructor's page and on none that a student reads."""
    suspicious = report(review=("pooling.py, line 3: uses eval",))
    for page in (html.feedback(suspicious), json.dumps(gradescope.results(suspicious)), pages.remarks(suspicious, ())):
        assert "uses eval" not in page
    assert "uses eval" not in pages.page(suspicious.assignments[0], "max_pool")
    assert "line 3: uses eval" in html.feedback(suspicious, instructor=True)
    assert "line 3: uses eval" in html.overview([Row.of(suspicious)], ["pooling"])


def test_the_isolation_is_told_and_the_students_output_is_hidden():
    results = gradescope.results(report(isolation="B"))
    assert results["extra_data"] == {"isolation": "B"}
    assert results["stdout_visibility"] == "hidden"


def test_texts_are_shown_as_they_are_and_not_interpreted():
    results = gradescope.results(report(verdict(message=HOSTILE)))
    assert [results[name] for name in ("output_format", "test_output_format", "test_name_format")] == ["text"] * 3
    assert HOSTILE in results["tests"][0]["output"]


def test_what_could_not_be_graded_is_said_above_all_tests():
    results = gradescope.results(report(problem="The file is empty.", problems=("Two files answer pooling.",)))
    assert results["output"].split("\n") == ["Pooling: 4 of 8", "The file is empty.", "Two files answer pooling."]


@pytest.mark.parametrize("visibility", ["visible", "hidden", "after_due_date", "after_published"])
def test_the_instructor_chooses_when_tests_are_visible(visibility):
    assert {test["visibility"] for test in gradescope.results(report(), visibility)["tests"]} == {visibility}


def test_a_report_of_nothing_has_no_tests_and_a_score_of_zero():
    results = gradescope.results(Report("early", "A"))
    assert (results["score"], results["tests"]) == (0, [])


def test_results_are_written_in_ascii_and_without_nan(tmp_path):
    path = tmp_path / "results.json"
    write_json(path, gradescope.results(report(verdict(message="größer\x1b[31m\u202e"), student="Ōe")))
    assert path.read_bytes().isascii()
    assert json.loads(path.read_text(encoding="utf-8"))["tests"][0]["output"].startswith("größer\x1b")
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"score": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8"))["score"] == 0
    assert list(tmp_path.iterdir()) == [path]


# --- the gradebook ----------------------------------------------------------------------------------------------------


def row(student, **scores):
    return Row(student, scores, dict.fromkeys(scores, 100))


def table(*rows, order=("convolution", "pooling", "shapes")):
    return list(csv.reader(io.StringIO(gradebook(rows, order))))


def test_a_gradebook_has_one_line_per_student_sorted_by_name():
    assert table(row("late", pooling=50), row("early", pooling=75.5)) == [
        ["student", "pooling", "total", "max_total"],
        ["early", "75.5", "75.5", "100"],
        ["late", "50", "50", "100"],
    ]


def test_only_assignments_that_anybody_was_graded_in_have_a_column_in_their_order():
    rows = table(row("early", shapes=10), row("late", convolution=20, shapes=0))
    assert rows[0] == ["student", "convolution", "shapes", "total", "max_total"]
    assert rows[1] == ["early", "", "10", "10", "100"]
    assert rows[2] == ["late", "20", "0", "20", "200"]


def test_a_gradebook_of_nobody_is_a_heading():
    assert table() == [["student", "total", "max_total"]]


def test_a_row_is_the_reports():
    made = Row.of(report())
    assert (made.student, made.scores, made.points) == ("early", {"pooling": 4}, {"pooling": 8})


@pytest.mark.parametrize("name", ["family, given", 'with "quotes"', "two\nlines", "semi;colon", "größe", "a'b", " "])
def test_a_name_comes_back_as_it_was(name):
    assert table(row(name, pooling=1))[1][0] == name
    assert len(table(row(name, pooling=1))) == 2


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "=cmd|' /C calc'!A0", "＝1+1", "＋1", "－1", "＠A1"],
)
def test_no_name_is_a_formula(name):
    assert harmless(name) == f"'{name}"
    assert table(row(name, pooling=1))[1][0] == f"'{name}"


@pytest.mark.parametrize("name", ["\r=1", "early\r=1+1,100", "early\r\n=1+1"])
def test_no_name_begins_a_new_line(name):
    """A lone carriage return is a line end to a spreadsheet, and what follows it may be a formula."""
    text = gradebook([row(name, pooling=1)], ["pooling"])
    assert "\r" not in text
    assert len(list(csv.reader(io.StringIO(text)))) == 2


def test_a_name_that_holds_such_a_sign_later_on_is_left_alone():
    assert harmless("a=b") == "a=b"
    assert harmless("") == ""


def test_scores_are_written_as_short_as_they_are():
    scores = table(row("early", convolution=100, pooling=66.5, shapes=0))[1]
    assert scores == ["early", "100", "66.5", "0", "166.5", "300"]


# --- the page ---------------------------------------------------------------------------------------------------------


def parsed(page):
    """What a browser makes of a page: its elements, the names of their attributes, its text."""
    elements, attributes, texts = [], set(), []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            elements.append(tag)
            attributes.update(name for name, _ in attrs)

        def handle_data(self, data):
            texts.append(data)

    Reader().feed(page)
    return elements, attributes, "".join(texts)


def test_a_page_shows_scores_requirements_messages_and_hints():
    _, _, text = parsed(html.feedback(report()))
    for words in (
        "early",
        "4 of 8",
        "Pooling",
        "max_pool",
        "The largest value of every window.",
        "wrong values",
        "max_pool(array of shape (3, 5))",
        "Look at the windows.",
        "Then at the stride.",
    ):
        assert words in text


def test_a_page_for_a_student_holds_nothing_for_the_instructor_alone():
    page = html.feedback(report())
    assert SECRET not in page
    assert "no-stride" not in page


def test_a_page_for_the_instructor_holds_all():
    page = html.feedback(report(), instructor=True)
    assert SECRET in page
    assert "no-stride" in page
    assert "mean-for-max" in page


def test_a_hint_that_several_tests_share_is_shown_once():
    page = html.feedback(report(verdict(), verdict(test="test_other"), verdict(hint="Another one.")))
    assert page.count("Look at the windows.") == 1
    assert "Another one." in page


@pytest.mark.parametrize("instructor", [False, True], ids=["student", "instructor"])
def test_hostile_text_is_text_wherever_it_stands(instructor):
    """In names, files, problems, requirements, messages, hints and details."""
    hostile = verdict(
        function=HOSTILE, requirement=HOSTILE, message=HOSTILE, hint=HOSTILE, details=HOSTILE, misconceptions=(HOSTILE,)
    )
    graded = (
        Graded(HOSTILE, HOSTILE, HOSTILE, (hostile,)),
        Graded(HOSTILE, HOSTILE, HOSTILE, (hostile,), problem=HOSTILE),
    )
    page = html.feedback(Report(HOSTILE, "D", graded, (HOSTILE,), (HOSTILE,)), instructor=instructor)
    elements, attributes, text = parsed(page)
    honest_elements, honest_attributes, _ = parsed(html.feedback(report(isolation="D"), instructor=instructor))
    assert set(elements) <= {*honest_elements, "details", "summary", "p"}
    assert attributes <= honest_attributes
    assert text.count(HOSTILE) >= 8
    assert "{{ 7 * 7 }}" in text


def test_a_class_page_takes_hostile_names_for_text():
    page = html.overview([row(HOSTILE, pooling=1), Row.of(report(student="../../etc/passwd?#x"))], ["pooling"])
    elements, attributes, text = parsed(page)
    assert not {"script", "img"} & set(elements)
    assert not any(name.startswith("on") for name in attributes)
    assert HOSTILE in text
    assert "etc/passwd?#x" not in page.replace("../../etc/passwd?#x</a>", "")


@pytest.mark.parametrize("page", [html.feedback(report()), html.overview([row("early", pooling=1)], ["pooling"])])
def test_a_page_loads_nothing_and_runs_nothing(page):
    """By its policy, and because there is nothing in it that could."""
    elements, attributes, _ = parsed(page)
    assert (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'" in page
    )
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert not {"script", "iframe", "object", "embed", "form", "link", "img", "base"} & set(elements)
    assert not {"src", "action", "srcdoc"} & attributes


def test_weak_isolation_is_told_on_every_page():
    """And what exactly stands open."""
    page = html.feedback(report(isolation="C", weak=("a submission can reach the network (TCP)",)))
    assert "isolation level C" in page
    assert "A submission can reach the network (tcp)" in page or "reach the network" in page
    assert "isolation level" not in html.feedback(report(isolation="B"))


@pytest.mark.parametrize("failure", FAILURES)
def test_every_kind_of_failure_has_words_for_a_student(failure):
    page = html.feedback(report(verdict(failure=failure)))
    assert f'<span class="word">{failure}</span>' not in page
    assert '<span class="word">' in page


def test_failure_is_never_told_by_colour_alone():
    """A mark stands before each line, and the kind of failure in words behind it."""
    page = html.feedback(report())
    assert '.passed::before { content: "✓"' in page
    assert '.failed::before { content: "✗"' in page


# --- the report itself ------------------------------------------------------------------------------------------------


def test_a_report_survives_json():
    whole = report(verdict(), PASSED, problems=("One.", "Two."), weak=("Open.",), problem="None.")
    assert Report.from_json(json.loads(json.dumps(whole.to_json()))) == whole


def test_a_report_adds_up():
    whole = report(verdict(score=1.5), PASSED)
    assert (whole.score, whole.points, whole.timed_out) == (5.5, 8, ())
    assert report(verdict(failure="timeout")).timed_out
    assert [item.test for item in whole.assignments[0].of("max_pool")] == ["test_values", "test_shape"]
