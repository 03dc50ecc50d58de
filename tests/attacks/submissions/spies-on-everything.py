"""Hooks into imports, audits, tracing and threads, and reports what it sees of the trusted side."""

import contextlib
import sys
import threading

SEEN = []


class Finder:
    def find_spec(self, name, path=None, target=None):
        SEEN.append(name)


def attack(target):
    sys.meta_path.insert(0, Finder())
    sys.addaudithook(lambda event, arguments: SEEN.append(f"{event} {arguments!r:.300}"))
    sys.setprofile(lambda frame, event, argument: SEEN.append(frame.f_code.co_filename))
    threading.Timer(0.01, lambda: SEEN.extend(str(frame) for frame in sys._current_frames().values())).start()
    for _ in range(100):
        with contextlib.suppress(ImportError):
            import numpy.no_such_module  # noqa: F401
    sys.setprofile(None)
    sys.meta_path.pop(0)
    words = ("/tests/hidden", "/solutions/", "grading.py", "compare.py", "suite.py")
    return sorted({word for text in list(SEEN) for word in words if word in text})
