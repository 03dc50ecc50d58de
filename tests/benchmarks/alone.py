"""What a submission's own functions cost: the calls of all hidden suites made directly in one process, and no more.

    python alone.py FOLDER SEED

For each line that it reads it makes all calls once, and prints one JSON object with the CPU seconds of each assignment:
neither loading nor resetting the state between calls counts. So one round can follow another's measurement at once, on
a machine whose speed changes. What a GPU is asked for is computed on the CPU, as the simulated GPU does too.
"""

import copy
import json
import sys
import time
import types
import warnings
from pathlib import Path

from autograder import contract
from autograder.suite import declare
from autograder.worker import loader
from autograder.worker.calls import reset
from autograder.worker.zygote import warm


def loaded(assignment, folder, seed):
    """A submission's module, and the calls of the assignment's suite."""
    module = types.ModuleType(assignment.name)
    sys.modules[assignment.name] = module
    text = (folder / f"{assignment.name}.py").read_text("utf-8")
    loader.load(module, [text], f"{assignment.name}.py", assignment.names)
    return module, [case.call for test in declare(assignment, seed) for case in test.cases]


def _seconds(module, call):
    functions = [getattr(module, name) for name in call.functions]
    args, kwargs = copy.deepcopy((call.args, call.kwargs))
    if call.probe:
        name, source = call.probe
        namespace = {}
        exec(source.replace('"cuda"', '"cpu"'), namespace)
        kwargs |= {"device": "cpu"} if kwargs.get("device") == "cuda" else {}
        function, args = namespace[name], (*functions, *args)
    else:
        function = functions[0]
    reset(call.seed)
    start = time.process_time()
    try:
        function(*args, **kwargs)
    except Exception:  # noqa: BLE001  some calls are there to be refused
        pass
    return time.process_time() - start


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    warm(["numpy", "torch"])
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    parts = {assignment.name: loaded(assignment, folder, seed) for assignment in contract.assignments()}
    for _ in sys.stdin:
        costs = {name: sum(_seconds(module, call) for call in calls) for name, (module, calls) in parts.items()}
        print(json.dumps(costs), flush=True)
