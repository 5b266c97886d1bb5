"""The floors of the house (see README): a lower one never imports a higher one.

    floor 0  pwb_async.core                                 bytes and values: no world, no clock
    floor 1  beneath, descriptor, disk, etag, slow_disk     blocking, and without asyncio
             config, kinds, environment, printing, complaints, listener, pipes, processors, access_log, trace,
             traced, setup, notify, sandbox
    floor 2  files, shelf, writer, protocol, server         asyncio; pwb_legacy's designs
             entrance, room, pace, traced_protocol
    floor 3  worker, crew, supervisor, __main__ of both     processes

Imports are read from the syntax tree, so those in functions count, too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORLD = {
    "os",
    "socket",
    "asyncio",
    "threading",
    "select",
    "logging",
    "time",
    "uvloop",
    "aiofiles",
    "gevent",
    "signal",
    "subprocess",
    "selectors",
    "pathlib",
    "io",
    "mmap",
    "multiprocessing",
    "concurrent",
    "random",
}
FLOOR_1 = {
    "beneath",
    "complaints",
    "descriptor",
    "disk",
    "etag",
    "slow_disk",
    "config",
    "kinds",
    "printing",
    "environment",
    "access_log",
    "trace",
    "traced",
    "listener",
    "pipes",
    "processors",
    "setup",
    "notify",
    "sandbox",
}
FLOOR_2 = {
    "files",
    "shelf",
    "drain",
    "pump",
    "body_reader",
    "writer",
    "protocol",
    "server",
    "entrance",
    "room",
    "pace",
    "traced_protocol",
}
FLOOR_3 = {"worker", "crew", "supervisor", "__main__"}
LOOPS = {"asyncio", "uvloop", "aiofiles", "aiofastnet", "gevent"}
SHARED = {"base", "client", "door", "children", "traced"}
"""What the designs of pwb_legacy share; beside it a design may import only what is named here:"""
DESIGNS = {
    "fixed_page": {"single"},
    "single": set(),
    "threads": set(),
    "processes": set(),
    "greenlets": set(),
    "epoll": set(),
    "epoll_threads": {"epoll"},
}


def modules(package: str) -> dict[str, Path]:
    """Dotted names and files of a package."""
    paths = sorted((ROOT / package).rglob("*.py"))
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths if "compare" not in path.parts
    }


def imports(name: str, path: Path) -> Iterator[str]:
    """Absolute names of everything that a module imports; but not what only a type checker sees."""
    tree = ast.parse(path.read_text())
    hidden = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    if path.name == "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


ASYNC = modules("pwb_async")
LEGACY = modules("pwb_legacy")


def test_every_module_has_its_floor() -> None:
    own = {name.split(".")[1] for name in ASYNC} - {"core", "__init__"}
    assert own == FLOOR_1 | FLOOR_2 | FLOOR_3, "tell this page where the new module lives"
    assert {name.split(".")[1] for name in LEGACY} - {"__init__", "__main__", "modes"} == SHARED | set(DESIGNS)


@pytest.mark.parametrize("name", [name for name in ASYNC if inside(name, "pwb_async.core")])
def test_the_core_knows_only_bytes(name: str) -> None:
    for imported in imports(name, ASYNC[name]):
        assert imported.split(".")[0] not in WORLD, imported
        if inside(imported, "pwb_async"):
            assert inside(imported, "pwb_async.core"), imported


@pytest.mark.parametrize("name", sorted(FLOOR_1))
def test_floor_1_imports_no_loop_and_nothing_above(name: str) -> None:
    for imported in imports(f"pwb_async.{name}", ASYNC[f"pwb_async.{name}"]):
        assert imported.split(".")[0] not in LOOPS, imported
        assert not any(inside(imported, f"pwb_async.{above}") for above in FLOOR_2 | FLOOR_3), imported


@pytest.mark.parametrize("name", sorted(FLOOR_2))
def test_floor_2_imports_nothing_above(name: str) -> None:
    for imported in imports(f"pwb_async.{name}", ASYNC[f"pwb_async.{name}"]):
        assert not any(inside(imported, f"pwb_async.{above}") for above in FLOOR_3), imported


@pytest.mark.parametrize("name", ASYNC)
def test_the_async_server_never_imports_the_book(name: str) -> None:
    assert not any(inside(imported, "pwb_legacy") for imported in imports(name, ASYNC[name]))


@pytest.mark.parametrize("name", LEGACY)
def test_the_book_imports_only_the_lower_floors(name: str) -> None:
    allowed = ["core", *FLOOR_1, "__version__"]
    for imported in imports(name, LEGACY[name]):
        if inside(imported, "pwb_async"):
            assert any(inside(imported, f"pwb_async.{module}") for module in allowed), imported
        if not name.endswith("greenlets"):
            assert imported.split(".")[0] not in LOOPS, imported


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_imports_no_other_design(design: str) -> None:
    allowed = SHARED | DESIGNS[design]
    for imported in imports(f"pwb_legacy.{design}", LEGACY[f"pwb_legacy.{design}"]):
        if inside(imported, "pwb_legacy"):
            assert imported.split(".")[1] in allowed, imported


@pytest.mark.parametrize("name", sorted(SHARED))
def test_what_designs_share_knows_none_of_them(name: str) -> None:
    for imported in imports(f"pwb_legacy.{name}", LEGACY[f"pwb_legacy.{name}"]):
        if inside(imported, "pwb_legacy"):
            assert imported.split(".")[1] in SHARED, imported


def test_nobody_but_the_command_knows_the_laboratory() -> None:
    for name, path in {**ASYNC, **LEGACY}.items():
        if name != "pwb_legacy.__main__":
            assert not any(inside(imported, "pwb_legacy.compare") for imported in imports(name, path)), name
