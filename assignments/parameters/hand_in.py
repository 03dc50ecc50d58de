"""Packs what you hand in into one zip file: run `python hand_in.py` in this folder, or the notebook's last cell."""

import ast
import json
import os
import sys
import zipfile
from pathlib import Path

ASSIGNMENT = "parameters"
FUNCTIONS = [
    "perceptron_parameters",
    "linear_parameters",
    "conv1d_parameters",
    "conv2d_parameters",
    "network_parameters",
]
NAMES = {}  # of the notebook in which this runs, if it does


def finished(cells):
    """Which functions these pieces of code define, and whether none of their parts is still to be written."""
    found = {}
    for cell in cells:
        for node in _tree(cell):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in FUNCTIONS:
                found[node.name] = not any(isinstance(part, ast.Raise) and _waits(part) for part in ast.walk(node))
    return found


def _tree(cell):
    lines = [line for line in cell.split("\n") if not line.lstrip().startswith(("%", "!"))]
    try:
        return ast.parse("\n".join(lines)).body
    except SyntaxError as error:
        name = next((name for name in FUNCTIONS if f" {name}(" in cell), None)
        if name:
            print(f"Python cannot read the code of {name}: {error.msg}.")
        return []


def _waits(node):
    return "NotImplementedError" in ast.unparse(node)


def code(path):
    """The pieces of code of a module, or of a notebook; none where it is another assignment's."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return [text]
    notebook = json.loads(text)
    ours = notebook.get("metadata", {}).get("autograder", {}).get("assignment") == ASSIGNMENT
    return _code_cells(notebook) if ours or path.stem == ASSIGNMENT else []


def _code_cells(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def choose(paths):
    """The file that answers the assignment: of several the one with more functions finished, else the newest."""
    answers = []
    for path in paths:
        try:
            state = finished(code(path))
        except (OSError, ValueError, KeyError):
            continue
        if state:
            answers.append((sum(state.values()), path.stat().st_mtime, path))
    return max(answers)[-1] if answers else None


def pack(path, notebook=None):
    """Write the zip file beside an answer, and say what is in it and what is still to be written.

    Args:
        path: the answer, a notebook or a module.
        notebook: what it holds, where that is not what the file holds.
    """
    target = path.parent / f"{ASSIGNMENT}-hand-in.zip"
    content = path.read_text(encoding="utf-8") if notebook is None else json.dumps(notebook)
    remark = ""
    if path.suffix == ".ipynb":  # outputs may be far larger than the work, and nobody grades them
        notebook = json.loads(content)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell.update(outputs=[], execution_count=None)
        content, remark = json.dumps(notebook, indent=1), ", without its outputs"
        state = finished(_code_cells(notebook))
    else:
        state = finished([content])
    given = {f"{ASSIGNMENT}.py", "conftest.py", "hand_in.py"}
    own = [file for file in sorted(path.parent.glob("*.py")) if file.name not in given and file.name[:5] != "test_"]
    print(f"{target.name} contains:")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path.name, content)
        print(f"  {path.name}, {len(content) / 1000:.0f} kB{remark}")
        for file in own:
            archive.write(file, file.name)
            print(f"  {file.name}, a module of yours")
    _report(state)
    print(f"\nHand in this file: {target.resolve()}")
    return target


def _report(state):
    done = [name for name in FUNCTIONS if state.get(name)]
    print(f"\n{len(done)} of {len(FUNCTIONS)} functions are written.")
    for name in FUNCTIONS:
        if name not in state:
            print(f"  Careful: {name} is missing.")
        elif not state[name]:
            print(f"  Careful: {name} still says NotImplementedError.")
    if len(done) == len(FUNCTIONS):
        print("  Nothing is missing. Whether they are right, progress() or pytest tells.")


def hand_in(name=None):
    """Pack this notebook, or the file of that name; on Colab also download the zip file."""
    if name is None and "google.colab" in sys.modules:
        from google.colab import _message, files

        print("Asking Colab for the notebook as you see it …")
        notebook = _message.blocking_request("get_ipynb", timeout_sec=60)["ipynb"]
        files.download(str(pack(Path(f"{ASSIGNMENT}.ipynb"), notebook)))
        return
    path = Path(name) if name else _notebook_file()
    if path is None or not path.exists():
        print(f'No notebook of this assignment in {Path.cwd()}. Name it: hand_in("my notebook.ipynb")')
        print("Or hand in the notebook itself, which your menu's File > Download gives you.")
        return
    _warn_of_unsaved(path)
    pack(path)


def _notebook_file():
    """The notebook that is running: as its program says, else the only or most finished one in this folder."""
    for name in (NAMES.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if name and name.endswith(".ipynb"):
            for path in (Path(name), Path(Path(name).name)):
                if path.exists():
                    return path
    return choose(Path.cwd().glob("*.ipynb"))


def _warn_of_unsaved(path):
    """Say where a function that ran last differs from the one in the file."""
    ran = [cell.strip() for cell in NAMES.get("In", [])]
    try:
        saved = {cell.strip() for cell in code(path)}
    except (OSError, ValueError, KeyError):
        return
    for name in FUNCTIONS:
        last = next((cell for cell in reversed(ran) if finished([cell]).keys() >= {name}), None)
        if last is not None and last not in saved:
            print(
                f"Careful: you ran another {name} than the one in {path.name}. Save the notebook, then run this again."
            )


if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    answer = choose([folder / f"{ASSIGNMENT}.py", *folder.glob("*.ipynb")])
    if answer is None:
        sys.exit(f"There is neither a {ASSIGNMENT}.py nor a notebook of this assignment here.")
    pack(answer)
