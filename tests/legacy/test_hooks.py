"""The table in the docstring of pwb_legacy/common/http_server.py: what a design may override, and which does."""

import ast
import re
from pathlib import Path

import pwb_legacy.common.http_server as module
from pwb_async.config.modes import MODES
from pwb_legacy.common.http_server import HTTPServer

FOLDER = Path(module.__file__).parents[1]
DESIGNS = {mode.module for mode in MODES.values()}


def table() -> dict[str, set[str]]:
    """For each hook of the docstring, the files of the designs that override it."""
    assert module.__doc__
    rows = re.findall(r"^    (\w+)  +\S.*?  +(\S.*)$", module.__doc__, re.MULTILINE)
    return {hook: listed(files) for hook, files in rows}


def listed(files: str) -> set[str]:
    if files.startswith("all but "):
        return DESIGNS - set(files.removeprefix("all but ").split(" and "))
    return set(files.split(", "))


def overridden() -> dict[str, set[str]]:
    """For each public name of HTTPServer that a class defines anew, the files of those classes."""
    found: dict[str, set[str]] = {}
    for path in (*(FOLDER / f"{design}.py" for design in DESIGNS), FOLDER / "common" / "tracing.py"):
        for kind in ast.parse(path.read_text()).body:
            if isinstance(kind, ast.ClassDef) and "Server" in kind.name:
                for name in filter(None, map(defined, kind.body)):
                    if hasattr(HTTPServer, name) and not name.startswith("_"):
                        found.setdefault(name, set()).add(path.stem)
    return found


def defined(statement: ast.stmt) -> str | None:
    """The name that a statement in the body of a class defines."""
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return ast.unparse(statement.target)
    return None


def test_the_table_of_hooks_is_complete_and_true() -> None:
    assert table() == overridden()
