"""The core reads no clock and opens no file, not even by a built-in; tests/test_layers.py checks its imports."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import pwb_async.core

MODULES = sorted(Path(pwb_async.core.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
def test_no_module_reads_a_clock_or_opens_a_file(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("now", "utcnow", "today")
        if isinstance(node, ast.Name):
            assert node.id not in ("open", "print", "input", "__import__", "exec", "eval")


@pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])
def test_every_module_has_a_docstring(path: Path) -> None:
    parts = path.relative_to(Path(pwb_async.core.__file__).parent).with_suffix("").parts
    module = import_module(".".join(("pwb_async.core", *parts)).removesuffix(".__init__"))
    assert module.__doc__
