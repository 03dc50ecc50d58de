"""What the benchmarks share: one table, printed when all have run, and what the kernel tells of processes."""

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from autograder import contract
from autograder.pool import Job

SEED = 20
RIGHT = Path(__file__).parent.parent / "submissions" / "right"


@dataclass
class Results:
    """The rows of the table that a run ends with."""

    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, what, measured, against="", ratio=None, aim=""):
        """One row: what was measured, a floor or peer in the same run, the ratio of the two, and what is aimed at."""
        self.rows.append((what, measured, against, "" if ratio is None else f"{ratio:.2f}", aim))
        print(f"\n  {what}: {', '.join(filter(None, [measured, against]))}", flush=True)


RESULTS = Results()


@pytest.fixture(scope="session")
def results():
    return RESULTS


def pytest_terminal_summary():
    """Print the table; nothing where no benchmark has run."""
    if not RESULTS.rows:
        return
    table = Table(
        title=f"On {os.cpu_count()} cores, with {os.getloadavg()[0]:.1f} processes at work in the last minute"
    )
    for heading in ("what", "measured", "floor or peer in the same run", "ratio", "aim"):
        table.add_column(heading, justify="right" if heading == "ratio" else "left", overflow="fold")
    for row in RESULTS.rows:
        table.add_row(*row)
    console = Console()
    console.width = max(console.width, 160)
    console.print("\n", table)


@pytest.fixture(scope="session")
def right():
    """The folder of a sample submission that answers all six assignments rightly."""
    return RIGHT


@pytest.fixture
def job():
    """Makes the job of grading the right sample submission: `job("right", assignments=["pooling"])`."""

    def make(student, assignments=None):
        names = tuple(assignments or (assignment.name for assignment in contract.assignments()))
        return Job(student, (str(RIGHT),), names, named=False, seed=SEED)

    return make


@pytest.fixture
def processes():
    """`processes(pid)`: a process and all that descend from it."""
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("needs Linux's /proc")
    return Processes


class Processes:
    """A process and all that descend from it, as /proc shows them."""

    def __init__(self, root):
        self.root = root

    def __iter__(self):
        waiting = [self.root]
        while waiting:
            process = waiting.pop()
            yield process
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{process}/task"):
                    waiting += map(int, self.read(process, f"task/{task}/children").split())

    def read(self, process, name):
        """A file of /proc; empty where the process has just ended."""
        try:
            return Path(f"/proc/{process}/{name}").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def cpu_seconds(self):
        """Of these processes, and of those of their children that have ended and been waited for."""
        stats = [self.read(process, "stat").rpartition(")")[2].split() for process in self]
        return sum(sum(map(int, stat[11:15])) for stat in stats if stat) / os.sysconf("SC_CLK_TCK")

    def own_memory(self):
        """PSS in bytes of what comes from no file: a page counts by the number of processes that have it."""
        pages = re.compile(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)
        return sum(int(size) for process in self for size in pages.findall(self.read(process, "smaps_rollup"))) * 1024

    def file_memory(self):
        """Bytes of the files that they hold in memory, each file once.

        Not the PSS of these pages: strangers to this tree that have loaded the same libraries, such as the process
        that measures, would make it look smaller.
        """
        largest = dict[str, int]()
        for process in self:
            held = dict[str, int]()
            for line in self.read(process, "smaps").splitlines():
                words = line.split(maxsplit=5)
                if not words[0].endswith(":"):
                    file = words[5] if len(words) > 5 and words[5].startswith("/") else ""
                elif words[0] == "Rss:" and file:
                    held[file] = held.get(file, 0) + int(words[1]) * 1024
                elif words[0] == "Anonymous:" and file:
                    held[file] -= int(words[1]) * 1024  # written to: the process's own
            for file, size in held.items():
                largest[file] = max(size, largest.get(file, 0))
        return sum(largest.values())
