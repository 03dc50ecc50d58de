"""What the set-up cell of a student's notebook holds: check("convolve1d"), and how far one is."""

import importlib.util
import inspect
import os
import subprocess
import sys
import warnings
from html import escape

try:
    from IPython.display import display
except ImportError:  # a notebook's code run as a plain script
    display = None


class Handout:
    """The checks of one notebook.

    Args:
        functions: to be written, in order, and how they read in the progress line: "" or a word such as "practice".
        libraries: names to install them by, and to import them by.
        shared: source that all checks need.
        checks: source of the checks of each function.
        names: the notebook's own.
    """

    def __init__(self, functions, libraries, shared, checks, names):
        self.functions, self.shared, self.checks, self.names = functions, shared, checks, names
        self.held = dict.fromkeys(functions)  # how many checks held, of how many; None where nobody has looked
        self.grader, self.otter = Grader(self), None
        self.on_colab = "google.colab" in sys.modules
        self.has_otter = importlib.util.find_spec("otter") is not None
        self._bring(libraries)
        if self.on_colab or self.has_otter:
            self._write()
        print(f'Ready: check("{next(iter(functions))}") checks a function, progress() shows how far you are.')

    def _bring(self, libraries):
        missing = [name for name, module in libraries.items() if importlib.util.find_spec(module) is None]
        if missing and self.on_colab:
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=False)
        elif missing:
            print(f"Missing: {', '.join(missing)}. To install: %pip install {' '.join(missing)}")

    def _write(self):
        """Write the checks beside the notebook, where otter-grader looks for them."""
        head = "from otter.test_files import test_case\n\nOK_FORMAT = False\n"
        try:
            os.makedirs("tests", exist_ok=True)
            for function, source in self.checks.items():
                with open(os.path.join("tests", f"{function}.py"), "w", encoding="utf-8", newline="\n") as file:
                    file.write(f'{head}name = "{function}"\n\n{self.shared}{source}')
        except OSError:  # a folder that cannot be written to: the checks run all the same
            self.has_otter = False

    def check(self, function):
        """Run the checks of one function, and say what does not hold and how far you are."""
        if function not in self.checks:
            print(f"There is no check of {function!r}. There are: {', '.join(self.checks)}.")
            return
        results = self._results(function)
        lines = [self._verdict(function, results)]
        if not _waits(function, results):
            lines += _told([(title, trouble) for title, trouble in results if trouble])
        print("\n".join(lines), end="\n\n")
        self._show()

    def progress(self):
        """Check every function anew, and show how far you are."""
        width = max(map(len, self.functions))
        lines = []
        for function in self.functions:
            mark, _, words = self._verdict(function, self._results(function)).partition(f" {function}")
            words = (
                words.strip(": ") if mark != "·" else "still to be written" if function in self.names else "not defined"
            )
            lines.append(f"{mark} {function:<{width}}  {words}")
        print("\n".join(lines), end="\n\n")
        self._show()

    def _verdict(self, function, results):
        held = sum(not trouble for _, trouble in results)
        self.held[function] = None if function not in self.names or _waits(function, results) else (held, len(results))
        if function not in self.names:
            return f"· {function} is not defined yet: run the cell that defines it, then this one."
        if _waits(function, results):
            return f"· {function} waits for you: write it in place of `raise NotImplementedError`, then run both cells."
        if held == len(results):
            return f"✓ {function}: all {held} checks hold."
        return f"✗ {function}: {held} of {len(results)} checks hold."

    def _results(self, function):
        """The checks of a function: their titles, and what does not hold, if anything."""
        if function not in self.names:
            return []
        if self.has_otter:
            try:
                return self._by_otter(function)
            except Exception:  # whatever is wrong with otter, the checks run without it as well
                self.has_otter = False
        return self._by_hand(function)

    def _by_otter(self, function):
        results = self.graded(function).test_case_results
        # otter puts three lines before what the check says: that it failed, where, and the line of the check.
        return [
            (result.test_case.name, "" if result.passed else result.message.split("\n", 3)[-1].partition(": ")[2])
            for result in results
        ]

    def graded(self, function):
        """What otter-grader's own grader.check returns."""
        if self.otter is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import otter  # takes seconds, so not before it is needed
            self.otter = otter.Notebook(tests_dir="tests")
        return self.otter.check(function, global_env=self.names)

    def _by_hand(self, function):
        cases = []

        def test_case(name):
            return lambda case: cases.append((name, case))

        exec(compile(self.shared + self.checks[function], f"<checks of {function}>", "exec"), {"test_case": test_case})
        return [(name, self._trouble(case)) for name, case in cases]

    def _trouble(self, case):
        try:
            case(*(self.names.get(name) for name in inspect.signature(case).parameters))
        except AssertionError as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def _show(self):
        """The progress line, and a picture of it where there is a notebook to show it in."""
        graded = [function for function, kind in self.functions.items() if not kind]
        done = sum(self._is_done(function) for function in graded)
        line = f"{done} of {len(graded)} functions done"
        if display is None:
            print(line)
            return
        signs = "".join(self._sign(function) for function in self.functions)
        states = ", ".join(f"{function} {self._state(function)}" for function in self.functions)
        style = "display:flex;flex-wrap:wrap;gap:6px;align-items:center;font:13px sans-serif;margin:2px 5px"
        picture = f'<div role="img" aria-label="{line}: {escape(states)}" style="{style}"><b>{line}</b>{signs}</div>'
        display({"text/plain": line, "text/html": picture}, raw=True)

    def _is_done(self, function):
        held = self.held[function]
        return held is not None and held[0] == held[1]

    def _state(self, function):
        return "done" if self._is_done(function) else "open" if self.held[function] is None else "not yet right"

    def _sign(self, function):
        # A sign and a border beside each colour: nobody has to tell blue from orange.
        mark, style = {
            "done": ("✓", "background:#0072B2;color:#FFFFFF;border:2px solid #0072B2"),
            "not yet right": ("✗", "background:#FFFFFF;color:#8A3B00;border:2px solid #D55E00"),
            "open": ("·", "background:#FFFFFF;color:#4A4A4A;border:2px dashed #767676"),
        }[self._state(function)]
        kind = f" ({self.functions[function]})" if self.functions[function] else ""
        return f'<span style="{style};border-radius:6px;padding:2px 8px">{mark} {escape(function + kind)}</span>'


class Grader:
    """What notebooks for otter-grader call grader: its own where it is installed, else the checks without it."""

    def __init__(self, handout):
        self.handout = handout

    def check(self, function):
        """Otter's result, or the light check's words."""
        return self.handout.graded(function) if self.handout.has_otter else self.handout.check(function)


def _told(troubles, most=3):
    """What does not hold: the first case of each test before its other cases, and no hint twice."""
    firsts = {title.rpartition(" (")[0] or title: (title, trouble) for title, trouble in troubles[::-1]}
    others = [entry for entry in troubles if entry not in firsts.values()]
    lines, hints = [], set()
    for title, trouble in [*list(firsts.values())[::-1], *others][:most]:
        call, mark, hint = trouble.partition("\n  Hint: ")
        lines.append(f"\n✗ {title}\n{call}" + (mark + hint if hint not in hints else ""))
        hints.add(hint)
    if troubles[most:]:
        lines.append(f"\n… and {len(troubles) - most} more, which may well have the same cause.")
    return lines


def _waits(function, results):
    """Whether a function is a stub: no check gets further than its NotImplementedError."""
    return bool(results) and all(trouble.startswith(f"{function} is not written yet") for _, trouble in results)
