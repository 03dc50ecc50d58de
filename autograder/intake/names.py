"""What a file's name tells: its kind, whether it counts at all, and the assignment that it is named after."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Literal

Kind = Literal["source", "notebook", "archive"]

KINDS: dict[str, Kind] = {
    ".py": "source",
    ".ipynb": "notebook",
    ".zip": "archive",
    ".tar": "archive",
    ".tar.gz": "archive",
    ".tgz": "archive",
}
KINDS_IN_WORDS = ".py, .ipynb, .zip, .tar, .tar.gz and .tgz files"

# What computers leave behind, and libraries that a student packed along: nobody's answer.
_LITTER = {"__macosx", "__pycache__", "thumbs.db", "desktop.ini"}
_LIBRARIES = {"site-packages", "node_modules", "venv", "virtualenv"}

# What a learning platform writes before the name that the student gave.
_PLATFORM = re.compile(
    r"[^_]+(?:_late)?_\d+_\d+_(?=.)"  # Canvas: lastnamefirst_LATE_123_456_pooling-1.py
    r"|.*_assignsubmission_(?:file|onlinetext)_(?=.)"  # Moodle: A Name_123_assignsubmission_file_pooling.py
    r"|.*_attempt_[\d-]+_(?=.)"  # Blackboard: Week 3_user_attempt_2024-05-01-12-00-00_pooling.py
    r"|\d+-\d+ - .* - (?=.)",  # Brightspace: 123-456 - Some Name - 1 May 2024 - pooling.py
    re.IGNORECASE,
)
# Files that pytest or Python would run by themselves: never an answer, never a module.
_TOOLING = re.compile(
    r"(?:copy of )?(?:test_.+|.+_test|conftest|sitecustomize|usercustomize)(?:[ _-]?\(?\d+\)?)?",
    re.IGNORECASE,
)
# Words that say which state or copy of a file this is, not what it is about.
_DECORATIONS = frozenset(
    """
    a abgabe an ans answer answers assignment aufgabe backup blatt code colab complete completed copia
    copie copy copyof corrected cópia de di done download draft ex exercise export exported file final
    finished fix fixed homework hw ipynb jupyter kopia kopie last latest loesung lösung master mine my
    nb neu new newest notebook of old py python resubmission rev revised revision solution solutions
    solved stub student submission submit submitted task the updated v ver version von übung
    """.split()  # noqa: SIM905  # one word a line would be sixty lines
)
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_COUNTER = re.compile(r"v?\d+")
_TRAILING_COUNTER = re.compile(r"(?<=.)v?\d+$")
_COPY_NUMBER = re.compile(r"\(\d+\)")


class Likeness(IntEnum):
    """How closely a file's name follows an assignment's: the larger, the closer."""

    LOOSE = 0  # one of its words: alice_pooling.py, conv2d_notes.py
    COPY = 1  # nothing beside it but which copy this is: Copy of pooling.ipynb, pooling-final.py
    EXACT = 2  # pooling.py, Pooling.PY


def kind_of(name: str) -> Kind | None:
    """What a file of that name may hold for us; None: nothing."""
    lower = name.casefold()
    return next((kind for suffix, kind in KINDS.items() if lower.endswith(suffix)), None)


def stem_of(name: str) -> str:
    """A file's name without the extension of a kind that is read; any other name as it is."""
    suffix = max((end for end in KINDS if name.casefold().endswith(end)), key=len, default="")
    return name[: len(name) - len(suffix)]


def is_litter(name: str) -> bool:
    """Whether a file or folder is hidden, a cache, a checkpoint or what a computer left behind."""
    lower = name.casefold()
    return name.startswith((".", "~$")) or lower in _LITTER or lower.endswith("-checkpoint.ipynb")


def is_skipped(name: str) -> bool:
    """Whether a file or folder inside a submission is passed over: litter, or an installed library."""
    return is_litter(name) or name.casefold() in _LIBRARIES


def is_tooling(name: str) -> bool:
    """Whether a .py file is a test or something that a tool would run by itself, such as conftest.py."""
    return kind_of(name) == "source" and bool(_TOOLING.fullmatch(_given(stem_of(name))))


def shown(name: str | Sequence[str], limit: int = 80) -> str:
    """A name for people: one line, of bounded length, with nothing in it that is invisible or reorders."""
    text = unicodedata.normalize("NFC", name if isinstance(name, str) else "/".join(name))
    text = "".join(letter if letter.isprintable() else f"[U+{ord(letter):04X}]" for letter in text)
    return text if len(text) <= limit else f"{text[: limit - 21]}…{text[-20:]}"


def named_after(name: str, assignments: Iterable[str]) -> tuple[str, Likeness] | None:
    """The one assignment that a file's name contains as a word, and how closely; None: no one, or several."""
    stem, names = stem_of(name), list(assignments)
    found = [_match(text, names) for text in dict.fromkeys((stem, _given(stem)))]
    return max((match for match in found if match), key=lambda match: match[1], default=None)


def bears(name: str, assignments: Iterable[str]) -> str | None:
    """The assignment whose own name a file bears, as itself or a copy, with no room for a student's name."""
    stem = stem_of(name)
    match = _match(stem, list(assignments))
    numbered = any(word.isdecimal() for word in _words(_COPY_NUMBER.sub(" ", stem)))
    return match[0] if match and match[1] > Likeness.LOOSE and not numbered else None


def module_name(parts: Sequence[str]) -> str | None:
    """The dotted name by which a .py file is imported from the folder its parts start in; None: by none."""
    words = [*parts[:-1], stem_of(parts[-1])]
    if words[-1] == "__init__":
        words.pop()
    # Python compares the names of an import statement in this normal form.
    words = [unicodedata.normalize("NFKC", word) for word in words]
    importable = words and all(word.isidentifier() and not keyword.iskeyword(word) for word in words)
    return ".".join(words) if importable else None


def _given(stem: str) -> str:
    """A file's name as its student gave it, without what a learning platform wrote before it."""
    return stem[prefix.end() :] if (prefix := _PLATFORM.match(stem)) else stem


def _words(text: str) -> list[str]:
    return _WORD.findall(_CAMEL.sub(" ", unicodedata.normalize("NFC", text)).casefold())


def _match(stem: str, assignments: list[str]) -> tuple[str, Likeness] | None:
    names = {name: _words(name) for name in assignments}
    known = {word for words in names.values() for word in words}
    rest = [word if word in known else _TRAILING_COUNTER.sub("", word) for word in _words(stem)]
    found: list[str] = []
    # The longest first: conv_transpose.py is about conv_transpose alone, even if there is an assignment conv.
    for name in sorted(names, key=lambda name: -len(names[name])):
        while (left := _without(rest, names[name])) is not None:
            rest, found = left, [*found, name]
    if len(set(found)) != 1:
        return None
    if stem.strip().casefold() == found[0].casefold():
        return found[0], Likeness.EXACT
    copied = all(word in _DECORATIONS or _COUNTER.fullmatch(word) for word in rest)
    return found[0], Likeness.COPY if copied else Likeness.LOOSE


def _without(words: list[str], name: list[str]) -> list[str] | None:
    """The words without the first run of them that is the name; None where it is not among them."""
    size = len(name)
    starts = range(len(words) - size + 1) if size else ()
    start = next((start for start in starts if words[start : start + size] == name), None)
    return None if start is None else words[:start] + words[start + size :]
