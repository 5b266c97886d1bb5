"""Everything public in the packages has a docstring whose first line is about the thing itself, and files are short."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
    for package in ("pwb_async", "pwb_legacy")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "compare" not in path.parts  # the laboratory
}
MAX_LINES = 320
CALLBACKS = {
    *("connection_made", "connection_lost", "data_received", "eof_received", "pause_writing", "resume_writing"),
    *("formatMessage", "formatException"),
}
"""Methods that asyncio and logging document."""
BEGINS_WITH_PARAMETER = re.compile(r"[a-z_]+: ")

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(body: list[ast.stmt]) -> Iterator[tuple[Definition, bool]]:
    """Public classes and functions, each with whether it is a method."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node, False
            if isinstance(node, ast.ClassDef):
                yield from ((method, True) for method, _ in public(node.body))


METHODS = {
    node.name
    for tree in TREES.values()
    for node, is_method in public(tree.body)
    if is_method and ast.get_docstring(node)
}
"""Methods that some class documents. An override need not repeat what its base or Protocol documents."""


@pytest.mark.parametrize("name", TREES)
def test_everything_public_is_documented(name: str) -> None:
    tree = TREES[name]
    missing = [
        node.name
        for node, is_method in public(tree.body)
        if not ast.get_docstring(node) and not (is_method and node.name in METHODS | CALLBACKS)
    ]
    assert ast.get_docstring(tree)
    assert not missing


@pytest.mark.parametrize("name", TREES)
def test_no_docstring_of_a_class_begins_with_a_parameter(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ClassDef):
            assert not BEGINS_WITH_PARAMETER.match(ast.get_docstring(node) or ""), node.name


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "pwb_async").rglob("*.py")) + sorted((ROOT / "pwb_legacy").rglob("*.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES
