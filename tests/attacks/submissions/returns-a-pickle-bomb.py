"""Returns, and raises, objects that run something when they are unpickled, copied or shown."""

import os


class Bomb(RuntimeError):
    def __reduce__(self):
        return os.system, ("echo > /tmp/attack-by-pickle",)

    __reduce_ex__ = __deepcopy__ = __copy__ = lambda self, *_: self.__reduce__()


def max_pool(z):
    if len(z) % 2:
        raise Bomb(Bomb())
    return Bomb()
