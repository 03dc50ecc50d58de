"""Leaves by what is no Exception: SystemExit, KeyboardInterrupt, GeneratorExit, and a class of its own."""


class Own(BaseException):
    pass


def max_pool(z):
    raise (SystemExit(0), KeyboardInterrupt(), GeneratorExit(), Own())[len(z) % 4]
