"""The tests that a run without --exhaustive leaves out, all of them in this table.

A short run answers "did I break something?" in minutes: it runs every row on every design, and every cheap test, too.
The tests named here wait for deadlines, start many servers or move much data; a short run runs them on few designs, or
not at all. A run that is given files or tests by name leaves out nothing.
"""

from typing import Final

import pytest

from tests.conformance.designs import Design

ESSENTIAL_DESIGNS: Final = {"async-uvloop", "thread"}
"""The design for production, and one of those that share the blocking conversation of pwb_legacy/common."""
ESSENTIAL_LOOPS: Final = {"uvloop"}

ON_ESSENTIAL_DESIGNS: Final = (
    "tests/compare/test_load.py",
    "tests/conformance/test_capacity.py",
    "tests/conformance/test_changes.py",
    "tests/conformance/test_corpus.py",
    "tests/conformance/test_endings.py",
    "tests/conformance/test_fallback.py",
    "tests/conformance/test_faults.py",
    "tests/conformance/test_files.py",
    "tests/conformance/test_generated.py",
    "tests/conformance/test_large.py",
    "tests/conformance/test_limits.py",
    "tests/conformance/test_log.py",
    "tests/conformance/test_many.py",
    "tests/conformance/test_printing.py",
    "tests/conformance/test_scarce.py",
    "tests/conformance/test_sendfile.py",
    "tests/conformance/test_splits.py",
    "tests/conformance/test_start.py",
    "tests/conformance/test_stop.py",
    "tests/conformance/test_time.py",
    "tests/interop/",
    "tests/process/",
)
"""The tests that a short run runs on ESSENTIAL_DESIGNS only, and those of tests/process on ESSENTIAL_LOOPS only."""

ONLY_EXHAUSTIVE: Final = (
    "tests/benchmarks/test_growth.py::test_the_command_writes_figures_and_pictures",
    "tests/book/test_matrix.py::test_a_design_of_pwb_has_none_of_them",
    "tests/book/test_matrix.py::test_an_exhibit_has_the_defects_of_the_book",
    "tests/book/test_page.py",
    "tests/check/test_check.py::test_a_server_that_hangs_is_given_up",
    "tests/check/test_check.py::test_a_server_that_never_listens",
    "tests/check/test_check.py::test_a_server_that_sends_a_byte_now_and_then_is_bounded",
    "tests/compare/test_compare.py::test_ctrl_c_keeps_what_was_measured_and_leaves_nobody_behind",
    "tests/compare/test_compare.py::test_two_numbers_of_cores_are_measured_side_by_side",
    "tests/compare/test_lesson.py",
    "tests/compare/test_live_page.py",
    "tests/compare/test_load.py::test_it_agrees_with_wrk",
    "tests/compare/test_others.py",
    "tests/compare/test_page.py::test_the_pictures_of_the_readme_are_small",
    "tests/compare/test_play.py::test_the_book_s_seven_and_async",
    "tests/compare/test_sweep.py",
    "tests/conformance/test_large.py::test_more_than_32_bits_can_count_c12",
    "tests/docs/test_book_page.py",
    "tests/interop/test_mercurial.py",
    "tests/interop/test_wget.py::test_python_documentation",
    "tests/process/test_reload.py::test_a_storm_of_reloads_f1",
    "tests/process/test_slow_disk.py::test_responses_do_not_change",
    "tests/storage/test_disk.py::test_openat2_and_the_walk_find_the_same_whatever_the_links",
    "tests/typed/test_typed.py::test_a_client_that_is_too_slow_is_cut_off",
)
"""The tests that a short run omits. Each takes seconds, and shows little that others do not."""

MUTANTS: Final = 100
"""The number of the thousand malformed requests of tests/conformance/test_fuzz.py that a short run sends."""


def leaves_out(item: pytest.Item) -> bool:
    """Whether a short run leaves out this test."""
    if item.nodeid.startswith(ONLY_EXHAUSTIVE):
        return True
    if not item.nodeid.startswith(ON_ESSENTIAL_DESIGNS):
        return False
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    design, loop = parameters.get("design"), parameters.get("loop")
    if isinstance(design, Design) and design.name not in ESSENTIAL_DESIGNS:
        return True
    return isinstance(loop, str) and loop not in ESSENTIAL_LOOPS
