"""What nbgrader_config.py sets: which steps of nbgrader are replaced, and how its pages show notebooks."""

from __future__ import annotations

from typing import Any

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor, TagRemovePreprocessor
from nbgrader import preprocessors as theirs

from autograder.faces.nbgrader.export import QuestionsExport
from autograder.faces.nbgrader.preprocessors import IsolatedGrade, RepairCells
from autograder.faces.nbgrader.reading import AnyNotebook
from autograder.faces.nbgrader.stubs import NamedStubs, StrippedModules


def configure(c: Any) -> None:
    """Set all that makes a course of nbgrader one of the kit's.

    Args:
        c: what `get_config()` gives in nbgrader_config.py.
    """
    c.GenerateAssignment.preprocessors = [
        StrippedModules,
        theirs.IncludeHeaderFooter,
        theirs.LockCells,
        NamedStubs,
        theirs.ClearOutput,
        theirs.CheckCellMetadata,
        theirs.ComputeChecksums,
        theirs.SaveCells,
        theirs.ClearHiddenTests,
        theirs.ClearMarkScheme,
        theirs.ComputeChecksums,
        theirs.CheckCellMetadata,
    ]
    c.Autograde.exporter_class = AnyNotebook
    c.Autograde.sanitize_preprocessors = [
        StrippedModules,
        RepairCells,
        theirs.OverwriteKernelspec,
        theirs.OverwriteCells,
        theirs.CheckCellMetadata,
    ]
    # In the place of Execute, which runs what was handed in. Nothing here does.
    c.Autograde.autograde_preprocessors = [
        IsolatedGrade,
        theirs.SaveAutoGrades,
        theirs.AssignLatePenalties,
        theirs.CheckCellMetadata,
    ]
    c.GenerateFeedback.preprocessors = [theirs.GetGrades, TagRemovePreprocessor, CSSHTMLHeaderPreprocessor]
    # What a notebook writes where otter-grader is installed, besides what nbgrader itself passes over.
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "tests"]
    c.ExportApp.plugin_class = QuestionsExport
    # On nbgrader's pages: nothing that runs, and not the long lines of the set-up cell.
    c.HTMLExporter.sanitize_html = True
    c.TagRemovePreprocessor.enabled = True
    c.TagRemovePreprocessor.remove_input_tags = {"hide-input"}
