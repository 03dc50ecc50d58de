"""The `autograder` command; no logic, only words."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from autograder.classroom import Classroom, ClassroomError, Done
from autograder.container import ContainerError, grade_in_container
from autograder.contract import ContractError, assignments
from autograder.gpu import GpuError, device_name
from autograder.intake import IntakeError
from autograder.pool import Cluster, ClusterError, Pool
from autograder.preflight import measure
from autograder.sandbox import SandboxError
from autograder.suite import SuiteError

REFUSED = 3
INTERRUPTED = 130

app = typer.Typer(
    help="Grades programming assignments on convolution: safely, fast, and with feedback that teaches.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_console = Console(highlight=False, markup=False, emoji=False)  # a student's name is shown as it is
if not _console.is_terminal:
    _console.width = 200  # a log has no edge


def main() -> None:
    """Run the command; what goes wrong is said in one line."""
    try:
        app()
    except (IntakeError, ClassroomError, ContractError, ClusterError, GpuError) as error:
        print(f"autograder: {error}", file=sys.stderr)
        sys.exit(2)
    except SuiteError as error:
        print(f"autograder: a hidden suite is wrong, so nothing is scored by it. {error}", file=sys.stderr)
        sys.exit(1)
    except (ContainerError, SandboxError) as error:
        print(f"autograder: {error}", file=sys.stderr)
        sys.exit(REFUSED)


@app.callback()
def _autograder() -> None:
    """Grades programming assignments on convolution: safely, fast, and with feedback that teaches."""


@app.command()
def grade(
    path: Annotated[Path, typer.Argument(help="A folder of submissions, or one submission.", show_default=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the results go.")] = Path("results"),
    assignment: Annotated[
        list[str] | None, typer.Option("-a", "--assignment", help="Grade only this one; may be repeated.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Grading processes; as many as there are cores by default.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="For the hidden inputs; drawn once per OUT by default.")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Grade again what OUT already holds.")] = False,
    cluster: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler whose workers see the same files.", show_default=False),
    ] = None,
    container: Annotated[
        bool, typer.Option("--container", help="Grade in a container; needs docker or podman.")
    ] = False,
    gpu: Annotated[
        bool, typer.Option("--gpu", help="Run GPU tests on a real CUDA device, one submission at a time.")
    ] = False,
    allow_weak_isolation: Annotated[
        bool, typer.Option(help="Grade even where student code cannot be confined.")
    ] = False,
) -> None:
    """Grade a folder of submissions.

    Example: `autograder grade submissions -o results -a pooling`
    """
    if bool(cluster) + container + gpu > 1:
        raise typer.BadParameter("--container, --cluster and --gpu cannot be used together")
    if container:
        flags = {"--fresh": fresh, "--allow-weak-isolation": allow_weak_isolation}
        values = {"--workers": workers, "--seed": seed}
        raise typer.Exit(grade_in_container(path, out, assignment or (), values, flags))
    classroom = Classroom(path, out, assignment or (), seed, fresh, gpu=gpu)
    if gpu:
        print(f"GPU tests run on {device_name()}.", file=sys.stderr)
    _insist_on_walls(allow_weak_isolation, [path, out / "run.json"], gpu=gpu)
    count = 1 if gpu else min(workers or _cores(), max(len(classroom), 1))
    rows: list[Done] = []
    try:
        with Cluster(cluster) if cluster else Pool(count) as runner:
            rows.extend(_shown(classroom.grade(runner), len(classroom)))
    except KeyboardInterrupt as interrupt:
        print("\nInterrupted. What is graded is kept; the same command goes on from here.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from interrupt
    finally:
        gradebook = classroom.close()
    _summary(rows, gradebook)
    if any(done.trouble for done in rows):
        raise typer.Exit(1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _insist_on_walls(allow_weak: bool, private: Sequence[Path], *, gpu: bool = False) -> None:
    """Refuse where student code cannot be confined, unless told otherwise."""
    isolation = measure(private, gpu=gpu)
    if isolation.level == "B":
        print("Isolation level B: harmless files of the system can be seen; all else holds.", file=sys.stderr)
    if isolation.strong:
        return
    print(f"Isolation level {isolation.level}: student code cannot be confined on this machine.", file=sys.stderr)
    for sentence in isolation.sentences:
        print(f"  - {sentence}", file=sys.stderr)
    if not allow_weak:
        print(
            "Not grading. `autograder doctor` says how to mend this; --allow-weak-isolation grades all the same.",
            file=sys.stderr,
        )
        raise typer.Exit(REFUSED)


def _shown(stream: Iterator[Done], total: int) -> Iterator[Done]:
    """Pass on what is done, and show how far it is: a bar on a terminal, plain lines in a log."""
    if _console.is_terminal:
        columns = (
            TextColumn("Grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=_console, transient=True) as progress:
            task = progress.add_task("", total=total)
            for done in stream:
                progress.update(task, advance=1, description=done.student[:30])
                yield done
        return
    start, graded = time.monotonic(), 0
    for number, done in enumerate(stream, 1):
        graded += not done.resumed
        left = (time.monotonic() - start) / max(graded, 1) * (total - number)
        print(f"[{number}/{total}] {done.student}: {_words(done)}, about {left:.0f} s left", flush=True)
        yield done


def _words(done: Done) -> str:
    if done.row is None:
        return f"not graded: {done.trouble}"
    score, points = sum(done.row.scores.values()), sum(done.row.points.values())
    return f"{score:g} of {points:g}{' (from an earlier run)' if done.resumed else ''}"


def _summary(rows: list[Done], gradebook: Path) -> None:
    graded = {name for done in rows if done.row for name in done.row.scores}
    names = [assignment.name for assignment in assignments() if assignment.name in graded]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("student", *names, "total"):
        # Where the terminal is narrow, names of students and what was not graded take more lines; the rest is short.
        table.add_column(heading, justify="left" if heading == "student" else "right", no_wrap=heading in names)
    for done in sorted(rows, key=lambda done: done.student):
        scores = done.row.scores if done.row else {}
        total = f"{sum(scores.values()):g}" if done.row else done.trouble
        table.add_row(done.student, *(f"{scores[name]:g}" if name in scores else "" for name in names), total)
    _console.print(table)
    count = "1 submission" if len(rows) == 1 else f"{len(rows)} submissions"
    _console.print(f"\n{count}. Gradebook: {gradebook}  Feedback: {gradebook.parent / 'students'}", soft_wrap=True)


@app.command()
def build(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail where what is checked in differs.")
    ] = False,
    solutions: Annotated[
        bool, typer.Option(help="Run the notebooks with their solutions, those that have changed: up to a minute each.")
    ] = True,
) -> None:
    """Build all that is handed out from the masters: notebooks, modules, checks, zip files, solutions with pictures.

    Example: `autograder build --no-solutions`
    """
    from autograder import bundles
    from autograder.build import build as build_all
    from autograder.build import drift

    if not check:
        for path in build_all():
            print(f"built {path}")
        _build_packages()
        for assignment in assignments() if solutions else ():
            if bundles.has_solution(assignment):
                continue
            print(f"running the solutions of {assignment.name} …", flush=True)
            print(f"built {bundles.write_solution(assignment)}")
        return
    stale = drift()
    for path in stale:
        print(f"{path} is not what its master builds: run `autograder build` and commit the result.", file=sys.stderr)
    if stale:
        raise typer.Exit(1)


def _build_packages() -> None:
    """The zip files for Gradescope, with their sizes and contents."""
    from autograder.faces.otter import packaging

    if not packaging.available():
        print("dist/gradescope needs otter-grader: pip install -c requirements.lock 'convolution-autograder[otter]'")
        return
    for package in packaging.write():
        print(f"built dist/gradescope/{package.summary}")


@app.command()
def nbgrader(
    course: Annotated[Path, typer.Argument(help="The folder with nbgrader_config.py.")] = Path(),
    assignment: Annotated[
        list[str] | None, typer.Option("-a", "--assignment", help="Grade only this one; may be repeated.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Grading processes; as many as there are cores by default.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="For the hidden inputs; drawn once per course by default.")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Grade again what has been graded.")] = False,
    allow_weak_isolation: Annotated[
        bool, typer.Option(help="Grade even where student code cannot be confined.")
    ] = False,
) -> None:
    """Grade what nbgrader has collected, in parallel; `nbgrader autograde` then takes the results.

    Example: `autograder nbgrader my-course -a pooling`
    """
    from autograder.faces.nbgrader.course import Course

    collected = Course(course, assignment or (), seed, fresh)
    _insist_on_walls(allow_weak_isolation, [course, collected.results.secret])
    with Pool(min(workers or _cores(), max(len(collected), 1))) as runner:
        done = list(_shown(collected.grade(runner), len(collected)))
    count = "1 notebook" if len(done) == 1 else f"{len(done)} notebooks"
    print(f"{count}. Next, in {course}: nbgrader autograde {' '.join(assignment or ['<assignment>'])}")
    if any(item.trouble for item in done):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Say what works on this machine, and how to mend what does not: walls, versions, GPU.

    Example: `autograder doctor`
    """
    from autograder.doctor import examine

    for line in examine():
        _console.print(line.text, style=line.style, soft_wrap=True)


@app.command()
def audit(
    assignment: Annotated[
        list[str] | None, typer.Option("-a", "--assignment", help="Prove only this one; may be repeated.")
    ] = None,
    mutants: Annotated[bool, typer.Option("--mutants", help="Also try every mutant of the masters.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="On how many seeds right styles must earn every point.")] = 2,
    html: Annotated[Path | None, typer.Option("--html", help="Write the kill matrix here, as a page.")] = None,
) -> None:
    """Prove the suites: masters 100 %, stubs 0, every misconception caught and told, nothing secret handed out.

    Example: `autograder audit -a pooling --mutants`
    """
    from autograder import auditing

    if not auditing.run(_console, assignment or (), mutants=mutants, seeds=seeds, page=html):
        raise typer.Exit(1)
