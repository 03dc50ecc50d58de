"""Runs a notebook from top to bottom, as a student's Jupyter would."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

SECONDS = 300  # for one cell, on a machine that has other things to do


def executed(node: NotebookNode, folder: Path | None = None, *, allow_errors: bool = False) -> NotebookNode:
    """The notebook with its outputs, run by a kernel of its own.

    Args:
        node: to run; it is changed.
        folder: in which it runs; an empty one of its own by default.
        allow_errors: whether it goes on after a cell that fails, rather than raise nbclient's CellExecutionError.
    """
    from nbclient import NotebookClient  # with Jupyter behind it: a second that only this needs

    with tempfile.TemporaryDirectory() as empty:
        where: dict[str, Any] = {"metadata": {"path": str(folder or empty)}}
        client = NotebookClient(
            node,
            timeout=SECONDS,
            kernel_name="python3",
            allow_errors=allow_errors,
            resources=where,
            record_timing=False,
            extra_arguments=["--log-level=ERROR"],  # not the kernel's warning of its own local sockets
        )
        client.execute()
    node.metadata["language_info"] = {"name": "python"}  # of any version, not only of this kernel's
    return node
