"""results.json is what Gradescope documents, whatever a report holds; results.schema.json says what that is.

That the results of real submissions keep to it is tested with the sample submissions.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from autograder.faces import gradescope
from autograder.report import FAILURES, Graded, Report, Verdict

SCHEMA = json.loads(Path(__file__).with_name("results.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

EVERYTHING: dict[str, Any] = {
    "score": 3.5,
    "execution_time": 12.25,
    "output": "about the whole submission",
    "output_format": "simple_format",
    "test_output_format": "md",
    "test_name_format": "text",
    "visibility": "after_due_date",
    "stdout_visibility": "hidden",
    "extra_data": {"anything": [1, None]},
    "tests": [
        {
            "score": 1.5,
            "max_score": 2,
            "status": "failed",
            "name": "a test",
            "name_format": "html",
            "number": "1.1",
            "output": "several\nlines",
            "output_format": "ansi",
            "tags": ["shape", "stride"],
            "visibility": "after_published",
            "extra_data": {},
        }
    ],
    "leaderboard": [
        {"name": "accuracy", "value": 0.9},
        {"name": "time", "value": 15.1, "order": "asc"},
        {"name": "stars", "value": "*****", "order": "desc"},
    ],
}
HOSTILE = '</script><b onclick="x">\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}\0\ud800 =1+1 {{ 7 * 7 }}'


def verdict(**different):
    about: dict[str, Any] = {
        "assignment": "pooling",
        "function": "max_pool",
        "test": "test_max_of_one_signal",
        "requirement": "The largest sample of one signal.",
        "points": 3,
        "score": 3,
    }
    return Verdict(**(about | different))


def results(*verdicts, problems=(), **options):
    report = Report("student", "A", (Graded("pooling", "Pooling", "pooling.py", verdicts),), problems)
    # Through text, as Gradescope reads it; NaN and infinity are no JSON.
    return json.loads(json.dumps(gradescope.results(report, **options), allow_nan=False))


def without(key):
    return {name: value for name, value in EVERYTHING.items() if name != key}


def with_test(**different):
    return EVERYTHING | {"tests": [EVERYTHING["tests"][0] | different]}


def test_the_schema_is_one():
    """The schema itself is valid, so that nothing passes for a slip in it."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "allowed",
    [
        EVERYTHING,
        {"score": 0},
        {"tests": [{"score": 1}]},
        without("tests"),
        without("score"),
        EVERYTHING | {"tests": [{}]},
    ],
    ids=["everything", "a-score", "a-test", "no-tests", "no-score", "tests-without-scores"],
)
def test_what_gradescope_documents(allowed):
    """Every key is optional, as long as there is a score for the whole or one for each test."""
    VALIDATOR.validate(allowed)


@pytest.mark.parametrize(
    "refused",
    [
        {},
        without("score") | {"tests": []},
        without("score") | {"tests": [{"max_score": 2}]},
        EVERYTHING | {"score": "3.5"},
        EVERYTHING | {"output": None},
        EVERYTHING | {"visibility": "shown"},
        EVERYTHING | {"stdout_visibilty": "hidden"},
        EVERYTHING | {"leaderboard": [{"name": "time", "value": 3, "order": "up"}]},
        with_test(status="pass"),
        with_test(output_format="markdown"),
        with_test(number=1.1),
        with_test(tags="shape"),
        with_test(maxscore=2),
    ],
    ids=[
        "nothing",
        "no-score-at-all",
        "a-test-without-one",
        "score-of-text",
        "output-of-null",
        "visibility",
        "misspelt-key",
        "order",
        "status",
        "format",
        "number",
        "tags",
        "misspelt-key-of-a-test",
    ],
)
def test_what_gradescope_would_not_take(refused):
    """The schema is no rubber stamp: each of these would fail or be passed over on Gradescope."""
    with pytest.raises(ValidationError):
        VALIDATOR.validate(refused)


@pytest.mark.parametrize("failure", [None, *FAILURES])
def test_every_kind_of_failure(failure):
    """A verdict of any kind keeps to the schema, and tells its kind in extra_data."""
    lost = {} if failure is None else {"score": 0, "failure": failure, "message": "max_pool(array of shape (7,))"}
    written = results(verdict(**lost))
    VALIDATOR.validate(written)
    (test,) = written["tests"]
    assert test["status"] == ("failed" if failure else "passed")
    assert test["extra_data"] == {
        "assignment": "pooling",
        "function": "max_pool",
        "failure": failure,
        "misconception": None,
    }


def test_the_first_misconception_is_told():
    """Of several misconceptions that explain a failure the first stands in extra_data; the hint is in the output."""
    written = results(verdict(score=0, failure="value", misconceptions=("one", "two"), hint="Look at the signs."))
    VALIDATOR.validate(written)
    assert written["tests"][0]["extra_data"]["misconception"] == "one"
    assert "Look at the signs." in written["tests"][0]["output"]


def test_details_stay_with_the_instructor():
    """What only the instructor reads is nowhere in results.json."""
    written = results(verdict(score=0, failure="value", message="Wrong values.", details="expected 0.1234"))
    assert "0.1234" not in json.dumps(written)


@pytest.mark.parametrize("visibility", ["hidden", "after_due_date", "after_published", "visible"])
def test_every_visibility(visibility):
    """The tests can be given each of the visibilities that Gradescope knows."""
    written = results(verdict(), visibility=visibility)
    VALIDATOR.validate(written)
    assert written["tests"][0]["visibility"] == visibility


def test_a_submission_without_answers():
    """Where nothing could be graded, there is a score of 0, and the reason."""
    report = Report("student", "B", (), ("Nothing to grade was found: it is empty.",))
    written = gradescope.results(report)
    VALIDATOR.validate(written)
    assert written["score"] == 0
    assert written["output"] == "Nothing to grade was found: it is empty."


def test_hostile_text_stays_text():
    """Names and sentences with markup, control characters or half characters in them are valid, and shown as text."""
    written = results(verdict(requirement=HOSTILE, score=0, failure="value", message=HOSTILE), problems=(HOSTILE,))
    VALIDATOR.validate(written)
    formats = {written[key] for key in ("output_format", "test_output_format", "test_name_format")}
    assert formats == {"text"}


def test_the_level_of_isolation_is_told():
    """The top-level extra_data says how well the submission was confined."""
    assert results(verdict())["extra_data"] == {"isolation": "A"}
