"""The defaults in SECURITY.md are those of the declarations in pwb_async/config."""

import re
from pathlib import Path

import pytest

from pwb_async.config.options import DECLARATIONS

PAGE = (Path(__file__).parents[2] / "SECURITY.md").read_text()
ROWS = re.findall(r"^\| `--([a-z-]+)` \| (\S+)(?: (?:s|bytes))? \|", PAGE, re.MULTILINE)
LIMITS = re.compile(r"_timeout$|^linger|^max_(?!age|load)|^min_|^grace_period$|^requests_|^cache")


@pytest.mark.parametrize(("name", "default"), ROWS)
def test_default(name: str, default: str) -> None:
    expected = DECLARATIONS[name.replace("-", "_")].default
    assert default == "none" if expected is None else float(default) == expected


def test_no_limit_is_left_out() -> None:
    assert {name.replace("-", "_") for name, _ in ROWS} == {name for name in DECLARATIONS if LIMITS.search(name)}
