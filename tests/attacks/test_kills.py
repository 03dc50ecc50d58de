"""Processes that die or stop at the wrong moment: a retry, never a result, and nobody stays behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from attack_settings import KIT

import autograder.sandbox
from autograder.sandbox import Call, Limits, Source, sandbox

pytestmark = pytest.mark.attacks

SLOW = Source("slow", "slow.py", ("import time\n\n\ndef slow(seconds):\n    time.sleep(seconds)\n    return 'done'\n",))
LIMITS = Limits(10, 10, 10)


@pytest.fixture
def box():
    with sandbox(["numpy"]) as box:
        box.students.observe(SLOW, [Call(("slow",), (0,))], LIMITS)
        yield box


def children(pid):
    """Its direct children, as process ids."""
    with contextlib.suppress(OSError):
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    return []


def descendants(pid):
    found, waiting = [], [pid]
    while waiting:
        more = children(waiting.pop())
        found += more
        waiting += more
    return found


def alive(pid):
    """Whether it runs: neither gone nor a zombie that waits to be collected."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


def eventually(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def ancestor_of(box):
    return box._ancestor.pid


def zygote_of(box):
    return children(ancestor_of(box))[0]


def worker_of(box):
    return next(iter(children(zygote_of(box))), 0)


def while_slow(box, seconds, action, limits=LIMITS):
    """What is observed of a slow call, while something happens to the processes that make it."""

    def act():
        if eventually(lambda: worker_of(box) > 0):
            time.sleep(0.1)
            action()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        return box.students.observe(SLOW, [Call(("slow",), (seconds,)), Call(("slow",), (0,))], limits)
    finally:
        thread.join()


@pytest.mark.parametrize("victim", [zygote_of, ancestor_of])
def test_a_killed_process_costs_a_retry_and_no_result(box, victim):
    """SIGKILL of the zygote, or of its ancestor, in mid-call: all calls are observed as if nothing had been."""
    before = [ancestor_of(box), *descendants(ancestor_of(box))]
    seen = while_slow(box, 0.3, lambda: os.kill(victim(box), signal.SIGKILL))
    assert [item.value for item in seen] == ["done", "done"]
    killed = before[:1] if victim is ancestor_of else before[1:2]
    assert eventually(lambda: not any(map(alive, killed)))


def test_a_killed_worker_costs_its_own_call(box):
    """SIGKILL of a worker is the end of its call, and the next call is made in another."""
    seen = while_slow(box, 3, lambda: os.kill(worker_of(box), signal.SIGKILL))
    assert [(item.ending, item.value) for item in seen] == [("memory", None), ("returned", "done")]


def test_a_stopped_worker_is_killed(box):
    """A process that is stopped cannot act on anything but SIGKILL, and gets that when its time is up."""
    stopped = []

    def stop():
        stopped.append(worker_of(box))
        os.kill(stopped[0], signal.SIGSTOP)

    seen = while_slow(box, 30, stop, Limits(2, 1, 2))
    assert seen[0].ending == "timeout"
    assert not alive(stopped[0])


def test_a_stopped_zygote_is_replaced(box, monkeypatch):
    """A zygote that no longer answers is given up, and the call is made by another."""
    monkeypatch.setattr(autograder.sandbox, "_PATIENCE", 0.3)
    box.students.close()
    box.students.observe(SLOW, [Call(("slow",), (0,))], LIMITS)
    os.kill(children(ancestor_of(box))[-1], signal.SIGSTOP)
    assert box.students.observe(SLOW, [Call(("slow",), (0,))], LIMITS)[0].value == "done"


def test_nothing_survives_the_grading_process(tmp_path):
    """SIGKILL of the grading process in mid-call ends its ancestor, zygotes and workers at once."""
    program = (
        f"import sys; sys.path.insert(0, {str(KIT)!r})\n"
        "from autograder.sandbox import *\n"
        f"source = Source('slow', 'slow.py', {SLOW.cells!r})\n"
        "with sandbox(['numpy']) as box: box.students.observe(source, [Call(('slow',), (30,))], Limits(60, 60, 60))\n"
    )
    grading = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        assert eventually(lambda: len(descendants(grading.pid)) == 3, 30), "ancestor, zygote, worker"
        family = descendants(grading.pid)
    finally:
        grading.kill()
        grading.wait()
    assert eventually(lambda: not any(map(alive, family)))


def test_daemons_die_where_nothing_stops_them_from_being_born():
    """Without the filter of system calls a worker can fork: what it leaves is killed with it, all of it."""
    text = (
        "import os, time\n\n\ndef breed():\n    for _ in range(20):\n        if os.fork() == 0:\n"
        "            os.setsid()\n            if os.fork() == 0:\n                time.sleep(60)\n"
        "            os._exit(0)\n"
        "    return 'bred'\n"
    )
    with sandbox(["numpy"], without=["seccomp"]) as box:
        source = Source("breed", "breed.py", (text,))
        assert box.students.observe(source, [Call(("breed",))], LIMITS)[0].value == "bred"
        assert worker_of(box) == 0
        assert children(ancestor_of(box)) == [zygote_of(box)]
        assert box.students.observe(SLOW, [Call(("slow",), (0,))], LIMITS)[0].value == "done"
