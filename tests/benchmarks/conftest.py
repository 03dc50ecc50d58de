"""What the benchmarks share: one table, printed when all have run, and what the kernel says of processes."""

import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from autograder import contract
from autograder.classroom import Job

SEED = 20
_TICKS = os.sysconf("SC_CLK_TCK")
_NUMPY = frozenset({"numpy"})


@dataclass
class Results:
    """The rows of the table that a run ends with."""

    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, what, measured, against="", ratio=None, aim=""):
        """One row: what was measured, the result, the floor or peer of the same run, the ratio, the aim."""
        words = "" if ratio is None else f"{ratio:.2f}"
        self.rows.append((what, measured, against, words, aim))
        print(f"\n  {what}: {measured}{' | ' + against if against else ''}{' | ' + words if words else ''}", flush=True)


_results = Results()


@pytest.fixture(scope="session")
def results():
    return _results


def pytest_terminal_summary():
    """Print the table; nothing where no benchmark has run."""
    if not _results.rows:
        return
    table = Table(title=f"Benchmarks, on {len(os.sched_getaffinity(0))} cores with a load of {os.getloadavg()[0]:.1f}")
    for heading in ("what", "measured", "floor or peer in the same run", "ratio", "aim"):
        table.add_column(heading, justify="right" if heading == "ratio" else "left")
    for row in _results.rows:
        table.add_row(*row)
    Console(width=max(Console().width, 150)).print("\n", table)


class Processes:
    """A process and all that descend from it, as /proc shows them."""

    def __init__(self, root: int) -> None:
        self.root = root

    def __iter__(self) -> Iterator[int]:
        waiting = [self.root]
        while waiting:
            process = waiting.pop()
            yield process
            for task in self._read(process, "task", listing=True):
                waiting += map(int, self._read(process, f"task/{task}/children").split())

    def cpu_seconds(self) -> float:
        """Of all of them, and of those among their children that have ended."""
        stats = (self._read(process, "stat").rpartition(")")[2].split() for process in self)
        return sum(sum(map(int, stat[11:15])) for stat in stats if stat) / _TICKS

    @staticmethod
    def _read(process, name, listing=False):
        """A file of a process; empty where the process has ended meanwhile."""
        path = Path(f"/proc/{process}/{name}")
        try:
            return os.listdir(path) if listing else path.read_text()
        except (FileNotFoundError, ProcessLookupError):
            return [] if listing else ""
