"""The intake: what students handed in, as text; nothing of it is parsed as Python, compiled, imported or run.

    for student, paths in group_by_student(find_submissions(folder)).items():
        submission = read_submission(paths, contract.assignments())

All of it runs in the trusted process, on files that may be hostile. Files are opened without following a
link, only if they are regular, and read up to a limit; archives are read in memory; a notebook's outputs are
stepped over before any size is judged. What a student did wrong never raises: it becomes a sentence in
`Submission.problems` or `Answer.problem`. Only a path that the instructor gave wrongly raises `IntakeError`.

Floors, from the ground up: `names` (what a file's name tells), `files` (opening, limits, budgets), `zips`,
`tars` and `archives`, `folders` (every file of a submission), `text` (Python source), `notebooks` (their
JSON), `choosing` (which file answers which assignment), `finding` (the submissions of a class), `reading`
(one of them).
"""

from autograder.intake.finding import IntakeError, find_submissions, group_by_student, student_name
from autograder.intake.reading import Answer, Submission, read_submission

__all__ = [
    "Answer",
    "IntakeError",
    "Submission",
    "find_submissions",
    "group_by_student",
    "read_submission",
    "student_name",
]
