"""The intake against whatever may come: nothing raises, nothing unsound passes, honest files are read right.

Few cases by default, 21,000 where the environment says CI; INTAKE_FUZZ_CASES=20000 asks for as many of each test.
"""

import io
import json
import os
import random
import tarfile
import tempfile
import unicodedata
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.intake import IntakeError, find_submissions, group_by_student, read_submission, student_name
from autograder.intake.files import RefusedError
from autograder.intake.names import bears, is_litter, module_name, named_after, shown
from autograder.intake.notebooks import read_notebook
from autograder.intake.text import read_source

CASES = int(os.environ.get("INTAKE_FUZZ_CASES") or (700 if settings().max_examples >= 200 else 50))
fuzzed = settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
fuzzed_often = settings(fuzzed, max_examples=8 * CASES)  # where a case takes a millisecond or two


@dataclass(frozen=True)
class Function:
    name: str


@dataclass(frozen=True)
class Assignment:
    name: str
    functions: tuple[Function, ...]


ASSIGNMENTS = [
    Assignment("pooling", (Function("sum_pool"), Function("max_pool"))),
    Assignment("conv2d", (Function("Conv2d"), Function("conv2d_backward"))),
    Assignment("fast_fourier", (Function("fft"),)),
]
NAMES = [item.name for item in ASSIGNMENTS]

SOURCES = st.lists(
    st.sampled_from(
        [
            "def sum_pool(z):\n",
            "    raise NotImplementedError\n",
            "class Conv2d:\n",
            "async def fft(x): ...\n",
            "# coding: latin-1\n",
            "# -*- coding: utf-8 -*-\r\n",
            "\ufeff",
            "\0",
            "\r",
            "é\u2028\U0001f600",
            "\t  x = '''\n",
        ]
    )
    | st.text(max_size=20),
    max_size=6,
).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("source"), inner, max_size=3)
    ),
    max_leaves=8,
)
CELLS = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "markdown", "raw"]),
        "source": SOURCES | st.lists(SOURCES, max_size=3),
    },
    optional={"outputs": JSON, "metadata": JSON, "id": JSON, "attachments": JSON},
)
NOTEBOOKS = st.fixed_dictionaries(
    {"cells": st.lists(CELLS, max_size=4)},
    optional={
        "metadata": JSON
        | st.fixed_dictionaries(
            {"autograder": JSON | st.fixed_dictionaries({"assignment": st.sampled_from(NAMES) | JSON})}
        ),
        "nbformat": JSON,
        "worksheets": JSON,
    },
)
HOW = st.fixed_dictionaries({"indent": st.sampled_from([None, 0, 1]), "ensure_ascii": st.booleans()})


@st.composite
def notebook_bytes(draw, content: st.SearchStrategy = NOTEBOOKS):
    return json.dumps(draw(content), **draw(HOW)).encode(errors="surrogatepass")


MEMBER_NAMES = st.sampled_from(
    ["pooling.py", "POOLING.py", "./pooling.py", "hw/conv2d.ipynb", "x.py/", "test_x.py", "__MACOSX/x.py", "data.csv"]
) | st.sampled_from(["../x.py", "/x.py", "C:\\x.py", "hw\\..\\x.py", "a/" * 11 + "x.py", "inner.zip", "a\nb.py"])


@st.composite
def archive_bytes(draw):
    members = draw(st.lists(st.tuples(MEMBER_NAMES, st.one_of(SOURCES.map(utf8), notebook_bytes())), max_size=5))
    packed = io.BytesIO()
    if draw(st.booleans()):
        with zipfile.ZipFile(packed, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))) as pack:
            for name, content in members:
                info = zipfile.ZipInfo(name.encode(errors="replace").decode())
                info.external_attr = draw(st.sampled_from([0, 0o100644, 0o120777, 0o104755])) << 16
                with warnings.catch_warnings(action="ignore"):  # of a name that is there already
                    pack.writestr(info, content)
        return packed.getvalue()
    form = draw(st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
    with tarfile.open(fileobj=packed, mode=draw(st.sampled_from(["w", "w:gz"])), format=form, errors="replace") as pack:
        for name, content in members:
            info = tarfile.TarInfo(name.encode(errors="replace").decode())
            info.type = draw(st.sampled_from([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE]))
            info.size = len(content) if info.isreg() else 0
            pack.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def utf8(text):
    return text.encode(errors="surrogatepass")


@st.composite
def damaged(draw, content):
    """Bytes with some of them changed, left out or doubled, as by an upload that went wrong or a hand that meant it."""
    data = bytearray(draw(content))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 40))
        data[at : at + length] = draw(st.sampled_from([b"", bytes(data[at : at + length]) * 2]) | st.binary(max_size=8))
    return bytes(data)


CONTENT = st.binary(max_size=60) | damaged(st.one_of(SOURCES.map(utf8), notebook_bytes(), archive_bytes()))
STEMS = (
    st.sampled_from(["pooling", "conv2d", "fast_fourier", "Copy of pooling (1)", "smith_12_34_conv2d-1", "a\u202eb"])
    | st.sampled_from(["helpers", "__init__", "alice_pooling", "pooling conv2d", "test_pooling", "conftest"])
    | st.text(min_size=1, max_size=10)
)
SUFFIXES = st.sampled_from([".py", ".ipynb", ".zip", ".tar", ".tar.gz", ".tgz", ".PY", "", ".txt"])


@st.composite
def file_names(draw):
    name = (draw(STEMS) + draw(SUFFIXES)).replace("/", "_").replace("\0", "_").encode(errors="replace").decode()
    return name if name not in (".", "..") else "x.py"


FILES = st.dictionaries(
    st.lists(file_names(), min_size=1, max_size=3).map("/".join),
    CONTENT | st.sampled_from(["link", "fifo"]),
    max_size=5,
)


def plant(folder, files):
    """Lay out files in a folder, as far as their names do not stand in each other's way."""
    for name, content in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if content == "link":
                path.symlink_to(folder)
            elif content == "fifo":
                os.mkfifo(path)
            else:
                path.write_bytes(content)
        except OSError:
            continue


def is_one_line(text):
    return text.isprintable() and text.strip() and len(text) < 1_000


def attempt(read, data):
    """What reading gives, or None, and why not."""
    try:
        return read(data), ""
    except RefusedError as error:
        return None, str(error)


def is_source(text):
    return "\0" not in text and "\r" not in text and text == text.encode().decode()


def assert_sound(submission):
    """What everything behind the intake relies on."""
    assert is_one_line(submission.student)
    assert "/" not in submission.student
    assert len(submission.problems) <= 20
    assert all(is_one_line(line) and line.endswith(".") for line in submission.problems)
    assert list(submission.answers) == [name for name in NAMES if name in submission.answers]
    for name, answer in submission.answers.items():
        assert answer.assignment == name
        assert is_one_line(answer.file)
        assert all(is_source(cell) for cell in answer.cells)
        assert sum(len(cell.encode()) for cell in answer.cells) <= 1 << 20
        if answer.problem is not None:
            assert is_one_line(answer.problem)
            assert (answer.cells, answer.modules) == ((), {})
        if not answer.notebook and answer.problem is None:
            assert len(answer.cells) == 1
        for module, source in answer.modules.items():
            assert all(part.isidentifier() for part in module.split("."))
            assert is_source(source)
    if not submission.answers:
        assert submission.problems


@pytest.mark.attacks
@fuzzed
@given(FILES)
def test_whatever_a_folder_holds_it_is_found_and_read_soundly(files):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "a-student"
        folder.mkdir()
        plant(folder, files)
        assert_sound(read_submission([folder], ASSIGNMENTS))
        children = {child for child in folder.iterdir() if not is_litter(child.name)}
        if not children:
            with pytest.raises(IntakeError, match="empty"):
                find_submissions(folder, ASSIGNMENTS)
            return
        found = find_submissions(folder, ASSIGNMENTS)
        assert set(found) in (children, {folder})
        groups = group_by_student(found)
        assert sorted(path for paths in groups.values() for path in paths) == sorted(found)
        for student, paths in groups.items():
            submission = read_submission(paths, ASSIGNMENTS)
            assert submission.student == student
            assert_sound(submission)


@pytest.mark.attacks
@fuzzed
@given(st.sampled_from(["a.zip", "a.tar", "a.tgz"]), damaged(archive_bytes()))
def test_an_archive_damaged_anyhow_is_read_soundly(name, data):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        path.write_bytes(data)
        assert_sound(read_submission([path], ASSIGNMENTS))
        assert list(Path(place).iterdir()) == [path]


def honest(name):
    """An archive or a notebook with a little of everything in it."""
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": ["a\n", '"\\"'], "outputs": [["\\"]]}]}).encode()
    if name.endswith("ipynb"):
        return notebook
    files = {"pooling.py": b"def sum_pool(z): ...\n", "conv2d.ipynb": notebook, "d" * 120 + "/x.py": b"", "a.csv": b"1"}
    packed = io.BytesIO()
    if name.endswith("zip"):
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as pack:
            for inner, content in files.items():
                pack.writestr(inner, content)
        return packed.getvalue()
    with tarfile.open(fileobj=packed, mode="w:gz" if name.endswith("tgz") else "w") as pack:
        for inner, content in files.items():
            info = tarfile.TarInfo(inner)
            info.size = len(content)
            pack.addfile(info, io.BytesIO(content))
    return packed.getvalue()


MARKS = [
    b"PK\1\2",
    b"PK\3\4",
    b"PK\5\6",
    b"\x1f\x8b",
    b"\xff\xff\xff\xff",
    b"\x80",
    b"\0",
    b'"',
    b"\\",
    b"[",
    b"}",
    b"xLgK",
]


@pytest.mark.attacks
@fuzzed_often
@given(st.sampled_from(["a.zip", "a.tar", "a.tgz", "pooling.ipynb"]), st.integers(0, 2**64))
def test_bytes_changed_at_random_are_read_soundly(name, seed):
    """As the one before, but many times faster, and it goes to places where a shrinking search does not."""
    chance = random.Random(seed)
    data = bytearray(honest(name))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes(byte ^ 1 << chance.randrange(8) for byte in data[at : at + 1])
            case 1:
                data[at : at + chance.randrange(30)] = b""
            case 2:
                data[at : at + chance.randrange(5)] = chance.choice(MARKS)
            case _:
                data[at:at] = data[at : at + chance.randrange(600)]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        path.write_bytes(data)
        assert_sound(read_submission([path], ASSIGNMENTS))


@fuzzed
@given(
    st.sampled_from(["a.zip", "a.tar", "a.tar.gz"]),
    st.dictionaries(
        st.lists(st.sampled_from(["a", "bc", "utils", "__init__", "d" * 60]), min_size=1, max_size=4).map("/".join),
        st.text("abc \n", max_size=200),
        max_size=6,
    ),
)
def test_an_archive_gives_what_the_folder_that_was_packed_gives(name, files):
    files = {f"{place}.py": text for place, text in files.items()} | {"pooling.py": "def sum_pool(z): ...\n"}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "a"
        plant(folder, {name: text.encode() for name, text in files.items()})
        path = Path(place) / name
        if name == "a.zip":
            with zipfile.ZipFile(path, "w") as pack:
                for inner, text in files.items():
                    pack.writestr(inner, text)
        else:
            with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as pack:
                pack.add(folder, ".")
        assert read_submission([path], ASSIGNMENTS).answers == read_submission([folder], ASSIGNMENTS).answers


def plain_reading(data):
    """The code cells of a notebook, and the assignment it names, read in the plainest way."""
    content = json.loads(data)
    cells = [cell["source"] for cell in content["cells"] if cell["cell_type"] == "code"]
    metadata = content.get("metadata")
    about = metadata.get("autograder") if isinstance(metadata, dict) else None
    named = about.get("assignment") if isinstance(about, dict) else None
    sources = ["".join(cell).replace("\r\n", "\n").replace("\r", "\n") for cell in cells]
    return tuple(sources), named if isinstance(named, str) else None


@fuzzed
@given(NOTEBOOKS, HOW)
@example(
    {"cells": [{"cell_type": "code", "source": ["\\", '"', '\\"', "\\\\"], "outputs": ["\\\\", '\\"', "]}"]}]},
    {},
)
def test_a_notebook_is_read_as_json_reads_it(content, how):
    data = json.dumps(content, **how).encode(errors="replace")
    cells, named = plain_reading(data)
    found, refusal = attempt(read_notebook, data)
    if found is None:
        assert "NUL byte" in refusal or "encoding other than UTF-8" in refusal
        return
    assert found.cells == tuple(cell.encode(errors="replace").decode() for cell in cells)
    assert found.assignment == named


@pytest.mark.attacks
@fuzzed
@given(damaged(notebook_bytes(NOTEBOOKS | JSON)))
@example(b'{"a":"\\')
@example(b'{"cells":[{"source":"\\')
def test_a_notebook_damaged_anyhow_is_read_soundly_or_refused(data):
    found, refusal = attempt(read_notebook, data)
    assert is_one_line(refusal) if found is None else all(is_source(cell) for cell in found.cells)


@pytest.mark.attacks
@fuzzed_often
@given(st.binary() | damaged(SOURCES.map(utf8)))
def test_source_is_what_python_would_read_or_refused(data):
    """Python itself, given the bytes, sees the text that was accepted: no codec, mark or line end deceives."""
    text, refusal = attempt(read_source, data)
    if text is None:
        assert is_one_line(refusal)
        return
    assert is_source(text)
    assert text == io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=None).read()


@fuzzed_often
@given(st.text(max_size=300) | st.binary(max_size=60).map(os.fsdecode), st.lists(st.text(max_size=5), max_size=4))
def test_names_are_told_and_shown_whatever_they_hold(name, parts):
    assert shown(name).isprintable()
    assert len(shown(name)) <= 80
    assert shown(shown(name)) == shown(name)
    assert unicodedata.is_normalized("NFC", shown(name))
    assert is_one_line(student_name(Path(name.replace("/", "_") or "x")))
    assert bears(name, NAMES) in (None, *NAMES)
    match = named_after(name, NAMES)
    assert match is None or match[0] in NAMES
    assert (module_name([*parts, name]) or "x").replace(".", "_").isidentifier()


@fuzzed
@given(
    st.sampled_from(NAMES),
    st.sampled_from(["", "Copy of ", "my_", "smithjane_123_456_"]),
    st.sampled_from(["", " (2)", "-final", "_v3", "-1"]),
)
def test_every_decoration_of_an_assignments_name_is_seen_through(name, before, behind):
    for style in (str, str.upper, str.title):
        match = named_after(before + style(name) + behind + ".py", NAMES)
        assert match is not None
        assert match[0] == name
        assert match[1] > 0
