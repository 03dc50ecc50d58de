"""Raises exceptions whose text, class and attributes take for ever, lie, or raise in their turn."""


class Meta(type):
    @property
    def __name__(cls):
        raise RuntimeError

    def __instancecheck__(cls, other):
        return True


class Hostile(Exception, metaclass=Meta):
    __module__ = "builtins"
    name = property(lambda self: 1 / 0)

    def __str__(self):
        if len(self.args) % 2:
            raise SystemExit
        return "x" * 10**9

    __repr__ = __format__ = __str__

    @property
    def __traceback__(self):
        raise KeyboardInterrupt

    @property
    def __class__(self):
        return ValueError


def max_pool(z):
    raise Hostile(*z[:1]) from Hostile()
