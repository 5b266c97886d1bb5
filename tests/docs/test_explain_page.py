"""What docs/explain.md shows is what the commands print."""

from pathlib import Path

import pytest

from .explain_page import PAGE, build, examples, output_of

EXAMPLES = list(examples(PAGE.read_text()))


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_the_output_is_what_the_command_prints(command: str, output: str, tmp_path: Path) -> None:
    build(tmp_path)
    assert output_of(command, tmp_path) == output
