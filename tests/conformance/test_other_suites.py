"""other_suites.toml: where the suites of other projects expect another response, and the rows that show ours."""

import tomllib
from pathlib import Path

import pytest

from tests.core.http1.test_corpus import CASES

from .rows import ROWS
from .test_corpus import TARGETS

DISAGREEMENTS = tomllib.loads(Path(__file__).with_name("other_suites.toml").read_text())["disagreement"]
STATUSES = (
    {case.name: set(case.expected) for case in CASES}
    | {row.id: {response.status for response in row.responses} for row in ROWS}
    | {target: {int(status)} for status, target in TARGETS}
)
"""The statuses of the responses, by the name of a row, of a file of the corpus, or by a target."""


@pytest.mark.parametrize("entry", DISAGREEMENTS, ids=lambda entry: f"{entry['suite']}-{entry['cases'][0]}")
def test_rows_agree_with_the_table(entry: dict[str, object]) -> None:
    assert set(entry) == {"suite", "cases", "theirs", "ours", "rows", "reason"}
    assert isinstance(entry["rows"], list)
    assert entry["rows"]
    for name in entry["rows"]:
        assert entry["ours"] in STATUSES[name], name
