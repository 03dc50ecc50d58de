"""Python source as text: UTF-8 only, one kind of line end, nothing in it that a reader would not see."""

from __future__ import annotations

import codecs
import re

from autograder.intake.files import RefusedError

# PEP 263: a comment in one of the first two lines that names the encoding.
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_COMMENT_OR_BLANK = re.compile(r"[ \t\f]*(?:#.*)?")
_LINE_END = re.compile(r"\r\n?")
_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_source(data: bytes) -> str:
    """The text of a .py file; a `RefusedError` where it is none."""
    if re.match(rb'\s*\{\s*"', data) and b'"cells"' in data:
        raise RefusedError("it is a notebook under the name of a module; call it .ipynb")
    return checked(decoded(data))


def decoded(data: bytes) -> str:
    """Bytes as UTF-8, with or without its mark; a `RefusedError` where they are something else."""
    if data.startswith(_WIDE_MARKS):
        raise RefusedError("it is UTF-16 or UTF-32 text; save it as UTF-8")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RefusedError(f"it is not UTF-8 text (line {line}); save it as UTF-8") from error


def checked(text: str) -> str:
    """Source with plain line ends; a `RefusedError` where Python would read something else than is seen."""
    text = _LINE_END.sub("\n", text)
    if "\0" in text:
        raise RefusedError("it holds a NUL byte, which no Python source may")
    coding = _declared_coding(text).lower().replace("_", "-")
    if coding not in ("", "utf8", "utf-8", "u8") and not coding.startswith("utf-8-"):
        raise RefusedError("it declares an encoding other than UTF-8; save it as UTF-8 without that line")
    # Half a surrogate pair, which JSON can spell, is no character and could not be written down.
    return text.encode(errors="replace").decode()


def _declared_coding(text: str) -> str:
    for line in text.split("\n", 2)[:2]:
        if declared := _CODING.match(line):
            return declared[1]
        if not _COMMENT_OR_BLANK.fullmatch(line):
            break
    return ""
