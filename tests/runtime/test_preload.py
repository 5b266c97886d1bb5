"""A process in the sandbox finds no module any more: whatever it imports on first use has been imported before."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pwb_async
from tests.conformance.server import environment

PACKAGE: Final = Path(pwb_async.__file__).parent
SERVING: Final = (
    "access",
    "admin",
    "config",
    "core",
    "limits",
    "listing",
    "metrics",
    "network",
    "observability",
    "output",
    "runtime",
    "server",
    "storage",
)
"""The folders of what a serving process runs."""
WITH_RIGHTS: Final = {
    "the options are read by a process that keeps its rights": ("click", "difflib", "pwb_async.config.site_tables"),
    "password_hashes.load_all() does it": ("argon2", "argon2.exceptions", "bcrypt", "passlib.hash"),
    "rights are given up by it": ("grp", "pwb_async.runtime.landlock", "pwd"),
    "the site has been made before": (
        "pwb_async.core.site.explained_fields",
        "pwb_async.core.site.virtual_hosts",
        "pwb_async.listing.page",
        "pwb_async.listing.storage",
        "pwb_async.runtime.live_reload",
        "pwb_async.runtime.object_stores",
        "pwb_async.storage.archives.index",
        "pwb_async.storage.archives.storage",
        "pwb_async.storage.mounts",
        "pwb_async.storage.site_storages",
    ),
    "certificates are read by a process that keeps its rights": (
        "pwb_async.tls.certified_key",
        "pwb_async.tls.contexts",
        "pwb_async.tls.errors",
        "pwb_async.tls.generated",
        "pwb_async.tls.profile",
        "pwb_async.tls.reloading",
    ),
    "another module has it in this version of Python": ("backports", "compression"),
}
"""What is imported late, but never in the sandbox, by the reason."""
PROGRAM: Final = """
import sys
import pwb_async.__main__
from pwb_async.config.options import Options
from pwb_async.runtime.preload import modules_of, preload
from pwb_async.server.late_imports import LATE_IMPORTS, RELOAD_IMPORTS
options = Options(
    root="s3://bucket", browse=True, live_reload=True, proxy_protocol=True, min_send_rate=1, admin="a:1", health="/up"
)
modules = modules_of(options, tls=True, http2=True, admin=True)
preload(*LATE_IMPORTS, *RELOAD_IMPORTS, "pwb_async.server.tracing", *modules)
print(*sys.modules)
"""


def late_imports(path: Path) -> Iterator[str]:
    """The modules that functions of a file import."""
    package = ("pwb_async", *path.relative_to(PACKAGE).parent.parts)
    for function in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    yield from (name.name for name in node.names)
                elif isinstance(node, ast.ImportFrom):
                    above = package[: len(package) - node.level + 1] if node.level else ()
                    yield ".".join((*above, *([node.module] if node.module else [])))


def test_what_a_serving_process_imports_late_is_there_in_the_sandbox() -> None:
    late = {name for folder in SERVING for path in (PACKAGE / folder).rglob("*.py") for name in late_imports(path)}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment())
    missing = late - set(done.stdout.split()) - {name for names in WITH_RIGHTS.values() for name in names}
    assert missing == set(), "pwb_async/runtime/preload.py: modules_of(), preload()"
