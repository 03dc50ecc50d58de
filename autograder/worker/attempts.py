"""What the preflight runs in a worker, as if it were a submission: attempts at the forbidden, and which succeeded."""

import os
import signal
import socket


def attempt(hidden, grader, port, shared):
    """What a submission could do here.

    Args:
        hidden: paths of files that no submission may read.
        grader: process id of the grading process.
        port: on which the grading process listens, on loopback.
        shared: folders in which other processes leave files.

    Returns:
        dict of lists: under each heading of `preflight.WALLS`, what succeeded.
    """
    return {
        "hidden": [path for path in hidden if _succeeds(_read, path)],
        "grader": [path for path in (f"/proc/{grader}/mem", f"/proc/{grader}/environ") if _succeeds(_read, path)],
        "network": [name for name, reach in (("TCP", _tcp), ("UDP", _udp)) if _succeeds(reach, port)],
        "processes": ["fork"] if _succeeds(_fork) else [],
        "signals": ["kill"] if _succeeds(os.kill, grader, 0) else [],
        "writing": [folder for folder in ("/", *shared) if _succeeds(_write, folder)],
        "seeing": [path for path in ("/etc/passwd", "/proc/self/status") if _succeeds(_read, path)],
    }


def _succeeds(action, *args):
    try:
        action(*args)
    except Exception:
        return False
    return True


def _read(path):
    with open(path, "rb") as stream:
        stream.read(1)


def _write(folder):
    path = os.path.join(folder, f".attempt-{os.getpid()}")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(path)


def _tcp(port):
    socket.create_connection(("127.0.0.1", port), timeout=1).close()


def _udp(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"hello", ("127.0.0.1", port))


def _fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
