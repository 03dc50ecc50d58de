"""Runs attacks under whatever identity and walls it is started with, and tells what they achieved.

A program of its own, started by `attack_settings.py`, as a process cannot take back rights that it has given up. It
reads an order from standard input and writes what it saw to standard output, both JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import types
from pathlib import Path

IPC_KEY = "0x5EED"  # of what `leaves-state-behind` leaves in System V's memory
ATTACK = "attack"  # the function that every attack defines: from its target to what it achieved


def main(kit):
    sys.path.insert(0, kit)
    order = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="arena-") as folder, listeners(folder) as addresses:
        os.chmod(folder, 0o755)
        tempfile.tempdir = folder  # the workers' scratch folders are made here, and nobody else's
        hidden = [str(path) for path in hidden_files(Path(kit))]
        target = {**order["target"], **addresses, "kit": kit, "hidden": hidden, "grader": os.getpid()}
        seen = without_walls(order, target) if order["bare"] else in_workers(order, target)
    json.dump(seen, sys.stdout)


def hidden_files(kit):
    return [path for folder in ("solutions", "tests/hidden") for path in sorted((kit / folder).glob("*.py"))]


@contextlib.contextmanager
def listeners(folder):
    """Somebody who listens at every kind of address that a submission could reach."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        path = f"{folder}/socket"
        local.bind(path)
        local.listen()
        os.chmod(path, 0o777)
        threading.Thread(target=_answer, args=(tcp,), daemon=True).start()
        yield {"port": tcp.getsockname()[1], "socket": path}


def _answer(server):
    with contextlib.suppress(OSError):
        while True:
            server.accept()[0].close()


@contextlib.contextmanager
def victim():
    """A process of the same user as the grading process, for an attack to hurt instead of that."""
    process = subprocess.Popen(["sleep", "600"], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def in_workers(order, target):
    """Each attack in a worker of its own, and an honest call after each."""
    from autograder.preflight import preflight
    from autograder.sandbox import Call, Limits, Source, sandbox

    def observe(text, call):
        source = Source("pooling", "pooling.py", (text,), {"tools": order["tools"]})
        return box.students.observe(source, [call], Limits(5, 5, 5))[0]

    seen = {}
    with sandbox(["numpy"], order["without"]) as box:
        found = preflight(box, [Path(target["results"])])
        observe(order["honest"], Call(("sum_pool",), ([1, 2],)))
        scratch = set(os.listdir(tempfile.gettempdir()))
        for name, text in order["attacks"].items():
            with victim() as process:
                result = observe(text, Call((ATTACK,), ({**target, "victim": process.pid},)))
                honest = observe(order["honest"], Call(("sum_pool",), ([1, 2],)))
                seen[name] = {
                    "ending": result.ending,
                    "loot": result.value if result.ending == "returned" else [],
                    "told": f"{' '.join(result.classes[:1])} {result.text} {result.output}"[:500],
                    "victim lives": process.poll() is None,
                    "survivors": survivors(),
                    "left": sorted(set(os.listdir(tempfile.gettempdir())) - scratch),
                    "honest": honest.value,
                }
    return {"level": found.level, "open": {name: list(items) for name, items in found.open.items()}, "attacks": seen}


def without_walls(order, target):
    """Each attack in a process without any wall: does it work at all?"""
    assert os.geteuid() != 0, "without walls no attack may run as root"
    sys.modules["tools"] = tools = types.ModuleType("tools")
    exec(order["tools"], tools.__dict__)
    held = [Path(path).read_text(encoding="utf-8") for path in target["hidden"]]  # what shared pages would show
    seen = {}
    for name, text in order["attacks"].items():
        with victim() as process, tempfile.TemporaryDirectory(prefix="arena-") as folder:
            seen[name] = {"loot": _forked(text, {**target, "victim": process.pid}, folder)}
    remove = ["ipcrm", *(part for kind in "MSQ" for part in (f"-{kind}", IPC_KEY))]
    subprocess.run(remove, capture_output=True, check=False)
    return {"attacks": seen, "held": len(held)}


def _forked(text, target, folder):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        found, own = [], os.getpid()
        with contextlib.suppress(BaseException):
            _settle(folder)
            namespace = {}
            exec(compile(text, ATTACK, "exec"), namespace)
            found = namespace[ATTACK](target)
        if os.getpid() == own:  # an attack may have forked
            os.write(writer, json.dumps(found).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        found = stream.read()
    os.waitpid(child, 0)
    return json.loads(found or "[]")


def _settle(folder):
    """A folder to work in, something to read, nowhere to print to."""
    os.setsid()
    os.chdir(folder)
    reader, writer = os.pipe()
    os.write(writer, b"meant for another\n")
    os.close(writer)
    os.dup2(reader, 0)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def survivors():
    """Processes that descend from this one and are neither victim, nor ancestor, nor zygote."""
    parents, names = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, rest = (entry / "stat").read_text().rsplit(")", 1)
            parents[int(entry.name)], names[int(entry.name)] = int(rest.split()[1]), name
    children = {os.getpid()}
    for _ in ("victim and ancestor", "zygotes"):
        children = {pid for pid, parent in parents.items() if parent in children}
    return [names[pid] for pid, parent in parents.items() if parent in children]


if __name__ == "__main__":
    main(sys.argv[1])
