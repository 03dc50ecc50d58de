"""Every attack that the kit answers for: what is tried, which layer stops it, and what proves that.

`SECURITY.md` shows this table, and a test keeps the two in step.
"""

from __future__ import annotations

from dataclasses import dataclass

OPEN = "open"


@dataclass(frozen=True)
class Row:
    """One attack.

    Attributes:
        tried: what a submission tries.
        stopped_by: the layers that stop it.
        proof: submissions of this folder by name, or tests elsewhere as file::function; none where it is open.
    """

    tried: str
    stopped_by: str
    proof: tuple[str, ...] = ()


_INTAKE = "tests/test_intake.py::"
_WIRE = "tests/test_wire.py::"
_HERE = "tests/attacks/test_attacks.py::"
_KILLS = "tests/attacks/test_kills.py::"

ROWS = {
    1: Row("reads masters and hidden suites from disk", "L2, L3", ("reads-hidden-files",)),
    2: Row("imports the reference by name or by sys.path", "L1, L2", ("imports-the-reference",)),
    3: Row("reads compiled suites", "L2, L3", ("reads-compiled-tests",)),
    4: Row("walks frames and tracebacks", "L1", ("walks-frames-and-objects",)),
    5: Row("asks the collector and sys.modules", "L1", ("walks-frames-and-objects",)),
    6: Row("reads the memory of other processes", "L1, L2, L3", ("looks-into-the-grader",)),
    7: Row("ptrace and its kin", "L2, L3, L4", ("steers-another-process",)),
    8: Row("reads environments and command lines", "L1, L2, L3", ("reads-environments",)),
    9: Row("follows the links in /proc", "L2, L3", ("follows-links-in-proc",)),
    10: Row("uses descriptors that it inherited", "L1", ("finds-inherited-descriptors",)),
    11: Row("searches the pages shared by the fork", "L1", ("reads-shared-pages",)),
    12: Row("overwrites results or the kit", "L2, L3, L10", ("overwrites-results",)),
    13: Row("prints what test runners print", "L1", ("forges-test-output",)),
    14: Row("sends answers of its own making", "L1", ("forges-answers",)),
    15: Row("returns a pickle that runs something", "L1", ("returns-a-pickle-bomb",)),
    16: Row("raises a pickle that runs something", "L1", ("returns-a-pickle-bomb", "raises-hostile-exceptions")),
    17: Row("ends its process hard", "L1", ("dies",)),
    18: Row("SystemExit, KeyboardInterrupt and the like", "L1", ("leaves-by-exceptions",)),
    19: Row("skips its tests", "L1", ("skips-its-tests",)),
    20: Row("exceptions with a hostile text", "L1, L6", ("raises-hostile-exceptions",)),
    21: Row("replaces what judges compare with", "L1, L8", ("patches-the-judges",)),
    22: Row("returns what equals everything", "L1, L8", ("returns-what-equals-everything",)),
    23: Row("returns objects that become values later", "L1, L6", ("returns-lazy-objects",)),
    24: Row("returns NaN, masks, objects, text", "L8", ("returns-no-numbers",)),
    25: Row("returns shapes that broadcast", "L8", ("returns-other-shapes",)),
    26: Row("returns arrays that are giant elsewhere", "L1, L5", ("returns-giants",)),
    27: Row(
        "sends frames that a careless decoder trips over",
        "L1",
        ("sends-hostile-frames", f"{_WIRE}test_no_forged_frame_raises_anything_but_a_wire_error"),
    ),
    28: Row("goes on changing what it returned", "L1", ("changes-its-inputs-later",)),
    29: Row("keeps state from one function to the next", "L7", ("remembers-other-functions",)),
    30: Row("keeps state in files, shared memory, keys", "L3, L4", ("leaves-state-behind",)),
    31: Row("detects that it is graded", "L1", ("detects-the-grader",)),
    32: Row("spies by hooks and threads", "L1", ("spies-on-everything",)),
    33: Row("answers from a table of known inputs", "L10", (f"{_HERE}test_every_seed_draws_other_inputs",)),
    34: Row("brings a conftest.py or tests of its own", "L0", (f"{_HERE}test_litter_changes_nothing",)),
    35: Row("brings a sitecustomize.py or a .pth file", "L0, L1", (f"{_HERE}test_litter_changes_nothing",)),
    36: Row("shadows numpy.py or json.py", "L0, L1", (f"{_HERE}test_litter_changes_nothing",)),
    37: Row("brings compiled code under the module's name", "L0", (f"{_HERE}test_litter_changes_nothing",)),
    38: Row("source in a misleading encoding", "L0", (f"{_INTAKE}test_an_answer_that_cannot_be_read_says_why",)),
    39: Row(
        "source that breaks parser or compiler", "L9", (f"{_HERE}test_source_that_breaks_the_parser_costs_only_itself",)
    ),
    40: Row(
        "links, FIFOs, devices, sparse files",
        "L0",
        (f"{_INTAKE}test_what_is_no_regular_file_is_a_reason_and_never_a_hang",),
    ),
    41: Row(
        "archives that reach out of their folder",
        "L0",
        (f"{_INTAKE}test_a_member_that_points_outside_is_refused_and_the_rest_is_read",),
    ),
    42: Row(
        "zip bombs, nested and overlapping archives",
        "L0",
        (f"{_INTAKE}test_a_zip_bomb_is_counted_while_it_is_inflated",),
    ),
    43: Row("set-uid bits and devices in archives", "L0", (f"{_INTAKE}test_setuid_bits_mean_nothing",)),
    44: Row("loops, sleeps, deadlocks, stops itself", "L6", ("never-returns",)),
    45: Row("ignores signals, swallows exceptions", "L6", ("never-returns",)),
    46: Row("closes its channel, drips its answer", "L1, L6", ("closes-its-channel", "drips-its-answer")),
    47: Row(
        "fork bombs and daemons",
        "L4, L6",
        ("forks", f"{_KILLS}test_daemons_die_where_nothing_stops_them_from_being_born"),
    ),
    48: Row("thread bombs", "L5", ("makes-many-threads",)),
    49: Row("memory: arrays", "L5", ("takes-memory", "eats-all-memory")),
    50: Row("memory: shared mappings", "L5", ("takes-memory",)),
    51: Row("memory: memfd, /dev/shm, pipes", "L3, L4, L5", ("takes-memory",)),
    52: Row("fills the disk with bytes or names", "L2, L5", ("fills-the-disk", "spoils-its-scratch-folder")),
    53: Row("opens files until none is left", "L5", ("opens-many-files",)),
    54: Row("floods its output or its channel", "L1", ("floods-its-output", "floods-its-channel")),
    55: Row("overflows the C stack", "L1", ("recurses",)),
    56: Row("takes all cores", "L5, L6", ("hogs-all-cores",)),
    57: Row("is slow within every limit", "L6", ("is-slow-on-purpose",)),
    58: Row(
        "kills or stops the grader, or its zygote",
        "L2, L3, L4",
        ("kills-others", f"{_KILLS}test_a_killed_process_costs_a_retry_and_no_result"),
    ),
    59: Row("changes limits and priorities of others", "L2, L4", ("hampers-others", "raises-its-limits")),
    60: Row("runs programs", "L4", ("starts-programs",)),
    61: Row("gains rights: root, namespaces, mounts, bpf", "L2, L4", ("gains-rights", "calls-in-another-architecture")),
    62: Row("sends by TCP", "L2, L3, L4", ("connects-by-tcp",)),
    63: Row("sends by UDP, DNS, local sockets, VSOCK", "L2, L4", ("connects-otherwise",)),
    64: Row("types into the instructor's terminal", "L1, L2, L4", ("types-into-the-terminal",)),
    65: Row("poisons caches and libraries", "L2, L3", ("poisons-caches",)),
    66: Row("tells hidden inputs by texts, names, shapes", "L10", ("tells-its-inputs", "forges-a-note")),
    67: Row("tells hidden inputs by how long it takes", "L10", (f"{_HERE}test_no_duration_is_told",)),
    68: Row("learns one bit per test and submission", OPEN),
    69: Row("markup and scripts in reports", "L10", ("writes-to-its-readers",)),
    70: Row("escapes and invisible characters in reports", "L10", ("writes-to-its-readers",)),
    71: Row("formulas in the gradebook", "L10", (f"{_HERE}test_a_name_is_no_formula",)),
    72: Row("giant texts and chains of exceptions", "L1, L10", ("writes-to-its-readers", "raises-hostile-exceptions")),
    73: Row("text aimed at whoever grades by hand", "L10", ("writes-to-its-readers",)),
    74: Row(
        "notebooks with magics, forged outputs, bombs",
        "L0",
        (f"{_INTAKE}test_a_hostile_notebook_is_refused_in_bounded_time_and_memory",),
    ),
    75: Row(
        "calls what is forbidden by another name",
        f"L9, {OPEN} where obfuscated",
        (
            f"{_HERE}test_a_forbidden_call_by_another_name_scores_nothing",
            "tests/test_offences.py::test_a_way_through_another_graded_function_is_no_way",
            "tests/test_offences.py::test_what_is_forbidden_to_one_function_is_allowed_in_another",
            "tests/test_suspicions.py::test_what_may_hide_a_call_is_named",
        ),
    ),
    76: Row("undoes the run-time record of forbidden calls", OPEN),
    77: Row("leaves global state behind", "L1, L7", ("wrecks-global-state",)),
    78: Row("reads standard input", "L1", ("reads-standard-input",)),
    79: Row("takes the graphics card", "L1, L2, L3", ("reaches-for-a-gpu",)),
    80: Row("side channels of processor and kernel", OPEN),
    81: Row("covert channels between students", f"L2, L4, partly {OPEN}", ("leaves-state-behind",)),
    82: Row("attacks the platform as root", "L2", ("gains-rights",)),
    83: Row("reads what somebody forgot", "L2, L3", ("reads-forgotten-files",)),
}
