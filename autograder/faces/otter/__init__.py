"""Gradescope by way of otter-grader: otter packages, runs and writes results.json; the grading core decides.

`packaging` builds the zip files with `otter.generate`. In one of them, `guard` stands in for otter's `run_otter.py`: it
starts otter, which loads `plugin`, which starts `core`, which grades and writes results as suites end. Whatever of that
fails, the guard leaves one valid results.json.
"""
