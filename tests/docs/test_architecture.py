"""ARCHITECTURE.md names the folders and the values that exist."""

import re
from pathlib import Path

import pytest

from pwb_async.core.site import lookup

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
LEGACY = {"book", "check", "common", "compare", "typed"}
"""The folders of pwb_legacy that have a row."""
LAYER = re.compile(r"^\| `([\w/.]+)` \|", re.MULTILINE)


def folders(package: str) -> set[str]:
    """Folders of a package that hold modules of their own, by their path in it."""
    modules = (ROOT / package).rglob("*.py")
    return {path.parent.relative_to(ROOT / package).as_posix() for path in modules if path.name != "__init__.py"} - {
        "."
    }


def test_the_table_of_layers_has_a_row_for_each_folder() -> None:
    rows = set(LAYER.findall(PAGE))
    assert rows - {"__main__.py", "command.py", *LEGACY} == folders("pwb_async") - {"core"}
    assert {folder.partition("/")[0] for folder in folders("pwb_legacy")} == LEGACY
    for part in folders("pwb_legacy") - LEGACY:
        assert f"`{part.split('/')[1]}`" in PAGE  # what is below belongs to it


@pytest.mark.parametrize(
    "name", ["Lookup", "OpenFile", "Directory", "NotFound", "Forbidden", "Unavailable", "StorageError"]
)
def test_the_spine_names_existing_values(name: str) -> None:
    assert name in PAGE
    assert hasattr(lookup, name)


def test_the_page_stays_a_page() -> None:
    assert len(PAGE.splitlines()) <= 110
