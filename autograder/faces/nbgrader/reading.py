"""Notebooks as students hand them in: one that is broken is read as empty, so that the class goes on."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Collection, Mapping
from typing import Any, Final

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

MARK: Final = "autograder"  # of the kit's own entry in a notebook's metadata
UNREADABLE: Final = "unreadable"
_NEW: Final = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_PICTURES: Final = ("image/png", "image/jpeg", "image/gif")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]*")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")  # with which HTML in Markdown begins
_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class AnyNotebook(NotebookExporter):
    """nbconvert's reader and writer of notebooks, for files that may be none.

    What cannot be opened is read as a notebook without cells, which says so in its metadata.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert a file."""
        if os.path.isfile(filename):
            return super().from_filename(filename, resources, **kw)
        return self.from_file(io.StringIO(), resources, **kw)  # a folder, or a pipe that nobody writes to

    def from_file(
        self, file_stream: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert a file's text."""
        return self.from_notebook_node(read(file_stream), resources=resources, **kw)


def read(stream: Any) -> NotebookNode:
    """The notebook in a file; an empty one, marked as unreadable, where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what nbformat finds amiss is put right
            return tidied(nbformat.reads(stream.read(), as_version=4))
    except Exception:  # noqa: BLE001  hostile bytes: whatever a parser makes of them
        return new_notebook(metadata={MARK: {UNREADABLE: True}})


def tidied(node: NotebookNode) -> NotebookNode:
    """A notebook of the same cells that is valid: every cell has a kind, a text and an id of its own, and no outputs.

    Raises:
        TypeError, KeyError: it has no cells.
    """
    metadata = node["metadata"] if isinstance(node.get("metadata"), Mapping) else {}
    kept = {key: metadata[key] for key in ("kernelspec", MARK) if isinstance(metadata.get(key), Mapping)}
    tidy = new_notebook(metadata={**kept, "language_info": {"name": "python"}})
    seen: set[str] = set()
    for cell in node["cells"]:
        kind = cell.get("cell_type") if isinstance(cell, Mapping) else None
        if isinstance(kind, str) and kind in _NEW:
            tidy.cells.append(_tidied(cell, seen))
    return tidy


def _tidied(cell: Mapping[str, Any], seen: set[str]) -> NotebookNode:
    new, name = _NEW[cell["cell_type"]](_text(cell.get("source"))), cell.get("id")
    if isinstance(name, str) and _ID.fullmatch(name) and name not in seen:
        new.id = name  # else the one that it has been given
    seen.add(new.id)
    if new.cell_type == "markdown" and cell.get("attachments"):
        new.attachments = _attachments(cell["attachments"])
    metadata = cell.get("metadata")
    if isinstance(metadata, Mapping):
        known = {key: metadata[key] for key in ("nbgrader", "deletable", "editable") if key in metadata}
        if isinstance(metadata.get("tags"), list):
            known["tags"] = sorted({tag for tag in metadata["tags"] if isinstance(tag, str) and _ID.fullmatch(tag)})
        new.metadata.update(nbformat.from_dict(known))
    return new


def _text(source: Any) -> str:
    """A cell's text, without what cannot be written to a file."""
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _attachments(pictures: Any) -> NotebookNode:
    """Pictures that were pasted into a text."""
    pairs = pictures.items() if isinstance(pictures, Mapping) else ()
    return NotebookNode({name: data for name, data in pairs if isinstance(data, Mapping) and _is_picture(data)})


def _is_picture(data: Mapping[str, Any]) -> bool:
    """Whether it can be nothing but pictures, when it is put into a page as it is."""
    return all(
        kind in _PICTURES and isinstance(value, str) and _BASE64.fullmatch(value) for kind, value in data.items()
    )


def without_markup(node: NotebookNode, trusted: Collection[str]) -> None:
    """Make text of the HTML in a student's own cells: nbgrader's pages would run what stands in it, in place.

    Args:
        trusted: texts of cells that were handed out.
    """
    for cell in node.cells:
        if cell.cell_type != "code" and cell.source not in trusted:
            cell.source = _TAG.sub("&lt;", cell.source)
