"""Notebooks are built from the masters: valid, always the same, complete, and readable without seeing a picture."""

from __future__ import annotations

import ast
import json
import re

import nbformat
import pytest

from autograder import build, checks, contract, masters, notebooks
from autograder.contract import ContractError

ASSIGNMENTS = contract.assignments()
every_assignment = pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)


def cells(node, kind="code"):
    return {cell.id: cell for cell in node.cells if cell.cell_type == kind}


@every_assignment
class TestStudentNotebook:
    def test_is_what_is_checked_in(self, assignment):
        """Build after build the bytes are the same, and they are those of the checkout."""
        first, second = build.products(assignment), build.products(assignment)
        assert first == second
        for path, text in first.items():
            assert path.read_text(encoding="utf-8") == text, f"{path}: run `autograder build`"

    def test_is_a_valid_notebook(self, assignment):
        """By nbformat's schema, with the assignment's name in its metadata."""
        node = nbformat.reads(notebooks.as_text(notebooks.student(assignment)), as_version=4)
        nbformat.validate(node)
        assert node.metadata["autograder"]["assignment"] == assignment.name
        assert all(not cell.get("outputs") for cell in node.cells)

    def test_has_stable_cell_ids(self, assignment):
        """Every cell of the master's keeps its name as its id, in the master's order."""
        built = [cell.id for cell in notebooks.student(assignment).cells]
        names = [cell.id for cell in masters.notebook(assignment).cells]
        assert [name for name in built if name in names] == names
        assert len(set(built)) == len(built)

    def test_has_one_set_up_cell_before_any_other_code(self, assignment):
        """It is folded, and it is Python that needs no file."""
        first = next(iter(cells(notebooks.student(assignment)).values()))
        assert first.id == "set-up"
        assert first.source.startswith("# @title Set up")
        assert first.metadata["jupyter"]["source_hidden"]
        assert "open(" not in ast.unparse(ast.parse(first.source)).partition("exec(")[2]

    def test_has_a_check_right_after_each_function(self, assignment):
        """And a progress line and a way to hand in at the end."""
        node = notebooks.student(assignment)
        order = [cell.id for cell in node.cells]
        for function in checks.read(assignment).cases:
            (at,) = (
                index
                for index, cell in enumerate(node.cells)
                if cell.cell_type == "code" and re.search(rf"^(def|class) {function}\b", cell.source, re.MULTILINE)
            )
            assert node.cells[at + 1].source == f'check("{function}")'
        assert order[-4:] == ["about-progress", "progress", "about-submission", "submission"]

    def test_holds_no_solution(self, assignment):
        """Every function raises NotImplementedError, and no mark of the master's is left."""
        text = notebooks.as_text(notebooks.student(assignment))
        assert not any(mark in text for mark in masters.MARKS)
        for function in checks.read(assignment).cases:
            assert f'raise NotImplementedError(\\"{function}\\")' in text

    def test_says_in_words_what_each_picture_shows(self, assignment):
        """The cell that draws has an alternative text, which is a sentence of the Markdown before it."""
        drawing = [cell for cell in cells(notebooks.student(assignment)).values() if "plt.show()" in cell.source]
        assert len(drawing) >= 2
        for cell in drawing:
            assert len(cell.metadata["alt"]) > 60, cell.id

    def test_has_formulas_and_tables_that_are_whole(self, assignment):
        """Dollars in pairs, braces and environments closed; each row of a table has its columns and its end."""
        for cell in cells(notebooks.student(assignment), "markdown").values():
            text = re.sub(r"```.*?```|`[^`]*`", "code", cell.source, flags=re.DOTALL)
            assert text.count("$") % 2 == 0, cell.id
            for formula in re.findall(r"\$\$.+?\$\$|\$.+?\$", text, re.DOTALL):
                bare = re.sub(r"\\[{}]", "", formula)
                assert bare.count("{") == bare.count("}"), formula
                assert len(re.findall(r"\\begin", bare)) == len(re.findall(r"\\end", bare)), formula
                assert len(re.findall(r"\\left\b", bare)) == len(re.findall(r"\\right\b", bare)), formula
            for table in re.findall(r"^\|.*\n\|[ -:|]+\|\n(?:\|.*\n?)*", text, re.MULTILINE):
                rows = [re.sub(r"\$[^$]*\$", "math", row) for row in table.strip().split("\n")]
                assert len({row.count("|") for row in rows}) == 1, table
                assert all(row.endswith("|") for row in rows), table

    def test_draws_in_colours_that_stand_out(self, assignment):
        """At least 3 to 1 against white, as WCAG asks of graphics."""
        from tests.test_handout import contrast

        source = "\n".join(
            cell.source for name, cell in cells(notebooks.student(assignment)).items() if name != "set-up"
        )
        for colour in set(re.findall(r"#[0-9A-Fa-f]{6}\b", source)) - {"#FFFFFF"}:
            assert contrast(colour, "#FFFFFF") >= 3, colour

    def test_tells_difficulty_and_time_of_every_function(self, assignment):
        """Stars and minutes in the handout, and what is a stretch is called so."""
        text = "\n".join(cell.source for cell in cells(notebooks.student(assignment), "markdown").values())
        assert "★" in text
        assert re.search(r"\d+ min", text)
        assert re.search("going further", text, re.IGNORECASE)
        if assignment.name not in ("convolution", "training"):
            assert re.search("stretch", text, re.IGNORECASE)


@every_assignment
def test_a_solution_notebook_holds_the_solutions_and_the_checks(assignment):
    """Nothing to hand in, no marks, every function written."""
    node = notebooks.solution(assignment)
    text = notebooks.as_text(node)
    assert not any(mark in text for mark in masters.MARKS)
    assert "submission" not in cells(node)
    code = "\n".join(cell.source for name, cell in cells(node).items() if name not in ("set-up", "demo-tools"))
    assert 'raise NotImplementedError("' not in code


class TestAMasterThatCannotBeBuilt:
    @pytest.fixture
    def kit(self, tmp_path, monkeypatch):
        """A copy of one master and its checks, to spoil."""
        convolution = contract.assignment("convolution")
        for source, name in [
            (convolution.master, "solutions/convolution.py"),
            (checks.path(convolution), "assignments/convolution/test_convolution.py"),
        ]:
            target = tmp_path / name
            target.parent.mkdir(parents=True)
            target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        monkeypatch.setenv("AUTOGRADER_KIT", str(tmp_path))
        return tmp_path

    def spoil(self, kit, name, old, new):
        path = kit / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        return contract.read_header(kit / "solutions" / "convolution.py")

    def test_a_picture_without_words(self, kit):
        """Before every picture a paragraph in italics says what it shows."""
        spoiled = self.spoil(kit, "solutions/convolution.py", "# *The plot shows a jagged", "# The plot shows a jagged")
        with pytest.raises(ContractError, match="in italics, what its picture shows"):
            notebooks.student(spoiled)

    def test_checks_of_a_function_that_is_not_there(self, kit):
        """A check asks for a function of the master's."""
        spoiled = self.spoil(
            kit, "assignments/convolution/test_convolution.py", "(moving_average, expect, k)", "(median, expect, k)"
        )
        with pytest.raises(ContractError, match="no function of the master's is called median"):
            notebooks.student(spoiled)

    def test_checks_that_otter_could_not_open_on_windows(self, kit):
        """Public checks are ASCII."""
        spoiled = self.spoil(kit, "assignments/convolution/test_convolution.py", "x[n - tau]", "x[n − τ]")
        with pytest.raises(ContractError, match="write it in ASCII"):
            notebooks.student(spoiled)

    def test_parameters_that_cannot_be_spelled_out(self, kit):
        """Cases are written out: otter knows no parameters."""
        spoiled = self.spoil(kit, "assignments/convolution/test_convolution.py", '("k", [0, -2])', '("k", range(2))')
        with pytest.raises(ContractError, match="parametrize with names and a list of values"):
            checks.read(spoiled)


def test_a_file_that_nothing_builds_any_more_is_drift(tmp_path, monkeypatch):
    """An otter file of a function that was renamed is named by --check, and removed by a build."""
    assignment = contract.assignment("shapes")
    everything = dict(build.products(assignment))
    stray = next(path for path in everything if path.parent.name == "tests").parent / "renamed.py"
    monkeypatch.setattr(build, "products", lambda _: everything)
    stray.write_text("", encoding="utf-8")
    try:
        assert build.drift() == [stray]
    finally:
        stray.unlink()
    assert build.drift() == []


def test_notebooks_are_plain_json():
    """One object, two spaces fewer than a screenful: diffs of a build can be read."""
    text = notebooks.as_text(notebooks.student(ASSIGNMENTS[0]))
    assert json.loads(text)["nbformat"] == 4
    assert text.endswith("}\n")
    assert max(map(len, text.splitlines())) > 1000  # the set-up cell's plain text, on one line each
