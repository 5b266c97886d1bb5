"""The layers of ARCHITECTURE.md: a folder imports only what its row in LAYERS names.

Imports are read from the syntax tree, so those inside functions and under TYPE_CHECKING count as well.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pwb_async.config.modes import MODES

ROOT = Path(__file__).parents[1]

PURE = {"core.semantics", "core.events", "core.deadlines", "core.http1", "core.http2", "core.site"}
BLOCKING = {
    "access",
    "admin",
    "config",
    "limits",
    "listing",
    "live_reload",
    "metrics",
    "storage",
    "network",
    "output",
    "observability",
    "runtime",
    "tls",
}
APPLICATION = {"application", "config", "embedding", "network", "observability", "runtime", "storage"}
LAYERS: dict[str, set[str]] = {
    "core.semantics": set(),
    "core.events": {"core.semantics"},
    "core.deadlines": {"core.semantics", "core.events"},
    "core.http1": {"core.semantics", "core.events"},
    "core.http2": {"core.semantics", "core.events"},
    "core.site": {"core.semantics", "core.events"},
    "core.tls": set(),
    "output": set(),
    "config": {"core.semantics", "core.site", "version", "output"},
    "network": set(),
    "tls": set(),
    "storage": {"core.semantics", "core.site", "config"},
    "observability": {*PURE, "output"},
    "metrics": {"core.semantics"},
    "admin": {*PURE, "metrics", "version"},
    "access": {*PURE, "config", "network", "output"},
    "limits": {*PURE},
    "listing": {"core.semantics", "core.site", "storage"},
    "live_reload": {"core.semantics", "core.site", "config", "storage"},
    "runtime": {*PURE, *(BLOCKING - {"runtime"}), "version"},
    "command": {"config", "output", "observability"},
    "server": {*PURE, *BLOCKING, "core.tls"},
    "compress": {"core.semantics", "core.site", "config", "storage", "output", "runtime"},
    "explain": {*PURE, "access", "config", "observability", "output", "runtime", "storage"},
    "terminal": {"version", "compress", "config", "explain", "network", "observability", "output", "runtime"},
    "workers": {*PURE, *BLOCKING, "server"},
    "embedding": {*PURE, *BLOCKING, "core.tls", "server", "workers"},
    "application": {*PURE, "config", "embedding", "runtime"},
    "asgi": {*PURE, *APPLICATION, "server"},
    "wsgi": {*PURE, *APPLICATION},
    "__main__": {*PURE, *BLOCKING, "command", "compress", "explain", "server", "terminal", "workers", "embedding"},
}
"""What each part of pwb_async may import of the others. Nothing imports __main__."""
LEGACY_MAY_IMPORT = {*PURE, *BLOCKING, "version", "command"}
"""What pwb_legacy may import of pwb_async: everything below the event loop."""
DESIGNS = {mode.module: {MODES[mode.builds_on].module} if mode.builds_on else set() for mode in MODES.values()}
"""The designs of the book, and the other designs that each may import beside common/."""
COMPARE: dict[str, set[str]] = {
    "load": set(),
    "measure": {"load"},
    "checks": {"load", "measure"},
    "report": {"load", "measure"},
    "timeline": {"load", "measure", "checks", "report"},
    "live": {"load", "measure"},
}
"""The parts of the laboratory, and what each may import of the others."""
EVENT_LOOPS = {"asyncio", "uvloop", "aiofiles", "gevent"}
MAY_HAVE_A_LOOP = (
    "pwb_async.server",
    "pwb_async.workers",
    "pwb_async.embedding",
    "pwb_async.asgi",
    "pwb_async.storage.object_store.folders",
    "pwb_legacy.greenlets",
    "pwb_legacy.compare",
    "pwb_legacy.book.exhibits",
    "pwb_legacy.typed",
)
CORE_MAY_IMPORT = {
    "binascii", "collections", "dataclasses", "datetime", "enum", "fnmatch", "functools", "hashlib", "heapq", "ipaddress", "math", "operator", "re",
    "struct", "typing", "unicodedata", "urllib",
}  # fmt: skip
"""What the core may import of the standard library: none of it reaches a file, a socket, a process, a clock or a log."""


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for package in ("pwb_async", "pwb_legacy") for path in (ROOT / package).rglob("*.py")}


def imports(name: str) -> Iterator[str]:
    """Absolute names of everything that a module imports."""
    path = FILES[name]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def module_of(imported: str) -> str | None:
    """The module of this repository that is imported, or whose name is; None for any other module."""
    while imported and imported not in FILES:
        imported = imported.rpartition(".")[0]
    return imported or None


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def layer(module: str) -> str:
    """The row of LAYERS that a module of pwb_async belongs to."""
    parts = module.split(".")[1:]
    if not parts:
        return "version"
    return ".".join(parts[:2]) if parts[0] == "core" else parts[0]


ASYNC = [name for name in FILES if inside(name, "pwb_async")]
LEGACY = [name for name in FILES if inside(name, "pwb_legacy")]


@pytest.mark.parametrize("name", [name for name in ASYNC if name not in ("pwb_async", "pwb_async.core")])
def test_a_layer_imports_only_what_its_row_names(name: str) -> None:
    own = layer(name)
    for imported in imports(name):
        module = module_of(imported)
        if module is not None:
            assert inside(module, "pwb_async"), imported
            assert layer(module) == own or layer(module) in LAYERS[own], imported


@pytest.mark.parametrize("name", [name for name in ASYNC if inside(name, "pwb_async.core")])
def test_the_core_imports_only_modules_without_side_effects(name: str) -> None:
    """But for tls.py, which uses OpenSSL on memory alone."""
    allowed = CORE_MAY_IMPORT | {"contextlib", "ssl"} if name == "pwb_async.core.tls" else CORE_MAY_IMPORT
    assert {imported.split(".")[0] for imported in imports(name)} - {"pwb_async"} <= allowed


def test_only_tls_imports_the_ssl_module() -> None:
    users = {name for name in ASYNC for imported in imports(name) if imported.split(".")[0] == "ssl"}
    assert "pwb_async.core.tls" in users
    assert all(name == "pwb_async.core.tls" or inside(name, "pwb_async.tls") for name in users)


@pytest.mark.parametrize("name", FILES)
def test_event_loops_are_imported_only_where_one_runs(name: str) -> None:
    if not any(inside(name, package) for package in MAY_HAVE_A_LOOP):
        assert not {imported.split(".")[0] for imported in imports(name)} & EVENT_LOOPS


@pytest.mark.parametrize("name", LEGACY)
def test_the_designs_import_nothing_of_the_event_loop(name: str) -> None:
    for imported in imports(name):
        module = module_of(imported)
        if module is not None and inside(module, "pwb_async"):
            assert layer(module) in LEGACY_MAY_IMPORT, imported


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_imports_no_other_design(design: str) -> None:
    for imported in imports(f"pwb_legacy.{design}"):
        module = module_of(imported)
        if module is not None and inside(module, "pwb_legacy"):
            assert module.split(".")[1] in {"common", *DESIGNS[design]}, imported


@pytest.mark.parametrize("name", [name for name in LEGACY if inside(name, "pwb_legacy.common")])
def test_what_the_designs_share_imports_no_design(name: str) -> None:
    for imported in imports(name):
        module = module_of(imported)
        if module is not None and inside(module, "pwb_legacy"):
            assert inside(module, "pwb_legacy.common"), imported


@pytest.mark.parametrize("name", [name for name in LEGACY if name.split(".")[2:3] and name.split(".")[2] in COMPARE])
def test_a_part_of_the_laboratory_imports_only_what_its_row_names(name: str) -> None:
    own = name.split(".")[2]
    for imported in imports(name):
        module = module_of(imported)
        if module is not None and inside(module, "pwb_legacy.compare"):
            assert [*module.split("."), ""][2] in {own, *COMPARE[own]}, imported


def test_only_the_programs_import_the_code_that_prints_and_exits() -> None:
    importers = {name for name in FILES if any(inside(each, "pwb_async.command") for each in imports(name))}
    assert importers == {"pwb_async.__main__", "pwb_legacy.__main__"}


def test_only_the_command_imports_the_laboratory() -> None:
    """But for the rows and their judge, which `pwb-legacy check` shares."""
    for name in FILES:
        if not inside(name, "pwb_legacy.compare") and name != "pwb_legacy.__main__":
            found = [imported for imported in imports(name) if inside(imported, "pwb_legacy.compare")]
            shared = inside(name, "pwb_legacy.check")
            assert all(shared and inside(imported, "pwb_legacy.compare.checks") for imported in found), name


@pytest.mark.parametrize("name", [name for name in LEGACY if inside(name, "pwb_legacy.check")])
def test_the_check_of_a_server_imports_no_server(name: str) -> None:
    for imported in imports(name):
        module = module_of(imported)
        if module is not None and inside(module, "pwb_legacy"):
            assert inside(module, "pwb_legacy.check") or inside(module, "pwb_legacy.compare.checks"), imported


def test_only_the_command_imports_the_programs_of_the_book() -> None:
    for name in FILES:
        if not inside(name, "pwb_legacy.book") and name != "pwb_legacy.__main__":
            assert not any(inside(imported, "pwb_legacy.book") for imported in imports(name)), name


@pytest.mark.parametrize("name", [name for name in LEGACY if inside(name, "pwb_legacy.book")])
def test_the_programs_of_the_book_and_their_attacks_import_no_server(name: str) -> None:
    """An exhibit imports nothing but other exhibits, and nothing imports an exhibit."""
    exhibit = inside(name, "pwb_legacy.book.exhibits")
    for imported in imports(name):
        module = module_of(imported)
        if module is not None:
            assert inside(module, "pwb_legacy.book") or inside(module, "pwb_async"), imported
            assert inside(module, "pwb_legacy.book.exhibits") == exhibit, imported


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        name: {module for each in imports(name) if (module := module_of(each)) and module != name} for name in FILES
    }
    while leaves := [name for name, imported in graph.items() if not imported & graph.keys()]:
        for name in leaves:
            del graph[name]
    # What is left imports, directly or not, a circle; a module that nothing of the rest imports is only above it.
    while above := [name for name in graph if not any(name in imported for imported in graph.values())]:
        for name in above:
            del graph[name]
    assert not graph, f"a circle among {sorted(graph)}"


def test_every_folder_has_a_row_and_every_row_a_folder() -> None:
    found = {layer(name) for name in ASYNC} - {"version", "core"}
    assert found == LAYERS.keys()
    assert {name.split(".")[1] for name in LEGACY if "." in name} == {
        *DESIGNS,
        "common",
        "book",
        "check",
        "compare",
        "modes",
        "typed",
        "__main__",
    }
