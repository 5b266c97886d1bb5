"""Floor 0 is bytes and values only: no file, socket, wait, log or clock, and nothing of a higher floor."""

import ast
from pathlib import Path

import pytest

import pwb_async.core

ALLOWED = {"collections", "dataclasses", "datetime", "enum", "functools", "ipaddress", "math", "re", "typing", "urllib"}
ALLOWED |= {"fnmatch"}  # its translate() is a function of text
MODULES = sorted(Path(pwb_async.core.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
def test_imports(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module
            assert node.module.partition(".")[0] in ALLOWED or node.module.startswith("pwb_async.core.")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, "a higher floor"


@pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
def test_nobody_asks_for_the_time_or_opens_a_file(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "utcnow", "today")
        if isinstance(node, ast.Name):
            assert node.id not in ("open", "print", "input", "__import__", "exec", "eval")
