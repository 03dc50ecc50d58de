"""Gives every test the functions that it asks for by name, out of the module beside it: run `pytest` in this folder."""

import ast
import functools
import importlib.util
import sys
from pathlib import Path

import pytest

from autograder.handout.expect import NotHeldError, expect

FOLDER = Path(__file__).resolve().parent
TESTS = next(FOLDER.glob("test_*.py"))
MODULE = FOLDER / TESTS.name.removeprefix("test_")


@functools.cache
def _module():
    """The module as it is; what keeps Python from importing it, in a sentence."""
    if not MODULE.exists():
        return None, f"There is no {MODULE.name} beside {TESTS.name}. If you work in the notebook, run its check cells."
    spec = importlib.util.spec_from_file_location(MODULE.stem, MODULE)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(FOLDER))  # so that it finds other modules of yours
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        return None, f"Python cannot read {MODULE.name}, line {error.lineno}: {error.msg}."
    except Exception as error:
        return None, f"{MODULE.name} cannot be imported: {type(error).__name__}: {error}"
    finally:
        sys.path.remove(str(FOLDER))
    return module, ""


def _fixture(name):
    @pytest.fixture(name=name)
    def function():
        module, trouble = _module()
        if module is None:
            pytest.fail(trouble, pytrace=False)
        if not hasattr(module, name):
            pytest.fail(f"{MODULE.name} does not define {name}.", pytrace=False)
        return getattr(module, name)

    return function


@pytest.fixture(name="expect")
def _expect():
    return expect


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What a check says is all there is to say: no source of its own, and no frames of pytest's, around it."""
    outcome = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, NotHeldError):
        requirement = (item.function.__doc__ or "").partition("\n")[0]
        outcome.get_result().longrepr = f"{requirement}\n{call.excinfo.value}"


# Every name that a test asks for; where a test's own parameters give it a value, they win.
for _node in ast.parse(TESTS.read_text(encoding="utf-8")).body:
    if isinstance(_node, ast.FunctionDef) and _node.name.startswith("test_"):
        for _argument in _node.args.args:
            if _argument.arg != "expect":
                globals()[f"_{_argument.arg}"] = _fixture(_argument.arg)
