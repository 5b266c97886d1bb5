"""The table of the short run names tests that exist, and leaves out nothing of what every design must show."""

from pathlib import Path

import pytest

from tests import short_run
from tests.conformance.designs import DESIGNS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", [*short_run.ON_ESSENTIAL_DESIGNS, *short_run.ONLY_EXHAUSTIVE])
def test_the_table_names_what_exists(name: str) -> None:
    path, _, function = name.partition("[")[0].partition("::")
    assert (ROOT / path).exists()
    assert not function or f"def {function}(" in (ROOT / path).read_text()


def test_every_behaviour_row_runs_on_every_design() -> None:
    assert not "tests/conformance/test_rows.py".startswith(short_run.ON_ESSENTIAL_DESIGNS)


def test_the_essential_designs_exist() -> None:
    assert {design.name for design in DESIGNS} >= short_run.ESSENTIAL_DESIGNS
