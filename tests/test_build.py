"""The build: what is handed out is the masters without their solutions, byte by byte the same every time."""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
import types
import warnings

import nbformat
import pytest
from typer.testing import CliRunner

from autograder import build, checks, cli, contract, masters, notebooks
from autograder.contract import ContractError
from autograder.suite import declare

ASSIGNMENTS = contract.assignments()
REGION = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", re.DOTALL | re.MULTILINE)


@pytest.fixture(params=ASSIGNMENTS, ids=lambda assignment: assignment.name)
def assignment(request):
    return request.param


@functools.cache
def stub_of(assignment):
    return masters.as_script(masters.without_solutions(masters.notebook(assignment)))


@functools.cache
def products_of(assignment):
    return build.products(assignment)


def master_of(assignment):
    return assignment.master.read_text(encoding="utf-8")


# --- stubs ------------------------------------------------------------------------------------------------------------


def test_a_stub_imports_without_a_warning_and_has_every_function(assignment):
    module = types.ModuleType(assignment.name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(stub_of(assignment), f"{assignment.name}.py", "exec"), module.__dict__)
    assert [name for name in assignment.names if not callable(getattr(module, name, None))] == []


def test_every_solution_is_replaced_by_one_line_that_names_the_function(assignment):
    """As many lines as there were regions, each in the function or class that it names."""
    raised = []
    for node in ast.parse(stub_of(assignment)).body:
        lines = [ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, ast.Raise)]
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            mine = [line for line in lines if "NotImplementedError" in line]
            assert set(mine) <= {f"raise NotImplementedError('{node.name}')"}
            raised += [node.name] * len(mine)
    assert len(raised) == len(REGION.findall(master_of(assignment)))
    assert set(assignment.names) <= set(raised)


def test_a_stub_that_is_called_says_that_it_is_not_written(assignment):
    """With the arguments of the hidden suite, in so far as it calls functions and not probes."""
    module = types.ModuleType(assignment.name)
    exec(compile(stub_of(assignment), f"{assignment.name}.py", "exec"), module.__dict__)
    called = set()
    for test in declare(assignment, 0):
        for case in test.cases:
            if case.call.probe is None and case.expectation == "agrees" and test.function not in called:
                called.add(test.function)
                with pytest.raises(NotImplementedError, match=rf"^{test.function}$"):
                    getattr(module, test.function)(*case.call.args, **case.call.kwargs)
    assert called or "torch" in assignment.libraries


def test_no_line_of_a_solution_is_handed_out(assignment):
    """Save such as `loss.backward()`, and those that stand in what is given, too."""
    master = master_of(assignment)
    given = {line.strip().removeprefix("# ") for line in REGION.sub("", master).splitlines()}
    solved = {line.strip() for region in REGION.findall(master) for line in region.splitlines()} - given
    telling = {line for line in solved if len(line) > 16}
    assert len(telling) >= len(assignment.functions)
    for path, text in products_of(assignment).items():
        lines = {line.strip().strip('",') for line in text.replace("\\n", "\n").replace('\\"', '"').splitlines()}
        assert telling & lines == set(), path.name


def test_nothing_that_is_handed_out_has_the_marks_of_a_solution(assignment):
    for path, text in products_of(assignment).items():
        assert not any(mark in text for mark in masters.MARKS), path.name


def test_a_stub_keeps_all_that_is_given(assignment):
    """Nothing but the regions is gone: docstrings, helpers, demonstrations and the handout stay."""
    kept = [line.strip() for line in stub_of(assignment).splitlines()]
    body = master_of(assignment).partition("# ---\n\n")[2]
    lost = [
        line
        for line in REGION.sub("", body).splitlines()
        if line.strip() and not line.startswith("# %%") and line.strip() not in kept
    ]
    assert lost == []


# --- notebooks --------------------------------------------------------------------------------------------------------


def test_a_notebook_is_valid_and_empty_of_outputs(assignment):
    text = notebooks.as_text(notebooks.student(assignment))
    node = nbformat.reads(text, as_version=4)
    nbformat.validate(node)
    assert node.metadata["autograder"] == {"assignment": assignment.name}
    assert all(not cell.outputs and cell.execution_count is None for cell in node.cells if cell.cell_type == "code")


def test_a_notebook_has_the_cells_of_its_master_in_order_under_their_names(assignment):
    names = re.findall(r'^# %%.*name="([^"]+)"', master_of(assignment), re.MULTILINE)
    ids = [cell.id for cell in notebooks.student(assignment).cells]
    assert [name for name in ids if name in names] == names
    assert len(set(ids)) == len(ids)


def test_demonstrations_are_comments_in_a_stub_and_live_in_a_notebook(assignment):
    cells = {
        cell.id: cell for cell in masters.notebook(assignment).cells if "active-ipynb" in cell.metadata.get("tags", [])
    }
    assert cells
    stub = stub_of(assignment)
    for cell in cells.values():
        ast.parse(cell.source)
        assert all(f"# {line}" in stub for line in cell.source.splitlines() if line.strip())


# --- the same every time ----------------------------------------------------------------------------------------------

DIGEST = """
import hashlib, os
from autograder import build, contract
digest = hashlib.sha256()
for assignment in contract.assignments():
    for path, text in sorted(build.products(assignment).items()):
        digest.update(f"{path.relative_to(contract.kit_root())}\\0{text}\\0".encode())
print(digest.hexdigest())
"""


def test_two_builds_are_the_same_byte_by_byte(tmp_path):
    """In other processes, with other hashes, locales, times and folders."""
    settings = (
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"},
        {
            "PYTHONHASHSEED": "2",
            "LC_ALL": "C.UTF-8",
            "TZ": "Asia/Macau",
            "SOURCE_DATE_EPOCH": "0",
            "HOME": str(tmp_path),
        },
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", DIGEST],
            cwd=place,
            env={**os.environ, "AUTOGRADER_KIT": str(contract.kit_root()), **more},
            stdout=subprocess.PIPE,
            text=True,
        )
        for place, more in zip((contract.kit_root(), tmp_path), settings, strict=True)
    ]
    first, second = (run.communicate(timeout=120)[0] for run in runs)
    assert len(first) == 65
    assert first == second


# --- what is checked in -----------------------------------------------------------------------------------------------


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A checkout with one assignment, freshly built."""
    chosen = next(item for item in ASSIGNMENTS if item.name == "parameters")
    for path in (chosen.master, chosen.suite, chosen.misconceptions, checks.path(chosen)):
        place = tmp_path / path.relative_to(contract.kit_root())
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    for page in ("README.md", "AGENTS.md"):
        shutil.copy(contract.kit_root() / "assignments" / page, tmp_path / "assignments" / page)
    monkeypatch.setenv("AUTOGRADER_KIT", str(tmp_path))
    contract.assignments.cache_clear()
    build.build()
    yield tmp_path
    contract.assignments.cache_clear()


def check():
    """What `autograder build --check` says, and its exit status."""
    run = CliRunner().invoke(cli.app, ["build", "--check"])
    return run.exit_code, run.output


def test_what_was_just_built_is_up_to_date(kit):
    assert check() == (0, "")
    assert build.build() == []


@pytest.mark.parametrize("name", ["parameters.py", "parameters.ipynb"])
def test_a_file_that_somebody_edited_is_named_with_the_command_that_mends_it(kit, name):
    path = kit / "assignments" / "parameters" / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    status, words = check()
    assert status == 1
    assert str(path) in words.replace("\n", "")
    assert "autograder build" in words


def test_a_file_that_is_missing_is_named(kit):
    path = kit / "assignments" / "parameters" / "parameters.py"
    path.unlink()
    assert check()[0] == 1
    assert build.build() == [path]
    assert check()[0] == 0


def test_a_master_that_was_changed_is_noticed_and_built_anew(kit):
    master = kit / "solutions" / "parameters.py"
    master.write_text(master.read_text(encoding="utf-8") + '\n# %% [markdown] name="more"\n# More.\n', encoding="utf-8")
    assert check()[0] == 1
    build.build()
    assert "# More." in (kit / "assignments" / "parameters" / "parameters.py").read_text(encoding="utf-8")
    assert check()[0] == 0


def test_a_check_writes_nothing(kit):
    path = kit / "assignments" / "parameters" / "parameters.py"
    path.write_text("mine", encoding="utf-8")
    check()
    assert path.read_text(encoding="utf-8") == "mine"


# --- masters that cannot be built -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    ["# %%\nx = 1", '# %% name="imports"\nx = 1', '# %% name="not a name"\nx = 1', f'# %% name="{"x" * 65}"\nx = 1'],
    ids=["none", "twice", "with spaces", "too long"],
)
def test_a_cell_needs_a_name_of_its_own(kit, cell):
    """Names become the cells' ids, by which a student's notebook is compared with the master."""
    master = kit / "solutions" / "parameters.py"
    master.write_text(f"{master.read_text(encoding='utf-8')}\n\n{cell}\n", encoding="utf-8")
    with pytest.raises(ContractError, match="a name of its own"):
        masters.notebook(contract.assignment("parameters"))
