"""The floor under a fresh worker: a bare fork of an equally warm process, by a child that ends at once.

    python bare_fork.py LIBRARIES FORKS

Prints one JSON object: wall-clock and CPU seconds per fork, parent and child together.
"""

import json
import os
import sys
import time

from autograder.worker.zygote import warm

if __name__ == "__main__":
    libraries, forks = sys.argv[1].split(","), int(sys.argv[2])
    warm(libraries)
    wall, cpu = time.perf_counter(), sum(os.times()[:4])
    for _ in range(forks):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    print(json.dumps({"wall": (time.perf_counter() - wall) / forks, "cpu": (sum(os.times()[:4]) - cpu) / forks}))
