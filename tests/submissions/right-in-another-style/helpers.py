"""What several of my solutions need."""


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def demand(condition, message):
    if not condition:
        raise Impossible(message)


class Impossible(ValueError):
    pass
