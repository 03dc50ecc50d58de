"""What `autograder audit` shows: progress, the kill matrix as a table and as a page, and what fell short."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder import audit, contract
from autograder.audit import Kill, Shortfall
from autograder.faces import html
from autograder.files import write_text

Matrix = Mapping[str, Mapping[str, Sequence[Kill]]]


def run(console: Console, names: Sequence[str], *, mutants: bool, seeds: int, page: Path | None) -> bool:
    """Audit, show, and tell whether all is proved."""
    chosen = [contract.assignment(name) for name in names] or contract.assignments()
    start = time.monotonic()
    kills: list[Kill] = []
    shortfalls: list[Shortfall] = []
    jobs = audit.plan(chosen, seeds=range(1, seeds + 1), with_mutants=mutants)
    # Nothing in a log: the bar is only for who waits.
    for finding in track(audit.audit(jobs), "Auditing", len(jobs), console=console, disable=not console.is_terminal):
        kills += finding.kills
        shortfalls += finding.shortfalls
    shortfalls.sort(key=lambda shortfall: shortfall.what)
    matrix = audit.matrix(kills)
    console.print(_kill_table(matrix))
    if page:
        write_text(page, html.kill_matrix(matrix, shortfalls))
    if shortfalls:
        console.print(_shortfall_table(shortfalls))
    seconds = time.monotonic() - start
    verdict = f"{len(shortfalls)} shortfall{'s' * (len(shortfalls) > 1)}" if shortfalls else "Everything is proved"
    console.print(f"{verdict}: {len(kills)} wrong answers tried in {seconds:.0f} s.")
    return not shortfalls


def _kill_table(matrix: Matrix) -> Table:
    table = Table(title="Wrong answers, and what noticed them", box=None, header_style="bold", title_justify="left")
    kills = [kill for functions in matrix.values() for found in functions.values() for kill in found]
    headings = ["misconceptions", "caught", "told by their own hint"]
    if any(kill.mutant for kill in kills):
        headings += ["mutants", "caught", "right all the same"]
    for heading in ("assignment", "function", *headings):
        table.add_column(heading, justify="left" if heading in ("assignment", "function") else "right")
    for assignment, functions in matrix.items():
        for function, found in functions.items():
            table.add_row(assignment, function, *map(str, _counts(found)[: len(headings)]))
    return table


def _counts(kills: Sequence[Kill]) -> list[int]:
    known = [kill for kill in kills if not kill.mutant]
    mutants = [kill for kill in kills if kill.mutant]
    return [
        len(known),
        sum(bool(kill.killers) for kill in known),
        sum(kill.diagnosed for kill in known),
        len(mutants),
        sum(bool(kill.killers) for kill in mutants),
        sum(bool(kill.equivalent) for kill in mutants),
    ]


def _shortfall_table(shortfalls: Sequence[Shortfall]) -> Table:
    table = Table(title="What fell short", header_style="bold", title_justify="left", show_lines=True)
    table.add_column("what")
    table.add_column("mended by")
    for shortfall in shortfalls:
        table.add_row(shortfall.what, shortfall.mend)
    return table
