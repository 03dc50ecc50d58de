"""The contract: what a master's own header says, and that a header with a hole in it is refused with the reason."""

from __future__ import annotations

import pytest

from autograder import contract
from autograder.contract import ContractError, assignments, read_header

HEADER = """
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   autograder:
#     title: A title, with a comma
#     order: 2
#     minutes: 90
#     libraries: [numpy, torch]
#     forbidden: [scipy, numpy.convolve]
#     functions:
#       first: {points: 40}
#       Second: {points: 60, needs: [first], forbidden: [torch.nn]}
# ---

raise SystemExit("a master is never imported")
""".lstrip()


@pytest.fixture(autouse=True)
def kit(tmp_path, monkeypatch):
    """A kit without masters yet."""
    monkeypatch.setenv("AUTOGRADER_KIT", str(tmp_path))
    (tmp_path / "solutions").mkdir()
    assignments.cache_clear()
    yield tmp_path
    assignments.cache_clear()


@pytest.fixture
def master(kit):
    def write(text=HEADER, name="fake"):
        path = kit / "solutions" / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_header_is_read_and_the_master_is_not_run(master):
    read = read_header(master())
    assert (read.name, read.title, read.order, read.minutes) == ("fake", "A title, with a comma", 2, 90)
    assert read.libraries == ("numpy", "torch")
    assert read.forbidden == ("scipy", "numpy.convolve")
    assert [(function.name, function.points) for function in read.functions] == [("first", 40), ("Second", 60)]
    assert (read.function("Second").needs, read.function("Second").forbidden) == (("first",), ("torch.nn",))
    assert (read.function("first").needs, read.function("first").forbidden) == ((), ())


def test_an_assignment_knows_its_points_its_functions_and_its_files(master, kit):
    read = read_header(master())
    assert (read.points, read.names) == (100, ("first", "Second"))
    assert read.master == kit / "solutions" / "fake.py"
    assert read.misconceptions == kit / "solutions" / "misconceptions" / "fake.py"
    assert read.suite == kit / "tests" / "hidden" / "test_fake.py"


def test_assignments_come_in_the_order_in_which_they_are_handed_out(master):
    for name, order in (("a", 3), ("b", 1), ("c", 2), ("_helper", 9)):
        master(HEADER.replace("order: 2", f"order: {order}"), name)
    assert [item.name for item in assignments()] == ["b", "c", "a"]


def test_an_assignment_is_found_by_its_name(master):
    master()
    assert contract.assignment("fake").title == "A title, with a comma"
    with pytest.raises(ContractError, match="no assignment 'pool'; there are fake"):
        contract.assignment("pool")


def test_a_kit_without_masters_says_where_they_should_be(kit):
    with pytest.raises(ContractError, match=r"No masters in .*solutions.*AUTOGRADER_KIT"):
        assignments()


def test_without_a_setting_the_kit_is_the_package_s_own_checkout(monkeypatch):
    monkeypatch.delenv("AUTOGRADER_KIT")
    assert (contract.kit_root() / "autograder" / "contract.py").exists()


@pytest.mark.parametrize(
    "old",
    ["title: A title, with a comma", "order: 2", "minutes: 90", "libraries: [numpy, torch]", "points: 40"],
)
def test_an_entry_that_is_missing_is_named(master, old):
    text = HEADER.replace(old, "other: 1")
    with pytest.raises(ContractError, match=f"fake.py.*{old.partition(':')[0]}"):
        read_header(master(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("points: 40", "points: many"),
        ("points: 40", "points: 12.5"),
        ("points: 40", "points: 0"),
        ("points: 40", "points: -40"),
        ("points: 40", "points: true"),
        ("order: 2", "order: first"),
        ("minutes: 90", "minutes: [90]"),
        ("libraries: [numpy, torch]", "libraries: numpy"),
        ("forbidden: [scipy, numpy.convolve]", "forbidden: scipy"),
        ("forbidden: [scipy, numpy.convolve]", "forbidden: [1]"),
        ("needs: [first]", "needs: first"),
        ("needs: [first]", "needs: [third]"),
        ("first: {points: 40}", "first: 40"),
        ("first: {points: 40}", "first:"),
    ],
    ids=lambda text: text,
)
def test_an_entry_that_cannot_be_is_refused(master, old, new):
    with pytest.raises(ContractError, match=r"fake\.py"):
        read_header(master(HEADER.replace(old, new)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "import numpy\n",
        HEADER.replace("# ---", "# --", 1),
        HEADER.replace("# ---\n\nraise", "raise"),
        "# ---\n# ---\n",
        "# ---\n# jupyter:\n# ---\n",
        "# ---\n# just a text\n# ---\n",
        "# ---\n# jupyter: [1, 2\n# ---\n",
        "# ---\n# jupyter:\n#   autograder:\n# ---\n",
        "# ---\n# jupyter: {autograder: {functions: {}, title: T, order: 1, minutes: 1, libraries: []}}\n# ---\n",
    ],
    ids=[
        "empty", "no header", "no beginning", "no end", "nothing in it", "no section", "a text", "no YAML",
        "an empty section", "no functions",
    ],
)  # fmt: skip
def test_a_master_without_a_whole_header_is_refused(master, text):
    with pytest.raises(ContractError, match=r"fake\.py"):
        read_header(master(text))
