"""Runs some of nbgrader's commands in one process, each as `nbgrader …` does, which takes seconds to import."""

import contextlib
import json
import sys

from jupyter_core.application import NoStart
from nbgrader.apps import NbGraderApp

for step in json.loads(sys.argv[1]):
    app = NbGraderApp.instance()
    app.initialize(step)
    with contextlib.suppress(NoStart):  # raised when a subcommand has run
        app.start()
    NbGraderApp.clear_instance()
    type(app.subapp).clear_instance()
