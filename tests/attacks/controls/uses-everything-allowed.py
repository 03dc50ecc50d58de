"""Files in the temporary folder, threads, time, random numbers, prints, memory, its own limits and signals."""

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def _checked(z):
    z = np.asarray(z)
    if not z.ndim or not z.shape[-1]:
        raise ValueError("there is nothing to pool")
    return z


def sum_pool(z):
    z = _checked(z)
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "z.npy"), z)
        z = np.load(os.path.join(folder, "z.npy"))
        (pathlib.Path(folder) / "copy").write_text("x")
        os.rename(f"{folder}/copy", f"{folder}/moved")
    with tempfile.NamedTemporaryFile() as file, open(pathlib.Path.home() / "notes.json", "w") as notes:
        file.write(z.tobytes())
        json.dump(z.tolist(), notes)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(np.sum, z.reshape(-1, z.shape[-1])))
    print("summed", len(rows), file=sys.stderr)
    return np.array(rows).reshape(z.shape[:-1])


def mean_pool(z):
    z = _checked(z)
    warnings.warn("this is only a warning")
    os.environ["MINE"] = "1"
    random.random(), np.random.normal(), time.sleep(0.001)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0001)
    os.kill(os.getpid(), 0)
    resource.getrlimit(resource.RLIMIT_AS)
    one, other = socket.socketpair()
    one.sendall(b"x")
    assert other.recv(1) == b"x"
    large = np.empty(40_000_000)
    large[0] = 1
    event = threading.Event()
    threading.Timer(0.001, event.set).start()
    assert event.wait(5)
    assert sys.stdin.read() == ""
    assert shutil.which("no-such-program") is None
    return z.mean(-1) * large[0]
