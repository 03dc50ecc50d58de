"""Where grading runs: processes of this machine, or the workers of a Dask cluster.

A job is paths and a seed, its result JSON. Whatever runs jobs has a `run` that yields each job's student and result in
the order in which they end; a result holds a report, or the trouble that the kit itself had.
"""

from __future__ import annotations

import concurrent.futures as futures
import itertools
import multiprocessing
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, Self

from autograder import contract
from autograder.grading import Grader
from autograder.intake import read_submission
from autograder.report import Report
from autograder.suite import SuiteError
from autograder.worker.kernel import PARENT_DEATH_SIGNAL, prctl

_TRIES: Final = 3

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One submission to grade: paths and a seed.

    Attributes:
        student: its name.
        paths: of all that was handed in under that name.
        assignments: names to grade.
        named: grade them all, also where the submission does not answer them.
        seed: for hidden inputs.
        gpu: use a real CUDA device.
    """

    student: str
    paths: tuple[str, ...]
    assignments: tuple[str, ...]
    named: bool
    seed: int
    gpu: bool = False


class ClusterError(Exception):
    """The cluster cannot be used; the message says why and what to do."""


class Runner(Protocol):
    """Whatever runs jobs."""

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[str, Result]]:
        """Each job's student and result, in the order in which they end."""
        ...


def confirmed(runner: Runner, jobs: Sequence[Job]) -> Iterator[tuple[str, Result]]:
    """Each job's student and result, as they end.

    An assignment in which something timed out is graded a second time when nothing else runs, and only that counts.
    """
    waiting, slow = {job.student: job for job in jobs}, dict[str, Report]()
    for student, result in runner.run(jobs):
        if timed_out(result):
            slow[student] = Report.from_json(result["report"])
        else:
            yield student, result
    for student, report in slow.items():
        for _, again in runner.run([replace(waiting[student], assignments=report.timed_out)]):
            if "report" in again:
                again = {"report": report.with_again(Report.from_json(again["report"])).to_json()}
            yield student, again


def timed_out(result: Result) -> bool:
    """Whether something in a job took too long: then only a second run counts, in which nothing else runs."""
    return "report" in result and bool(Report.from_json(result["report"]).timed_out)


class Pool:
    """Spawned processes of this machine, to be used in a `with` block.

    Args:
        workers: how many at once.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executor: futures.ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[str, Result]]:
        """Each job's student and result; a process that dies costs its job another try, and no other job anything."""
        suspects: list[Job] = []
        waiting = iter(jobs)
        running: dict[futures.Future[Result], Job] = {}
        while True:
            # Few at a time: reports are not kept, so that memory is flat however large the class.
            for job in itertools.islice(waiting, 2 * self._workers - len(running)):
                running[self._submit(job)] = job
            if not running:
                break
            done, _ = futures.wait(running, return_when=futures.FIRST_COMPLETED)
            broken = False
            for future in done:
                job = running.pop(future)
                try:
                    result = future.result()
                except (BrokenProcessPool, futures.CancelledError):
                    suspects.append(job)
                    broken = True
                else:
                    yield job.student, result
            if broken:  # and with it whatever has been submitted since: none of that will ever be done
                self._drop()
                suspects += running.values()
                running.clear()
        for job in suspects:
            yield job.student, self._alone(job)

    def _alone(self, job: Job) -> Result:
        """The result of a job during which a process died, when nothing else runs that could have been the cause."""
        for _ in range(_TRIES):
            try:
                return self._submit(job).result()
            except BrokenProcessPool:
                self._drop()
        return {"trouble": f"the grading process died {_TRIES} times; nothing was scored"}

    def _submit(self, job: Job) -> futures.Future[Result]:
        while True:
            if self._executor is None:
                context = multiprocessing.get_context("spawn")
                self._executor = futures.ProcessPoolExecutor(self._workers, context, initializer=_begin)
            try:
                return self._executor.submit(grade_job, job)
            except BrokenProcessPool:
                self._drop()

    def _drop(self) -> None:
        """End all processes at once: between jobs nothing is lost, and within one it is graded again."""
        executor, self._executor = self._executor, None
        if executor is not None:
            for process in list(executor._processes.values()):  # pyright: ignore[reportPrivateUsage]
                process.kill()
            executor.shutdown(cancel_futures=True)


class Cluster:
    """The workers of a Dask cluster, which see the same files and have the kit installed.

    Args:
        address: of the scheduler, such as tcp://10.0.0.1:8786.

    Raises:
        ClusterError: nothing answers there, or Dask is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise ClusterError("Dask is not installed here: pip install 'convolution-autograder[cluster]'") from error
        try:
            self._client: Any = Client(address, timeout=20)
        except (OSError, ValueError) as error:
            raise ClusterError(f"No Dask scheduler answers at {address}: start one with `dask scheduler`.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[str, Result]]:
        """Each job's student and result; Dask itself gives the jobs of a node that is lost to another."""
        executor = self._client.get_executor(pure=False, retries=_TRIES)
        running = {executor.submit(grade_in_own_thread, job): job for job in jobs}
        for future in futures.as_completed(list(running)):
            student = running.pop(future).student
            try:
                result = future.result()
            except SuiteError:
                raise
            except Exception as error:  # noqa: BLE001  a node that dies of it again and again, for one
                result = {"trouble": f"the cluster gave it up: {error}".partition("\n")[0]}
            yield student, result


def _begin() -> None:
    """In each grading process: leave Ctrl-C to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


_graders: dict[tuple[int, bool], Grader] = {}


def grade_job(job: Job) -> Result:
    """One submission's report as plain data; in a grading process, which keeps its warm workers for the next.

    Raises:
        SuiteError: a suite is wrong in itself, and so would be every score.
    """
    try:
        key = job.seed, job.gpu
        if key not in _graders:
            _graders[key] = Grader(job.seed, gpu=job.gpu)
        assignments = [contract.assignment(name) for name in job.assignments]
        submission = read_submission([Path(path) for path in job.paths], contract.assignments())
        return {"report": _graders[key].grade(submission, assignments, job.named).to_json()}
    except SuiteError:
        raise
    except Exception as error:  # noqa: BLE001  one submission's trouble is not another's
        return {"trouble": f"{type(error).__name__}: {error}".partition("\n")[0]}


_owner: futures.ThreadPoolExecutor | None = None


def grade_in_own_thread(job: Job) -> Result:
    """As `grade_job`, always in one and the same thread: warm processes end with the thread that started them."""
    global _owner  # noqa: PLW0603
    if _owner is None:
        _owner = futures.ThreadPoolExecutor(1)
    return _owner.submit(grade_job, job).result()
