"""Hostile submissions: each scores what its honest functions earn and nothing more, and leaves nothing and nobody.

`submissions/` holds one small submission per attack, `attack_table.py` says which layer stops each. Those that try to
get out define `attack(target)`, which returns what it achieved; they run in workers in every setting of
`attack_settings.py`. The others are wrong answers with a trick in `max_pool`. All are graded, beside honest functions.
"""

import csv
import importlib.util
import io
import os
import py_compile
import re

import numpy as np
import pytest
from attack_settings import MARKER, SETTINGS, SHARED, SUBMISSIONS, WEAK_SETTINGS, Arena, UnavailableError, submission
from attack_table import OPEN, ROWS

from autograder import contract
from autograder.faces import gradebook, gradescope, html
from autograder.grading import Grader
from autograder.intake import Answer, Submission, read_submission
from autograder.sandbox import Limits
from autograder.suite import declare

pytestmark = pytest.mark.attacks

NAMES = sorted(path.stem for path in SUBMISSIONS.glob("*.py") if path.stem not in ("tools", "honest"))
ATTACKS = [name for name in NAMES if "\ndef attack(target):" in submission(name)]
TRICKS = [name for name in NAMES if "\ndef max_pool(z):" in submission(name)]

# What does work where no wall stands, on every machine: the rest of this file would else prove nothing.
WORK_WITHOUT_WALLS = (
    "connects-by-tcp", "connects-otherwise", "detects-the-grader", "finds-inherited-descriptors",
    "follows-links-in-proc", "forks", "hampers-others", "imports-the-reference", "kills-others",
    "leaves-state-behind", "looks-into-the-grader", "makes-many-threads", "opens-many-files", "overwrites-results",
    "reaches-for-a-gpu", "reads-environments", "reads-forgotten-files", "reads-hidden-files", "reads-shared-pages",
    "reads-standard-input", "starts-programs", "walks-frames-and-objects",
)  # fmt: skip

# Level B: harmless files of the system can be seen, and what others have left open to everybody.
SEEN_AT_LEVEL_B = {
    "reads-environments": re.compile(r"/proc/\d+/cmdline"),
    "reads-forgotten-files": re.compile(r"/etc/.*|/proc.*|/var/log/.*|.*/forgotten\.py|.*/attacks-\w+"),
}

LIMITS = Limits(load=1.2, call=0.5, job=0.6)


# --- in workers, in every setting -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arena():
    place = Arena()
    yield place
    place.close()


@pytest.fixture(scope="module")
def seen(arena):
    """What happened in a setting, run once for all tests."""
    results = {}

    def look(name, attacks=ATTACKS):
        if name not in results:
            setting = {**SETTINGS, **WEAK_SETTINGS}[name]
            try:
                results[name] = arena.run(setting, {attack: submission(attack) for attack in attacks})
            except UnavailableError as error:
                results[name] = str(error)
        if isinstance(results[name], str):
            pytest.skip(results[name])
        return results[name]

    return look


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_level_is_what_holds(seen, setting):
    """The preflight finds the level that the setting promises, and what is open at it."""
    expected = SETTINGS[setting]
    assert (seen(setting)["level"], set(seen(setting)["open"])) == (expected.level, set(expected.open))


@pytest.mark.parametrize("setting", WEAK_SETTINGS)
def test_a_wall_that_is_missing_is_told(seen, setting):
    """Where a wall is left down and no other stands in for it, the level is C and says what is open."""
    expected = WEAK_SETTINGS[setting]
    found = seen(setting, ["forks"])
    assert (found["level"], set(found["open"])) == (expected.level, set(expected.open))


@pytest.mark.parametrize("setting", WEAK_SETTINGS)
def test_nothing_survives_where_a_wall_is_missing(seen, setting):
    """Daemons die with their test even where nothing kept them from being born."""
    assert seen(setting, ["forks"])["attacks"]["forks"]["survivors"] == []


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("setting", SETTINGS)
def test_an_attack_achieves_nothing(seen, setting, attack):
    """It gets nothing, hurts nobody, outlives nothing, leaves nothing, and the next submission does not notice."""
    result = seen(setting)["attacks"][attack]
    harmless = SEEN_AT_LEVEL_B.get(attack) if SETTINGS[setting].level == "B" else None
    loot = [item for item in result["loot"] if not (harmless and harmless.fullmatch(item))]
    assert not loot, result["told"]
    assert result["ending"] in ("returned", "memory"), result["told"]
    assert result["victim lives"]
    assert result["survivors"] == []
    assert result["left"] == []
    assert result["honest"] == 3


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_file_is_touched(seen, setting):
    """Nothing exists afterwards that an attack has made, and nothing that it aimed at has changed."""
    assert seen(setting)["touched"] == []


def test_attacks_work_where_no_wall_stands(arena):
    """An attack that could not work anyway proves nothing: without walls, these do."""
    who = next(setting for setting in WEAK_SETTINGS.values() if setting.who == "user")
    try:
        found = arena.run(who, {name: submission(name) for name in WORK_WITHOUT_WALLS}, bare=True)["attacks"]
    except UnavailableError as error:
        pytest.skip(str(error))
    assert [name for name in WORK_WITHOUT_WALLS if not found[name]["loot"]] == []


# --- graded ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grader():
    with Grader(20_240_229, LIMITS) as grader:
        yield grader


@pytest.fixture(scope="module")
def assignment():
    return contract.assignment("pooling")


@pytest.fixture(scope="module")
def grade(grader, assignment):
    def graded(*cells):
        answer = Answer("pooling", "pooling.py", cells, {"tools": submission("tools")}, notebook=False)
        return grader.grade(Submission("somebody", {"pooling": answer}, ()), [assignment])

    return graded


@pytest.fixture(scope="module")
def honest(grade):
    """What the two honest functions earn by themselves."""
    return grade(submission("honest"))


@pytest.fixture(scope="module")
def useless(grade):
    """What they earn beside a function that returns the same number whatever it is given."""
    return grade(submission("honest"), "def max_pool(z):\n    return 0.0\n")


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """What attacks aim at when they are graded here, in the tests' own process."""
    folder = tmp_path_factory.mktemp("out")
    results = folder / "results.json"
    results.write_text("{}")
    kit = contract.kit_root()
    hidden = [str(path) for name in ("solutions", "tests/hidden") for path in (kit / name).glob("*.py")]
    return {
        "hidden": hidden, "kit": str(kit), "grader": os.getpid(), "victim": os.getpid(), "port": 9, "socket": "/no",
        "results": str(results), "forgotten": str(results), "marker": MARKER, "shared": SHARED,
    }  # fmt: skip


def scores(report):
    return {
        name: sum(verdict.score for verdict in report.assignments[0].of(name))
        for name in report.assignments[0].functions()
    }


def outcomes(report):
    return [(verdict.test, verdict.score, verdict.failure) for verdict in report.verdicts]


def test_honest_functions_earn_their_points(honest, useless, grade, assignment):
    """The controls: the honest functions earn all of their points, the master earns everything."""
    assert scores(honest) == {**dict.fromkeys(assignment.names, 0), "sum_pool": 5, "mean_pool": 5}
    assert useless.score <= honest.score + 1, "a function that leaves its input alone may earn the point for that"
    assert grade(assignment.master.read_text(encoding="utf-8")).score == assignment.points


@pytest.mark.parametrize("name", sorted(path.stem for path in (SUBMISSIONS.parent / "controls").glob("*.py")))
def test_what_looks_like_an_attack_and_is_none(grade, name):
    """Honest code that uses what the walls guard earns its points: a wall is no reason to lose any."""
    report = grade(submission(f"../controls/{name}"))
    assert (scores(report)["sum_pool"], scores(report)["mean_pool"]) == (5, 5), [v.details for v in report.verdicts][:3]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_scores_what_is_honest(grade, honest, target, attack):
    """An attack beside honest functions costs them nothing and earns nothing; who comes next does not notice."""
    report = grade(f"TARGET = {target!r}\n", submission(attack), submission("honest"), _TRIGGER)
    assert "LOOT" not in str([verdict.details for verdict in report.verdicts])
    assert scores(report) == {**scores(honest), "max_pool": 0}
    assert outcomes(grade(submission("honest"))) == outcomes(honest)


_TRIGGER = """
LOOT = []


def max_pool(z):
    if not LOOT:
        LOOT.append(attack(TARGET))
    raise RuntimeError(f"LOOT {LOOT}" if LOOT[0] else "there is nothing to be had")
"""


def test_wrecked_globals_cost_nothing(grade, honest):
    """Whatever is global may be spoiled while a submission loads: its honest functions earn all that they can."""
    report = grade(submission("wrecks-global-state"), "WRECKED = attack({})\n", submission("honest") + _USES_IT)
    assert outcomes(report) == outcomes(honest)


_USES_IT = """
def _and_wrecked(function):
    return lambda z: function(z) if WRECKED == [] else None


sum_pool, mean_pool = _and_wrecked(sum_pool), _and_wrecked(mean_pool)
"""


@pytest.fixture(scope="module")
def played(grade):
    """The report of a trick, graded once for all tests."""
    reports = {}

    def play(trick):
        if trick not in reports:
            reports[trick] = grade(submission("honest"), submission(trick))
        return reports[trick]

    return play


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_earns_nothing(grade, played, honest, useless, trick):
    """A wrong answer with a trick earns no more than one without, and who comes next does not notice."""
    report = played(trick)
    assert "LOOT" not in str([verdict.details for verdict in report.verdicts])
    assert {**scores(report), "max_pool": 0} == scores(honest)
    assert scores(report)["max_pool"] <= scores(useless)["max_pool"]
    assert outcomes(grade(submission("honest"))) == outcomes(honest)


def test_source_that_breaks_the_parser_costs_only_itself(grade, honest):
    """Text on which a parser or a compiler breaks, overflows or never ends earns nothing and harms nobody."""
    texts = (
        "(" * 100_000,
        "-" * 500_000 + "1",
        "x = " + "[" * 5000 + "]" * 5000,
        "x = " + "lambda: " * 20_000 + "0",
        "x = 1" + " + 1" * 100_000,
        "x = ((1,) * 10**9,) * 10**9",
        "\0",
        "def sum_pool(z):\n" + "".join(" " * n + "if z:\n" for n in range(1, 150)),
    )
    for text in texts:
        assert grade(submission("honest"), text).score <= honest.score
    assert outcomes(grade(submission("honest"))) == outcomes(honest)


def test_litter_changes_nothing(grader, honest, assignment, tmp_path):
    """Files that would change how Python or pytest runs, or stand in for a module, do nothing."""
    cheat = "raise SystemExit('LOOT')\n"
    for name in (
        "conftest.py",
        "test_pooling.py",
        "sitecustomize.py",
        "usercustomize.py",
        "numpy.py",
        "json.py",
        "autograder.py",
    ):
        (tmp_path / name).write_text(cheat)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --version\n")
    (tmp_path / "cheat.pth").write_text("import os; os._exit(0)\n")
    (tmp_path / "pooling.so").write_bytes(b"\x7fELF")
    (tmp_path / "pooling.py").write_text(submission("honest"))
    cached = importlib.util.cache_from_source(str(tmp_path / "pooling.py"))
    py_compile.compile(
        str(tmp_path / "json.py"), cached, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    report = grader.grade(read_submission([tmp_path], contract.assignments()), [assignment])
    assert outcomes(report) == outcomes(honest)


def test_a_forbidden_call_by_another_name_scores_nothing(grader):
    """A function that calls what is forbidden earns nothing, by whatever name it calls it."""
    cells = (submission("calls-what-is-forbidden"),)
    answer = Answer("convolution", "convolution.py", cells, {}, notebook=False)
    report = grader.grade(Submission("somebody", {"convolution": answer}, ()), [contract.assignment("convolution")])
    verdicts = report.assignments[0].of("convolve1d")
    assert {verdict.failure for verdict in verdicts} == {"forbidden"}
    assert report.score == 0


# --- what a report tells --------------------------------------------------------------------------------------------


def faces(report):
    """All that a student may read."""
    return html.feedback(report) + str(gradescope.results(report))


@pytest.mark.parametrize("trick", ["tells-its-inputs", "forges-a-note"])
def test_hidden_inputs_are_not_told(played, grader, assignment, trick):
    """No way out that student code has brings an input's value to the student."""
    text = faces(played(trick))
    assert "TELL" not in text
    inputs = [
        value
        for test in grader.suite(assignment)
        for case in test.cases
        for argument in case.call.args
        if isinstance(argument, np.ndarray) and argument.dtype.kind == "f"
        for value in argument.ravel().tolist()
    ]
    assert len(inputs) > 1000
    assert [
        value for value in inputs if f"{abs(value):.5g}" in text and abs(value) % 1 and f"{abs(value):.5g}"[5:]
    ] == []


def test_nothing_is_written_to_the_reader(played):
    """Markup, escapes and invisible characters that student code makes reach no page as they are."""
    report = played("writes-to-its-readers")
    assert "ATTACK" not in faces(report)
    page = html.feedback(report, instructor=True)
    assert "ATTACK" in page, "the instructor sees it all"
    assert not re.search("<script|<img|\x1b|\x07|\0|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]", page)
    assert "Content-Security-Policy" in page
    assert len(page) < 200_000


def test_a_name_is_no_formula(honest):
    """A student's name that a spreadsheet would take for a formula is text in the gradebook."""
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"):
        row = gradebook.Row.of(type(honest)(name, honest.isolation, honest.assignments))
        cell = next(csv.DictReader(io.StringIO(gradebook.gradebook([row], ["pooling"]), newline="")))["student"]
        assert cell[0] not in "=+-@\t\r"


def test_no_duration_is_told(played):
    """How long a call took could tell an input; no report that a student reads has a time in it."""
    text = faces(played("is-slow-on-purpose"))
    assert not re.search(r"execution_time|duration|\d\s*m?s\b", text)


def test_every_seed_draws_other_inputs(assignment):
    """What was learnt about the inputs of one run is worth nothing in another."""
    first, second = ([test.cases for test in declare(assignment, seed)] for seed in (1, 2))
    pairs = [pair for one, other in zip(first, second, strict=True) for pair in zip(one, other, strict=True)]
    same = sum(str(one.call.args) == str(other.call.args) for one, other in pairs)
    assert same < len(pairs) / 4


# --- the table ------------------------------------------------------------------------------------------------------


def test_every_row_has_its_proof():
    """Each attack of the table is proved by a submission or a test that is there, or is said to be open."""
    assert sorted(ROWS) == list(range(1, 84))
    for number, row in ROWS.items():
        assert row.proof or OPEN in row.stopped_by, number
        for proof in row.proof:
            file, _, function = proof.partition("::")
            assert proof in NAMES or f"def {function}(" in (contract.kit_root() / file).read_text(encoding="utf-8"), (
                proof
            )


def test_every_submission_is_in_the_table():
    """No attack is tried that the table does not name."""
    named = {proof for row in ROWS.values() for proof in row.proof}
    assert sorted(set(NAMES) - named - {"calls-what-is-forbidden"}) == []
    assert sorted(set(ATTACKS) | set(TRICKS) | {"calls-what-is-forbidden"}) == NAMES


def test_security_md_shows_the_table():
    """SECURITY.md says of every attack what the table says."""
    text = (contract.kit_root() / "SECURITY.md").read_text(encoding="utf-8")
    rows = {
        int(cells[0]): cells[1:]
        for line in text.splitlines()
        if re.match(r"\| \d+ \|", line)
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }
    expected = {
        number: [row.tried, row.stopped_by, ", ".join(f"`{proof}`" for proof in row.proof) or "—"]
        for number, row in ROWS.items()
    }
    assert rows == expected
