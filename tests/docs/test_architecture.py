"""ARCHITECTURE.md names folders, files, values and symbols that exist, and the layers that tests/test_layers.py holds."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from pwb_async.core.site import findings, lookup
from tests.test_layers import LAYERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
LEGACY = {"book", "check", "common", "compare", "typed"}
"""The folders of pwb_legacy that have a row."""
LAYER = re.compile(r"^\| `([\w/.]+)` \|", re.MULTILINE)
FOREIGN = {
    *("ssl.SSLContext", "sys.argv", "os._exit", "mmap", "fstat", "O_PATH", "sendfile", "try_files"),
    *("Content", "epoll-level", "coding", "pwb", "pwb-legacy", "live", "trace"),
}
"""Names of the standard library, of the system and of nginx, of programs and commands, and of what does not exist yet."""
PLACE = re.compile(r"`((?:pwb_async|pwb_legacy|tests)/[\w/]+\.py)`:\s((?:`[\w.]+`(?:,\s)?)+)")
"""A file, and the names that it defines."""


def folders(package: str) -> set[str]:
    """Folders of a package that hold modules of their own, by their path in it."""
    modules = (ROOT / package).rglob("*.py")
    return {path.parent.relative_to(ROOT / package).as_posix() for path in modules if path.name != "__init__.py"} - {
        "."
    }


def test_the_table_of_layers_has_a_row_for_each_folder() -> None:
    rows = set(LAYER.findall(PAGE))
    layers = {each if each.startswith("core/") else each.partition("/")[0] for each in folders("pwb_async")}
    assert rows - {"__main__.py", "command.py", *LEGACY} == layers - {"core"}
    for part in folders("pwb_async") - layers - {"core"}:
        assert part.split("/")[1] in PAGE  # what is below belongs to it
    assert {folder.partition("/")[0] for folder in folders("pwb_legacy")} == LEGACY
    for part in folders("pwb_legacy") - LEGACY:
        assert f"`{part.split('/')[1]}`" in PAGE  # what is below belongs to it


def test_the_table_of_layers_allows_what_the_test_allows() -> None:
    """But for four modules that the text below the table names."""
    apart = {"version", "core.events", "core.deadlines", "core.tls"}
    above: set[str] = set()
    for name, cell in re.findall(r"^\| `([\w/.]+)` \|.*\|.*\| ([^|]+) \|$", PAGE.partition("part of")[0], re.MULTILINE):
        row = name.removesuffix(".py").replace("/", ".")
        names = {each.replace("/", ".") for each in re.findall("`([^`]+)`", cell)}
        allowed = {each for each in above if any(f"{each}.".startswith(f"{one}.") for one in names)}
        if cell == "all rows above":
            allowed = above if row == "__main__" else above - {"command"}
        else:
            assert bool(allowed) != (cell == "nothing of PWB"), name
        assert LAYERS[row] - apart == allowed, name
        above = above | {row}
    assert above == LAYERS.keys() - apart


@pytest.mark.parametrize(
    "name", ["Lookup", "OpenFile", "Directory", "NotFound", "Forbidden", "Unavailable", "StorageError"]
)
def test_the_spine_names_existing_values(name: str) -> None:
    assert name in PAGE
    assert hasattr(findings, name) or hasattr(lookup, name)


@cache
def defined(path: Path) -> frozenset[str]:
    """The names that a file defines on its top level, and those in its classes as Class.name."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        names |= bound(node)
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                names |= {f"{node.name}.{name}" for name in bound(member)}
            for each in ast.walk(node):
                if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
                    names |= {f"{node.name}.{each.attr}"} if ast.unparse(each.value) == "self" else set()
    return frozenset(names)


def bound(node: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


@pytest.mark.parametrize("place", [pytest.param(match, id=match[0]) for match in PLACE.findall(PAGE)])
def test_a_file_defines_the_names_behind_it(place: tuple[str, str]) -> None:
    file, names = place
    assert set(re.findall(r"`([\w.]+)`", names)) <= defined(ROOT / file)


def test_every_name_on_the_page_exists() -> None:
    """Each code span that is an identifier: a module, folder or name of the packages or of the tests."""
    paths = [path for folder in ("pwb_async", "pwb_legacy", "tests") for path in (ROOT / folder).rglob("*.py")]
    known = {name for path in paths for name in defined(path)}
    known |= {name.rpartition(".")[2] for name in known}
    known |= {part for path in paths for part in (*path.relative_to(ROOT).parts, path.stem)}
    spans = set(re.findall(r"`([A-Za-z_][\w.]*?)(?:\(\))?`", PAGE))
    assert len(spans) > 100
    assert not {span for span in spans if span not in known and span not in FOREIGN}


def test_the_page_stays_short() -> None:
    assert len(PAGE.splitlines()) <= 211
