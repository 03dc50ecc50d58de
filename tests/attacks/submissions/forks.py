"""Makes processes: to outlive its test, to be many, to run programs."""

import os

from tools import call, those_that_work


def attack(target):
    return those_that_work(
        {
            "fork": daemon(os.fork),
            "fork, by number": daemon(lambda: call(57, None)),
            "clone, by number": daemon(lambda: call(56, 220, 17, 0, 0, 0, 0)),
            "clone3": daemon(lambda: call(435, 435, bytes(32) + (17).to_bytes(8, "little") + bytes(24), 64)),
            "forkpty": daemon(lambda: os.forkpty()[0]),
        }
    )


def daemon(make):
    """A process that would stay, for the test to find, for three seconds."""

    def action():
        if make() == 0:
            os.setsid()
            import time

            time.sleep(3)
            os._exit(0)

    return action
